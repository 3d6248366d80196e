//! What the agent noticed: a change of the inventory, when, and why it was looked for.

use std::fmt;

use jiff::Timestamp;
use libhw::diff::{Change, ChangeKind};
use libhw::inventory::Class;
use libhw::watch::{Notice, Uevent};
use serde::{Deserialize, Serialize};

/// A change as it stands in `changes.jsonl` and in `/v1/changes`: one line of JSON.
///
/// ```text
/// {"seq":7,"time":"2026-03-01T12:00:00.000000000Z","boot_id":"…","cause":"uevent add /devices/…","class":"pci",…}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Counts from 1, without a gap, over restarts.
    pub(crate) seq: u64,
    /// When the change was noticed: RFC 3339, UTC, nanoseconds.
    pub(crate) time: String,
    /// The boot in which it was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boot_id: Option<String>,
    /// Why the agent looked: see [`Cause`].
    pub(crate) cause: String,
    /// What changed.
    #[serde(flatten)]
    pub(crate) change: Change,
}

/// What the kernel said, on one of its sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A uevent.
    Uevent(Uevent),
    /// What netlink told of a link or a clock circuit.
    Notice(Notice),
}

impl Event {
    /// The classes to read again.
    pub(crate) fn classes(&self) -> Vec<Class> {
        match self {
            Self::Uevent(event) => event.classes().collect(),
            Self::Notice(notice) => notice.classes().collect(),
        }
    }

    /// The name of the device that it tells of.
    pub(crate) fn device(&self) -> String {
        match self {
            Self::Uevent(event) => event
                .devpath
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned(),
            Self::Notice(Notice::Link { name, .. }) => name.clone(),
            Self::Notice(Notice::Devlink { id }) => id.clone(),
            Self::Notice(Notice::Dpll { id }) => id.to_string(),
        }
    }

    /// As the reason for a look.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Uevent(event) => Cause::Uevent {
                action: event.action.clone(),
                devpath: event.devpath.clone(),
            },
            Self::Notice(notice) => Cause::Notice(notice.clone()),
        }
    }
}

/// Why the agent looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It started; the change happened while it was down, or while the host was.
    Start,
    /// The kernel said so.
    Uevent {
        /// `add`, `remove`, `change`, `online`, `offline`, `bind`, `unbind`, `move`.
        action: String,
        /// The device's path below /sys.
        devpath: String,
    },
    /// Netlink said so.
    Notice(Notice),
    /// Some events were lost, so everything was read again.
    Lost,
    /// The configuration was read again.
    Reload,
    /// The interval of the configuration passed.
    Interval,
    /// Somebody asked for the inventory, and what no event tells had changed.
    Request,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Uevent { action, devpath } => write!(f, "uevent {action} {devpath}"),
            Self::Notice(notice) => notice.fmt(f),
            Self::Lost => f.write_str("uevents lost"),
            Self::Reload => f.write_str("reload"),
            Self::Interval => f.write_str("interval"),
            Self::Request => f.write_str("request"),
        }
    }
}

/// A time as the agent writes it: RFC 3339, UTC, always nine digits of the second.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    format!("{time:.9}")
}

/// What happened to a row, in a word.
pub(crate) const fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    }
}
