//! How a drive is asked: one command after the other, until one has no answer in time.

use std::cell::Cell;

use crate::error::Error;
use crate::io::aside::{Ask, Command};
use crate::io::octets::Octets;
use crate::survey::Survey;

/// A drive that answers commands.
#[derive(Debug)]
pub(super) struct Drive<'a> {
    survey: &'a Survey<'a>,
    file: &'a str,
    /// Whether a command had no answer in time, or may not be given: then none is given any more.
    silent: Cell<bool>,
}

impl<'a> Drive<'a> {
    /// The drive behind a device file, which is named below the root.
    pub(super) const fn new(survey: &'a Survey<'a>, file: &'a str) -> Self {
        Self {
            survey,
            file,
            silent: Cell::new(false),
        }
    }

    /// What the drive answers; `None` where it does not know the command.
    pub(super) fn ask(&self, command: Command) -> Option<Vec<u8>> {
        if self.silent.get() {
            return None;
        }
        let path = self.file.to_owned();
        let answer = self
            .survey
            .root()
            .ask::<Octets>(&Ask::Drive { path, command });
        match answer {
            Ok(octets) => octets.map(|octets| octets.0),
            // A drive is free not to know it: it was asked to learn just that.
            Err(Error::Unsupported { .. }) => None,
            Err(error) => {
                self.silent.set(matches!(
                    error,
                    Error::TimedOut { .. } | Error::Denied { .. }
                ));
                self.survey.report(error);
                None
            }
        }
    }

    /// Keeps as a problem that an answer is not what the standard says.
    pub(super) fn malformed(&self, expected: &'static str, bytes: &[u8]) {
        let text: String = bytes
            .iter()
            .take(32)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = format!("/{}", self.file);
        self.survey.report(Error::malformed(&path, expected, &text));
    }
}

/// A little-endian number of at most eight bytes at `place`; `None` beyond the end.
pub(super) fn little(bytes: &[u8], place: usize, length: usize) -> Option<u64> {
    let piece = bytes.get(place..place.checked_add(length)?)?;
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    Some(piece.iter().rev().fold(0, add))
}

/// A big-endian number; what is larger than 64 bits hold is the largest that they do.
pub(super) fn big(piece: &[u8]) -> u64 {
    let start = piece
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(piece.len());
    let digits = piece.get(start..).unwrap_or_default();
    if digits.len() > 8 {
        return u64::MAX;
    }
    digits
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}
