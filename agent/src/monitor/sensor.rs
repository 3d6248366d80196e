//! hwmon channels, as they stand to their own limits (Documentation/hwmon/sysfs-interface.rst).
//!
//! The number of a chip is another after each boot, so a sensor is named by its chip's device and its own channel.

use std::collections::BTreeMap;

use libhw::device::sensor::{Alarm, Channel, ChannelKind, Chip, PwmControl, Sensor, Setting};
use libhw::inventory::Class;

use crate::alarm::entity::Entity;
use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{Remembered, Span};
use crate::monitor::told::{Told, number};

mod limit;

use limit::{Limits, scale};

const TEMPERATURE: &str = "hw.sensor.temperature";
const VOLTAGE: &str = "hw.sensor.voltage";
const CURRENT: &str = "hw.sensor.current";
const POWER: &str = "hw.sensor.power";
const HUMIDITY: &str = "hw.sensor.humidity";
const FAN: &str = "hw.sensor.fan";
const FAULT: &str = "hw.sensor.fault";
const INTRUSION: &str = "hw.chassis.intrusion";

/// What is said of a channel of each kind, and what is wrong then; of kinds that are not here nothing can be.
const KINDS: &[(ChannelKind, &str, &str)] = &[
    (
        ChannelKind::Temperature,
        TEMPERATURE,
        "temperature is beyond its limit",
    ),
    (ChannelKind::Voltage, VOLTAGE, "voltage is beyond its limit"),
    (ChannelKind::Current, CURRENT, "current is beyond its limit"),
    (ChannelKind::Power, POWER, "power is beyond its limit"),
    (
        ChannelKind::Humidity,
        HUMIDITY,
        "humidity is beyond its limit",
    ),
    (ChannelKind::Fan, FAN, "fan is too slow or stands still"),
    (ChannelKind::Intrusion, INTRUSION, "chassis was opened"),
];

const ALARMS: &[&str] = &[
    TEMPERATURE,
    VOLTAGE,
    CURRENT,
    POWER,
    HUMIDITY,
    FAN,
    FAULT,
    INTRUSION,
];

const NAME: &str = "sensors";
const SLOW_NAME: &str = "sensors-slow";
const HWMON: &str = "sys/class/hwmon";

/// Chips in the CPU, whose registers are read at once.
pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "sensors in the processor and in other chips that answer at once: temperature, voltage, fans, against their limits",
    alarms: ALARMS,
    interval: seconds(10),
    deadline: seconds(5),
    cost: Cost::Medium,
    classes: &[Class::Sensor],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| available(look, false),
    make: |table, remembered| make(table, remembered, false),
};

/// Chips behind a bus, a device or firmware, which may be busy, or never answer.
pub(crate) const SLOW_ROW: Row = Row {
    name: SLOW_NAME,
    watches: "sensors behind a bus, a device or firmware: temperature, voltage, fans, against their limits",
    interval: seconds(60),
    deadline: seconds(30),
    reading: Reading::Deep,
    blocks: true,
    available: |look| available(look, true),
    make: |table, remembered| make(table, remembered, true),
    ..ROW
};

struct Sensors {
    slow: bool,
    settings: Only,
    remembered: Remembered,
}

fn make(
    table: toml::Table,
    remembered: Remembered,
    slow: bool,
) -> Result<Box<dyn Monitor>, toml::de::Error> {
    let settings = settings(table)?;
    Ok(Box::new(Sensors {
        slow,
        settings,
        remembered,
    }))
}

fn available(look: &Look<'_>, slow: bool) -> Result<(), &'static str> {
    let sensor = look.inventory.sensor.as_ref().ok_or(NOT_READ)?;
    let any = sensor.chips.iter().any(|chip| chip.slow == slow);
    has(any, "hwmon has no such chip here")
}

impl Monitor for Sensors {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, if self.slow { SLOW_NAME } else { NAME });
        let Some(sensor) = &look.inventory.sensor else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        let names = names(sensor);
        let slow = self.slow;
        for chip in sensor.chips.iter().filter(|chip| chip.slow == slow) {
            let name = names.get(&chip.id).map_or(chip.id.as_str(), String::as_str);
            let of = sensor
                .channels
                .iter()
                .filter(|channel| channel.chip == chip.id);
            for channel in of {
                let own = channel.id.rsplit('/').next().unwrap_or(&channel.id);
                if self.settings.ignore.has(&format!("{name}/{own}")) {
                    continue;
                }
                let kind = match channel.kind {
                    ChannelKind::Intrusion => "chassis",
                    _ => "sensor",
                };
                let entity = told.entity(&[(kind, &format!("{name}/{own}"))]);
                let seen = One {
                    sensor,
                    channel,
                    called: called(channel, own),
                    entity,
                };
                self.tell(look, &seen, &mut told);
            }
        }
        let complete = look.lists(Class::Sensor, &[HWMON]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

/// A channel, and what it is called.
struct One<'a> {
    sensor: &'a Sensor,
    channel: &'a Channel,
    called: String,
    entity: Entity,
}

impl Sensors {
    fn tell(&mut self, look: &Look<'_>, one: &One<'_>, told: &mut Told) {
        let channel = one.channel;
        let kind = KINDS.iter().find(|(kind, ..)| *kind == channel.kind);
        let Some((_, alarm, wrong)) = kind.filter(|_| channel.now.enabled != Some(false)) else {
            return;
        };
        let (alarm, text) = (*alarm, format!("{}: {wrong}", one.called));
        if let Some(fault) = channel.now.fault {
            let text = format!("{}: the sensor is broken or not connected", one.called);
            told.say(FAULT, &one.entity).fault(fault, &text);
            if fault {
                return told
                    .say(alarm, &one.entity)
                    .unknown("the sensor is broken or not connected", &text);
            }
        }
        if channel.kind == ChannelKind::Intrusion {
            if let Some(opened) = channel.now.alarms.get(&Alarm::Alarm) {
                told.say(alarm, &one.entity).fault(*opened, &text);
            }
            return;
        }
        if channel.kind == ChannelKind::Fan && is_stopped(one) {
            return told
                .say(alarm, &one.entity)
                .with("drive", "off")
                .fault(false, &text);
        }
        let limits = match channel.kind {
            ChannelKind::Fan => self.of_fan(one),
            _ => Limits::of(channel),
        };
        let (factor, unit) = scale(channel.unit);
        let value = channel.now.input.map(|value| number(value) / factor);
        let raised = limits.raised(channel);
        let saying = told
            .say(alarm, &one.entity)
            .with_some("value", value.map(|value| format!("{value}{unit}")))
            .with_some("limits", limits.words(factor, unit))
            .with_some("chip's alarms", raised.as_ref().map(|raised| &raised.1));
        let within = channel
            .now
            .input
            .is_none_or(|value| limits.judge(value).is_none());
        let bands = limits.bands(factor);
        let reason = unread(look, channel).filter(|_| bands.is_some());
        match (value, bands, reason, raised) {
            // The chip saw it between two looks, or has limits that it does not tell.
            (_, _, _, Some((severity, _))) if within => saying.graded(Some(severity), &text),
            (Some(value), bands @ Some(_), ..) => saying.value(value, bands, &text),
            (None, _, Some(reason), _) => saying.unknown(&reason, &text),
            _ if limits.has_alarms(channel) => saying.fault(false, &text),
            _ => {}
        }
    }

    /// A fan that stands still is at fault where it has a least speed, or ran before; not where something stops it on purpose.
    fn of_fan(&mut self, one: &One<'_>) -> Limits {
        let channel = one.channel;
        let runs = channel.now.input.is_some_and(|rpm| rpm > 0);
        let name = format!("{} ran", one.entity);
        let ran = self.remembered.ever(Span::Life, &name, runs);
        Limits::of_fan(channel, ran)
    }
}

/// Why a channel's value could not be had. Drivers of before Linux 3.14 put it into the device's directory.
fn unread(look: &Look<'_>, channel: &Channel) -> Option<String> {
    let own = channel.id.rsplit('/').next()?;
    let places = [
        format!("{HWMON}/{}_input", channel.id),
        format!("{HWMON}/{}/device/{own}_input", channel.chip),
    ];
    let problem = places
        .iter()
        .find_map(|path| look.problem(Class::Sensor, path));
    problem.map(ToString::to_string)
}

/// Whether the fan stands still and is to: its drive is at 0, or its target.
fn is_stopped(one: &One<'_>) -> bool {
    if one.channel.now.input != Some(0) {
        return false;
    }
    let drive = one.channel.id.replace("/fan", "/pwm");
    let mut channels = one.sensor.channels.iter();
    let driven = channels.find(|channel| channel.kind == ChannelKind::Pwm && channel.id == drive);
    let undriven = driven.is_some_and(|pwm| {
        pwm.now.input == Some(0) && pwm.now.control != Some(PwmControl::FullSpeed)
    });
    undriven || one.channel.settings.get(&Setting::Target) == Some(&0)
}

/// `Rear (fan2)`.
fn called(channel: &Channel, own: &str) -> String {
    match channel.label.as_deref().filter(|label| *label != own) {
        Some(label) => format!("{label} ({own})"),
        None => own.to_owned(),
    }
}

/// What to call each chip, by its id: its device, else its type; with the kernel's number where several are called the same.
fn names(sensor: &Sensor) -> BTreeMap<String, String> {
    let name = |chip: &Chip| {
        let name = chip.name.as_deref().unwrap_or("hwmon");
        match chip.device.as_deref() {
            // `coretemp.0` says it all, `0000:3b:00.0` does not.
            Some(device) if device.starts_with(name) => device.to_owned(),
            Some(device) => format!("{name}-{device}"),
            None => name.to_owned(),
        }
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for chip in &sensor.chips {
        *counts.entry(name(chip)).or_default() += 1;
    }
    let unique = |chip: &Chip| {
        let called = name(chip);
        match counts.get(&called) {
            Some(1) => called,
            _ => format!("{called}-{}", chip.id),
        }
    };
    sensor
        .chips
        .iter()
        .map(|chip| (chip.id.clone(), unique(chip)))
        .collect()
}

#[cfg(test)]
mod tests;
