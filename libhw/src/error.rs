//! What can go wrong: where, what was expected, and why.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// A fact could not be had. A fact that the kernel simply does not offer is no error: it is `None`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory that was to be the root of a tree cannot be opened.
    #[error("open {} as a tree of /proc and /sys", path.display())]
    Root {
        /// The directory, as it was given.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading needs a right that we do not have.
    #[error("read {path}: permission denied")]
    Denied {
        /// The path below the root, with its leading slash.
        path: String,
    },
    /// The driver knows the file but does not support reading it here (`EOPNOTSUPP`, `ENODEV`, `ENXIO`).
    #[error("read {path}: not supported by its driver")]
    Unsupported {
        /// The path below the root, with its leading slash.
        path: String,
    },
    /// The read did not end in time and was abandoned.
    #[error("read {path}: no answer within {limit:?}")]
    TimedOut {
        /// The path below the root, with its leading slash.
        path: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The kernel or its driver answered with an error.
    #[error("read {path}")]
    Read {
        /// The path below the root, with its leading slash.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The file is larger than anything that the kernel puts there.
    #[error("read {path}: larger than {limit} bytes")]
    TooLarge {
        /// The path below the root, with its leading slash.
        path: String,
        /// The largest size that is read.
        limit: usize,
    },
    /// The text is not what the kernel documents for this file.
    #[error("{path}: expected {expected}, found {text:?}")]
    Malformed {
        /// The path below the root, with its leading slash.
        path: String,
        /// What should have stood there.
        expected: &'static str,
        /// What stood there, cut to [`Error::TEXT_MAX`] characters.
        text: String,
    },
}

impl Error {
    /// How many characters of a malformed text are kept.
    pub const TEXT_MAX: usize = 120;

    /// A malformed text, kept short: it goes into a message.
    #[must_use]
    pub fn malformed(path: &str, expected: &'static str, text: &str) -> Self {
        let text = text.chars().take(Self::TEXT_MAX).collect();
        Self::Malformed {
            path: path.to_owned(),
            expected,
            text,
        }
    }
}

/// The result of asking for a fact.
pub type Result<T> = std::result::Result<T, Error>;
