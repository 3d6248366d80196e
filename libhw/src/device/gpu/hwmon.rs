//! The sensors of a device, from its hwmon directory (`Documentation/hwmon/sysfs-interface.rst`).

use std::collections::BTreeMap;

use crate::parse;
use crate::units::Hertz;

use super::AdapterNow;
use super::device::Device;
use super::reading::{
    ClockDomain, CurrentSensor, FanControl, FanSensor, PowerSensor, TemperatureSensor,
    VoltageSensor,
};

/// The attributes of one channel by what follows its number: `temp1_crit` is `crit` of (`temp`, 1).
type Channels = BTreeMap<(String, u32), BTreeMap<String, String>>;

/// Reads all channels into `now`.
pub(super) fn read(device: &Device<'_>, now: &mut AdapterNow) {
    let mut channels = Channels::new();
    for name in device.names_in("hwmon") {
        let directory = format!("hwmon/{name}");
        for attribute in device.names_in(&directory) {
            let Some((kind, number, item)) = split(&attribute) else {
                continue;
            };
            if let Some(text) = device.ask_text(&format!("{directory}/{attribute}")) {
                let channel = channels.entry((kind.to_owned(), number)).or_default();
                channel.insert(item.to_owned(), text);
            }
        }
    }
    fill(device, channels, now);
}

fn fill(device: &Device<'_>, mut channels: Channels, now: &mut AdapterNow) {
    // What belongs to another kind's channel of the same number is taken there.
    for (kind, of) in [("energy", "power"), ("pwm", "fan")] {
        let numbers: Vec<u32> = numbers(&channels, kind);
        for number in numbers {
            let items = channels
                .remove(&(kind.to_owned(), number))
                .unwrap_or_default();
            let channel = channels.entry((of.to_owned(), number)).or_default();
            for (item, text) in items {
                let name = if item == "label" {
                    item
                } else {
                    format!("{kind}_{item}")
                };
                channel.entry(name).or_insert(text);
            }
        }
    }
    for ((kind, number), items) in channels {
        let channel = Channel {
            device,
            kind: &kind,
            number,
            items,
        };
        match kind.as_str() {
            "temp" => now.temperatures.push(channel.temperature()),
            "power" => now.powers.push(channel.power()),
            "fan" => now.fans.push(channel.fan()),
            "in" => now.voltages.extend(channel.voltage()),
            "curr" => now.currents.push(channel.current()),
            "freq" => now.clocks.push(channel.clock()),
            _ => {}
        }
    }
}

fn numbers(channels: &Channels, kind: &str) -> Vec<u32> {
    let keys = channels.keys().filter(|(known, _)| known == kind);
    keys.map(|(_, number)| *number).collect()
}

/// ```text
/// temp1_crit_hyst   pwm1
/// ```
fn split(attribute: &str) -> Option<(&str, u32, &str)> {
    let (channel, item) = attribute.split_once('_').unwrap_or((attribute, ""));
    let kind = channel.trim_end_matches(|sign: char| sign.is_ascii_digit());
    let number = parse::decimal(channel.get(kind.len()..)?).ok()?;
    let (_, items) = ITEMS.iter().find(|(known, _)| *known == kind)?;
    items.contains(&item).then_some((kind, number, item))
}

/// One channel.
struct Channel<'a> {
    device: &'a Device<'a>,
    kind: &'a str,
    number: u32,
    items: BTreeMap<String, String>,
}

impl Channel<'_> {
    /// Its label, which need not be there.
    fn id(&self) -> String {
        let label = self
            .items
            .get("label")
            .and_then(|label| parse::nonempty(label));
        label.unwrap_or_else(|| format!("{}{}", self.kind, self.number))
    }

    fn signed(&self, item: &str) -> Option<i64> {
        self.value(item, parse::signed)
    }

    /// Some drivers count below zero where they know nothing.
    fn unsigned(&self, item: &str) -> Option<u64> {
        u64::try_from(self.signed(item)?).ok()
    }

    fn value<T>(&self, item: &str, parse: impl Fn(&str) -> parse::Parsed<T>) -> Option<T> {
        let path = format!("hwmon/{}{}_{item}", self.kind, self.number);
        let text = self.items.get(item)?;
        self.device
            .survey
            .parsed(&self.device.path(&path), text, parse)
    }

    fn temperature(&self) -> TemperatureSensor {
        TemperatureSensor {
            id: self.id(),
            value_millicelsius: self.signed("input"),
            max_millicelsius: self.signed("max"),
            critical_millicelsius: self.signed("crit"),
            critical_hysteresis_millicelsius: self.signed("crit_hyst"),
            emergency_millicelsius: self.signed("emergency"),
        }
    }

    fn power(&self) -> PowerSensor {
        PowerSensor {
            id: self.id(),
            average_microwatts: self.unsigned("average"),
            input_microwatts: self.unsigned("input"),
            cap_microwatts: self.unsigned("cap"),
            cap_default_microwatts: self.unsigned("cap_default"),
            cap_min_microwatts: self.unsigned("cap_min"),
            cap_max_microwatts: self.unsigned("cap_max"),
            max_microwatts: self.unsigned("max"),
            rated_max_microwatts: self.unsigned("rated_max"),
            critical_microwatts: self.unsigned("crit"),
            energy_microjoules: self.unsigned("energy_input"),
        }
    }

    fn fan(&self) -> FanSensor {
        FanSensor {
            id: self.id(),
            speed_rpm: self.unsigned("input"),
            min_rpm: self.unsigned("min"),
            max_rpm: self.unsigned("max"),
            target_rpm: self.unsigned("target"),
            pwm: self.unsigned("pwm_"),
            pwm_min: self.unsigned("pwm_min"),
            pwm_max: self.unsigned("pwm_max"),
            control: self.unsigned("pwm_enable").map(|mode| match mode {
                0 => FanControl::None,
                1 => FanControl::Manual,
                _ => FanControl::Automatic,
            }),
        }
    }

    fn voltage(&self) -> Option<VoltageSensor> {
        let value_millivolts = self.signed("input")?;
        Some(VoltageSensor {
            id: self.id(),
            value_millivolts,
        })
    }

    fn current(&self) -> CurrentSensor {
        CurrentSensor {
            id: self.id(),
            value_milliamperes: self.signed("input"),
            critical_milliamperes: self.signed("crit"),
        }
    }

    fn clock(&self) -> ClockDomain {
        ClockDomain {
            id: self.id(),
            value_hz: self.unsigned("input").map(Hertz),
            ..ClockDomain::default()
        }
    }
}

/// The kinds of channels, and what is read of each; `pwmN` itself has no item.
const ITEMS: &[(&str, &[&str])] = &[
    (
        "temp",
        &["label", "input", "max", "crit", "crit_hyst", "emergency"],
    ),
    (
        "power",
        &[
            "label",
            "average",
            "input",
            "cap",
            "cap_default",
            "cap_min",
            "cap_max",
            "max",
            "rated_max",
            "crit",
        ],
    ),
    ("energy", &["label", "input"]),
    ("fan", &["label", "input", "min", "max", "target"]),
    ("pwm", &["", "min", "max", "enable"]),
    ("in", &["label", "input"]),
    ("curr", &["label", "input", "crit"]),
    ("freq", &["label", "input"]),
];
