//! What is wrong with a description.

use std::fmt;

/// Why a description is no machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no TOML, or holds what a machine does not have.
    #[error("{0}")]
    Text(String),
    /// It describes what cannot be built.
    #[error("{0}")]
    Machine(Wrong),
}

/// What cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where in the description: `nodes[1].cpus`.
    pub path: String,
    /// The line, where the description was a text.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub text: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.path, self.text)
    }
}

/// Whether a part of a description can be built.
pub(super) type Checked = Result<(), Wrong>;

/// Says that what stands at `path` cannot be built.
pub(super) fn wrong<T>(path: impl Into<String>, text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        path: path.into(),
        line: None,
        text: text.into(),
    })
}

/// Requires something of what stands at `path`.
pub(super) fn require(holds: bool, path: impl Into<String>, text: impl Into<String>) -> Checked {
    if holds { Ok(()) } else { wrong(path, text) }
}

/// The line of `text` in which what `path` names begins, or as much of it as is there.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = Some(document.get_ref());
    for part in path.split('.') {
        let (name, row) = part.split_once('[').unwrap_or((part, ""));
        let Some((key, value)) = table?.get_key_value(name) else {
            break;
        };
        let row: Option<usize> = row.trim_end_matches(']').parse().ok();
        let row = row.and_then(|row| value.get_ref().as_array()?.get(row));
        // A row's own place is where it stands; a value's is its key's.
        found = Some(row.map_or(key.span().start, |row| row.span().start));
        table = row.unwrap_or(value).get_ref().as_table();
    }
    let before = text.get(..found?)?;
    Some(before.matches('\n').count() + 1)
}
