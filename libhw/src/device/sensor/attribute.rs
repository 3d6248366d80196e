//! The names of hwmon attributes and what they mean (`Documentation/hwmon/sysfs-interface.rst`).
//!
//! ```text
//! temp1_crit_hyst   kind, number, meaning
//! ```

use serde::{Deserialize, Serialize};

use crate::parse;

/// What a channel measures or drives.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// `inN`.
    #[default]
    Voltage,
    /// `cpuN_vid`: the voltage that the CPU asks for.
    Vid,
    /// `fanN`.
    Fan,
    /// `pwmN`: what drives a fan.
    Pwm,
    /// `tempN`.
    Temperature,
    /// `currN`.
    Current,
    /// `powerN`.
    Power,
    /// `energyN`.
    Energy,
    /// `humidityN`.
    Humidity,
    /// `freqN`.
    Frequency,
    /// `intrusionN`: whether the chassis was opened.
    Intrusion,
}

/// What the numbers of a channel count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Thousandths of a volt.
    #[default]
    Millivolt,
    /// Turns a minute.
    Rpm,
    /// 0 (off) to 255 (full).
    PwmStep,
    /// Thousandths of a degree Celsius.
    Millicelsius,
    /// Thousandths of an ampere.
    Milliampere,
    /// Millionths of a watt.
    Microwatt,
    /// Millionths of a joule.
    Microjoule,
    /// Thousandths of a percent of relative humidity.
    Millipercent,
    /// Hertz.
    Hertz,
    /// The channel has alarms and no numbers.
    None,
}

/// A limit of a channel, in the channel's unit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `_lcrit`: critically low.
    #[default]
    Lcrit,
    /// `_lcrit_hyst`: where a critically low value counts as gone.
    LcritHyst,
    /// `_min`.
    Min,
    /// `_min_hyst`.
    MinHyst,
    /// `_max`.
    Max,
    /// `_max_hyst`.
    MaxHyst,
    /// `_crit`: critically high.
    Crit,
    /// `_crit_hyst`.
    CritHyst,
    /// `_emergency`: above critically high.
    Emergency,
    /// `_emergency_hyst`.
    EmergencyHyst,
    /// `_cap`: power is held below this.
    Cap,
    /// `_cap_hyst`.
    CapHyst,
    /// `_cap_default`: the cap that the vendor sets (amdgpu).
    CapDefault,
    /// `_cap_min`: the least that the cap may be.
    CapMin,
    /// `_cap_max`: the most that the cap may be.
    CapMax,
    /// `_average_min`: an average below is announced.
    AverageMin,
    /// `_average_max`.
    AverageMax,
    /// `_rated_min`: the least that the part is made for.
    RatedMin,
    /// `_rated_max`.
    RatedMax,
}

/// How a channel is set up.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// `temp_type`: 1 CPU diode, 2 3904 transistor, 3 thermal diode, 4 thermistor, 5 AMD AMDSI, 6 Intel PECI.
    #[default]
    Type,
    /// `_offset`: added to the value by the chip, in the channel's unit.
    Offset,
    /// `fan_target`: the speed that the chip keeps, in turns a minute.
    Target,
    /// `fan_div`: divisor of the fan's clock.
    Div,
    /// `fan_pulses`: tachometer pulses a turn.
    Pulses,
    /// `pwm_mode`: 0 direct current, 1 pulse width, 2 automatic.
    Mode,
    /// `pwm_freq`: base frequency, in hertz.
    Freq,
    /// `power_average_interval`: what the average is over, in milliseconds.
    AverageInterval,
    /// `_max_interval`: what the limit `_max` holds over, in milliseconds (Intel's graphics).
    MaxInterval,
    /// `_crit_interval`: what the limit `_crit` holds over, in milliseconds.
    CritInterval,
    /// `_cap_interval`: what the limit `_cap` holds over, in milliseconds.
    CapInterval,
    /// `power_accuracy`: of the meter, in thousandths of a percent.
    Accuracy,
}

/// A kind of alarm that a chip raises by itself.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// `_alarm`: some limit was crossed; of an intrusion channel, the chassis was opened.
    #[default]
    Alarm,
    /// `_lcrit_alarm`.
    Lcrit,
    /// `_min_alarm`.
    Min,
    /// `_max_alarm`.
    Max,
    /// `_crit_alarm`.
    Crit,
    /// `_emergency_alarm`.
    Emergency,
    /// `_cap_alarm`: power is being held down.
    Cap,
    /// `_rated_min_alarm`.
    RatedMin,
    /// `_rated_max_alarm`.
    RatedMax,
}

/// What an attribute of a channel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Label,
    Input,
    Average,
    Lowest,
    Highest,
    AverageLowest,
    AverageHighest,
    Enable,
    Fault,
    Limit(Limit),
    Setting(Setting),
    Alarm(Alarm),
}

/// An attribute's name in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) kind: ChannelKind,
    pub(super) number: u32,
    pub(super) meaning: Meaning,
}

impl ChannelKind {
    /// What its numbers count.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Voltage | Self::Vid => Unit::Millivolt,
            Self::Fan => Unit::Rpm,
            Self::Pwm => Unit::PwmStep,
            Self::Temperature => Unit::Millicelsius,
            Self::Current => Unit::Milliampere,
            Self::Power => Unit::Microwatt,
            Self::Energy => Unit::Microjoule,
            Self::Humidity => Unit::Millipercent,
            Self::Frequency => Unit::Hertz,
            Self::Intrusion => Unit::None,
        }
    }

    /// The kernel's name of a channel of this kind: `temp1`.
    pub(super) fn channel(self, number: u32) -> String {
        let prefix = KINDS.iter().find(|(_, kind)| *kind == self);
        let prefix = prefix.map_or("", |(prefix, _)| prefix);
        let suffix = if self == Self::Vid { "_vid" } else { "" };
        format!("{prefix}{number}{suffix}")
    }
}

const KINDS: &[(&str, ChannelKind)] = &[
    ("in", ChannelKind::Voltage),
    ("cpu", ChannelKind::Vid),
    ("fan", ChannelKind::Fan),
    ("pwm", ChannelKind::Pwm),
    ("temp", ChannelKind::Temperature),
    ("curr", ChannelKind::Current),
    ("power", ChannelKind::Power),
    ("energy", ChannelKind::Energy),
    ("humidity", ChannelKind::Humidity),
    ("freq", ChannelKind::Frequency),
    ("intrusion", ChannelKind::Intrusion),
];

/// What stands behind the channel's name. What is not here only sets the chip up (`_beep`, `_auto_point1_pwm`) or
/// can only be written (`_reset_history`).
const MEANINGS: &[(&str, Meaning)] = &[
    // A pwm channel's own value has no suffix.
    ("", Meaning::Input),
    ("_input", Meaning::Input),
    ("_vid", Meaning::Input),
    ("_label", Meaning::Label),
    ("_average", Meaning::Average),
    ("_lowest", Meaning::Lowest),
    ("_highest", Meaning::Highest),
    // Power channels have an average too, so their extremes say of what they are.
    ("_input_lowest", Meaning::Lowest),
    ("_input_highest", Meaning::Highest),
    ("_average_lowest", Meaning::AverageLowest),
    ("_average_highest", Meaning::AverageHighest),
    ("_enable", Meaning::Enable),
    ("_fault", Meaning::Fault),
    ("_lcrit", Meaning::Limit(Limit::Lcrit)),
    ("_lcrit_hyst", Meaning::Limit(Limit::LcritHyst)),
    ("_min", Meaning::Limit(Limit::Min)),
    ("_min_hyst", Meaning::Limit(Limit::MinHyst)),
    ("_max", Meaning::Limit(Limit::Max)),
    ("_max_hyst", Meaning::Limit(Limit::MaxHyst)),
    ("_crit", Meaning::Limit(Limit::Crit)),
    ("_crit_hyst", Meaning::Limit(Limit::CritHyst)),
    ("_emergency", Meaning::Limit(Limit::Emergency)),
    ("_emergency_hyst", Meaning::Limit(Limit::EmergencyHyst)),
    ("_cap", Meaning::Limit(Limit::Cap)),
    ("_cap_hyst", Meaning::Limit(Limit::CapHyst)),
    ("_cap_default", Meaning::Limit(Limit::CapDefault)),
    ("_cap_min", Meaning::Limit(Limit::CapMin)),
    ("_cap_max", Meaning::Limit(Limit::CapMax)),
    ("_average_min", Meaning::Limit(Limit::AverageMin)),
    ("_average_max", Meaning::Limit(Limit::AverageMax)),
    ("_rated_min", Meaning::Limit(Limit::RatedMin)),
    ("_rated_max", Meaning::Limit(Limit::RatedMax)),
    ("_type", Meaning::Setting(Setting::Type)),
    ("_offset", Meaning::Setting(Setting::Offset)),
    ("_target", Meaning::Setting(Setting::Target)),
    ("_div", Meaning::Setting(Setting::Div)),
    ("_pulses", Meaning::Setting(Setting::Pulses)),
    ("_mode", Meaning::Setting(Setting::Mode)),
    ("_freq", Meaning::Setting(Setting::Freq)),
    (
        "_average_interval",
        Meaning::Setting(Setting::AverageInterval),
    ),
    ("_max_interval", Meaning::Setting(Setting::MaxInterval)),
    ("_crit_interval", Meaning::Setting(Setting::CritInterval)),
    ("_cap_interval", Meaning::Setting(Setting::CapInterval)),
    ("_accuracy", Meaning::Setting(Setting::Accuracy)),
    ("_alarm", Meaning::Alarm(Alarm::Alarm)),
    ("_lcrit_alarm", Meaning::Alarm(Alarm::Lcrit)),
    ("_min_alarm", Meaning::Alarm(Alarm::Min)),
    ("_max_alarm", Meaning::Alarm(Alarm::Max)),
    ("_crit_alarm", Meaning::Alarm(Alarm::Crit)),
    ("_emergency_alarm", Meaning::Alarm(Alarm::Emergency)),
    ("_cap_alarm", Meaning::Alarm(Alarm::Cap)),
    ("_rated_min_alarm", Meaning::Alarm(Alarm::RatedMin)),
    ("_rated_max_alarm", Meaning::Alarm(Alarm::RatedMax)),
];

/// What the attribute called `name` is; `None` where it is no channel's, or says nothing to read.
pub(super) fn parse(name: &str) -> Option<Attribute> {
    let word = name.find(|sign: char| sign.is_ascii_digit())?;
    let (prefix, rest) = name.split_at_checked(word)?;
    let length = rest.find(|sign: char| !sign.is_ascii_digit());
    let (number, suffix) = rest.split_at_checked(length.unwrap_or(rest.len()))?;
    let (_, kind) = KINDS.iter().find(|(known, _)| *known == prefix)?;
    let (_, meaning) = MEANINGS.iter().find(|(known, _)| *known == suffix)?;
    let fits = match suffix {
        "" => *kind == ChannelKind::Pwm,
        "_vid" => *kind == ChannelKind::Vid,
        _ => *kind != ChannelKind::Vid,
    };
    Some(Attribute {
        kind: *kind,
        number: parse::decimal(number).ok()?,
        meaning: *meaning,
    })
    .filter(|_| fits)
}
