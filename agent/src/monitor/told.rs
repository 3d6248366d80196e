//! What a look tells, put together: one observation for each key, and at the end that this was all.

use std::fmt::Display;
use std::sync::Arc;

use crate::alarm::entity::Entity;
use crate::alarm::key::{AlarmId, Key};
use crate::alarm::observation::{
    Bands, Evidence, Failure, MonitorName, Observation, Report, Round, Scope, Seen,
};
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;
use crate::alarm::time::Stamp;
use crate::monitor::look::Look;

/// The reports of a look under way.
pub(crate) struct Told {
    monitor: MonitorName,
    host: Entity,
    at: Stamp,
    reports: Vec<Report>,
}

impl Told {
    pub(crate) fn new(look: &Look<'_>, monitor: &str) -> Self {
        Self {
            monitor: MonitorName::new(monitor),
            host: Entity::host(look.host),
            at: look.now,
            reports: Vec::new(),
        }
    }

    /// The host itself.
    pub(crate) const fn host(&self) -> &Entity {
        &self.host
    }

    /// Something of the host: pairs of a kind and of what it is called, the outermost first.
    pub(crate) fn entity(&self, pairs: &[(&str, &str)]) -> Entity {
        pairs
            .iter()
            .fold(self.host.clone(), |outer, (kind, value)| {
                // The kinds are ours, and few: only names of many kilobytes together could be refused.
                outer.with_lossy(kind, value).unwrap_or(outer)
            })
    }

    /// Something is said of `alarm` and `entity`.
    pub(crate) fn say(&mut self, alarm: &'static str, entity: &Entity) -> Saying<'_> {
        Saying {
            key: Key::new(AlarmId::of(alarm), entity.clone()),
            evidence: Vec::new(),
            told: self,
        }
    }

    /// The look has ended; `complete` is that there are no others than those told.
    pub(crate) fn end(mut self, complete: bool) -> Vec<Report> {
        if complete {
            let round = Round {
                scope: self.all(),
                monitor: self.monitor,
                began: self.at,
            };
            self.reports.push(Report::Complete(round));
        }
        self.reports
    }

    /// Nothing could be seen.
    pub(crate) fn failed(self, reason: &str) -> Vec<Report> {
        let failure = Failure {
            scope: self.all(),
            monitor: self.monitor,
            reason: Text::clean(reason),
        };
        vec![Report::Failed(failure)]
    }

    fn all(&self) -> Scope {
        Scope {
            alarm: None,
            within: self.host.clone(),
        }
    }
}

/// What is said of one key: evidence first, then what was seen. The text says what is wrong, or would be.
#[must_use]
pub(crate) struct Saying<'t> {
    told: &'t mut Told,
    key: Key,
    evidence: Vec<Evidence>,
}

impl Saying<'_> {
    /// A piece of evidence.
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        let value = value.to_string();
        self.evidence.push(Evidence::new(name, &value));
        self
    }

    /// The same, where there is one.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Whether it is at fault, as grave as the catalogue says.
    pub(crate) fn fault(self, is: bool, text: &str) {
        let seen = if is { Seen::Fault(None) } else { Seen::Absent };
        self.push(seen, text);
    }

    /// How gravely it is at fault, by its own word; `None` is not at all.
    pub(crate) fn graded(self, severity: Option<Severity>, text: &str) {
        let seen = severity.map_or(Seen::Absent, |severity| Seen::Fault(Some(severity)));
        self.push(seen, text);
    }

    /// A value; `bands` are its own limits, where it has any.
    pub(crate) fn value(self, value: f64, bands: Option<Arc<Bands>>, text: &str) {
        self.push(Seen::Value { value, bands }, text);
    }

    /// By how much a counter of faults grew.
    pub(crate) fn grew(self, by: u64, text: &str) {
        self.push(Seen::Increase(by), text);
    }

    /// Nobody knows, and why.
    pub(crate) fn unknown(self, reason: &str, text: &str) {
        self.push(Seen::Unknown(Text::clean(reason)), text);
    }

    fn push(self, seen: Seen, text: &str) {
        self.told.reports.push(Report::Observed(Observation {
            key: self.key,
            monitor: self.told.monitor.clone(),
            seen,
            text: Text::clean(text),
            evidence: self.evidence,
            at: self.told.at,
        }));
    }
}

/// A count as a value. Counts beyond 2^53 lose their last digits, which no limit depends on.
#[expect(
    clippy::cast_precision_loss,
    reason = "no limit depends on the 16th digit"
)]
pub(crate) const fn count(value: u64) -> f64 {
    value as f64
}

/// A signed number of thousandths or millionths as a value.
#[expect(
    clippy::cast_precision_loss,
    reason = "no limit depends on the 16th digit"
)]
pub(crate) const fn number(value: i64) -> f64 {
    value as f64
}
