//! A mask: what it matches lives on in the engine, and control planes are not told.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alarm::entity::Entity;
use crate::alarm::key::{AlarmId, Key};
use crate::alarm::text::Text;
use crate::alarm::time::Stamp;

/// Hides alarms by id, by entity, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mask {
    pub(crate) id: Uuid,
    #[serde(flatten)]
    pub(crate) what: Matcher,
    pub(crate) by: Text,
    #[serde(default)]
    pub(crate) note: Text,
    pub(crate) at: Stamp,
    /// The boot in which `at` and `until` count.
    pub(crate) boot: Uuid,
    /// When it ends by itself: by boottime within its boot, after another boot by the wall clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Stamp>,
}

/// What a mask matches: at least one of the two is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Matcher {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alarm: Option<AlarmId>,
    /// This entity and what is within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Entity>,
}

impl Matcher {
    pub(crate) fn holds(&self, key: &Key) -> bool {
        self.alarm.as_ref().is_none_or(|alarm| *alarm == key.alarm)
            && self
                .within
                .as_ref()
                .is_none_or(|outer| key.entity.is_within(outer))
    }
}
