//! PTP hardware clocks, pulses per second, GNSS receivers and the system's time.

use libhw::device::ptp_clock::{Clock, Clocksource, PtpClock, SystemTime};
use libhw::inventory::Inventory;
use libhw::join::time;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some, yes};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(class) = &inventory.ptp_clock else {
        return;
    };
    page.title("Clocks");
    if *class == PtpClock::default() {
        page.line("none");
        return;
    }
    let mut facts = Table::facts();
    facts.fact(
        "Counted by",
        class.clocksource.as_ref().map(counted).unwrap_or_default(),
    );
    facts.fact(
        "System time",
        class.system.as_ref().map(kept).unwrap_or_default(),
    );
    page.table(&facts);
    page.table(&clocks(inventory, class));
    if detail {
        page.table(&pins(class));
    }
    page.table(&pulses(class));
    page.table(&receivers(class));
}

/// How many of which.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let class = inventory.ptp_clock.as_ref()?;
    let count = |count: usize, noun: &str| (count > 0).then(|| plural(count, noun));
    let source = class
        .clocksource
        .as_ref()
        .and_then(|source| source.current.clone());
    let parts = [
        count(class.clocks.len(), "PTP clock"),
        count(class.pps.len(), "PPS source"),
        count(class.gnss.len(), "GNSS receiver"),
        source.map(|source| format!("time by {source}")),
    ];
    some(joined(parts, ", "))
}

fn counted(source: &Clocksource) -> String {
    let others = source
        .available
        .iter()
        .filter(|name| Some(*name) != source.current.as_ref());
    let others: Vec<&str> = others.map(String::as_str).collect();
    let others = some(others.join(" ")).map(|others| format!("could be {others}"));
    joined([source.current.clone(), others], ", ")
}

fn kept(system: &SystemTime) -> Cell {
    let now = &system.now;
    if !now.synchronized {
        return Cell::new("kept by nobody", Paint::Warning);
    }
    let error = format!("kept within {} µs", now.maxerror_us);
    let tai = (now.tai_offset_s != 0).then(|| format!("TAI − UTC {} s", now.tai_offset_s));
    joined([Some(error), tai], ", ").into()
}

fn clocks(inventory: &Inventory, class: &PtpClock) -> Table {
    let mut table = Table::new(&[
        Column::Left("clock"),
        Column::Left("name"),
        Column::Left("kind"),
        Column::Left("PCI"),
        Column::Wrap("stamps for"),
        Column::Right("adjusts by"),
        Column::Right("inputs"),
        Column::Right("outputs"),
        Column::Right("pins"),
        Column::Left("PPS"),
        Column::Left("cross"),
        Column::Wrap("virtual"),
    ]);
    for clock in &class.clocks {
        let interfaces = time::interfaces_of_clock(inventory, clock);
        let interfaces: Vec<&str> = interfaces
            .iter()
            .map(|interface| interface.id.as_str())
            .collect();
        table.row([
            clock.id.as_str().into(),
            Cell::of(clock.name.as_ref()),
            Cell::of(clock.kind.as_ref()),
            Cell::of(clock.function.as_ref()),
            interfaces.join(" ").into(),
            Cell::of(
                clock
                    .max_adjustment_ppb
                    .map(|ppb| format!("{ppb} ppb"))
                    .as_ref(),
            ),
            Cell::of(clock.external_timestamps.as_ref()),
            Cell::of(clock.periodic_outputs.as_ref()),
            Cell::of(clock.programmable_pins.as_ref()),
            Cell::of(clock.pps.map(yes).as_ref()),
            Cell::of(clock.cross_timestamping.map(yes).as_ref()),
            above(clock).into(),
        ]);
    }
    table
}

fn above(clock: &Clock) -> String {
    let on = clock.parent.as_ref().map(|parent| format!("on {parent}"));
    let has = clock
        .virtual_clocks
        .filter(|count| *count > 0)
        .map(|count| format!("{count} on it"));
    joined([on, has], ", ")
}

fn pins(class: &PtpClock) -> Table {
    let mut table = Table::new(&[
        Column::Left("clock"),
        Column::Left("pin"),
        Column::Left("function"),
        Column::Right("channel"),
    ]);
    for clock in &class.clocks {
        for pin in &clock.pins {
            table.row([
                clock.id.as_str().into(),
                pin.id.as_str().into(),
                Cell::of(pin.now.function.as_ref()),
                Cell::of(pin.now.channel.as_ref()),
            ]);
        }
    }
    table
}

fn pulses(class: &PtpClock) -> Table {
    let mut table = Table::new(&[
        Column::Left("PPS"),
        Column::Left("from"),
        Column::Right("pulses"),
        Column::Left("last"),
    ]);
    for source in &class.pps {
        let last = source.now.assert.or(source.now.clear);
        table.row([
            source.id.as_str().into(),
            Cell::of(source.name.as_ref().or(source.path.as_ref())),
            Cell::of(last.map(|event| event.sequence).as_ref()),
            Cell::of(
                last.map(|event| format!("{}.{:09}", event.seconds, event.nanoseconds))
                    .as_ref(),
            ),
        ]);
    }
    table
}

fn receivers(class: &PtpClock) -> Table {
    let mut table = Table::new(&[
        Column::Left("GNSS"),
        Column::Left("speaks"),
        Column::Left("PCI"),
        Column::Left("device"),
    ]);
    for receiver in &class.gnss {
        table.row([
            receiver.id.as_str().into(),
            Cell::of(receiver.protocol.as_ref()),
            Cell::of(receiver.function.as_ref()),
            Cell::of(receiver.device.as_ref()),
        ]);
    }
    table
}
