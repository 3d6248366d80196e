//! The few settings of the host that we change: huge-page pools, SR-IOV virtual functions, CPU governors.
//!
//! Each change is checked before it is made, verified by reading back, and undone when a part of it fails; nobody else
//! who asks this library changes anything meanwhile. What came of it is told apart: taken in full, in part, refused and
//! why, or unknown where the kernel has not answered in time. Only the running host can be changed: a captured one is an error.
//!
//! ```no_run
//! use libhw::io::root::Root;
//! use libhw::tune::{self, Mode, Outcome};
//!
//! let pool = tune::Hugepages { node: Some(0), size: libhw::units::Bytes(2 << 20), count: 512, all: false };
//! let change = tune::hugepages(&Root::live()?, &pool, Mode::Change)?;
//! match &change.outcome {
//!     Outcome::Full => println!("done"),
//!     Outcome::Partial { accepted, asked } => println!("{accepted} of {asked}"),
//!     Outcome::Unknown { limit_s, detail } => println!("no answer after {limit_s} s: {detail}"),
//!     Outcome::Refused { reason, detail } => println!("{reason:?}: {detail}"),
//! }
//! eprintln!("{change}");
//! # Ok::<(), libhw::error::Error>(())
//! ```

mod change;
mod governor;
mod hugepages;
mod vfs;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use governor::{Governor, governor};
pub use hugepages::{Hugepages, hugepages};
pub use vfs::{VirtualFunctions, virtual_functions};

/// Whether to change anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    #[default]
    Change,
    /// Check it, and say what would be written.
    DryRun,
}

/// What was asked, by whom, and what came of it. Its `Display` is one line for an audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// What was to be set: `hugepages`, `virtual_functions`, `governor`.
    pub setting: String,
    /// Of what: `node0/2048kB`, `0000:81:00.0`, `cpus 0-3`.
    pub target: String,
    /// The value that was asked for.
    pub asked: String,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// The user as whom we run.
    pub user: u32,
    /// The user who logged in (`/proc/self/loginuid`), who may have become another since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_user: Option<u32>,
    /// The files that were written, or would be, in their order.
    pub writes: Vec<Write>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Write {
    /// The file.
    pub path: String,
    /// What it said before.
    pub before: String,
    /// What was written.
    pub value: String,
    /// What it says now; none on a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether it was written back, since a later one failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is as asked; on a dry run, nothing speaks against it.
    Full,
    /// A part of it is there, and was left so.
    Partial {
        /// How many there are now: fewer than asked, or more where those that are in use stay until they are free.
        accepted: u64,
        /// How many were asked for.
        asked: u64,
    },
    /// Accepted or not: the kernel has not said so in time, may still be at it, and nothing was undone.
    Unknown {
        /// How many seconds were waited for its answer.
        limit_s: u64,
        /// What has no answer.
        detail: String,
    },
    /// It is as it was before.
    Refused {
        /// Why.
        reason: Refusal,
        /// The same in words: what stands against it.
        detail: String,
    },
}

/// Why a change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It takes a right that we do not have, or /sys is mounted read-only.
    Denied,
    /// The kernel, its driver or the hardware does not offer it.
    Unsupported,
    /// There is no such thing, or the value is none for it.
    Invalid,
    /// Something is in use, or all of it is; another time it may do.
    Busy,
    /// The kernel answered with another error.
    Failed,
}

impl Change {
    /// Whether anything is now other than it was, or may be.
    #[must_use]
    pub fn changed(&self) -> bool {
        let changed = |write: &Write| {
            write
                .after
                .as_ref()
                .is_some_and(|after| !write.undone && *after != write.before)
        };
        matches!(self.outcome, Outcome::Unknown { .. }) || self.writes.iter().any(changed)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            target,
            asked,
            user,
            ..
        } = self;
        write!(f, "tune {setting} {target} to {asked} by uid {user}")?;
        if let Some(login) = self.login_user {
            write!(f, " (login {login})")?;
        }
        if self.dry_run {
            f.write_str(", dry run")?;
        }
        f.write_str(": ")?;
        for write in &self.writes {
            write!(f, "{} {} -> ", write.path, write.before)?;
            f.write_str(write.after.as_ref().unwrap_or(&write.value))?;
            f.write_str(if write.undone { " (undone); " } else { "; " })?;
        }
        match &self.outcome {
            Outcome::Full if self.dry_run => f.write_str("would be taken"),
            Outcome::Full => f.write_str("taken in full"),
            Outcome::Partial { accepted, asked } => {
                write!(f, "taken in part: {asked} asked for, {accepted} there")
            }
            Outcome::Unknown { limit_s, .. } => {
                write!(f, "accepted? unknown after {limit_s} s, no answer")
            }
            Outcome::Refused { reason, detail } => write!(f, "refused, {reason}: {detail}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Denied => "denied",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
            Self::Busy => "busy",
            Self::Failed => "failed",
        })
    }
}

#[cfg(test)]
mod tests;
