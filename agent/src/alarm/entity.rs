//! What an alarm is about: a path of pairs, from the host inwards.
//!
//! ```text
//! host=n1.sensor=CPU1_Temp
//! host=n1.nic=0000:3b:00\.0.port=0
//! ```
//!
//! It is compared as a list of pairs and never as text: `sensor=CPU1` holds no `sensor=CPU10`.

use std::fmt::{self, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::alarm::text;

/// So many pairs.
pub(crate) const PAIRS_MAX: usize = 8;
/// So many bytes of a kind.
pub(crate) const KIND_MAX_BYTES: usize = 32;
/// So many bytes of a value.
pub(crate) const VALUE_MAX_BYTES: usize = 255;
/// So many bytes of all kinds and values together.
pub(crate) const ENTITY_MAX_BYTES: usize = 1024;

/// One step of the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pair {
    /// What it is: `host`, `sensor`, `dimm`; a-z, 0-9, `-` and `_`, beginning with a letter.
    pub(crate) kind: Arc<str>,
    /// Which one: anything but control characters.
    pub(crate) value: Arc<str>,
}

/// A path of one to eight pairs. Cheap to clone; ordered so that what is within another follows it at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Entity(Arc<[Pair]>);

/// Why an entity is refused. What was found is told in part: a name may have megabytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Error {
    #[error("an entity without a pair: expected such as host=n1.sensor=CPU1")]
    Empty,
    #[error("an entity of {pairs} pairs: at most {PAIRS_MAX}")]
    TooManyPairs { pairs: usize },
    #[error("an entity of {bytes} bytes: at most {ENTITY_MAX_BYTES}")]
    TooLong { bytes: usize },
    #[error(
        "no \"=\" in {found:?} of an entity: expected KIND=VALUE, and \\. for a dot in a value"
    )]
    NoValue { found: String },
    #[error(
        "{found:?} is no kind of an entity: expected a-z, 0-9, - and _, a letter first, at most {KIND_MAX_BYTES} bytes"
    )]
    Kind { found: String },
    #[error("{kind}= of an entity has no value")]
    EmptyValue { kind: String },
    #[error("{kind}= of an entity has {bytes} bytes: at most {VALUE_MAX_BYTES}")]
    LongValue { kind: String, bytes: usize },
    #[error("{kind}= of an entity holds a control character (U+{:04X})", *.found as u32)]
    Control { kind: String, found: char },
    #[error("{found:?} is no escape of an entity: expected \\. \\, \\= \\\\ or \\u{{HEX}}")]
    Escape { found: String },
}

impl Entity {
    /// An entity of the pairs given, the outermost first.
    ///
    /// # Errors
    /// A pair is malformed, or there are none or too many.
    pub(crate) fn new<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, Error> {
        let pairs = pairs
            .into_iter()
            .take(PAIRS_MAX + 1)
            .map(|(kind, value)| pair(kind.as_ref(), value.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        Self::checked(pairs)
    }

    /// This host, whatever bytes its name has.
    pub(crate) fn host(name: &str) -> Self {
        Self(Arc::new([lossy("host", name)]))
    }

    /// What is within it: one more pair.
    ///
    /// # Errors
    /// The pair is malformed, or one too many.
    pub(crate) fn with(&self, kind: &str, value: &str) -> Result<Self, Error> {
        let mut pairs = self.0.to_vec();
        pairs.push(pair(kind, value)?);
        Self::checked(pairs)
    }

    /// What is within it, by a name that hardware or the kernel gave. A name that cannot stand in an entity as it is loses
    /// its control characters and what is too long of it, and gains a hash of the whole, so that no two become one.
    ///
    /// # Errors
    /// The kind is malformed, or the pair is one too many.
    pub(crate) fn with_lossy(&self, kind: &str, value: &str) -> Result<Self, Error> {
        self.with(kind, &lossy(kind, value).value)
    }

    /// The entity that `text` is, in the form that [`fmt::Display`] gives: pairs joined by dots, with `\.`, `\,`, `\=`, `\\`
    /// and `\u{HEX}` for what would be misread.
    ///
    /// # Errors
    /// It is none, and why.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        Self::split(text, '.')
    }

    /// The entity of `k=v[,k=v]`, as arguments give it: a dot stands for itself, a comma is `\,`.
    ///
    /// # Errors
    /// It is none, and why.
    pub(crate) fn parse_list(text: &str) -> Result<Self, Error> {
        Self::split(text, ',')
    }

    /// The pairs, the outermost first.
    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.0
    }

    /// Whether it is `outer`, or a part of it: whether its first pairs are all those of `outer`.
    pub(crate) fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// What it is a part of; `None` for a single pair.
    pub(crate) fn outer(&self) -> Option<Self> {
        match self.0.as_ref() {
            [outer @ .., _] if !outer.is_empty() => Some(Self(outer.into())),
            _ => None,
        }
    }

    /// The outermost pair alone: the host.
    pub(crate) fn outermost(&self) -> Self {
        Self(self.0.iter().take(1).cloned().collect())
    }

    fn checked(pairs: Vec<Pair>) -> Result<Self, Error> {
        let bytes = pairs.iter().map(|pair| pair.kind.len() + pair.value.len());
        let bytes: usize = bytes.sum();
        match pairs.len() {
            0 => Err(Error::Empty),
            count if count > PAIRS_MAX => Err(Error::TooManyPairs { pairs: count }),
            _ if bytes > ENTITY_MAX_BYTES => Err(Error::TooLong { bytes }),
            _ => Ok(Self(pairs.into())),
        }
    }

    fn split(text: &str, separator: char) -> Result<Self, Error> {
        // An escape has at most ten bytes for a character: a longer text cannot be an entity.
        let bytes = text.len();
        if bytes > 10 * ENTITY_MAX_BYTES {
            return Err(Error::TooLong { bytes });
        }
        if text.is_empty() {
            return Err(Error::Empty);
        }
        let mut pairs = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (kind, value) = text
                .split_once('=')
                .ok_or_else(|| Error::NoValue { found: shown(text) })?;
            let (value, after) = unescape(value, separator)?;
            pairs.push(pair(kind, &value)?);
            rest = after;
        }
        Self::checked(pairs)
    }
}

/// A value as it was meant, and what follows the separator behind it.
fn unescape(text: &str, separator: char) -> Result<(String, Option<&str>), Error> {
    let mut value = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == separator {
            return Ok((value, Some(rest.as_str())));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        let escape = rest.as_str();
        let refused = || Error::Escape {
            found: format!("\\{}", escape.chars().take(1).collect::<String>()),
        };
        match rest.next() {
            Some(c @ ('.' | ',' | '=' | '\\')) => value.push(c),
            Some('u') => {
                let hex = rest.as_str().strip_prefix('{').ok_or_else(refused)?;
                let (hex, after) = hex.split_once('}').ok_or_else(refused)?;
                let digits = !hex.starts_with('+') && hex.len() <= 6;
                let number = u32::from_str_radix(hex, 16).ok().filter(|_| digits);
                value.push(number.and_then(char::from_u32).ok_or_else(refused)?);
                rest = after.chars();
            }
            _ => return Err(refused()),
        }
    }
    Ok((value, None))
}

fn pair(kind: &str, value: &str) -> Result<Pair, Error> {
    let is_kind = kind.len() <= KIND_MAX_BYTES
        && kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind
            .bytes()
            .all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if !is_kind {
        return Err(Error::Kind { found: shown(kind) });
    }
    let bytes = value.len();
    let kind = || kind.to_owned();
    if bytes == 0 {
        return Err(Error::EmptyValue { kind: kind() });
    }
    if bytes > VALUE_MAX_BYTES {
        return Err(Error::LongValue {
            kind: kind(),
            bytes,
        });
    }
    if let Some(found) = value.chars().find(|c| c.is_control()) {
        return Err(Error::Control {
            kind: kind(),
            found,
        });
    }
    Ok(Pair {
        kind: kind().into(),
        value: value.into(),
    })
}

/// A pair of any value; `kind` is one of ours.
fn lossy(kind: &str, value: &str) -> Pair {
    let kind: Arc<str> = kind.into();
    let whole =
        !value.is_empty() && value.len() <= VALUE_MAX_BYTES && !value.contains(char::is_control);
    if whole {
        let value = value.into();
        return Pair { kind, value };
    }
    const HASH_BYTES: usize = 17;
    let clean = text::cleaned(value, VALUE_MAX_BYTES - HASH_BYTES);
    let value = format!("{clean}~{:016x}", fnv1a(value.as_bytes())).into();
    Pair { kind, value }
}

/// FNV-1a of 64 bits: the same in every version, which the standard library's hashes need not be.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// So much of a refused text as an error can tell.
fn shown(text: &str) -> String {
    text.chars().take(KIND_MAX_BYTES).collect()
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char('.')?;
            }
            write!(f, "{}=", pair.kind)?;
            for c in pair.value.chars() {
                match c {
                    '.' | ',' | '=' | '\\' => write!(f, "\\{c}")?,
                    ' '..='~' => f.write_char(c)?,
                    c if c.is_alphanumeric() => f.write_char(c)?,
                    c => write!(f, "\\u{{{:x}}}", c as u32)?,
                }
            }
        }
        Ok(())
    }
}

impl From<Entity> for String {
    fn from(entity: Entity) -> Self {
        entity.to_string()
    }
}

impl TryFrom<String> for Entity {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests;
