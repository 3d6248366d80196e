//! What an alarm is about: which fault, and of what.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::alarm::entity::Entity;

/// Longer is no id of ours, nor one that a person types.
pub(crate) const ID_MAX_BYTES: usize = 64;

/// The stable name of an alarm in the catalogue: `hw.memory.uncorrected`. Cheap to clone.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct AlarmId(Name);

#[derive(Clone)]
enum Name {
    Fixed(&'static str),
    Shared(Arc<str>),
}

/// Why a text is no id of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "no id of an alarm: {found:?}; expected words of a-z, 0-9 and - joined by dots, such as site.door.open, at most {ID_MAX_BYTES} bytes"
)]
pub(crate) struct Malformed {
    found: String,
}

impl AlarmId {
    /// One that is written in our own source.
    pub(crate) const fn of(id: &'static str) -> Self {
        Self(Name::Fixed(id))
    }

    /// The id that `text` is: at least two words, each of a-z, 0-9 and `-`, joined by dots.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && word
                    .bytes()
                    .all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        if text.len() <= ID_MAX_BYTES && text.contains('.') && text.split('.').all(is_word) {
            return Ok(Self(Name::Shared(text.into())));
        }
        let found = text.chars().take(ID_MAX_BYTES).collect();
        Err(Malformed { found })
    }

    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            Name::Fixed(id) => id,
            Name::Shared(id) => id,
        }
    }
}

impl PartialEq for AlarmId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for AlarmId {}

impl PartialOrd for AlarmId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AlarmId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for AlarmId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<AlarmId> for String {
    fn from(id: AlarmId) -> Self {
        id.as_str().to_owned()
    }
}

impl TryFrom<String> for AlarmId {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

/// At most one alarm is active for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Which fault.
    pub(crate) alarm: AlarmId,
    /// Of what.
    pub(crate) entity: Entity,
}

impl Key {
    pub(crate) const fn new(alarm: AlarmId, entity: Entity) -> Self {
        Self { alarm, entity }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.alarm, self.entity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_words_joined_by_dots() {
        for good in ["hw.memory.uncorrected", "a.b", "site.door-2.open"] {
            assert_eq!(AlarmId::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "hw",
            "hw.",
            ".hw",
            "hw..x",
            "Hw.x",
            "hw.x y",
            "hw.-x",
            "hw.\u{1b}",
            "a.é",
        ] {
            let error = AlarmId::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("no id of an alarm: "), "{bad}: {error}");
        }
        let error = AlarmId::parse(&"a.".repeat(1 << 20))
            .unwrap_err()
            .to_string();
        assert!(error.len() < 300, "{error}");
    }

    #[test]
    fn an_id_of_our_source_equals_the_same_from_elsewhere() {
        const ID: AlarmId = AlarmId::of("hw.memory.uncorrected");
        assert_eq!(ID, AlarmId::parse("hw.memory.uncorrected").unwrap());
    }
}
