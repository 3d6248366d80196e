//! What happened to an alarm: what the store keeps and the sinks are told.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarm::instance::Alarm;
use crate::alarm::text::Text;
use crate::alarm::time::Stamp;

/// The name of an event for ever: consumers know a second copy by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct EventId {
    /// The kernel's boot_id; where the store was lost within a boot a random one, so that no id is used twice.
    pub(crate) boot: Uuid,
    /// Counts from 1 in each boot, without a gap, over restarts of the agent.
    pub(crate) sequence: u64,
}

/// Something happened to an alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    /// For an event that sinks are told, its number among those: counts from 1 in each boot, without a gap, so that a
    /// consumer knows whether it has them all. Without one it is for the history alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notice: Option<u64>,
    /// When the engine decided it.
    pub(crate) at: Stamp,
    #[serde(flatten)]
    pub(crate) what: What,
    /// How many changes it stands for beyond itself: those that a rate limit or flapping held back since the last event of
    /// this alarm. Each is counted in exactly one event.
    #[serde(default)]
    pub(crate) folded: u64,
    /// The alarm after it.
    pub(crate) alarm: Box<Alarm>,
}

impl Event {
    /// Whether sinks are told of it. Those of masked alarms, of symptoms, and of alarms folded in a storm are not.
    pub(crate) const fn is_told(&self) -> bool {
        self.notice.is_some()
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(crate) enum What {
    /// It began.
    Raised,
    /// Its severity or text is another, or the fault of a latched one came back.
    Changed,
    /// It ended.
    Cleared { reason: Reason },
    /// Somebody knows of it.
    Acknowledged,
    /// Nobody does any longer.
    Unacknowledged,
    /// It is hidden: control planes drop it.
    Masked,
    /// It is no longer hidden: control planes take it as raised.
    Unmasked,
    /// Nobody knows whether it still holds.
    Stale,
    /// It was stale, or loaded after a restart, and is seen to hold.
    Verified,
    /// It comes and goes too often to be told each time.
    Flapping,
    /// It no longer does, and holds.
    Settled,
    /// The fault is gone; a person has to clear the alarm.
    Latched,
    /// Another alarm is its cause, and was raised after it.
    Linked,
    /// Its cause is over and it is still there, or it became graver than its cause: control planes take it as raised.
    Released,
    /// It was folded in a storm, and is told now: control planes take it as raised.
    Unfolded,
}

/// Why an alarm was cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub(crate) enum Reason {
    /// The fault was seen to be gone.
    Gone,
    /// What it was about is no longer there.
    Vanished,
    /// It was loaded after a restart, and seen to be gone since.
    VerifiedAfterRestart,
    /// It was latched until a boot, and there was one.
    Rebooted,
    /// Somebody cleared it.
    Order {
        by: Text,
        #[serde(default)]
        note: Text,
    },
    /// The catalogue knows no such alarm any longer.
    Undefined,
}
