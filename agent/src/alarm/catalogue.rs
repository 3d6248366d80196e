//! What every alarm means, how it is judged, and what other systems call it: from `catalogue.toml`, and what users add.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use thiserror::Error;

use crate::alarm::event_type::EventType;
use crate::alarm::key::{self, AlarmId};
use crate::alarm::probable_cause::ProbableCause;
use crate::alarm::severity::Severity;
use crate::alarm::text::{self, Text};

pub(crate) mod page;
pub(crate) mod row;
pub(crate) mod settings;

use row::{Related, Row};
use settings::Settings;

/// Our own alarms: the only place where they are written.
const EMBEDDED: &str = include_str!("catalogue.toml");

/// More are no catalogue.
const DEFINITIONS_MAX: usize = 4096;

/// Every alarm that there can be, sorted by id. Cheap to share in an [`Arc`](std::sync::Arc).
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    definitions: Vec<Definition>,
    index: HashMap<AlarmId, Kind>,
    /// By the kind of a cause: the kinds of its symptoms.
    symptoms: HashMap<Kind, Vec<(Kind, Related)>>,
}

/// The place of a definition in its catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind(u16);

/// What one alarm means and how it is judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) id: AlarmId,
    /// In a few words.
    pub(crate) title: Text,
    pub(crate) event_type: EventType,
    pub(crate) probable_cause: ProbableCause,
    /// Whether what runs on the node is worse for it.
    pub(crate) service_affecting: bool,
    /// What it means for the node and what runs on it.
    pub(crate) meaning: Text,
    /// What was seen that proves it.
    pub(crate) evidence: Text,
    /// What to do about it.
    pub(crate) repair: Text,
    /// The kinds of its entity's pairs, such as `host.dimm`.
    pub(crate) entity: Text,
    /// Of what its values are.
    pub(crate) unit: Option<Text>,
    /// The alarms that, where one of them is active, are why this one is.
    pub(crate) causes: Vec<(AlarmId, Related)>,
    pub(crate) settings: Settings,
    pub(crate) names: Names,
    /// Whether a user defined it; only such an alarm can be set by an order.
    pub(crate) custom: bool,
}

/// What others call it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The alarm id of StarlingX's fault manager: `200.007`.
    pub(crate) starlingx: Option<Text>,
    /// The type of the Kubernetes node condition that is True while an alarm of its group is active.
    pub(crate) kubernetes: Option<Text>,
    /// The resource address of the O-RAN O-Cloud notification API: `/sync/ptp-status/lock-state`.
    pub(crate) oran: Option<Text>,
    /// Below the alarms' node of our MIB: `1.4`.
    pub(crate) snmp: Option<Text>,
}

/// Why a catalogue is refused.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("the catalogue of alarms")]
    Malformed(#[source] Box<toml::de::Error>),
    #[error("a definition of an alarm")]
    Id(#[source] key::Malformed),
    #[error("alarm {0} is defined already: give yours another id")]
    Clash(AlarmId),
    #[error("alarm {alarm}: {field}")]
    Text {
        alarm: AlarmId,
        field: &'static str,
        source: text::Error,
    },
    #[error("alarm {alarm}: {field} is empty")]
    Empty { alarm: AlarmId, field: &'static str },
    #[error("alarm {alarm}: {field} = {found:?}: expected {expected}")]
    Value {
        alarm: AlarmId,
        field: &'static str,
        found: String,
        expected: &'static str,
    },
    #[error("alarm {alarm}: its cause {cause} is no alarm of the catalogue")]
    UnknownCause { alarm: AlarmId, cause: AlarmId },
    #[error("alarm {0} is, by way of its causes, its own cause")]
    Cycle(AlarmId),
    #[error("alarms {0} and {1} have the same SNMP number")]
    SameNumber(AlarmId, AlarmId),
    #[error("a catalogue of {0} alarms: at most {DEFINITIONS_MAX}")]
    TooMany(usize),
}

impl Catalogue {
    /// Our own alarms.
    ///
    /// # Errors
    /// Never in a release: a test reads the whole file.
    pub(crate) fn embedded() -> Result<Self, Error> {
        Self::parse(EMBEDDED)
    }

    /// The catalogue that `text` is: TOML, a table for each alarm, named by its id.
    ///
    /// # Errors
    /// What is wrong with it, by the alarm's id.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let rows: BTreeMap<String, Row> =
            toml::from_str(text).map_err(|source| Error::Malformed(Box::new(source)))?;
        Self::default().extended(rows, false)
    }

    /// This catalogue and the alarms that a user defines.
    ///
    /// # Errors
    /// An id is taken, a cause is unknown, or a value makes no sense.
    pub(crate) fn with(self, custom: BTreeMap<String, Row>) -> Result<Self, Error> {
        self.extended(custom, true)
    }

    fn extended(mut self, rows: BTreeMap<String, Row>, custom: bool) -> Result<Self, Error> {
        for (id, row) in rows {
            let id = AlarmId::parse(&id).map_err(Error::Id)?;
            if self.index.contains_key(&id) {
                return Err(Error::Clash(id));
            }
            self.definitions.push(row.definition(id, custom)?);
        }
        if self.definitions.len() > DEFINITIONS_MAX {
            return Err(Error::TooMany(self.definitions.len()));
        }
        self.definitions.sort_by(|one, other| one.id.cmp(&other.id));
        let kinds = (0..).map(Kind);
        let ids = self.definitions.iter().map(|one| one.id.clone());
        self.index = ids.zip(kinds).collect();
        self.relate()?;
        self.check_numbers()?;
        Ok(self)
    }

    /// Works out the symptoms of each cause, and sees that no alarm is its own cause.
    fn relate(&mut self) -> Result<(), Error> {
        self.symptoms.clear();
        for (kind, definition) in (0..).map(Kind).zip(&self.definitions) {
            for (cause, related) in &definition.causes {
                let Some(cause) = self.index.get(cause) else {
                    let (alarm, cause) = (definition.id.clone(), cause.clone());
                    return Err(Error::UnknownCause { alarm, cause });
                };
                self.symptoms
                    .entry(*cause)
                    .or_default()
                    .push((kind, *related));
            }
        }
        for (kind, definition) in (0..).map(Kind).zip(&self.definitions) {
            let mut reached = vec![false; self.definitions.len()];
            let mut todo: Vec<Kind> = self.symptoms(kind).iter().map(|(kind, _)| *kind).collect();
            while let Some(next) = todo.pop() {
                if next == kind {
                    return Err(Error::Cycle(definition.id.clone()));
                }
                if let Some(mark) = reached.get_mut(usize::from(next.0)).filter(|mark| !**mark) {
                    *mark = true;
                    todo.extend(self.symptoms(next).iter().map(|(kind, _)| *kind));
                }
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), Error> {
        let mut seen: HashMap<&Text, &AlarmId> = HashMap::new();
        for definition in &self.definitions {
            let Some(number) = &definition.names.snmp else {
                continue;
            };
            if let Some(other) = seen.insert(number, &definition.id) {
                return Err(Error::SameNumber(other.clone(), definition.id.clone()));
            }
        }
        Ok(())
    }

    /// All of them, sorted by id.
    pub(crate) fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// What `id` means.
    pub(crate) fn find(&self, id: &AlarmId) -> Option<&Definition> {
        self.definition(self.kind(id)?)
    }

    /// The same of a text that may be no id at all.
    pub(crate) fn find_text(&self, id: &str) -> Option<&Definition> {
        self.find(&AlarmId::parse(id).ok()?)
    }

    /// Judges alarms of `id` otherwise from now on: what the configuration says of it.
    ///
    /// # Errors
    /// There is no such alarm; its id comes back.
    pub(crate) fn set(&mut self, id: &AlarmId, settings: Settings) -> Result<(), AlarmId> {
        let kind = self.kind(id).ok_or_else(|| id.clone())?;
        if let Some(definition) = self.definitions.get_mut(usize::from(kind.0)) {
            definition.settings = settings;
        }
        Ok(())
    }

    pub(super) fn kind(&self, id: &AlarmId) -> Option<Kind> {
        self.index.get(id).copied()
    }

    pub(super) fn definition(&self, kind: Kind) -> Option<&Definition> {
        self.definitions.get(usize::from(kind.0))
    }

    /// What an alarm of `kind` may be the cause of.
    pub(super) fn symptoms(&self, kind: Kind) -> &[(Kind, Related)] {
        self.symptoms.get(&kind).map_or(&[], Vec::as_slice)
    }
}

impl Definition {
    /// Its severity where nobody says another.
    pub(crate) const fn severity(&self) -> Severity {
        self.settings.severity
    }

    /// The first two words of its id: `hw.memory`.
    pub(crate) fn group(&self) -> &str {
        let id = self.id.as_str();
        let end = id.match_indices('.').nth(1).map_or(id.len(), |(at, _)| at);
        id.get(..end).unwrap_or(id)
    }
}

/// A duration as people write it, for texts.
pub(crate) fn written(time: Duration) -> String {
    let seconds = time.as_secs();
    match () {
        () if time.subsec_nanos() != 0 => format!("{} ms", time.as_millis()),
        () if seconds >= 86_400 && seconds.is_multiple_of(86_400) => {
            format!("{} d", seconds / 86_400)
        }
        () if seconds >= 3600 && seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        () if seconds >= 60 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        () => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests;
