//! Some devices read again, where events name them: a machine may have hundreds, and a drive waits for nobody's row but its
//! own.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::{self, natural};
use super::{Disk, NvmeController, NvmeNamespace, NvmeSubsystem, Partition, Storage};
use super::{disk, mapped, md, nvme, partition, statistics};
use crate::parse;
use crate::survey::Survey;
use crate::uevent::Uevent;

/// Reads the devices again that `events` name, and what hangs on them. The places that were looked at; `None`, and nothing
/// is done, where a whole look is needed.
pub(crate) fn update(
    storage: &mut Storage,
    survey: &Survey<'_>,
    events: &[&Uevent],
) -> Option<Vec<String>> {
    let mut named = Named::of(events)?;
    named.add_disks(storage);
    let nvme = Nvme::read(survey, &named, storage);
    let disks = Disks::read(survey, &named.disks);
    // What is made of others changes their rows too, and no event tells of those.
    let is_tied = |disks: &[Disk], partitions: &[Partition]| {
        let mut disks = disks.iter().filter(|disk| named.disks.contains(&disk.id));
        let own = |part: &&Partition| named.disks.contains(&part.disk);
        disks.any(|disk| !disk.slaves.is_empty() || !disk.holders.is_empty())
            || partitions
                .iter()
                .filter(own)
                .any(|part| !part.holders.is_empty())
    };
    if is_tied(&storage.disks, &storage.partitions) || is_tied(&disks.disks, &disks.partitions) {
        return None;
    }
    let mut places = named.places(storage);
    places.extend(nvme.places(storage));
    disks.replace(&named.disks, storage);
    nvme.replace(&named.controllers, storage);
    Some(places)
}

/// What events are about.
#[derive(Default)]
struct Named {
    /// Whole block devices.
    disks: BTreeSet<String>,
    /// SCSI devices: host, channel, target and LUN.
    addresses: BTreeSet<String>,
    /// The numbers of NVMe controllers,
    controllers: BTreeSet<u32>,
    /// and of NVMe subsystems.
    subsystems: BTreeSet<u32>,
}

impl Named {
    /// `None` where there are no events, or one that tells of something else.
    fn of(events: &[&Uevent]) -> Option<Self> {
        let mut named = Self::default();
        for event in events {
            let device = event.device();
            match &*event.subsystem {
                "block" => {
                    named.disks.insert(whole(event)?.to_owned());
                    named.add_nvme(event);
                }
                "nvme" | "nvme-subsystem" => named.add_nvme(event),
                "scsi" | "scsi_device" if device.split(':').count() == 4 => {
                    named.addresses.insert(device.to_owned());
                }
                // Of a block device, which has events of its own; others are of file systems.
                "bdi" if is_block(device) => {}
                _ => return None,
            }
        }
        (!events.is_empty()).then_some(named)
    }

    /// The controllers and subsystems on the way to a device.
    ///
    /// ```text
    /// /devices/pci0000:00/0000:00:02.0/0000:01:00.0/nvme/nvme0/nvme0n1
    /// /devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1
    /// ```
    fn add_nvme(&mut self, event: &Uevent) {
        let parts = || event.devpath.split('/');
        let controllers = parts().filter_map(|part| number(part, "nvme"));
        self.controllers.extend(controllers);
        let subsystems = parts().filter_map(|part| number(part, "nvme-subsys"));
        self.subsystems.extend(subsystems);
    }

    /// Adds the disks that are known to be of what is named: a drive that has other firmware is another disk.
    fn add_disks(&mut self, storage: &Storage) {
        let nvme = storage.nvme_namespaces.iter().filter(|row| {
            let (controller, subsystem) = (row.controller.as_deref(), row.subsystem.as_deref());
            let subsystem = subsystem.and_then(|id| number(id, "nvme-subsys"));
            controller.is_some_and(|id| self.has_controller(id))
                || subsystem.is_some_and(|number| self.subsystems.contains(&number))
        });
        let scsi = storage.disks.iter().filter(|disk| {
            let address = disk.scsi_address.as_ref();
            address.is_some_and(|address| self.addresses.contains(address))
        });
        let nvme = nvme.map(|row| row.id.clone());
        let own: Vec<String> = nvme.chain(scsi.map(|disk| disk.id.clone())).collect();
        self.disks.extend(own);
    }

    fn has_controller(&self, id: &str) -> bool {
        number(id, "nvme").is_some_and(|number| self.controllers.contains(&number))
    }

    /// Where the disks and controllers are read, as `storage` has them.
    fn places(&self, storage: &Storage) -> Vec<String> {
        let folders = |name: &String| attributes::PLACES.map(|folder| format!("{folder}/{name}"));
        let mut places: Vec<String> = self.disks.iter().flat_map(folders).collect();
        let file = |name: &String| format!("dev/{}", name.replace('!', "/"));
        places.extend(self.disks.iter().map(file));
        for number in &self.controllers {
            places.push(format!("{}/nvme{number}", nvme::CONTROLLERS));
            places.push(format!("dev/nvme{number}"));
        }
        let disks = storage
            .disks
            .iter()
            .map(|disk| (&disk.id, &disk.device_number));
        let partitions = storage.partitions.iter();
        let partitions = partitions.map(|part| (&part.disk, &part.device_number));
        let own = disks
            .chain(partitions)
            .filter(|(disk, _)| self.disks.contains(*disk));
        let numbers = own.filter_map(|(_, number)| number.as_ref());
        places.extend(numbers.map(|number| format!("{}/b{number}", super::udev::PLACE)));
        places.push(statistics::DISKSTATS.to_owned());
        places
    }
}

/// The number in a kernel's name of this kind.
fn number(name: &str, kind: &str) -> Option<u32> {
    parse::decimal(name.strip_prefix(kind)?).ok()
}

/// The whole block device that an event is about.
fn whole(event: &Uevent) -> Option<&str> {
    let mut parts = event.devpath.rsplit('/');
    let is_partition = event.devtype.as_deref() == Some("partition");
    parts.nth(usize::from(is_partition))
}

/// Whether a number is that of a block device: those of file systems without one have the major number 0.
fn is_block(number: &str) -> bool {
    let major = number.split_once(':').map(|(major, _)| major);
    major.is_some_and(|major| parse::decimal::<u32>(major).is_ok_and(|major| major > 0))
}

/// The rows of some block devices.
struct Disks {
    disks: Vec<Disk>,
    partitions: Vec<Partition>,
    arrays: Vec<super::Array>,
    mapped_devices: Vec<super::MappedDevice>,
    loops: Vec<super::Loop>,
}

impl Disks {
    fn read(survey: &Survey<'_>, names: &BTreeSet<String>) -> Self {
        let blocks = attributes::named(survey, names);
        let statistics = if blocks.is_empty() {
            Default::default()
        } else {
            statistics::all(survey)
        };
        Self {
            disks: disk::discover(survey, &blocks, &statistics),
            partitions: partition::discover(survey, &blocks, &statistics),
            arrays: md::discover(&blocks),
            mapped_devices: mapped::discover(&blocks),
            loops: mapped::loops(&blocks),
        }
    }

    fn replace(self, names: &BTreeSet<String>, storage: &mut Storage) {
        replace(&mut storage.disks, self.disks, |row| &row.id, names);
        replace(&mut storage.arrays, self.arrays, |row| &row.id, names);
        let mapped = &mut storage.mapped_devices;
        replace(mapped, self.mapped_devices, |row| &row.id, names);
        replace(&mut storage.loops, self.loops, |row| &row.id, names);
        let partitions = &mut storage.partitions;
        replace(partitions, self.partitions, |row| &row.disk, names);
    }
}

/// Puts the rows that were read in the place of those of the same devices.
fn replace<T>(
    rows: &mut Vec<T>,
    read: Vec<T>,
    device: impl Fn(&T) -> &String,
    names: &BTreeSet<String>,
) {
    rows.retain(|row| !names.contains(device(row)));
    rows.extend(read);
    // The order among the partitions of a disk is kept.
    rows.sort_by_cached_key(|row| natural(device(row)));
}

/// What there is of NVMe, where some of it is read again.
#[derive(Default)]
struct Nvme {
    controllers: Vec<NvmeController>,
    namespaces: Vec<NvmeNamespace>,
    /// The subsystems that were read, and those that are as they were.
    subsystems: BTreeMap<u32, Option<NvmeSubsystem>>,
    is_named: bool,
}

impl Nvme {
    fn read(survey: &Survey<'_>, named: &Named, storage: &Storage) -> Self {
        let mut nvme = Self {
            is_named: !named.controllers.is_empty() || !named.subsystems.is_empty(),
            ..Self::default()
        };
        if !nvme.is_named {
            return nvme;
        }
        for number in survey.numbered(nvme::CONTROLLERS, "nvme") {
            if named.controllers.contains(&number) {
                let (controller, own) = nvme::read_controller(survey, number);
                nvme.controllers.push(controller);
                nvme.namespaces.extend(own);
            }
        }
        for number in nvme::subsystem_numbers(survey) {
            let id = format!("nvme-subsys{number}");
            let known = storage.nvme_subsystems.iter().find(|row| row.id == id);
            let same = known.is_some_and(|known| !nvme.may_have_changed(known, number, named));
            let read = (!same).then(|| nvme::read_subsystem(survey, number));
            let read = read.map(|(subsystem, shared)| {
                nvme.namespaces.extend(shared);
                subsystem
            });
            nvme.subsystems.insert(number, read);
        }
        nvme
    }

    /// Whether a subsystem is named, or has or may have a controller that is.
    fn may_have_changed(&self, known: &NvmeSubsystem, number: u32, named: &Named) -> bool {
        let mut own = known.controllers.iter();
        let nqn = |controller: &NvmeController| {
            controller.subsystem_nqn.is_none() || controller.subsystem_nqn == known.nqn
        };
        named.subsystems.contains(&number)
            || own.any(|id| named.has_controller(id))
            || self.controllers.iter().any(nqn)
    }

    /// Whether a subsystem is as it was.
    fn keeps(&self, id: &str) -> bool {
        let number = number(id, "nvme-subsys");
        let is_same = |number| matches!(self.subsystems.get(&number), Some(None));
        !self.is_named || number.is_some_and(is_same)
    }

    /// Where the subsystems were read, beside what `storage` has of them.
    fn places(&self, storage: &Storage) -> Vec<String> {
        let known = storage.nvme_subsystems.iter().map(|row| row.id.as_str());
        let read = self.subsystems.values().flatten();
        let read = read.map(|row| row.id.as_str());
        let changed = known.filter(|id| !self.keeps(id)).chain(read);
        changed
            .map(|id| format!("{}/{id}", nvme::SUBSYSTEMS))
            .collect()
    }

    fn replace(self, controllers: &BTreeSet<u32>, storage: &mut Storage) {
        if !self.is_named {
            return;
        }
        let ids: BTreeSet<String> = controllers
            .iter()
            .map(|number| format!("nvme{number}"))
            .collect();
        storage.nvme_namespaces.retain(|row| {
            let is_kept = |id: &String| self.keeps(id);
            let own = row.controller.as_ref();
            row.subsystem.as_ref().is_none_or(is_kept) && own.is_none_or(|id| !ids.contains(id))
        });
        storage.nvme_subsystems.retain(|row| self.keeps(&row.id));
        storage.nvme_namespaces.extend(self.namespaces);
        nvme::sort(&mut storage.nvme_namespaces);
        let read = self.subsystems.into_values().flatten();
        storage.nvme_subsystems.extend(read);
        storage
            .nvme_subsystems
            .sort_by_cached_key(|row| natural(&row.id));
        replace(
            &mut storage.nvme_controllers,
            self.controllers,
            |row| &row.id,
            &ids,
        );
    }
}

#[cfg(test)]
mod tests;
