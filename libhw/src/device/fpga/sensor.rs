//! Sensors of cards: hwmon channels, and the directories that OPAE's older drivers have instead.

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::parse::{self, Parsed};

/// A sensor of a card, be it a hwmon channel or one of the older drivers' own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sensor {
    /// Its card, the kernel's name of the device and the channel: `region0/hwmon6/temp1`.
    pub id: String,
    /// Its card.
    pub card: String,
    /// What it measures, in the driver's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Above it the card throttles or warns. Of a controller's sensors only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Reading>,
    /// Above it the card throttles wholly or shuts down. Of a controller's sensors only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<Reading>,
    /// What changes without an event.
    #[serde(default)]
    pub now: SensorNow,
}

/// What changes in a sensor without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SensorNow {
    /// What it reads. Of a controller's sensors only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// A measured value, with its unit as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Thousandths of a degree.
    TemperatureMillicelsius(i64),
    /// Thousandths of a volt.
    VoltageMillivolts(i64),
    /// Thousandths of an ampere.
    CurrentMilliamps(i64),
    /// Millionths of a watt.
    PowerMicrowatts(i64),
}

/// How the value of a channel becomes a reading.
type Unit = fn(i64) -> Reading;

/// Kinds of hwmon channels (`Documentation/ABI/testing/sysfs-class-hwmon`).
const CHANNELS: &[(&str, Unit)] = &[
    ("temp", Reading::TemperatureMillicelsius),
    ("in", Reading::VoltageMillivolts),
    ("curr", Reading::CurrentMilliamps),
    ("power", Reading::PowerMicrowatts),
];

/// Kinds of the older driver's sensors: all in thousandths.
const KINDS: &[(&str, Unit)] = &[
    ("Temperature", Reading::TemperatureMillicelsius),
    ("Voltage", Reading::VoltageMillivolts),
    ("Current", Reading::CurrentMilliamps),
    ("Power", |milliwatts| {
        Reading::PowerMicrowatts(milliwatts.saturating_mul(1000))
    }),
];

/// Where values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A register.
    Register,
    /// A controller behind a serial bus, which is asked.
    Controller,
    /// The same, and nobody wants to ask it now.
    Silent,
}

impl Source {
    /// A controller, asked only in a deep look.
    pub(super) const fn controller(deep: bool) -> Self {
        if deep { Self::Controller } else { Self::Silent }
    }

    fn value<T>(
        self,
        directory: &Directory<'_>,
        name: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        match self {
            Self::Register => directory.value(name, parse),
            Self::Controller => directory.slow_value(name, parse),
            Self::Silent => None,
        }
    }
}

/// The channels of the hwmon devices below `parent`.
pub(super) fn hwmon(card: &str, parent: &Directory<'_>, source: Source) -> Vec<Sensor> {
    let Some(class) = parent.below("hwmon") else {
        return Vec::new();
    };
    let mut sensors = Vec::new();
    for device in class.all_below(|name| name.starts_with("hwmon")) {
        for (kind, unit) in CHANNELS {
            let number = |name: &str| -> Option<u32> {
                parse::decimal(name.strip_prefix(kind)?.strip_suffix("_input")?).ok()
            };
            let mut numbers: Vec<u32> = device.names().filter_map(number).collect();
            numbers.sort_unstable();
            let channel =
                |number: &u32| channel(card, &device, &format!("{kind}{number}"), *unit, source);
            sensors.extend(numbers.iter().map(channel));
        }
    }
    sensors
}

fn channel(
    card: &str,
    device: &Directory<'_>,
    channel: &str,
    unit: Unit,
    source: Source,
) -> Sensor {
    let value = |end: &str| {
        source
            .value(device, &format!("{channel}_{end}"), parse::signed)
            .map(unit)
    };
    Sensor {
        id: format!("{card}/{}/{channel}", device.name()),
        card: card.to_owned(),
        label: device.text(&format!("{channel}_label")),
        max: value("max"),
        critical: value("crit"),
        now: SensorNow {
            reading: value("input"),
        },
    }
}

/// The directories `sensorN` of the older driver of a controller.
pub(super) fn numbered(card: &str, controller: &Directory<'_>, source: Source) -> Vec<Sensor> {
    let number = |name: &str| -> Option<u32> { parse::decimal(name.strip_prefix("sensor")?).ok() };
    let mut numbers: Vec<u32> = controller.names().filter_map(number).collect();
    numbers.sort_unstable();
    let directories = numbers
        .iter()
        .filter_map(|number| controller.below(&format!("sensor{number}")));
    directories
        .filter_map(|directory| {
            let kind = directory.text("type")?;
            let (_, unit) = KINDS.iter().find(|(name, _)| *name == kind)?;
            let value = |name: &str| source.value(&directory, name, parse::signed).map(unit);
            Some(Sensor {
                id: format!("{card}/{}/{}", controller.name(), directory.name()),
                card: card.to_owned(),
                label: directory.text("name"),
                max: value("high_warn"),
                critical: value("high_fatal"),
                now: SensorNow {
                    reading: value("value"),
                },
            })
        })
        .collect()
}

/// `thermal_mgmt` and `power_mgmt` of the older driver's management engine: in degrees and watts.
pub(super) fn of_engine(card: &str, engine: &Directory<'_>) -> Vec<Sensor> {
    let degrees = |degrees: i64| Reading::TemperatureMillicelsius(degrees.saturating_mul(1000));
    let watts = |watts: i64| Reading::PowerMicrowatts(watts.saturating_mul(1_000_000));
    let hexadecimal =
        |text: &str| parse::hex(text).map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    let thermal = engine.below("thermal_mgmt").map(|directory| {
        let value = |name: &str| directory.value(name, parse::signed).map(degrees);
        let reading = value("temperature");
        (
            directory.name().to_owned(),
            "FPGA",
            reading,
            value("threshold1"),
            value("threshold2"),
        )
    });
    let power = engine.below("power_mgmt").map(|directory| {
        let value = |name: &str| directory.value(name, hexadecimal).map(watts);
        let reading = value("consumed");
        (
            directory.name().to_owned(),
            "FPGA",
            reading,
            value("threshold1"),
            value("threshold2"),
        )
    });
    let parts = [thermal, power].into_iter().flatten();
    parts
        .map(|(name, label, reading, max, critical)| Sensor {
            id: format!("{card}/{name}"),
            card: card.to_owned(),
            label: Some(label.to_owned()),
            max,
            critical,
            now: SensorNow { reading },
        })
        .collect()
}
