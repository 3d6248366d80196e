//! Pulses per second: /sys/class/pps/ppsN.

use serde::{Deserialize, Serialize};

use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

const CLASS: &str = "sys/class/pps";

/// A source of pulses that the kernel stamps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pps {
    /// Its name, `pps0`.
    pub id: String,
    /// `name`: what it comes from, `ptp0`, `serial0`, a GPIO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `path`: the device that it comes from, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `echo`: whether it can send each pulse on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<bool>,
    /// The clock that it comes from, as `clocks[].id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: PpsNow,
}

/// The last pulse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PpsNow {
    /// `assert`: the rising edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assert: Option<PpsEvent>,
    /// `clear`: the falling edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<PpsEvent>,
}

/// When an edge came, by the system's clock, and how many came before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PpsEvent {
    /// Seconds since 1970 in UTC.
    pub seconds: u64,
    /// And nanoseconds.
    pub nanoseconds: u32,
    /// Its number.
    pub sequence: u64,
}

/// The sources, by number.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Pps> {
    let source = |number: u32| {
        let id = format!("pps{number}");
        let path = |name: &str| format!("{CLASS}/{id}/{name}");
        let name = survey.text(&path("name"));
        let is_clock = |name: &&str| {
            name.strip_prefix("ptp")
                .is_some_and(|rest| parse::decimal::<u32>(rest).is_ok())
        };
        Pps {
            clock: name.as_deref().filter(is_clock).map(str::to_owned),
            path: survey.text(&path("path")),
            echo: survey.value(&path("echo"), parse::switch),
            now: now(survey, &id),
            name,
            id,
        }
    };
    survey
        .numbered(CLASS, "pps")
        .into_iter()
        .map(source)
        .collect()
}

/// The last pulses of a source.
pub(super) fn now(survey: &Survey<'_>, id: &str) -> PpsNow {
    let edge = |name: &str| {
        survey
            .value(&format!("{CLASS}/{id}/{name}"), event)
            .flatten()
    };
    PpsNow {
        assert: edge("assert"),
        clear: edge("clear"),
    }
}

/// An edge; `None` when there was none yet. A source that does not stamp this edge has an empty file.
///
/// ```text
/// 1293649120.123456789#4711
/// ```
fn event(text: &str) -> Parsed<Option<PpsEvent>> {
    let text = parse::trim(text);
    let expected = Expected("seconds.nanoseconds#count");
    if text.is_empty() {
        return Ok(None);
    }
    let (time, sequence) = text.split_once('#').ok_or(expected)?;
    let (seconds, nanoseconds) = time.split_once('.').ok_or(expected)?;
    let event = PpsEvent {
        seconds: parse::decimal(seconds).map_err(|_| expected)?,
        nanoseconds: parse::decimal(nanoseconds).map_err(|_| expected)?,
        sequence: parse::decimal(sequence).map_err(|_| expected)?,
    };
    if event.nanoseconds >= 1_000_000_000 {
        return Err(expected);
    }
    Ok((event != PpsEvent::default()).then_some(event))
}
