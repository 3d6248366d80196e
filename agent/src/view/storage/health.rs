//! What drives say of themselves.

use libhw::device::storage::{ControllerState, CriticalWarning, Disk, NvmeController, Storage};

use super::{maybe, word};
use crate::table::{Cell, Column, Paint, Table};
use crate::view::words::{joined, some};

/// Whether a drive says of itself that it will fail, or has an attribute that did.
pub(super) fn failing(disk: &Disk) -> Option<bool> {
    let ata = disk.ata.as_ref().map(|ata| &ata.now);
    let scsi = disk.scsi.as_ref().map(|scsi| &scsi.now);
    ata.and_then(|now| now.failing)
        .or(scsi.and_then(|now| now.failing))
}

pub(super) fn health(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("health of"),
        Column::Left("verdict"),
        Column::Right("temperature"),
        Column::Right("used"),
        Column::Right("power-on hours"),
        Column::Right("reallocated"),
        Column::Right("pending"),
        Column::Right("uncorrected"),
        Column::Right("cable errors"),
        Column::Left("self-test"),
    ]);
    for disk in &storage.disks {
        let verdict = failing(disk).map_or_else(Cell::default, |failing| {
            if failing {
                Cell::new("FAILING", Paint::Bad)
            } else {
                Cell::new("good", Paint::Good)
            }
        });
        let celsius = |celsius: Option<i64>| Cell::of(celsius.map(|c| format!("{c} °C")).as_ref());
        if let Some(now) = disk.ata.as_ref().map(|ata| &ata.now) {
            table.row([
                disk.id.as_str().into(),
                verdict,
                celsius(now.temperature_celsius),
                Cell::default(),
                Cell::of(now.power_on_hours.as_ref()),
                counted(now.reallocated_sectors),
                counted(now.pending_sectors),
                counted(now.uncorrectable_sectors),
                counted(now.interface_crc_errors),
                maybe(now.self_test.as_ref()),
            ]);
        } else if let Some(now) = disk.scsi.as_ref().map(|scsi| &scsi.now) {
            let uncorrected = [now.read, now.write, now.verify].into_iter().flatten();
            let uncorrected = uncorrected
                .filter_map(|errors| errors.uncorrected)
                .reduce(u64::saturating_add);
            let hours = now.power_on_minutes.map(|minutes| minutes / 60);
            table.row([
                disk.id.as_str().into(),
                verdict,
                celsius(now.temperature_celsius),
                Cell::of(now.percentage_used.map(|used| format!("{used} %")).as_ref()),
                Cell::of(hours.as_ref()),
                Cell::default(),
                Cell::default(),
                counted(uncorrected),
            ]);
        }
    }
    table
}

/// A count that should be 0.
fn counted(count: Option<u64>) -> Cell {
    let paint = if count > Some(0) {
        Paint::Warning
    } else {
        Paint::Plain
    };
    count.map_or_else(Cell::default, |count| Cell::new(count.to_string(), paint))
}

pub(super) fn controllers(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("controller"),
        Column::Wrap("model"),
        Column::Left("firmware"),
        Column::Left("transport"),
        Column::Wrap("address"),
        Column::Left("state"),
        Column::Right("temperature"),
        Column::Right("used"),
        Column::Right("spare"),
        Column::Right("media errors"),
        Column::Wrap("warnings"),
    ]);
    for controller in &storage.nvme_controllers {
        let health = controller.now.health.as_ref();
        let percent =
            |percent: Option<u8>| Cell::of(percent.map(|percent| format!("{percent} %")).as_ref());
        let celsius = health.and_then(|health| health.temperature_celsius);
        let state = match &controller.state {
            None => Cell::default(),
            Some(ControllerState::Live) => Cell::from("live"),
            Some(state) => Cell::new(word(state), Paint::Bad),
        };
        table.row([
            controller.id.as_str().into(),
            Cell::of(controller.model.as_ref()),
            Cell::of(controller.firmware.as_ref()),
            Cell::of(controller.transport.as_ref()),
            Cell::of(controller.address.as_ref()),
            state,
            Cell::of(celsius.map(|celsius| format!("{celsius} °C")).as_ref()),
            percent(health.map(|health| health.percentage_used)),
            percent(health.map(|health| health.available_spare_percent)),
            counted(health.map(|health| health.media_errors)),
            warnings(controller).map_or_else(Cell::default, |text| Cell::new(text, Paint::Bad)),
        ]);
    }
    table
}

pub(super) fn warnings(controller: &NvmeController) -> Option<String> {
    let warnings = controller
        .now
        .health
        .iter()
        .flat_map(|health| &health.critical_warnings);
    let words = warnings.map(|warning| {
        Some(match warning {
            CriticalWarning::Spare => "little spare left".to_owned(),
            CriticalWarning::Temperature => "too hot or too cold".to_owned(),
            CriticalWarning::Reliability => "not reliable".to_owned(),
            CriticalWarning::ReadOnly => "read-only".to_owned(),
            CriticalWarning::VolatileMemoryBackup => "backup of its cache failed".to_owned(),
            CriticalWarning::PersistentMemoryRegion => "persistent memory failed".to_owned(),
            CriticalWarning::Other(bit) => format!("bit {bit}"),
        })
    });
    some(joined(words, ", "))
}
