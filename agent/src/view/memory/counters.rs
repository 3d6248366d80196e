//! Controllers, and counters that no stick is known for.

use libhw::device::memory::{EdacDimm, Memory};
use libhw::join::dimm::unmatched as of_no_stick;

use crate::table::{Cell, Column, Paint, Table};

pub(super) fn controllers(memory: &Memory) -> Table {
    let mut table = Table::new(&[
        Column::Left("controller"),
        Column::Wrap("name"),
        Column::Right("size"),
        Column::Right("corrected"),
        Column::Right("uncorrected"),
        Column::Right("of no known stick"),
        Column::Right("counting for"),
    ]);
    for controller in &memory.edac_controllers {
        let now = &controller.now;
        let unplaced = [now.corrected_unplaced, now.uncorrected_unplaced];
        let unplaced: u64 = unplaced.into_iter().flatten().fold(0, u64::saturating_add);
        table.row([
            controller.id.as_str().into(),
            Cell::of(controller.name.as_ref()),
            Cell::of(controller.size_bytes.as_ref()),
            corrected(now.corrected),
            uncorrected(now.uncorrected),
            corrected(Some(unplaced).filter(|count| *count > 0)),
            Cell::of(now.counting_seconds.map(hours).as_ref()),
        ]);
    }
    table
}

/// In short only those that have counted something.
pub(super) fn unmatched(memory: &Memory, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("counter"),
        Column::Wrap("label"),
        Column::Wrap("location"),
        Column::Right("size"),
        Column::Left("type"),
        Column::Right("corrected"),
        Column::Right("uncorrected"),
    ]);
    let counted = |dimm: &EdacDimm| {
        let now = dimm.now;
        now.corrected.unwrap_or(0) > 0 || now.uncorrected.unwrap_or(0) > 0
    };
    for dimm in of_no_stick(memory) {
        if !detail && !counted(dimm) {
            continue;
        }
        table.row([
            dimm.id.as_str().into(),
            Cell::of(dimm.label.as_ref()),
            Cell::of(dimm.location.as_ref()),
            Cell::of(dimm.size_bytes.as_ref()),
            Cell::of(dimm.memory_type.as_ref()),
            corrected(dimm.now.corrected),
            uncorrected(dimm.now.uncorrected),
        ]);
    }
    table
}

/// Errors of all controllers; corrected and uncorrected ones.
pub(super) fn totals(memory: &Memory) -> (u64, u64) {
    let controllers = || memory.edac_controllers.iter();
    let sum = |sum: u64, count: u64| sum.saturating_add(count);
    (
        controllers()
            .filter_map(|one| one.now.corrected)
            .fold(0, sum),
        controllers()
            .filter_map(|one| one.now.uncorrected)
            .fold(0, sum),
    )
}

/// A count that is not zero is what a person looks for.
pub(super) fn corrected(count: Option<u64>) -> Cell {
    painted(count, Paint::Warning)
}

pub(super) fn uncorrected(count: Option<u64>) -> Cell {
    painted(count, Paint::Bad)
}

fn painted(count: Option<u64>, paint: Paint) -> Cell {
    let paint = if count.is_some_and(|count| count > 0) {
        paint
    } else {
        Paint::Plain
    };
    count.map_or_else(Cell::default, |count| Cell::new(count.to_string(), paint))
}

fn hours(seconds: u64) -> String {
    match seconds / 3600 {
        0 => format!("{} min", seconds / 60),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} days", hours / 24),
    }
}
