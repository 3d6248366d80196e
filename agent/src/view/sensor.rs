//! Sensors: chips and their channels, thermal zones, cooling devices, power zones.

use std::fmt::Write as _;

use libhw::device::sensor::{
    Alarm, Channel, ChannelKind, Chip, Limit, PowerZone, Sensor, ThermalZone, Trip, TripKind, Unit,
};
use libhw::inventory::Inventory;
use libhw::units::Hertz;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(sensor) = &inventory.sensor else {
        return;
    };
    page.title("Sensors");
    page.table(&chips(sensor));
    if detail {
        page.table(&channels(sensor));
    }
    page.table(&zones(sensor));
    if detail {
        page.table(&cooling(sensor));
    }
    page.table(&power(sensor));
    if sensor.chips.iter().any(|chip| unread(sensor, chip)) {
        page.gap();
        page.line("chips behind a bus or firmware are read with --deep");
    }
}

/// How many chips and channels, the hottest of them, and what is not well.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let sensor = inventory.sensor.as_ref()?;
    let count = |count: usize, noun| (count > 0).then(|| plural(count, noun));
    let hottest = temperatures(sensor).max();
    let unwell = sensor
        .channels
        .iter()
        .filter(|channel| trouble(channel).is_some());
    let unwell = unwell.count();
    some(joined(
        [
            count(sensor.chips.len(), "chip"),
            count(sensor.channels.len(), "channel"),
            count(sensor.thermal_zones.len(), "thermal zone"),
            count(sensor.power_zones.len(), "power zone"),
            hottest.map(|hottest| format!("hottest {}", value(hottest, Unit::Millicelsius))),
            (unwell > 0).then(|| format!("{unwell} with an alarm or a fault")),
        ],
        ", ",
    ))
}

fn temperatures(sensor: &Sensor) -> impl Iterator<Item = i64> {
    let channels = sensor.channels.iter();
    let channels = channels.filter(|channel| {
        channel.kind == ChannelKind::Temperature && channel.now.fault != Some(true)
    });
    let zones = sensor.thermal_zones.iter();
    channels
        .filter_map(|channel| channel.now.input)
        .chain(zones.filter_map(|zone| zone.now.temperature_millicelsius))
}

fn of<'a>(sensor: &'a Sensor, chip: &'a Chip) -> impl Iterator<Item = &'a Channel> {
    let channels = sensor.channels.iter();
    channels.filter(move |channel| channel.chip == chip.id)
}

/// Whether it has channels, and none has a value.
fn unread(sensor: &Sensor, chip: &Chip) -> bool {
    chip.slow
        && of(sensor, chip).next().is_some()
        && of(sensor, chip).all(|channel| channel.now == <_>::default())
}

fn chips(sensor: &Sensor) -> Table {
    let mut table = Table::new(&[
        Column::Left("chip"),
        Column::Left("name"),
        Column::Left("device"),
        Column::Left("function"),
        Column::Wrap("channels"),
        Column::Right("hottest"),
        Column::Wrap("state"),
    ]);
    for chip in &sensor.chips {
        let hottest = of(sensor, chip)
            .filter(|channel| channel.kind == ChannelKind::Temperature)
            .filter_map(|channel| channel.now.input)
            .max();
        let name = [chip.name.clone(), chip.label.clone()];
        table.row([
            chip.id.as_str().into(),
            joined(name, " ").into(),
            // That of a PCI function is its address.
            Cell::of(
                chip.device
                    .as_ref()
                    .filter(|device| Some(*device) != chip.function.as_ref()),
            ),
            Cell::of(chip.function.as_ref()),
            kinds(of(sensor, chip)).into(),
            Cell::of(
                hottest
                    .map(|value| self::value(value, Unit::Millicelsius))
                    .as_ref(),
            ),
            state(sensor, chip),
        ]);
    }
    table
}

fn state(sensor: &Sensor, chip: &Chip) -> Cell {
    if unread(sensor, chip) {
        return Cell::new("not read", Paint::Faint);
    }
    let unwell: Vec<String> = of(sensor, chip)
        .filter_map(|channel| Some(format!("{}: {}", called(channel), trouble(channel)?)))
        .collect();
    if unwell.is_empty() {
        return Cell::default();
    }
    Cell::new(unwell.join("; "), Paint::Bad)
}

/// `3 temperatures, 2 fans`.
fn kinds<'a>(channels: impl Iterator<Item = &'a Channel>) -> String {
    let mut counts: Vec<(ChannelKind, usize)> = Vec::new();
    for channel in channels {
        match counts.iter_mut().find(|(kind, _)| *kind == channel.kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((channel.kind, 1)),
        }
    }
    let words = counts
        .into_iter()
        .map(|(kind, count)| Some(plural_of(kind, count)));
    joined(words, ", ")
}

fn plural_of(kind: ChannelKind, count: usize) -> String {
    match (kind, count) {
        (ChannelKind::Energy, 2..) => format!("{count} energies"),
        (ChannelKind::Humidity, 2..) => format!("{count} humidities"),
        (ChannelKind::Frequency, 2..) => format!("{count} frequencies"),
        _ => plural(count, noun(kind)),
    }
}

const fn noun(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Voltage => "voltage",
        ChannelKind::Vid => "CPU voltage",
        ChannelKind::Fan => "fan",
        ChannelKind::Pwm => "fan drive",
        ChannelKind::Temperature => "temperature",
        ChannelKind::Current => "current",
        ChannelKind::Power => "power",
        ChannelKind::Energy => "energy",
        ChannelKind::Humidity => "humidity",
        ChannelKind::Frequency => "frequency",
        ChannelKind::Intrusion => "intrusion switch",
    }
}

fn called(channel: &Channel) -> &str {
    let name = channel.id.rsplit('/').next();
    channel.label.as_deref().or(name).unwrap_or_default()
}

/// A fault or the alarms that are raised.
fn trouble(channel: &Channel) -> Option<String> {
    if channel.now.fault == Some(true) {
        return Some("sensor fault".to_owned());
    }
    let raised = channel.now.alarms.iter().filter(|(_, raised)| **raised);
    let words = raised.map(|(alarm, _)| Some(alarm_word(*alarm, channel.kind)));
    some(joined(words, ", "))
}

const fn alarm_word(alarm: Alarm, kind: ChannelKind) -> &'static str {
    match (alarm, kind) {
        (Alarm::Alarm, ChannelKind::Intrusion) => "opened",
        (Alarm::Alarm, _) => "alarm",
        (Alarm::Lcrit, _) => "critically low",
        (Alarm::Min, _) => "low",
        (Alarm::Max, _) => "high",
        (Alarm::Crit, _) => "critical",
        (Alarm::Emergency, _) => "emergency",
        (Alarm::Cap, _) => "capped",
        (Alarm::RatedMin, _) => "below its rating",
        (Alarm::RatedMax, _) => "above its rating",
    }
}

fn channels(sensor: &Sensor) -> Table {
    let mut table = Table::new(&[
        Column::Left("channel"),
        Column::Left("label"),
        Column::Right("value"),
        Column::Right("average"),
        Column::Right("low"),
        Column::Right("high"),
        Column::Right("critical"),
        Column::Wrap("state"),
    ]);
    for channel in &sensor.channels {
        let shown = |number: Option<i64>| Cell::of(number.map(|n| value(n, channel.unit)).as_ref());
        let limit = |limits: &[Limit]| {
            shown(
                limits
                    .iter()
                    .find_map(|limit| channel.limits.get(limit).copied()),
            )
        };
        let state = trouble(channel).map_or_else(Cell::default, |text| Cell::new(text, Paint::Bad));
        table.row([
            channel.id.as_str().into(),
            Cell::of(channel.label.as_ref()),
            shown(channel.now.input),
            shown(channel.now.average),
            limit(&[Limit::Min, Limit::Lcrit]),
            limit(&[Limit::Max, Limit::Cap]),
            limit(&[Limit::Crit, Limit::Emergency]),
            state,
        ]);
    }
    table
}

fn zones(sensor: &Sensor) -> Table {
    let mut table = Table::new(&[
        Column::Left("thermal zone"),
        Column::Left("of"),
        Column::Right("temperature"),
        Column::Left("policy"),
        Column::Wrap("trip points"),
    ]);
    for zone in &sensor.thermal_zones {
        table.row([
            zone.id.as_str().into(),
            Cell::of(zone.kind.as_ref()),
            temperature(zone),
            Cell::of(zone.policy.as_ref()),
            joined(zone.trips.iter().map(trip), ", ").into(),
        ]);
    }
    table
}

/// One at or above its critical trip point is what a person looks for.
fn temperature(zone: &ThermalZone) -> Cell {
    let Some(now) = zone.now.temperature_millicelsius else {
        return Cell::default();
    };
    let critical = zone.trips.iter().any(|trip| {
        let reached = trip
            .temperature_millicelsius
            .is_some_and(|limit| now >= limit);
        matches!(trip.kind, Some(TripKind::Critical | TripKind::Hot)) && reached
    });
    let paint = if critical { Paint::Bad } else { Paint::Plain };
    Cell::new(value(now, Unit::Millicelsius), paint)
}

fn trip(trip: &Trip) -> Option<String> {
    let kind = match trip.kind.as_ref()? {
        TripKind::Active => "active",
        TripKind::Passive => "passive",
        TripKind::Hot => "hot",
        TripKind::Critical => "critical",
        TripKind::Other(word) => word,
    };
    let at = value(trip.temperature_millicelsius?, Unit::Millicelsius);
    Some(format!("{kind} {at}"))
}

fn cooling(sensor: &Sensor) -> Table {
    let mut table = Table::new(&[
        Column::Left("cooling device"),
        Column::Left("kind"),
        Column::Right("state"),
        Column::Right("of"),
    ]);
    for device in &sensor.cooling_devices {
        table.row([
            device.id.as_str().into(),
            Cell::of(device.kind.as_ref()),
            Cell::of(device.now.state.as_ref()),
            Cell::of(device.max_state.as_ref()),
        ]);
    }
    table
}

fn power(sensor: &Sensor) -> Table {
    let mut table = Table::new(&[
        Column::Left("power zone"),
        Column::Left("name"),
        Column::Left("limits hold"),
        Column::Right("energy"),
        Column::Wrap("limits"),
    ]);
    for zone in &sensor.power_zones {
        let energy = zone.now.energy_microjoules;
        let energy = energy.map(|energy| scaled(i128::from(energy), 1_000_000, "J"));
        table.row([
            zone.id.as_str().into(),
            Cell::of(zone.name.as_ref()),
            zone.enabled
                .map_or("", |on| if on { "yes" } else { "no" })
                .into(),
            Cell::of(energy.as_ref()),
            constraints(zone).into(),
        ]);
    }
    table
}

/// `long_term 95 W over 1 s`.
fn constraints(zone: &PowerZone) -> String {
    let words = zone.constraints.iter().map(|constraint| {
        let limit = constraint
            .power_limit_microwatts
            .filter(|limit| *limit > 0)?;
        let mut text = constraint.name.clone().unwrap_or_default();
        let _ = write!(text, " {}", scaled(i128::from(limit), 1_000_000, "W"));
        if let Some(window) = constraint.time_window_microseconds {
            let _ = write!(text, " over {}", scaled(i128::from(window), 1_000_000, "s"));
        }
        Some(text.trim_start().to_owned())
    });
    joined(words, ", ")
}

/// A number in a person's unit.
fn value(number: i64, unit: Unit) -> String {
    let wide = i128::from(number);
    match unit {
        Unit::Millivolt => scaled(wide, 1000, "V"),
        Unit::Rpm => format!("{number} rpm"),
        Unit::PwmStep => format!("{number}/255"),
        Unit::Millicelsius => scaled(wide, 1000, "°C"),
        Unit::Milliampere => scaled(wide, 1000, "A"),
        Unit::Microwatt => scaled(wide, 1_000_000, "W"),
        Unit::Microjoule => scaled(wide, 1_000_000, "J"),
        Unit::Millipercent => scaled(wide, 1000, "%"),
        Unit::Hertz => u64::try_from(number).map_or_else(
            |_| format!("{number} Hz"),
            |number| Hertz(number).to_string(),
        ),
        Unit::None => number.to_string(),
    }
}

/// `number / parts`, with as many decimals as make three figures: `1.01 V`, `43.8 °C`, `-12 °C`.
fn scaled(number: i128, parts: i128, unit: &str) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let (whole, rest) = (number.abs() / parts, number.abs() % parts);
    let decimals = match whole {
        0..=9 => 2,
        10..=99 => 1,
        _ => 0,
    };
    let fraction = format!("{:03}", rest * 1000 / parts);
    let fraction = fraction.get(..decimals).unwrap_or_default();
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_a_person_would_write_them() {
        for (number, unit, text) in [
            (43850, Unit::Millicelsius, "43.8 °C"),
            (-150, Unit::Millicelsius, "-0.15 °C"),
            (100_000, Unit::Millicelsius, "100 °C"),
            (1016, Unit::Millivolt, "1.01 V"),
            (900, Unit::Rpm, "900 rpm"),
            (128, Unit::PwmStep, "128/255"),
            (95_000_000, Unit::Microwatt, "95 W"),
            (1_500_000_000, Unit::Hertz, "1.5 GHz"),
            (-1, Unit::Hertz, "-1 Hz"),
            (i64::MIN, Unit::Microjoule, "-9223372036854 J"),
        ] {
            assert_eq!(value(number, unit), text);
        }
    }
}
