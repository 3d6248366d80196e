//! A change in the making: writes that are verified, and undone when one of them fails.

use std::time::Duration;

use nix::errno::Errno;

use super::{Change, Mode, Outcome, Refusal, Write};
use crate::error::{Error, Result};
use crate::io::root::{Hold, Root};
use crate::{io::probe, parse};

/// Why it is given up.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: Refusal,
    pub(super) detail: String,
}

/// What a change may be given up for.
pub(super) type Step<T> = std::result::Result<T, Refused>;

impl Refused {
    pub(super) fn new(reason: Refusal, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Refusal::Invalid, detail)
    }

    pub(super) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(Refusal::Unsupported, detail)
    }
}

/// What an error of reading or writing a setting means to who asked for the change.
impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        // The number of the kernel's error says no more than its words before it.
        let words = source
            .as_deref()
            .and_then(|source| source.split(" (os error").next());
        let detail = match words {
            Some(words) => format!("{error}: {words}"),
            None => error.to_string(),
        };
        let reason = match &error {
            Error::Denied { .. } => Refusal::Denied,
            Error::Unsupported { .. } => Refusal::Unsupported,
            Error::TimedOut { .. } => Refusal::Busy,
            Error::Change { source, .. } | Error::Read { source, .. } => of_errno(source),
            _ => Refusal::Failed,
        };
        Self { reason, detail }
    }
}

fn of_errno(error: &std::io::Error) -> Refusal {
    match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
        Errno::EACCES | Errno::EPERM | Errno::EROFS => Refusal::Denied,
        Errno::ENOENT | Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::ENODEV | Errno::ENXIO => {
            Refusal::Unsupported
        }
        Errno::EINVAL | Errno::ERANGE => Refusal::Invalid,
        Errno::EBUSY | Errno::EAGAIN | Errno::ENOMEM | Errno::ENOSPC | Errno::EINTR => {
            Refusal::Busy
        }
        _ => Refusal::Failed,
    }
}

/// No setting is longer.
const SIZE_MAX: usize = 64 << 10;

/// The writes that were made, on a host that nobody else changes meanwhile.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) root: &'a Root,
    mode: Mode,
    /// How long the kernel may take for one write.
    limit: Duration,
    /// A write has no answer: what it waits for would hold whoever reads or writes it.
    unanswered: bool,
    writes: Vec<Write>,
    /// For each of `writes` whether the kernel took it, and what undoes it.
    undoing: Vec<(bool, String)>,
    _hold: Option<Hold>,
}

impl<'a> Writer<'a> {
    fn new(root: &'a Root, mode: Mode, limit: Duration) -> Step<Self> {
        let hold = match (mode, root.hold()) {
            (_, Ok(hold)) => Some(hold),
            // To look needs no right to hold.
            (Mode::DryRun, Err(_)) => None,
            (Mode::Change, Err(Error::Change { source, .. }))
                if source.kind() == std::io::ErrorKind::WouldBlock =>
            {
                return Err(Refused::new(
                    Refusal::Busy,
                    "another program is changing settings now",
                ));
            }
            (Mode::Change, Err(error)) => return Err(error.into()),
        };
        Ok(Self {
            root,
            mode,
            limit,
            unanswered: false,
            writes: Vec::new(),
            undoing: Vec::new(),
            _hold: hold,
        })
    }

    /// Whether nothing is to be changed.
    pub(super) fn is_dry(&self) -> bool {
        self.mode == Mode::DryRun
    }

    /// What a setting says; none where there is no such setting. A write of somebody else may hold whoever reads it.
    pub(super) fn read(&self, path: &str) -> Step<Option<String>> {
        let bytes = self.root.slow_bytes(path, SIZE_MAX)?;
        Ok(bytes.map(|bytes| parse::trim(&String::from_utf8_lossy(&bytes)).to_owned()))
    }

    /// A setting that is a number.
    pub(super) fn number(&self, path: &str) -> Step<Option<u64>> {
        let number = |text: String| {
            parse::decimal(&text).map_err(|expected| {
                Refused::from(Error::malformed(&format!("/{path}"), expected.0, &text))
            })
        };
        self.read(path)?.map(number).transpose()
    }

    /// Writes a setting and returns what it then says; on a dry run what was to be written.
    pub(super) fn write(&mut self, path: &str, value: &str) -> Step<String> {
        let before = self.read(path)?.unwrap_or_default();
        self.write_over(path, value, before)
    }

    /// As [`Writer::write`], where `back` is what undoes it: it need not be what the setting says.
    pub(super) fn write_over(&mut self, path: &str, value: &str, back: String) -> Step<String> {
        let before = self.read(path)?.unwrap_or_default();
        let write = Write {
            path: format!("/{path}"),
            before,
            value: value.to_owned(),
            after: None,
            undone: false,
        };
        if self.is_dry() {
            self.root.can_write(path)?;
            self.writes.push(write);
            return Ok(value.to_owned());
        }
        self.writes.push(write);
        let written = self.root.write(path, &format!("{value}\n"), self.limit);
        self.undoing.push((written.is_ok(), back));
        if let Err(error @ Error::Unanswered { .. }) = written {
            self.unanswered = true;
            return Err(error.into());
        }
        // Also after an error: what the setting then is says whether there is something to undo.
        let after = self.read(path)?.unwrap_or_default();
        if let Some(write) = self.writes.last_mut() {
            write.after = Some(after.clone());
        }
        written?;
        Ok(after)
    }

    /// As [`Writer::write`], where the setting must then say exactly that.
    pub(super) fn write_exactly(&mut self, path: &str, value: &str) -> Step<()> {
        let after = self.write(path, value)?;
        if after == value {
            return Ok(());
        }
        let detail = format!("/{path} says {after} after {value} was written");
        Err(Refused::new(Refusal::Failed, detail))
    }

    /// Writes back what was there, last first; the words for what could not be.
    fn undo(&mut self) -> String {
        let mut left = String::new();
        for (write, (taken, back)) in self.writes.iter_mut().zip(&self.undoing).rev() {
            if !taken && write.after.as_ref() == Some(&write.before) {
                continue;
            }
            let path = write.path.trim_start_matches('/');
            let undone = self.root.write(path, &format!("{back}\n"), self.limit);
            let now = self.root.slow_bytes(path, SIZE_MAX).ok().flatten();
            let now = String::from_utf8_lossy(&now.unwrap_or_default()).into_owned();
            write.undone = parse::trim(&now) == write.before;
            if !write.undone {
                let why = undone
                    .err()
                    .map(|error| format!(" ({})", Refused::from(error).detail));
                left = format!(
                    "{left}; {} could not be set back to {}{}",
                    write.path,
                    write.before,
                    why.unwrap_or_default()
                );
            }
        }
        left
    }
}

/// Makes a change: holds the host, takes the steps, and undoes them when one is refused. One that has no answer within
/// `limit` leaves all as it is.
pub(super) fn make(
    root: &Root,
    (mode, limit): (Mode, Duration),
    mut change: Change,
    steps: impl FnOnce(&mut Writer<'_>) -> Step<Outcome>,
) -> Result<Change> {
    if !root.is_live() {
        let path = format!("{} of {}", change.setting, change.target);
        return Err(Error::NotLive { path });
    }
    change.dry_run = mode == Mode::DryRun;
    change.user = probe::user();
    change.login_user = login(root);
    let mut writer = match Writer::new(root, mode, limit) {
        Ok(writer) => writer,
        Err(Refused { reason, detail }) => {
            change.outcome = Outcome::Refused { reason, detail };
            return Ok(change);
        }
    };
    change.outcome = steps(&mut writer).unwrap_or_else(|Refused { reason, detail }| {
        if writer.unanswered {
            let limit_s = limit.as_secs();
            return Outcome::Unknown { limit_s, detail };
        }
        let left = if writer.is_dry() {
            String::new()
        } else {
            writer.undo()
        };
        Outcome::Refused {
            reason,
            detail: format!("{detail}{left}"),
        }
    });
    change.writes = writer.writes;
    Ok(change)
}

/// A change of which nothing is known yet but what was asked.
pub(super) fn asked(setting: &str, target: String, asked: String) -> Change {
    Change {
        setting: setting.to_owned(),
        target,
        asked,
        dry_run: false,
        user: 0,
        login_user: None,
        writes: Vec::new(),
        outcome: Outcome::Full,
    }
}

/// The kernel says 4294967295 where nobody logged in.
fn login(root: &Root) -> Option<u32> {
    let text = root.text("proc/self/loginuid").ok()??;
    parse::decimal(&text).ok().filter(|user| *user != u32::MAX)
}
