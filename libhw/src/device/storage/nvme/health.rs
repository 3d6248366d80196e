//! What an NVMe controller says of itself: Identify Controller and two log pages.

use serde::{Deserialize, Serialize};

use crate::device::storage::drive::little;
use crate::parse;
use crate::units::Bytes;

/// What Identify Controller says (NVM Express Base Specification 2.0, Figure 275).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmeIdentity {
    /// VER: the version of the specification, `1.4`, `2.0.1`; absent before 1.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// TNVMCAP: all that can be made into namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_bytes: Option<Bytes>,
    /// UNVMCAP: what is not in a namespace yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unallocated_bytes: Option<Bytes>,
    /// NN: the highest number of a namespace.
    pub namespaces_max: u32,
    /// WCTEMP: above it the controller may slow down, in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning_temperature_celsius: Option<i64>,
    /// CCTEMP: above it data is in danger, in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical_temperature_celsius: Option<i64>,
    /// MDTS: the most that one command moves, in units of the smallest page, as a power of two; 0 is no limit.
    pub transfer_max_exponent: u8,
    /// VWC bit 0: whether it has a cache that forgets.
    pub volatile_write_cache: bool,
    /// CMIC bit 1: whether its subsystem may have several controllers.
    pub several_controllers: bool,
    /// CMIC bit 3: whether it tells how good each way to a namespace is.
    pub asymmetric_access: bool,
    /// OACS bit 0: whether it knows Security Send and Receive, which Opal needs.
    pub security: bool,
    /// OACS bit 3: whether namespaces can be made and removed.
    pub namespace_management: bool,
    /// OACS bit 4: whether it can test itself.
    pub self_test: bool,
    /// OACS bit 7: whether its queues can be given to virtual functions.
    pub virtualization: bool,
    /// SANICAP bits 0 to 2: whether it can wipe all it holds, by any of the three ways.
    pub sanitize: bool,
}

/// The firmware in a controller's slots (NVM Express Base Specification 2.0, Figure 208).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmeFirmware {
    /// AFI bits 2:0: the slot that it runs from.
    pub active_slot: u8,
    /// AFI bits 6:4: the slot that it will run from after the next reset, when that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_slot: Option<u8>,
    /// FRS1 to FRS7: the revision in each slot, up to the last that has one; an empty text is an empty slot.
    pub slots: Vec<String>,
}

/// A controller's health (NVM Express Base Specification 2.0, Figure 207). Counts of 128 bits that do not fit 64 are
/// the largest that do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmeHealth {
    /// Byte 0: what is critical; nothing is well.
    pub critical_warnings: Vec<CriticalWarning>,
    /// Byte 6: the same for the endurance groups, as its bits are.
    pub endurance_group_warnings: u8,
    /// Bytes 1 and 2: the composite temperature, in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<i64>,
    /// Byte 3: how much of the spare capacity is left, in percent.
    pub available_spare_percent: u8,
    /// Byte 4: below it there is a warning.
    pub spare_threshold_percent: u8,
    /// Byte 5: how much of its life is used, in percent; may be above 100, 255 is 255 or more.
    pub percentage_used: u8,
    /// Bytes 32 to 47, in units of 512,000 bytes.
    pub data_units_read: u64,
    /// Bytes 48 to 63, in units of 512,000 bytes.
    pub data_units_written: u64,
    /// Bytes 64 to 79.
    pub host_read_commands: u64,
    /// Bytes 80 to 95.
    pub host_write_commands: u64,
    /// Bytes 96 to 111: how long it was busy, in minutes.
    pub controller_busy_minutes: u64,
    /// Bytes 112 to 127.
    pub power_cycles: u64,
    /// Bytes 128 to 143.
    pub power_on_hours: u64,
    /// Bytes 144 to 159: power was lost without a word before.
    pub unsafe_shutdowns: u64,
    /// Bytes 160 to 175: data that could not be read or written rightly.
    pub media_errors: u64,
    /// Bytes 176 to 191: entries ever made in its log of errors.
    pub error_log_entries: u64,
    /// Bytes 192 to 195: how long it was above the warning temperature, in minutes.
    pub warning_temperature_minutes: u64,
    /// Bytes 196 to 199: how long it was above the critical temperature, in minutes.
    pub critical_temperature_minutes: u64,
    /// Bytes 200 to 215: the temperatures of its sensors, by number, in degrees Celsius; none of one that it lacks.
    pub sensors_celsius: Vec<Option<i64>>,
    /// Bytes 216 to 223: how often it slowed down to keep cool, lightly and heavily.
    pub thermal_transitions: [u64; 2],
    /// Bytes 224 to 231: for how long, in seconds.
    pub thermal_seconds: [u64; 2],
}

/// What is critical in a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CriticalWarning {
    /// Bit 0: less spare capacity is left than its threshold.
    Spare,
    /// Bit 1: too hot or too cold.
    Temperature,
    /// Bit 2: not reliable any more, after errors in the media or inside.
    Reliability,
    /// Bit 3: it can only be read.
    ReadOnly,
    /// Bit 4: what keeps its cache alive without power has failed.
    VolatileMemoryBackup,
    /// Bit 5: its persistent memory region can only be read, or is not reliable.
    PersistentMemoryRegion,
    /// Bits 6 and 7, which had no meaning when this was written, by number.
    #[serde(untagged)]
    Other(u8),
}

const WARNINGS: [CriticalWarning; 8] = [
    CriticalWarning::Spare,
    CriticalWarning::Temperature,
    CriticalWarning::Reliability,
    CriticalWarning::ReadOnly,
    CriticalWarning::VolatileMemoryBackup,
    CriticalWarning::PersistentMemoryRegion,
    CriticalWarning::Other(6),
    CriticalWarning::Other(7),
];

impl NvmeIdentity {
    /// `None` when there are not the 4096 bytes of the structure.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != 4096 {
            return None;
        }
        let number = |place, length| little(bytes, place, length);
        let bit =
            |place: usize, bit: u32| number(place, 1).is_some_and(|byte| byte & 1 << bit != 0);
        Some(Self {
            version: version(number(80, 4)?),
            capacity_bytes: capacity(bytes, 280),
            // 0 is all in use where the capacity is told, and not told where it is not.
            unallocated_bytes: capacity(bytes, 280).map(|_| Bytes(wide(bytes, 296))),
            namespaces_max: u32::try_from(number(516, 4)?).ok()?,
            warning_temperature_celsius: celsius(number(266, 2)?),
            critical_temperature_celsius: celsius(number(268, 2)?),
            transfer_max_exponent: u8::try_from(number(77, 1)?).ok()?,
            volatile_write_cache: bit(525, 0),
            several_controllers: bit(76, 1),
            asymmetric_access: bit(76, 3),
            security: bit(256, 0),
            namespace_management: bit(256, 3),
            self_test: bit(256, 4),
            virtualization: bit(256, 7),
            sanitize: number(328, 4)? & 0b111 != 0,
        })
    }
}

impl NvmeFirmware {
    /// `None` when there are not the 512 bytes of the page.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let [active, _, _, _, _, _, _, _, slots @ ..] = bytes else {
            return None;
        };
        let (slots, _) = slots
            .get(..56)
            .filter(|_| bytes.len() == 512)?
            .as_chunks::<8>();
        let revision = |slot: &[u8; 8]| parse::trim(&String::from_utf8_lossy(slot)).to_owned();
        let mut slots: Vec<String> = slots.iter().map(revision).collect();
        while slots.last().is_some_and(String::is_empty) {
            slots.pop();
        }
        let next = active >> 4 & 7;
        Some(Self {
            active_slot: active & 7,
            next_slot: (next > 0).then_some(next),
            slots,
        })
    }
}

impl NvmeHealth {
    /// `None` when there are not the 512 bytes of the page.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let [warnings, _, _, spare, threshold, used, groups, ..] = *bytes else {
            return None;
        };
        if bytes.len() != 512 {
            return None;
        }
        let number = |place, length| little(bytes, place, length);
        let bits = WARNINGS.iter().zip(0_u8..);
        let mut sensors: Vec<Option<i64>> = (0..8)
            .map(|sensor| celsius(number(200 + sensor * 2, 2)?))
            .collect();
        while sensors.last() == Some(&None) {
            sensors.pop();
        }
        Some(Self {
            critical_warnings: bits
                .filter(|(_, bit)| warnings & 1 << bit != 0)
                .map(|(warning, _)| *warning)
                .collect(),
            endurance_group_warnings: groups,
            temperature_celsius: celsius(number(1, 2)?),
            available_spare_percent: spare,
            spare_threshold_percent: threshold,
            percentage_used: used,
            data_units_read: wide(bytes, 32),
            data_units_written: wide(bytes, 48),
            host_read_commands: wide(bytes, 64),
            host_write_commands: wide(bytes, 80),
            controller_busy_minutes: wide(bytes, 96),
            power_cycles: wide(bytes, 112),
            power_on_hours: wide(bytes, 128),
            unsafe_shutdowns: wide(bytes, 144),
            media_errors: wide(bytes, 160),
            error_log_entries: wide(bytes, 176),
            warning_temperature_minutes: number(192, 4)?,
            critical_temperature_minutes: number(196, 4)?,
            sensors_celsius: sensors,
            thermal_transitions: [number(216, 4)?, number(220, 4)?],
            thermal_seconds: [number(224, 4)?, number(228, 4)?],
        })
    }
}

/// A number of 128 bits; what does not fit 64 is the largest that does.
fn wide(bytes: &[u8], place: usize) -> u64 {
    match (little(bytes, place, 8), little(bytes, place + 8, 8)) {
        (Some(low), Some(0)) => low,
        (Some(_), Some(_)) => u64::MAX,
        _ => 0,
    }
}

fn capacity(bytes: &[u8], place: usize) -> Option<Bytes> {
    let capacity = wide(bytes, place);
    (capacity > 0).then_some(Bytes(capacity))
}

/// A temperature in kelvin, less the 273 that the standard's readers take; 0 is not told.
fn celsius(kelvin: u64) -> Option<i64> {
    (kelvin > 0).then(|| i64::try_from(kelvin).unwrap_or_default() - 273)
}

/// Major in bits 31:16, minor in 15:8, tertiary in 7:0.
fn version(number: u64) -> Option<String> {
    let (major, minor, tertiary) = (number >> 16, number >> 8 & 0xff, number & 0xff);
    if number == 0 {
        return None;
    }
    Some(if tertiary == 0 {
        format!("{major}.{minor}")
    } else {
        format!("{major}.{minor}.{tertiary}")
    })
}
