//! Text that people read in an alarm: one line, printable, of a bounded length.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A longer text is no longer read.
pub(crate) const TEXT_MAX_BYTES: usize = 1024;

/// At most 1024 bytes without a control character. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Text(Arc<str>);

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Error {
    #[error("a text of {bytes} bytes: at most {TEXT_MAX_BYTES}")]
    TooLong { bytes: usize },
    #[error("a control character (U+{:04X}) at byte {at}: a text is one printable line", *.found as u32)]
    Control { found: char, at: usize },
}

impl Text {
    /// A text as a person or a program gave it.
    ///
    /// # Errors
    /// It is too long, or holds a control character.
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        if text.len() > TEXT_MAX_BYTES {
            return Err(Error::TooLong { bytes: text.len() });
        }
        match text.char_indices().find(|(_, c)| c.is_control()) {
            Some((at, found)) => Err(Error::Control { found, at }),
            None => Ok(Self(text.into())),
        }
    }

    /// A text that hardware or the kernel gave: what cannot stand in a text becomes U+FFFD, and what is too much is cut.
    /// An observation is never lost for the bytes in it.
    pub(crate) fn clean(text: &str) -> Self {
        match Self::new(text) {
            Ok(text) => text,
            Err(_) => Self(cleaned(text, TEXT_MAX_BYTES).into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// `text` without control characters, and at most `max_bytes` of it.
pub(super) fn cleaned(text: &str, max_bytes: usize) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        let c = if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        };
        if clean.len() + c.len_utf8() > max_bytes {
            break;
        }
        clean.push(c);
    }
    clean
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.as_ref().to_owned()
    }
}

impl TryFrom<String> for Text {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_character_is_refused_by_name_and_from_hardware_replaced() {
        let error = Text::new("a\u{1b}[2J").unwrap_err().to_string();
        assert!(
            error.starts_with("a control character (U+001B) at byte 1"),
            "{error}"
        );
        assert_eq!(Text::clean("a\u{1b}b").as_str(), "a\u{fffd}b");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let long = "é".repeat(TEXT_MAX_BYTES);
        assert_eq!(Text::new(&long), Err(Error::TooLong { bytes: 2048 }));
        assert_eq!(Text::clean(&long).as_str().len(), TEXT_MAX_BYTES);
        assert_eq!(
            Text::clean(&format!("x{long}")).as_str().len(),
            TEXT_MAX_BYTES - 1
        );
    }
}
