//! What a SCSI drive says of its health: its log pages (SPC-4 §7.3, SBC-3 §6.4).

use serde::{Deserialize, Serialize};

use super::drive::{Drive, big};
use crate::io::aside::Command;
use crate::survey::Survey;

/// What a SCSI drive says of its health. All of it changes without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ScsiHealth {
    /// What changes without an event.
    pub now: ScsiNow,
}

/// What the log pages say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ScsiNow {
    /// Whether it expects to fail: additional sense code 5Dh in the page of informational exceptions (2Fh).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<bool>,
    /// The additional sense code and its qualifier in that page, `0x5d10`; 0 is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_code: Option<u16>,
    /// In degrees Celsius (page 0Dh, or 2Fh).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<i64>,
    /// The temperature up to which it is made to work, in degrees Celsius (page 0Dh).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_max_celsius: Option<i64>,
    /// How much of the life of a drive without discs is used, in percent; may be above 100 (page 11h).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage_used: Option<u8>,
    /// Minutes that it was on (page 15h).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_on_minutes: Option<u64>,
    /// How often its discs were started (page 0Eh).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_stop_cycles: Option<u64>,
    /// Errors while reading (page 03h).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<ScsiErrors>,
    /// Errors while writing (page 02h).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<ScsiErrors>,
    /// Errors while verifying (page 05h).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<ScsiErrors>,
    /// Errors outside of the medium (page 06h).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub non_medium_errors: Option<u64>,
}

/// One page of error counters (SPC-4 §7.3.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ScsiErrors {
    /// Corrected on the fly (parameter 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_fast: Option<u64>,
    /// Corrected with a delay (1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_delayed: Option<u64>,
    /// Corrected by trying again (2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_by_retry: Option<u64>,
    /// All that were corrected (3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
    /// Bytes that went through (5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed_bytes: Option<u64>,
    /// Not corrected (6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u64>,
}

/// What the drive behind a device file says; `None` when it has no log pages.
pub(super) fn ask(survey: &Survey<'_>, file: &str) -> Option<ScsiHealth> {
    let now = now(&Drive::new(survey, file))?;
    Some(ScsiHealth { now })
}

/// Asks again.
pub(super) fn refresh(survey: &Survey<'_>, file: &str, health: &mut ScsiHealth) {
    health.now = now(&Drive::new(survey, file)).unwrap_or_default();
}

fn now(drive: &Drive<'_>) -> Option<ScsiNow> {
    let bytes = drive.ask(Command::ScsiPages)?;
    let pages = bytes.get(4..).unwrap_or_default();
    let parameters = |page: u8, command: Command| {
        let listed = pages.contains(&page);
        let bytes = listed.then(|| drive.ask(command))??;
        let found = parameters(&bytes, page);
        if found.is_none() {
            drive.malformed("a log page of the number that was asked for", &bytes);
        }
        found
    };
    let mut now = ScsiNow::default();
    if let Some(page) = parameters(0x2f, Command::ScsiExceptions) {
        exceptions(&page, &mut now);
    }
    if let Some(page) = parameters(0x0d, Command::ScsiTemperature) {
        now.temperature_celsius = celsius(&page, 0).or(now.temperature_celsius);
        now.temperature_max_celsius = celsius(&page, 1);
    }
    let errors = |page: Option<Parameters>| page.map(|page| counters(&page));
    now.write = errors(parameters(0x02, Command::ScsiWriteErrors));
    now.read = errors(parameters(0x03, Command::ScsiReadErrors));
    now.verify = errors(parameters(0x05, Command::ScsiVerifyErrors));
    now.non_medium_errors =
        parameters(0x06, Command::ScsiNonMediumErrors).and_then(|page| page.number(0));
    now.start_stop_cycles =
        parameters(0x0e, Command::ScsiStartStop).and_then(|page| page.number(4));
    now.percentage_used =
        parameters(0x11, Command::ScsiSolidState).and_then(|page| page.called(1)?.get(3).copied());
    now.power_on_minutes = parameters(0x15, Command::ScsiBackgroundScan)
        .and_then(|page| Some(big(page.called(0)?.get(..4)?)));
    Some(now)
}

/// The parameters of a log page.
struct Parameters(Vec<(u16, Vec<u8>)>);

impl Parameters {
    fn called(&self, code: u16) -> Option<&[u8]> {
        let mut all = self.0.iter();
        all.find(|(other, _)| *other == code)
            .map(|(_, value)| value.as_slice())
    }

    /// A counter, of whatever length.
    fn number(&self, code: u16) -> Option<u64> {
        self.called(code).filter(|value| !value.is_empty()).map(big)
    }
}

/// Four bytes of header, then parameters: code, control, length, value (SPC-4 §7.3.2). `None` when it is another page.
fn parameters(bytes: &[u8], page: u8) -> Option<Parameters> {
    let [code, _, high, low, rest @ ..] = bytes else {
        return None;
    };
    if code & 0x3f != page {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let mut rest = rest.get(..length).unwrap_or(rest);
    let mut all = Vec::new();
    while let [high, low, _, length, after @ ..] = rest {
        // One that is cut off says nothing.
        let Some((value, next)) = after.split_at_checked(usize::from(*length)) else {
            break;
        };
        all.push((u16::from_be_bytes([*high, *low]), value.to_vec()));
        rest = next;
    }
    Some(Parameters(all))
}

fn exceptions(page: &Parameters, now: &mut ScsiNow) {
    let Some([code, qualifier, more @ ..]) = page.called(0) else {
        return;
    };
    now.exception_code = Some(u16::from_be_bytes([*code, *qualifier]));
    now.failing = Some(*code == 0x5d);
    now.temperature_celsius = more.first().and_then(known);
}

/// Byte 1 of a parameter of the temperature page; FFh is not known.
fn celsius(page: &Parameters, code: u16) -> Option<i64> {
    known(page.called(code)?.get(1)?)
}

/// FFh, and 0 of most drives that have no sensor, are not known; below zero is not told.
fn known(byte: &u8) -> Option<i64> {
    (!matches!(byte, 0 | 0xff)).then(|| i64::from(*byte))
}

fn counters(page: &Parameters) -> ScsiErrors {
    ScsiErrors {
        corrected_fast: page.number(0),
        corrected_delayed: page.number(1),
        corrected_by_retry: page.number(2),
        corrected: page.number(3),
        processed_bytes: page.number(5),
        uncorrected: page.number(6),
    }
}
