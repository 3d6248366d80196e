//! hwmon chips and their channels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attribute::{self, Alarm, Attribute, ChannelKind, Limit, Meaning, Setting, Unit};
use super::reader::Reader;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// A sensor chip, or a driver that offers sensors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Chip {
    /// The kernel's name, `hwmon3`.
    pub id: String,
    /// `name`: the chip's type, `coretemp`, `nvme`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `label`: what firmware calls this one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The device that it belongs to, by its kernel name: `coretemp.0`, `nvme0`, `0-0018`; none is a virtual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The bus or class of that device: `platform`, `pci`, `i2c`, `nvme`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// The PCI function that it is, or hangs off: of a chip on SMBus, the bus's controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Whether reading it leaves the CPU, for a bus, a device or firmware: then limits and values are read only in
    /// a deep look.
    #[serde(default)]
    pub slow: bool,
    /// `update_interval`: how often the chip measures, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_interval_ms: Option<u64>,
}

/// One channel of a chip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Channel {
    /// The chip's and the channel's name, `hwmon3/temp1`.
    pub id: String,
    /// The chip's id.
    pub chip: String,
    /// What it measures or drives.
    pub kind: ChannelKind,
    /// What the numbers in `limits` and `now` count.
    pub unit: Unit,
    /// `_label`: what it is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The limits that the chip has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<Limit, i64>,
    /// How it is set up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<Setting, i64>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ChannelNow,
}

/// What changes in a channel without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ChannelNow {
    /// `_input`, of a pwm channel `pwmN` itself: the value, in the channel's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<i64>,
    /// `_average`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<i64>,
    /// `_lowest`, of power `_input_lowest`: the least since it was reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowest: Option<i64>,
    /// `_highest`, of power `_input_highest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest: Option<i64>,
    /// `_average_lowest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_lowest: Option<i64>,
    /// `_average_highest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_highest: Option<i64>,
    /// The alarms that the chip has, and whether each is raised.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub alarms: BTreeMap<Alarm, bool>,
    /// `_fault`: whether the sensor itself is broken or not connected, so that its value means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<bool>,
    /// `_enable` of a channel that measures: whether it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `pwm_enable`: who sets the fan's drive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<PwmControl>,
}

/// Who sets a fan's drive (`pwmN_enable`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PwmControl {
    /// 0: nobody, the fan is at full speed.
    #[default]
    FullSpeed,
    /// 1: software.
    Manual,
    /// 2 and above: the chip, in a way of its own for each number.
    Automatic,
}

impl ChannelNow {
    /// Whether anything could be read.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const HWMON: &str = "sys/class/hwmon";

/// More than any machine has, so that a hostile tree ends.
const CHANNELS_MAX: usize = 65_536;

/// The drivers that answer from a register of the CPU, in microseconds and without waking anything: an MSR
/// (coretemp, via_cputemp) or the northbridge's config space, which is part of the CPU (the others).
const REGISTERS: &[&str] = &[
    "coretemp",
    "fam15h_power",
    "k10temp",
    "k8temp",
    "via_cputemp",
    "zenpower",
];

/// The chips and their channels.
pub(super) fn discover(survey: &Survey<'_>) -> (Vec<Chip>, Vec<Channel>) {
    let (mut chips, mut channels) = (Vec::new(), Vec::new());
    for number in survey.numbered(HWMON, "hwmon") {
        let place = Place::find(survey, &format!("hwmon{number}"));
        let chip = chip(survey, &place);
        let read = !chip.slow || survey.deep();
        let reader = Reader::new(survey, place.base.clone(), chip.slow);
        let left = CHANNELS_MAX.saturating_sub(channels.len());
        let found = place.channels().into_iter().take(left);
        channels.extend(found.map(|(key, attributes)| {
            let mut channel = channel(survey, &place, key, &attributes);
            if read {
                settle(&mut channel, &reader, &attributes);
                channel.now = now(&reader, &attributes);
            }
            channel
        }));
        chips.push(chip);
    }
    (chips, channels)
}

/// Reads values again.
pub(super) fn refresh(chips: &[Chip], channels: &mut [Channel], survey: &Survey<'_>) {
    for chip in chips {
        let own = || channels.iter().filter(|channel| channel.chip == chip.id);
        if chip.slow && own().all(|channel| channel.now.is_empty()) {
            continue;
        }
        let place = Place::find(survey, &chip.id);
        let reader = Reader::new(survey, place.base.clone(), chip.slow);
        let found: BTreeMap<String, Vec<Named>> = place
            .channels()
            .into_iter()
            .map(|((kind, number), named)| (place.channel_id(kind, number), named))
            .collect();
        let own = channels
            .iter_mut()
            .filter(|channel| channel.chip == chip.id);
        for channel in own {
            let attributes = found.get(&channel.id).map_or(&[][..], Vec::as_slice);
            channel.now = now(&reader, attributes);
        }
    }
}

/// An attribute by its file's name.
type Named = (String, Attribute);

/// Where a chip's attributes are.
struct Place {
    id: String,
    base: String,
    names: Vec<String>,
}

impl Place {
    /// Drivers of before Linux 3.14 put a chip's attributes into its device's directory and left its own empty.
    fn find(survey: &Survey<'_>, id: &str) -> Self {
        let own = format!("{HWMON}/{id}");
        let names = survey.names(&own);
        let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
        if has(&names, "name") || !has(&names, "device") {
            return Self {
                id: id.to_owned(),
                base: own,
                names,
            };
        }
        let base = format!("{own}/device");
        let names = survey.names(&base);
        Self {
            id: id.to_owned(),
            base,
            names,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn channel_id(&self, kind: ChannelKind, number: u32) -> String {
        format!("{}/{}", self.id, kind.channel(number))
    }

    /// The attributes of each channel.
    fn channels(&self) -> BTreeMap<(ChannelKind, u32), Vec<Named>> {
        let mut channels: BTreeMap<_, Vec<Named>> = BTreeMap::new();
        for name in &self.names {
            if let Some(found) = attribute::parse(name) {
                let channel = channels.entry((found.kind, found.number)).or_default();
                channel.push((name.clone(), found));
            }
        }
        channels
    }
}

fn chip(survey: &Survey<'_>, place: &Place) -> Chip {
    let own = format!("{HWMON}/{}", place.id);
    let text = |name: &str| {
        let path = format!("{}/{name}", place.base);
        place.has(name).then(|| survey.text(&path))?
    };
    let device_link = survey.keep(survey.root().link(&format!("{own}/device")));
    let class_link = survey.keep(survey.root().link(&own));
    let name = text("name");
    let slow = !name
        .as_deref()
        .is_some_and(|name| REGISTERS.contains(&name));
    let links = [class_link, device_link.clone()];
    let mut functions = links
        .iter()
        .flatten()
        .filter_map(|link| parse::function_above(link));
    Chip {
        id: place.id.clone(),
        label: text("label"),
        device: device_link
            .as_ref()
            .and_then(|link| parse::nonempty(link.rsplit('/').next()?)),
        bus: device_link
            .is_some()
            .then(|| survey.link_name(&format!("{own}/device/subsystem")))
            .flatten(),
        function: functions.next().map(str::to_owned),
        slow,
        update_interval_ms: place
            .has("update_interval")
            .then(|| survey.value(&format!("{}/update_interval", place.base), parse::decimal))
            .flatten(),
        name,
    }
}

/// What a channel is called and what it is connected to; drivers keep labels in memory.
fn channel(
    survey: &Survey<'_>,
    place: &Place,
    (kind, number): (ChannelKind, u32),
    attributes: &[Named],
) -> Channel {
    let label = attributes
        .iter()
        .find(|(_, attribute)| attribute.meaning == Meaning::Label);
    Channel {
        id: place.channel_id(kind, number),
        chip: place.id.clone(),
        kind,
        unit: kind.unit(),
        label: label.and_then(|(name, _)| survey.text(&format!("{}/{name}", place.base))),
        ..Channel::default()
    }
}

/// The limits of a channel and how it is set up.
fn settle(channel: &mut Channel, reader: &Reader<'_>, attributes: &[Named]) {
    for (name, attribute) in attributes {
        match attribute.meaning {
            Meaning::Limit(limit) => {
                let value = reader.value(name, number);
                channel.limits.extend(value.map(|value| (limit, value)));
            }
            Meaning::Setting(setting) => {
                let parse = if setting == Setting::Accuracy {
                    accuracy
                } else {
                    number
                };
                let value = reader.value(name, parse);
                channel.settings.extend(value.map(|value| (setting, value)));
            }
            _ => {}
        }
    }
}

fn now(reader: &Reader<'_>, attributes: &[Named]) -> ChannelNow {
    let mut now = ChannelNow::default();
    for (name, attribute) in attributes {
        let number = || reader.value(name, number);
        let switch = || reader.value(name, parse::switch);
        match attribute.meaning {
            Meaning::Input => now.input = number(),
            Meaning::Average => now.average = number(),
            Meaning::Lowest => now.lowest = number(),
            Meaning::Highest => now.highest = number(),
            Meaning::AverageLowest => now.average_lowest = number(),
            Meaning::AverageHighest => now.average_highest = number(),
            Meaning::Alarm(alarm) => now.alarms.extend(switch().map(|raised| (alarm, raised))),
            Meaning::Fault => now.fault = switch(),
            Meaning::Enable if attribute.kind == ChannelKind::Pwm => {
                now.control = reader.value(name, control);
            }
            Meaning::Enable => now.enabled = switch(),
            Meaning::Label | Meaning::Limit(_) | Meaning::Setting(_) => {}
        }
    }
    now
}

/// A number that may be negative: temperatures are, and voltages, and what flows the other way.
fn number(text: &str) -> Parsed<i64> {
    parse::signed(text).map_err(|_| Expected("a decimal number"))
}

/// What `power_accuracy` says, in thousandths of a percent.
///
/// ```text
/// 0.5%
/// ```
fn accuracy(text: &str) -> Parsed<i64> {
    const EXPECTED: Expected = Expected("a percentage such as 0.5%");
    let text = parse::trim(text);
    let text = text.strip_suffix('%').unwrap_or(text);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u32 = parse::decimal(whole).map_err(|_| EXPECTED)?;
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    let part: u32 = parse::decimal(&part).map_err(|_| EXPECTED)?;
    Ok(i64::from(whole) * 1000 + i64::from(part))
}

fn control(text: &str) -> Parsed<PwmControl> {
    match parse::decimal::<u32>(text)? {
        0 => Ok(PwmControl::FullSpeed),
        1 => Ok(PwmControl::Manual),
        _ => Ok(PwmControl::Automatic),
    }
}
