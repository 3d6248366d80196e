//! Pluggable modules: what they are, and their levels with the limits that they set themselves.
//!
//! SFF-8472 (SFP), SFF-8636 (QSFP+, QSFP28) and CMIS (QSFP-DD, OSFP, SFP-DD) lay the same facts at different places of
//! their memory; SFF-8024 has the words that they share.

use serde::{Deserialize, Serialize};

use crate::io::ethtool::Eeprom;

mod cmis;
mod code;
mod sff8472;
mod sff8636;

/// A pluggable module, or a cable with one at each end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Module {
    /// Its form: `SFP`, `QSFP28`, `QSFP-DD`, `OSFP`, ... (SFF-8024 table 4-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// `LC`, `MPO 1x12`, `no separable connector`, `copper pigtail`, ... (SFF-8024 table 4-3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// What it is for: `10G Base-SR`, `100GBASE-CWDM4`, ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compliance: Vec<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The IEEE's number of the vendor, `00:90:65`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_oui: Option<String>,
    /// The vendor's part number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The vendor's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// When it was made: `2021-07-15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The nominal wavelength, in picometres (850 nm is 850000).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wavelength_pm: Option<u32>,
    /// Megabaud on each lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_mbaud: Option<u32>,
    /// How far it reaches, by medium (`smf`, `om1` to `om5`, `copper`; of a cable its length), in decimetres.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<Length>,
    /// The limits of its levels; a module without diagnostics has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
}

/// How far a module reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Length {
    /// `smf`, `om1`, `om2`, `om3`, `om4`, `om5`, `copper` or `cable`.
    pub id: String,
    /// In decimetres.
    pub length_dm: u32,
}

/// The limits of one kind of level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Threshold {
    /// `temperature_millicelsius`, `voltage_microvolts`, `bias_microamperes`, `tx_power_nanowatts`, `rx_power_nanowatts`.
    pub id: String,
    /// Above it is an alarm.
    pub high_alarm: i64,
    /// Below it is an alarm.
    pub low_alarm: i64,
    /// Above it is a warning.
    pub high_warning: i64,
    /// Below it is a warning.
    pub low_warning: i64,
}

/// The levels of a module as they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModuleNow {
    /// Thousandths of a degree Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_millicelsius: Option<i64>,
    /// Millionths of a volt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voltage_microvolts: Option<i64>,
    /// Lane by lane.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
    /// Which levels are beyond their limits, worst first: `rx_power_nanowatts of lane 1 below its alarm`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
}

/// The levels of one lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lane {
    /// Its number, from 1.
    pub id: u32,
    /// Current through the laser, in microamperes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_microamperes: Option<i64>,
    /// Optical power that it sends, in nanowatts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_power_nanowatts: Option<i64>,
    /// Optical power that it receives, in nanowatts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rx_power_nanowatts: Option<i64>,
}

/// A level beyond a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alarm {
    /// The level, as [`Threshold::id`].
    pub level: String,
    /// The lane; none is the module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<u32>,
    /// Which limit: `high_alarm`, `low_alarm`, `high_warning` or `low_warning`.
    pub limit: String,
}

/// What a module's memory tells; `None` when it is none of the three kinds.
#[must_use]
pub fn read(eeprom: &Eeprom) -> Option<(Module, ModuleNow)> {
    let lower = eeprom.half(0x50, 0, 0);
    let (mut module, mut now) = match lower.first()? {
        0x02 | 0x03 => sff8472::read(&lower, &eeprom.half(0x51, 0, 0)),
        0x0c | 0x0d | 0x11 => sff8636::read(
            &lower,
            &eeprom.half(0x50, 0, 128),
            &eeprom.half(0x50, 3, 128),
        ),
        0x18..=0x1b | 0x1e..=0x25 => cmis::read(&lower, eeprom),
        _ => return None,
    };
    module.form = lower.first().map(|form| code::form(*form));
    module.serial.clone_from(&eeprom.serial);
    now.alarms = alarms(&module, &now);
    Some((module, now))
}

fn alarms(module: &Module, now: &ModuleNow) -> Vec<Alarm> {
    let mut levels = vec![
        (
            "temperature_millicelsius",
            None,
            now.temperature_millicelsius,
        ),
        ("voltage_microvolts", None, now.voltage_microvolts),
    ];
    for lane in &now.lanes {
        levels.push(("bias_microamperes", Some(lane.id), lane.bias_microamperes));
        levels.push(("tx_power_nanowatts", Some(lane.id), lane.tx_power_nanowatts));
        levels.push(("rx_power_nanowatts", Some(lane.id), lane.rx_power_nanowatts));
    }
    let beyond = levels.into_iter().filter_map(|(level, lane, value)| {
        let threshold = module
            .thresholds
            .iter()
            .find(|threshold| threshold.id == level)?;
        Some(Alarm {
            level: level.to_owned(),
            lane,
            limit: threshold.passed(value?)?.to_owned(),
        })
    });
    let mut alarms: Vec<_> = beyond.collect();
    alarms.sort_by_key(|alarm| !alarm.limit.ends_with("alarm"));
    alarms
}

impl Threshold {
    /// The limit that a value is beyond.
    #[must_use]
    pub const fn passed(&self, value: i64) -> Option<&'static str> {
        if value > self.high_alarm {
            Some("high_alarm")
        } else if value < self.low_alarm {
            Some("low_alarm")
        } else if value > self.high_warning {
            Some("high_warning")
        } else if value < self.low_warning {
            Some("low_warning")
        } else {
            None
        }
    }
}

/// The bytes of a module, each number big-endian.
#[derive(Clone, Copy, Debug)]
struct Memory<'a>(&'a [u8]);

impl Memory<'_> {
    fn byte(self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or_default()
    }

    /// `None` when it was not read.
    fn word(self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(self.0.get(at..at + 2)?.try_into().ok()?))
    }

    /// A text in ASCII, filled up with spaces.
    fn text(self, at: usize, length: usize) -> Option<String> {
        let text = String::from_utf8_lossy(self.0.get(at..at + length)?);
        crate::parse::nonempty(&text)
    }

    fn oui(self, at: usize) -> Option<String> {
        crate::io::netlink::link::address(self.0.get(at..at + 3)?)
    }

    /// Six digits, year from 2000, month and day.
    fn date(self, at: usize) -> Option<String> {
        let digits = self.text(at, 6)?;
        let known = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        known.then(|| {
            let part = |from: usize| digits.get(from..from + 2).unwrap_or_default();
            format!("20{}-{}-{}", part(0), part(2), part(4))
        })
    }

    /// Four words: high alarm, low alarm, high warning, low warning; none when all are the same.
    fn threshold(self, at: usize, id: &str, scale: fn(u16) -> i64) -> Option<Threshold> {
        let word = |place: usize| self.word(at + 2 * place);
        let words = [word(0)?, word(1)?, word(2)?, word(3)?];
        let [high_alarm, low_alarm, high_warning, low_warning] = words.map(scale);
        (high_alarm != low_alarm).then(|| Threshold {
            id: id.to_owned(),
            high_alarm,
            low_alarm,
            high_warning,
            low_warning,
        })
    }
}

/// Signed, in 1/256 degree.
fn millicelsius(word: u16) -> i64 {
    i64::from(word.cast_signed()) * 1000 / 256
}

/// In 100 microvolts.
fn microvolts(word: u16) -> i64 {
    i64::from(word) * 100
}

/// In 2 microamperes.
fn microamperes(word: u16) -> i64 {
    i64::from(word) * 2
}

/// In 100 nanowatts.
fn nanowatts(word: u16) -> i64 {
    i64::from(word) * 100
}

/// The lengths that are told at all.
fn lengths(all: &[(&str, u32)]) -> Vec<Length> {
    let told = all.iter().filter(|(_, length_dm)| *length_dm > 0);
    told.map(|(id, length_dm)| Length {
        id: (*id).to_owned(),
        length_dm: *length_dm,
    })
    .collect()
}

#[cfg(test)]
mod tests;
