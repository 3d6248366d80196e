//! What a person or a program orders of the engine, and why it is refused.

use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use crate::alarm::key::{AlarmId, Key};
use crate::alarm::mask::Matcher;
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;

/// An order, by whom, and a note.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) by: Text,
    pub(crate) note: Text,
    pub(crate) what: Demand,
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Demand {
    /// Somebody knows of this alarm.
    Acknowledge(Uuid),
    /// Nobody does any longer.
    Unacknowledge(Uuid),
    /// End this alarm: one that was set by an order, is latched, stale, or whose fault is gone.
    Clear(Uuid),
    /// Set an alarm, or change the one that was set.
    Set {
        key: Key,
        severity: Option<Severity>,
        text: Text,
    },
    /// Hide what matches, for so long; `None` is until it is unmasked.
    Mask {
        what: Matcher,
        lasting: Option<Duration>,
    },
    /// Remove a mask.
    Unmask(Uuid),
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// To this alarm.
    Alarm(Uuid),
    /// To this mask.
    Mask(Uuid),
}

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("no active alarm has the instance id {0}")]
    NoAlarm(Uuid),
    #[error("no mask has the id {0}")]
    NoMask(Uuid),
    #[error("the catalogue has no alarm {0} (gnomon alarms list)")]
    NoDefinition(AlarmId),
    #[error("{0} is still seen by its monitor: repair it, or mask it")]
    StillThere(Key),
    #[error("{0} is what a monitor sees, and no alarm that is set by hand")]
    NotCustom(Key),
    #[error("a mask of everything: name an alarm, an entity, or both")]
    MaskAll,
    #[error("a mask that lasts no time")]
    MaskNoTime,
    #[error("there are {0} masks already: remove one")]
    TooManyMasks(usize),
    #[error("the engine holds {0} keys, as many as it may")]
    Full(usize),
}
