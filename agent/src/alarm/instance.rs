//! An alarm: one fault of one entity, from its raise to its clear.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarm::event_type::EventType;
use crate::alarm::key::Key;
use crate::alarm::observation::{Evidence, MonitorName};
use crate::alarm::probable_cause::ProbableCause;
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;
use crate::alarm::time::Stamp;

/// An alarm as it stands: all that a control plane, a store or a person needs of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    /// Made when it is raised, the same until it is cleared.
    pub(crate) instance: Uuid,
    #[serde(flatten)]
    pub(crate) key: Key,
    /// Whose observations it rests on.
    pub(crate) monitor: MonitorName,
    /// The boot in which its times count.
    pub(crate) boot: Uuid,
    pub(crate) phase: Phase,
    pub(crate) severity: Severity,
    pub(crate) event_type: EventType,
    pub(crate) probable_cause: ProbableCause,
    pub(crate) service_affecting: bool,
    /// What is wrong, in a sentence.
    pub(crate) text: Text,
    /// What to do about it.
    pub(crate) repair: Text,
    /// What the last judgement rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) evidence: Vec<Evidence>,
    /// The last value measured, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    /// How often it was seen to happen: of a counter by how much it rose, of others how often the fault began.
    pub(crate) occurrences: u64,
    /// When the fault was first seen.
    pub(crate) first_observed: Stamp,
    /// When it was raised: later, where it has to last first.
    pub(crate) raised: Stamp,
    /// When its severity, text or phase last changed.
    pub(crate) changed: Stamp,
    /// When it was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cleared: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) acknowledged: Option<Acknowledgement>,
    /// The masks that hide it from control planes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) masked: Vec<Uuid>,
    /// Since when, and why, nobody knows whether it still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stale: Option<Stale>,
    /// It was loaded after a restart, and nothing was observed of it since.
    #[serde(default)]
    pub(crate) unverified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) flapping: Option<Flapping>,
    /// The instance of the active alarm that this one is a symptom of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<Uuid>,
    /// It was raised in a storm of its kind, and waits to be told.
    #[serde(default)]
    pub(crate) folded: bool,
    /// Whether control planes hold it: see [`Alarm::is_announced`].
    pub(crate) announced: bool,
    /// Who set it, for an alarm that a person or a program set by an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) set_by: Option<Text>,
}

impl Alarm {
    /// Whether control planes are to hold it: the true set of a sink that reconciles is all active alarms of which this is
    /// so. A masked alarm is not, nor one that was raised as a symptom, nor one that is folded in a storm.
    pub(crate) const fn is_announced(&self) -> bool {
        self.announced
    }

    /// It is over.
    pub(super) fn end(&mut self, now: Stamp) {
        self.phase = Phase::Cleared;
        self.cleared = Some(now);
        self.changed = now;
        self.stale = None;
        self.unverified = false;
        self.flapping = None;
    }

    /// Whether it still holds, as far as anybody knows.
    pub(crate) const fn is_active(&self) -> bool {
        self.cleared.is_none()
    }
}

/// Where an alarm is in its life. Before, while a fault has yet to last, there is no alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The fault is there.
    Raised,
    /// The fault is gone, and has yet to stay away.
    Clearing,
    /// The fault is gone; a person has to clear it.
    Latched,
    /// Over.
    Cleared,
}

/// Somebody knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acknowledgement {
    pub(crate) by: Text,
    pub(crate) at: Stamp,
    #[serde(default)]
    pub(crate) note: Text,
}

/// Nobody knows whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stale {
    pub(crate) since: Stamp,
    pub(crate) reason: Text,
}

/// It comes and goes: it counts as raised until it rests, and its coming and going is counted and not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flapping {
    pub(crate) since: Stamp,
    /// How often it came or went since, each counted.
    pub(crate) transitions: u64,
}
