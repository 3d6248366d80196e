//! A line for each stick, with its errors; with detail also for each empty socket.

use libhw::device::memory::{Device, Memory, Population};
use libhw::join::dimm::{Confidence, Stick, sticks};

use crate::table::{Cell, Column, Paint, Table};
use crate::view::memory::{called, counters};
use crate::view::words::joined;

pub(super) fn table(memory: &Memory, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("socket"),
        Column::Wrap("bank"),
        Column::Right("size"),
        Column::Left("type"),
        Column::Right("speed"),
        Column::Right("ranks"),
        Column::Right("width"),
        Column::Wrap("maker"),
        Column::Left("part"),
        Column::Left("serial"),
        Column::Right("corrected"),
        Column::Right("uncorrected"),
        Column::Left("counted by"),
        Column::Wrap("firmware's last error"),
    ]);
    for stick in sticks(memory) {
        let empty = stick.device.population == Population::Empty;
        if detail || !empty {
            table.row(row(&stick, detail));
        }
    }
    table
}

fn row(stick: &Stick<'_>, detail: bool) -> [Cell; 14] {
    let device = stick.device;
    let in_detail = |text: Option<&String>| Cell::of(text.filter(|_| detail));
    // A name that does not tell sockets apart needs the bank's beside it.
    let ambiguous = device.id != called(device);
    [
        called(device).into(),
        Cell::of(device.bank_locator.as_ref().filter(|_| detail || ambiguous)),
        size(device),
        kind(device, detail).into(),
        speed(device),
        Cell::of(device.ranks.as_ref()),
        width(device).into(),
        Cell::of(device.vendor.as_ref().or(device.manufacturer.as_ref())),
        Cell::of(device.part_number.as_ref()),
        in_detail(device.serial.as_ref()),
        counters::corrected(stick.corrected),
        counters::uncorrected(stick.uncorrected),
        counted_by(stick, detail),
        error(device),
    ]
}

fn size(device: &Device) -> Cell {
    match device.population {
        Population::Empty => Cell::new("empty", Paint::Faint),
        Population::Unknown => Cell::new("unknown", Paint::Faint),
        Population::Populated => Cell::of(device.size_bytes.as_ref()),
    }
}

/// `DDR4 DIMM`; with detail also what kind of one, and what it keeps without power.
fn kind(device: &Device, detail: bool) -> String {
    let technology = device.technology.as_deref().filter(|word| *word != "DRAM");
    let details = device.type_detail.join(", ");
    let parts = [
        device.memory_type.as_deref(),
        device.form_factor.as_deref(),
        technology,
        Some(details.as_str()).filter(|_| detail),
    ];
    joined(parts, " ")
}

/// What it runs at, and what it could where that is more.
fn speed(device: &Device) -> Cell {
    match (device.configured_speed_mtps, device.speed_mtps) {
        (Some(runs), Some(could)) if runs < could => {
            Cell::new(format!("{runs} of {could} MT/s"), Paint::Warning)
        }
        (runs, could) => {
            let speed = runs.or(could).map(|speed| format!("{speed} MT/s"));
            Cell::of(speed.as_ref())
        }
    }
}

fn width(device: &Device) -> String {
    let (total, data) = (device.total_width_bits, device.data_width_bits);
    let bits = |bits: Option<u16>| bits.map(|bits| bits.to_string());
    joined([bits(total), bits(data)], "/")
}

/// A match that is less than certain says so.
fn counted_by(stick: &Stick<'_>, detail: bool) -> Cell {
    let Some(basis) = stick.basis else {
        return Cell::default();
    };
    let ids: Vec<&str> = stick.counters.iter().map(|dimm| dimm.id.as_str()).collect();
    let ids = if detail || ids.len() < 3 {
        ids.join(" ")
    } else {
        format!("{} …", ids.first().copied().unwrap_or_default())
    };
    match basis.confidence() {
        Confidence::Certain => ids.into(),
        Confidence::Likely => format!("{ids} (likely)").into(),
        Confidence::Guess => Cell::new(format!("{ids} (a guess)"), Paint::Faint),
    }
}

fn error(device: &Device) -> Cell {
    let kind = device
        .error
        .as_ref()
        .and_then(|error| error.kind.as_deref());
    let kind = kind.filter(|kind| *kind != "OK").unwrap_or_default();
    Cell::new(kind, Paint::Bad)
}
