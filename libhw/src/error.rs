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
    /// The file that was to hold a tree is something else.
    #[error(
        "{}: neither a directory nor a tar archive (plain, or packed with gzip, bzip2, xz or zstd)",
        path.display()
    )]
    NoArchive {
        /// The file, as it was given.
        path: PathBuf,
    },
    /// No directory in it is a machine's.
    #[error(
        "{}: holds neither sys/ nor proc/; name a directory or an archive that holds one of them",
        path.display()
    )]
    NoTree {
        /// The directory or archive, as it was given.
        path: PathBuf,
    },
    /// Several directories in it are a machine's.
    #[error(
        "{}: holds the trees of several machines ({}); unpack it if need be, and name the directory of one",
        path.display(),
        trees.join(", ")
    )]
    ManyTrees {
        /// The directory or archive, as it was given.
        path: PathBuf,
        /// Where the trees lie in it.
        trees: Vec<String>,
    },
    /// A member of an archive that cannot be taken as it is; nothing of the archive is.
    #[error("{}: member {member:?} {why}", path.display())]
    Member {
        /// The archive, as it was given.
        path: PathBuf,
        /// The member's name, cut to [`Error::TEXT_MAX`] characters.
        member: String,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
    /// An archive whose bytes are not those that were packed.
    #[error(
        "{}: damaged or cut short after member {member:?}; copy or make it again",
        path.display()
    )]
    Damaged {
        /// The archive, as it was given.
        path: PathBuf,
        /// The last member that was seen, cut to [`Error::TEXT_MAX`] characters.
        member: String,
        /// What was met instead.
        source: io::Error,
    },
    /// An archive that cannot be unpacked for want of space or of a right.
    #[error(
        "{}: unpack into {}; set TMPDIR to a directory with room",
        path.display(),
        into.display()
    )]
    Unpack {
        /// The archive, as it was given.
        path: PathBuf,
        /// The directory that it is unpacked into.
        into: PathBuf,
        /// The file system's answer.
        source: io::Error,
    },
    /// A capture that cannot be written.
    #[error("write the capture")]
    Write {
        /// The answer of what it is written to.
        source: io::Error,
    },
    /// A capture that would hold more identities than can be masked.
    #[error(
        "more than {limit} serial numbers, addresses and UUIDs; capture fewer classes, or unmasked"
    )]
    TooManyIdentities {
        /// The most that are masked.
        limit: usize,
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
    /// A captured machine was to be changed.
    #[error("change {path}: this is a captured machine, and only the running host can be changed")]
    NotLive {
        /// The path below the root, with its leading slash.
        path: String,
    },
    /// A path was to be changed that is no setting of the kernel.
    #[error("change {path}: not in /proc or /sys")]
    Outside {
        /// The path below the root, with its leading slash.
        path: String,
    },
    /// The kernel did not take a change.
    #[error("change {path}")]
    Change {
        /// The path below the root, with its leading slash.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel did not say in time whether it takes a change: it may still be at it.
    #[error("change {path}: accepted or not is unknown after {limit:?}, no answer")]
    Unanswered {
        /// The path below the root, with its leading slash.
        path: String,
        /// How long was waited.
        limit: Duration,
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
        Self::Malformed {
            path: path.to_owned(),
            expected,
            text: Self::cut(text),
        }
    }

    /// A text that goes into a message, cut to [`Error::TEXT_MAX`] characters.
    #[must_use]
    pub(crate) fn cut(text: &str) -> String {
        text.chars().take(Self::TEXT_MAX).collect()
    }
}

/// The result of asking for a fact.
pub type Result<T> = std::result::Result<T, Error>;
