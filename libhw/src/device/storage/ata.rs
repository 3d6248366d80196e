//! What an ATA drive says of itself (ACS-3 §7.12 IDENTIFY DEVICE, ATA8-ACS §7.52 SMART).

use serde::{Deserialize, Serialize};

use super::drive::{Drive, little};
use crate::io::aside::Command;
use crate::parse;
use crate::survey::Survey;

/// What an ATA drive says of itself and its health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AtaHealth {
    /// The model, whole (words 27 to 46).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Turns a minute (word 217); 0 of a drive without a disc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_rpm: Option<u32>,
    /// Whether it has SMART (word 82); absent while it sleeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smart_supported: Option<bool>,
    /// Whether SMART is switched on (word 85).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smart_enabled: Option<bool>,
    /// The lock of its security feature set (word 128).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<AtaSecurity>,
    /// What changes without an event.
    pub now: AtaNow,
}

/// What changes in an ATA drive without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AtaNow {
    /// Whether it turns; of one that sleeps nothing else is read, since that would wake it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_mode: Option<PowerMode>,
    /// Its own verdict (SMART RETURN STATUS): whether it expects to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<bool>,
    /// How the last self-test ended, or that one runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_test: Option<SelfTest>,
    /// In degrees Celsius: the lowest byte of attribute 194, or of 190.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<i64>,
    /// Hours that it was on: attribute 9, the lowest four bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_on_hours: Option<u64>,
    /// How often it was switched on: attribute 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_cycles: Option<u64>,
    /// Sectors replaced by spare ones: attribute 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reallocated_sectors: Option<u64>,
    /// Sectors that could not be read and wait to be written: attribute 197.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_sectors: Option<u64>,
    /// Sectors that could not be read or written in a scan: attribute 198.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrectable_sectors: Option<u64>,
    /// Errors on the cable: attribute 199.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_crc_errors: Option<u64>,
    /// All attributes, in the drive's order. What most of them mean is the vendor's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AtaAttribute>,
}

/// One SMART attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AtaAttribute {
    /// Its number.
    pub id: u8,
    /// Its flags: bit 0 says that its failing announces the drive's.
    pub flags: u16,
    /// Its value, better when higher, mostly from 100 or 200 down.
    pub value: u8,
    /// The lowest that the value ever was.
    pub worst: u8,
    /// The value at which the attribute fails; 0 never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u8>,
    /// What is behind the value, six bytes.
    pub raw: u64,
    /// Whether the value is at the threshold or below.
    pub failing: bool,
}

/// Whether a drive turns (ACS-3 §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PowerMode {
    /// It does, or could at once.
    Active,
    /// It does, and rests.
    Idle,
    /// It does not.
    Standby,
    /// A number that the standard did not have when this was written.
    #[serde(untagged)]
    Other(u8),
}

/// How the last self-test ended (ATA8-ACS table 54).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SelfTest {
    /// Without an error, or none ever ran.
    Passed,
    /// The host stopped it.
    Aborted,
    /// A reset stopped it.
    Interrupted,
    /// It could not go on.
    FatalError,
    /// In a part that is not told.
    Failed,
    /// In the electrical part.
    ElectricalFailure,
    /// In the part that moves the heads.
    ServoFailure,
    /// In the part that reads.
    ReadFailure,
    /// By what may be damage from handling.
    HandlingDamage,
    /// It runs.
    Running,
    /// A number that the standard did not have when this was written.
    #[serde(untagged)]
    Other(u8),
}

/// The lock of the security feature set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AtaSecurity {
    /// A password is set.
    pub enabled: bool,
    /// Nothing can be read or written now.
    pub locked: bool,
    /// The lock cannot be changed until the next power cycle.
    pub frozen: bool,
    /// Too many passwords were tried.
    pub attempts_exceeded: bool,
}

/// What the drive behind a device file says; `None` when it does not answer as an ATA drive.
pub(super) fn ask(survey: &Survey<'_>, file: &str) -> Option<AtaHealth> {
    let drive = Drive::new(survey, file);
    let mode = power_mode(&drive);
    if mode == Some(PowerMode::Standby) {
        let now = AtaNow {
            power_mode: mode,
            ..AtaNow::default()
        };
        return Some(AtaHealth {
            now,
            ..AtaHealth::default()
        });
    }
    let bytes = drive.ask(Command::AtaIdentify)?;
    let Some(mut health) = identity(&bytes) else {
        drive.malformed("512 bytes of IDENTIFY DEVICE", &bytes);
        return None;
    };
    health.now = now(&drive, mode, &health);
    Some(health)
}

/// Asks again for what changes; one that sleeps keeps what it said last.
pub(super) fn refresh(survey: &Survey<'_>, file: &str, health: &mut AtaHealth) {
    let drive = Drive::new(survey, file);
    let mode = power_mode(&drive);
    if mode == Some(PowerMode::Standby) {
        health.now.power_mode = mode;
    } else if health.smart_enabled.is_some() {
        health.now = now(&drive, mode, health);
    } else if let Some(awake) = ask(survey, file) {
        *health = awake;
    }
}

fn power_mode(drive: &Drive<'_>) -> Option<PowerMode> {
    Some(match *drive.ask(Command::AtaPowerMode)?.first()? {
        0x00 | 0x01 => PowerMode::Standby,
        0x80..=0x83 => PowerMode::Idle,
        0x40 | 0x41 | 0xff => PowerMode::Active,
        other => PowerMode::Other(other),
    })
}

/// A word of IDENTIFY DEVICE.
fn word(bytes: &[u8], number: usize) -> Option<u16> {
    u16::try_from(little(bytes, number * 2, 2)?).ok()
}

/// What IDENTIFY DEVICE says.
fn identity(bytes: &[u8]) -> Option<AtaHealth> {
    if bytes.len() != 512 {
        return None;
    }
    let bit =
        |number: usize, bit: u16| word(bytes, number).is_some_and(|word| word & 1 << bit != 0);
    // A word that is not supported is all zeros or all ones.
    let told = |number: usize| word(bytes, number).filter(|word| !matches!(*word, 0 | u16::MAX));
    let rate = told(217).and_then(|rate| match rate {
        1 => Some(0),
        0x401..=0xfffe => Some(u32::from(rate)),
        _ => None,
    });
    let security = bit(128, 0).then(|| AtaSecurity {
        enabled: bit(128, 1),
        locked: bit(128, 2),
        frozen: bit(128, 3),
        attempts_exceeded: bit(128, 4),
    });
    Some(AtaHealth {
        model: text(bytes.get(54..94)?),
        rotation_rpm: rate,
        smart_supported: told(82).map(|word| word & 1 != 0),
        smart_enabled: told(85).map(|word| word & 1 != 0),
        security,
        now: AtaNow::default(),
    })
}

/// A text, which ATA writes with the two bytes of each word in the other order.
fn text(bytes: &[u8]) -> Option<String> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let swapped: Vec<u8> = pairs.iter().flat_map(|[low, high]| [*high, *low]).collect();
    parse::nonempty(&String::from_utf8_lossy(&swapped))
}

fn now(drive: &Drive<'_>, power_mode: Option<PowerMode>, health: &AtaHealth) -> AtaNow {
    let mut now = AtaNow {
        power_mode,
        ..AtaNow::default()
    };
    if health.smart_enabled != Some(true) {
        return now;
    }
    if let Some(bytes) = drive.ask(Command::AtaSmartData) {
        let thresholds = drive.ask(Command::AtaSmartThresholds);
        if is_whole(&bytes) {
            let thresholds = thresholds.as_deref().filter(|bytes| is_whole(bytes));
            smart(&bytes, thresholds, &mut now);
        } else {
            drive.malformed("512 bytes of SMART data that add up to zero", &bytes);
        }
    }
    now.failing = drive
        .ask(Command::AtaSmartStatus)
        .and_then(|bytes| match *bytes {
            [0x4f, 0xc2] => Some(false),
            [0xf4, 0x2c] => Some(true),
            _ => None,
        });
    now
}

/// A block of SMART has 512 bytes, and its last makes the sum of all zero.
fn is_whole(bytes: &[u8]) -> bool {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes.len() == 512 && sum == 0
}

/// Thirty attributes of twelve bytes from byte 2 on, and the state of the self-test in byte 363.
fn smart(bytes: &[u8], thresholds: Option<&[u8]>, now: &mut AtaNow) {
    let table = |bytes: &[u8]| -> Vec<[u8; 12]> {
        let (rows, _) = bytes.get(2..362).unwrap_or_default().as_chunks::<12>();
        rows.iter().filter(|row| row[0] != 0).copied().collect()
    };
    let thresholds = thresholds.map(table).unwrap_or_default();
    let attribute = |row: [u8; 12]| {
        let [id, low, high, value, worst, raw @ .., _] = row;
        let limit = thresholds.iter().find(|[other, ..]| *other == id);
        let threshold = limit.map(|[_, threshold, ..]| *threshold);
        AtaAttribute {
            id,
            flags: u16::from_le_bytes([low, high]),
            value,
            worst,
            threshold,
            raw: little(&raw, 0, 6).unwrap_or_default(),
            // 0, 254 and 255 are no values; a threshold of 0 never fails.
            failing: matches!(value, 1..=253)
                && threshold.is_some_and(|limit| limit > 0 && value <= limit),
        }
    };
    now.attributes = table(bytes).into_iter().map(attribute).collect();
    now.self_test = bytes.get(363).map(|byte| self_test(byte >> 4));
    let raw = |id: u8| {
        let mut attributes = now.attributes.iter();
        attributes
            .find(|attribute| attribute.id == id)
            .map(|attribute| attribute.raw)
    };
    // Higher bytes hold extremes, or a finer count.
    let celsius = |raw: u64| {
        i64::from(i8::from_le_bytes([
            u8::try_from(raw & 0xff).unwrap_or_default()
        ]))
    };
    let (hours, mask) = (raw(9), 0xffff_ffff);
    let temperature = raw(194).or_else(|| raw(190)).map(celsius);
    let (cycles, reallocated) = (raw(12), raw(5));
    let (pending, uncorrectable, crc) = (raw(197), raw(198), raw(199));
    now.temperature_celsius = temperature;
    now.power_on_hours = hours.map(|hours| hours & mask);
    now.power_cycles = cycles;
    now.reallocated_sectors = reallocated.map(|sectors| sectors & 0xffff);
    now.pending_sectors = pending;
    now.uncorrectable_sectors = uncorrectable;
    now.interface_crc_errors = crc;
}

const fn self_test(number: u8) -> SelfTest {
    match number {
        0 => SelfTest::Passed,
        1 => SelfTest::Aborted,
        2 => SelfTest::Interrupted,
        3 => SelfTest::FatalError,
        4 => SelfTest::Failed,
        5 => SelfTest::ElectricalFailure,
        6 => SelfTest::ServoFailure,
        7 => SelfTest::ReadFailure,
        8 => SelfTest::HandlingDamage,
        15 => SelfTest::Running,
        other => SelfTest::Other(other),
    }
}
