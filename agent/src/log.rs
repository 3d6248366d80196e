//! Plain lines to standard error; the journal gets a level in front of each (sd-daemon(3)).

use std::fmt;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::Deserialize;

/// How much is said, and how grave a line is; the values are those of syslog(3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// What was asked for is not being done.
    Error = 3,
    /// It is being done, but not as it should.
    Warning = 4,
    /// What a person who follows the agent wants to know.
    #[default]
    Info = 6,
    /// Every event.
    Debug = 7,
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Says lines of `level` and graver from now on.
pub(crate) fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Says a line, if it is grave enough. That nobody listens is no reason to stop.
pub(crate) fn say(level: Level, line: fmt::Arguments<'_>) {
    if level as u8 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    static JOURNAL: OnceLock<bool> = OnceLock::new();
    let journal = *JOURNAL.get_or_init(|| std::env::var_os("JOURNAL_STREAM").is_some());
    let mut text = if journal {
        format!("<{}>{line}", level as u8)
    } else {
        format!("gnomon: {line}")
    };
    // One event is one line, whatever stands in a name that it quotes.
    text.retain(|c| !c.is_control());
    text.push('\n');
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

macro_rules! error {
    ($($line:tt)*) => { $crate::log::say($crate::log::Level::Error, format_args!($($line)*)) };
}
macro_rules! warning {
    ($($line:tt)*) => { $crate::log::say($crate::log::Level::Warning, format_args!($($line)*)) };
}
macro_rules! info {
    ($($line:tt)*) => { $crate::log::say($crate::log::Level::Info, format_args!($($line)*)) };
}
macro_rules! debug {
    ($($line:tt)*) => { $crate::log::say($crate::log::Level::Debug, format_args!($($line)*)) };
}
pub(crate) use {debug, error, info, warning};
