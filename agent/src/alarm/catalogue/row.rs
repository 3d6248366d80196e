//! A definition as it is written: in `catalogue.toml`, and in a user's configuration.
//!
//! ```toml
//! ["site.door.open"]
//! title = "The cabinet's door is open"
//! severity = "minor"
//! event_type = "environmental"
//! probable_cause = "enclosure-door-open"
//! meaning = "..."
//! evidence = "..."
//! repair = "..."
//! raise_for = "10s"
//! bands = [{ severity = "major", raise = 90, clear = 85 }]
//! flap = { transitions = 6, within = "10m", quiet = "10m" }    # or false
//! causes = [{ alarm = "site.power.lost", related = "same-host" }]
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::settings::{Flap, Latched, Settings, Storm};
use super::{Definition, Error, Names};
use crate::alarm::event_type::EventType;
use crate::alarm::key::AlarmId;
use crate::alarm::observation::Bands;
use crate::alarm::probable_cause::ProbableCause;
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;

/// Longer is a mistake.
const TIME_MAX: Duration = Duration::from_secs(366 * 86_400);

/// So many transitions are remembered of each alarm at most.
const TRANSITIONS_MAX: u32 = 32;

/// A definition as it is written. An unknown key is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    title: String,
    severity: Severity,
    event_type: EventType,
    probable_cause: ProbableCause,
    #[serde(default)]
    service_affecting: bool,
    meaning: String,
    #[serde(default)]
    evidence: String,
    #[serde(default)]
    repair: String,
    #[serde(default = "host")]
    entity: String,
    unit: Option<String>,
    #[serde(default)]
    causes: Vec<Cause>,
    #[serde(default)]
    bands: Bands,
    over: Option<String>,
    raise_for: Option<String>,
    clear_for: Option<String>,
    dwell: Option<String>,
    #[serde(default)]
    latched: Latched,
    #[serde(default)]
    flap: FlapRow,
    storm: Option<StormRow>,
    change_every: Option<String>,
    starlingx: Option<String>,
    kubernetes: Option<String>,
    oran: Option<String>,
    snmp: Option<String>,
}

/// An alarm that may be the cause, and how their entities have to be related.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cause {
    alarm: AlarmId,
    related: Related,
}

/// How the entities of a cause and of its symptom are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Related {
    /// They are the same.
    SameEntity,
    /// The symptom's is within the cause's.
    Within,
    /// The cause's is within the symptom's: a port of a clock.
    Around,
    /// Both have the same outermost pair.
    SameHost,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected false, or { transitions = 6, within = \"10m\", quiet = \"10m\" }"
)]
enum FlapRow {
    Switch(bool),
    #[serde(rename_all = "snake_case")]
    Given {
        transitions: u32,
        within: String,
        quiet: String,
    },
}

impl Default for FlapRow {
    fn default() -> Self {
        Self::Switch(true)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StormRow {
    burst: u32,
    every: String,
}

fn host() -> String {
    "host".to_owned()
}

/// Reads the fields of one alarm.
struct Reader<'a>(&'a AlarmId);

impl Row {
    /// The definition that it is.
    pub(super) fn definition(self, id: AlarmId, custom: bool) -> Result<Definition, Error> {
        let read = Reader(&id);
        let settings = self.settings(&read)?;
        let optional =
            |field, text: Option<String>| text.map(|text| read.needed(field, &text)).transpose();
        let names = Names {
            starlingx: optional("starlingx", self.starlingx)?,
            kubernetes: optional("kubernetes", self.kubernetes)?,
            oran: optional("oran", self.oran)?,
            snmp: optional("snmp", self.snmp)?,
        };
        Ok(Definition {
            title: read.needed("title", &self.title)?,
            event_type: self.event_type,
            probable_cause: self.probable_cause,
            service_affecting: self.service_affecting,
            meaning: read.needed("meaning", &self.meaning)?,
            evidence: read.text("evidence", &self.evidence)?,
            repair: read.text("repair", &self.repair)?,
            entity: read.needed("entity", &self.entity)?,
            unit: optional("unit", self.unit)?,
            causes: self
                .causes
                .into_iter()
                .map(|cause| (cause.alarm, cause.related))
                .collect(),
            settings,
            names,
            custom,
            id,
        })
    }

    fn settings(&self, read: &Reader<'_>) -> Result<Settings, Error> {
        let usual = Settings::of(self.severity);
        let time = |field, text: &Option<String>, usual| match text {
            Some(text) => read.time(field, text),
            None => Ok(usual),
        };
        let over = self.over.as_ref().map(|text| read.time("over", text));
        Ok(Settings {
            bands: self.bands.clone(),
            over: over.transpose()?,
            raise_for: time("raise_for", &self.raise_for, usual.raise_for)?,
            clear_for: time("clear_for", &self.clear_for, usual.clear_for)?,
            dwell: time("dwell", &self.dwell, usual.dwell)?,
            latched: self.latched,
            flap: self.flap.parse(read)?,
            storm: match &self.storm {
                Some(row) => row.parse(read)?,
                None => usual.storm,
            },
            change_every: time("change_every", &self.change_every, usual.change_every)?,
            ..usual
        })
    }
}

impl FlapRow {
    fn parse(&self, read: &Reader<'_>) -> Result<Option<Flap>, Error> {
        match self {
            Self::Switch(on) => Ok(on.then(Flap::default)),
            Self::Given {
                transitions,
                within,
                quiet,
            } => {
                if !(2..=TRANSITIONS_MAX).contains(transitions) {
                    return Err(read.refused(
                        "flap.transitions",
                        &transitions.to_string(),
                        "2 to 32",
                    ));
                }
                Ok(Some(Flap {
                    transitions: *transitions,
                    within: read.span("flap.within", within)?,
                    quiet: read.span("flap.quiet", quiet)?,
                }))
            }
        }
    }
}

impl StormRow {
    fn parse(&self, read: &Reader<'_>) -> Result<Storm, Error> {
        if self.burst == 0 {
            return Err(read.refused("storm.burst", "0", "1 or more"));
        }
        Ok(Storm {
            burst: self.burst,
            every: read.span("storm.every", &self.every)?,
        })
    }
}

impl Reader<'_> {
    /// Text of one line: the lines of a longer one are joined.
    fn text(&self, field: &'static str, text: &str) -> Result<Text, Error> {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Text::new(&line).map_err(|source| Error::Text {
            alarm: self.0.clone(),
            field,
            source,
        })
    }

    fn needed(&self, field: &'static str, text: &str) -> Result<Text, Error> {
        let text = self.text(field, text)?;
        if text.as_str().is_empty() {
            let alarm = self.0.clone();
            return Err(Error::Empty { alarm, field });
        }
        Ok(text)
    }

    /// A time that is not 0.
    fn span(&self, field: &'static str, text: &str) -> Result<Duration, Error> {
        let time = self.time(field, text)?;
        if time.is_zero() {
            return Err(self.refused(field, text, "a time longer than 0"));
        }
        Ok(time)
    }

    fn time(&self, field: &'static str, text: &str) -> Result<Duration, Error> {
        let expected =
            "a time such as \"0s\", \"500ms\", \"90s\", \"5m\", \"1h\" or \"1d\", at most 366d";
        parse_time(text).ok_or_else(|| self.refused(field, text, expected))
    }

    fn refused(&self, field: &'static str, found: &str, expected: &'static str) -> Error {
        Error::Value {
            alarm: self.0.clone(),
            field,
            found: found.chars().take(40).collect(),
            expected,
        }
    }
}

/// `0s`, `500ms`, `90s`, `5m`, `1h`, `1d`.
fn parse_time(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let time = Duration::from_millis(number.checked_mul(milliseconds)?);
    (time <= TIME_MAX).then_some(time)
}
