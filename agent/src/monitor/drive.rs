//! The health of drives, as they tell it: NVMe's SMART log (NVM Express Base 2.0 §5.16.1.3), ATA's SMART, SCSI's log pages.
//!
//! A drive is named by its serial number: the kernel's names are others after a boot.

use std::collections::BTreeSet;

use libhw::device::storage::{
    AtaHealth, CriticalWarning, Disk, NvmeController, NvmeHealth, ScsiHealth, Storage,
};
use libhw::inventory::Class;

use crate::alarm::entity::Entity;
use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::name;
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::{Saying, Told};

const FAILING: &str = "hw.storage.health-failed";
const SPARE: &str = "hw.storage.spare-low";
const WEAR: &str = "hw.storage.wear";
const TEMPERATURE: &str = "hw.storage.temperature";
const MEDIA: &str = "hw.storage.media-errors";
const PENDING: &str = "hw.storage.sectors-pending";
const REALLOCATED: &str = "hw.storage.sectors-reallocated";
const CABLE: &str = "hw.storage.cable-errors";

/// What is wrong when media errors are counted.
const GARBLED: &str = "drive could not read or write data rightly";

const NAME: &str = "drives";
const BLOCK: &str = "sys/block";
const NVME: &str = "sys/class/nvme";

/// What a warning of NVMe's means: the alarm, and what is wrong.
const WARNINGS: &[(CriticalWarning, &str, &str)] = &[
    (
        CriticalWarning::Reliability,
        FAILING,
        "drive is not reliable any more",
    ),
    (CriticalWarning::ReadOnly, FAILING, "drive can only be read"),
    (
        CriticalWarning::VolatileMemoryBackup,
        FAILING,
        "drive's cache is not kept without power any more",
    ),
    (
        CriticalWarning::PersistentMemoryRegion,
        FAILING,
        "drive's persistent memory region is not reliable",
    ),
];

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "the health of drives by their own word: failing, spare blocks, wear, media errors, sectors that cannot be read",
    alarms: &[
        FAILING,
        SPARE,
        WEAR,
        TEMPERATURE,
        MEDIA,
        PENDING,
        REALLOCATED,
        CABLE,
    ],
    interval: seconds(600),
    deadline: seconds(120),
    cost: Cost::High,
    classes: &[Class::Storage],
    reading: Reading::Deep,
    blocks: true,
    available: |look| {
        let storage = look.inventory.storage.as_ref().ok_or(NOT_READ)?;
        let physical = |disk: &Disk| disk.transport.is_some();
        let any = !storage.nvme_controllers.is_empty() || storage.disks.iter().any(physical);
        has(any, "there is no drive here")
    },
    make: |table, remembered| {
        Ok(Box::new(Drives {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Drives {
    settings: Only,
    remembered: Remembered,
}

/// A drive and what it is called.
struct Drive {
    /// Its serial number, or its name where it tells none.
    name: String,
    entity: Entity,
    called: String,
    id: String,
}

impl Monitor for Drives {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(storage) = &look.inventory.storage else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        self.all(storage, &mut told);
        let complete = look.lists(Class::Storage, &[BLOCK, NVME]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl Drives {
    /// A drive that several ways lead to is asked on the first.
    fn all(&mut self, storage: &Storage, told: &mut Told) {
        let mut known = BTreeSet::new();
        for controller in &storage.nvme_controllers {
            let drive = of_controller(controller, told);
            if let Some(health) = &controller.now.health
                && self.takes(&drive, &mut known)
            {
                self.nvme(&drive, health, told);
            }
        }
        for disk in &storage.disks {
            let drive = of_disk(disk, told);
            if (disk.ata.is_none() && disk.scsi.is_none()) || !self.takes(&drive, &mut known) {
                continue;
            }
            match (&disk.ata, &disk.scsi) {
                (Some(health), _) => self.ata(&drive, health, told),
                (None, Some(health)) => self.scsi(&drive, health, told),
                (None, None) => {}
            }
        }
    }

    fn takes(&self, drive: &Drive, known: &mut BTreeSet<String>) -> bool {
        let ignored = [&drive.name, &drive.id]
            .into_iter()
            .any(|id| self.settings.ignore.has(id));
        !ignored && known.insert(drive.name.clone())
    }

    fn nvme(&mut self, drive: &Drive, health: &NvmeHealth, told: &mut Told) {
        let warned = |warning: &CriticalWarning| health.critical_warnings.contains(warning);
        let wrong = WARNINGS.iter().find(|(warning, ..)| warned(warning));
        let words: Vec<String> = health
            .critical_warnings
            .iter()
            .map(|one| format!("{one:?}").to_lowercase())
            .collect();
        let text = wrong.map_or("drive is failing", |(_, _, text)| text);
        drive
            .say(FAILING, told)
            .with("critical warnings", words.join(", "))
            .fault(wrong.is_some(), &drive.text(text));
        let low = warned(&CriticalWarning::Spare)
            || (health.spare_threshold_percent > 0
                && health.available_spare_percent < health.spare_threshold_percent);
        drive
            .say(SPARE, told)
            .with("spare", format!("{} %", health.available_spare_percent))
            .with("threshold", format!("{} %", health.spare_threshold_percent))
            .fault(low, &drive.text("drive has few spare blocks left"));
        drive
            .say(TEMPERATURE, told)
            .with_some(
                "temperature",
                health
                    .temperature_celsius
                    .map(|value| format!("{value} °C")),
            )
            .fault(
                warned(&CriticalWarning::Temperature),
                &drive.text("drive is too hot or too cold"),
            );
        self.wear(drive, health.percentage_used, told);
        self.grew(drive, (MEDIA, Some(health.media_errors), GARBLED), told);
    }

    fn ata(&mut self, drive: &Drive, health: &AtaHealth, told: &mut Told) {
        let now = &health.now;
        match now.failing {
            Some(failing) => drive
                .say(FAILING, told)
                .fault(failing, &drive.text("drive expects to fail")),
            // Of a drive that sleeps nothing is read.
            None if health.smart_enabled != Some(false) => {
                drive.say(FAILING, told).unknown(
                    "the drive does not say",
                    &drive.text("drive expects to fail"),
                );
            }
            None => {}
        }
        if let Some(pending) = now.pending_sectors {
            drive
                .say(PENDING, told)
                .with("pending", pending)
                .with_some("uncorrectable", now.uncorrectable_sectors)
                .fault(
                    pending > 0,
                    &drive.text("drive has sectors that it cannot read"),
                );
        }
        let growing = [
            (
                REALLOCATED,
                now.reallocated_sectors,
                "drive replaced sectors by spare ones",
            ),
            (MEDIA, now.uncorrectable_sectors, GARBLED),
            (
                CABLE,
                now.interface_crc_errors,
                "drive's cable garbles data",
            ),
        ];
        for (alarm, count, text) in growing {
            self.grew(drive, (alarm, count, text), told);
        }
    }

    fn scsi(&mut self, drive: &Drive, health: &ScsiHealth, told: &mut Told) {
        let now = &health.now;
        if let Some(failing) = now.failing {
            drive
                .say(FAILING, told)
                .with_some(
                    "sense code",
                    now.exception_code.map(|code| format!("{code:#06x}")),
                )
                .fault(failing, &drive.text("drive expects to fail"));
        }
        if let Some(used) = now.percentage_used {
            self.wear(drive, used, told);
        }
        let pages = [&now.read, &now.write, &now.verify];
        let lost = pages.iter().filter_map(|page| page.as_ref()?.uncorrected);
        let lost = lost.fold(None, |sum: Option<u64>, one| {
            Some(sum.unwrap_or(0).saturating_add(one))
        });
        self.grew(drive, (MEDIA, lost, GARBLED), told);
    }

    fn wear(&self, drive: &Drive, used: u8, told: &mut Told) {
        let text = drive.text("drive has used up most of its life");
        drive
            .say(WEAR, told)
            .with("used", format!("{used} %"))
            .value(f64::from(used), None, &text);
    }

    /// What it counts in its life.
    fn grew(
        &mut self,
        drive: &Drive,
        (alarm, count, text): (&'static str, Option<u64>, &str),
        told: &mut Told,
    ) {
        let name = format!("{} {alarm}", drive.name);
        if let Some(by) = self
            .remembered
            .growth((Span::Life, First::Begins), &name, count)
        {
            drive
                .say(alarm, told)
                .with_some("count", count)
                .grew(by, &drive.text(text));
        }
    }
}

impl Drive {
    fn say<'t>(&self, alarm: &'static str, told: &'t mut Told) -> Saying<'t> {
        told.say(alarm, &self.entity).with("device", &self.id)
    }

    fn text(&self, wrong: &str) -> String {
        format!("{}: {wrong}", self.called)
    }
}

fn of_controller(controller: &NvmeController, told: &Told) -> Drive {
    drive(
        (name::of_controller(controller), &controller.id),
        controller.model.as_deref(),
        told,
    )
}

fn of_disk(disk: &Disk, told: &Told) -> Drive {
    drive((name::of_disk(disk), &disk.id), disk.model.as_deref(), told)
}

fn drive((name, id): (&str, &str), model: Option<&str>, told: &Told) -> Drive {
    Drive {
        entity: told.entity(&[("disk", name)]),
        name: name.to_owned(),
        called: model.map_or_else(|| name.to_owned(), |model| format!("{model} {name}")),
        id: id.to_owned(),
    }
}

#[cfg(test)]
mod tests;
