//! Questions asked through a process: at most one that answers, and a few that never will.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;

use super::child::{Child, Stopped, now};
use super::{ANSWER_MAX, ASK_MAX, Ask, LEFT_BEHIND_MAX, NO_ANSWER, NOT_ASKED, Reply};

/// The processes of one root.
#[derive(Debug)]
pub(in crate::io) struct Processes {
    command: Vec<OsString>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The one that waits for a question.
    waiting: Option<Child>,
    left_behind: LeftBehind,
}

/// Those that were killed and that the kernel holds, by what they were asked.
#[derive(Debug, Default)]
pub(super) struct LeftBehind(Vec<(String, Child)>);

impl Processes {
    pub(super) const fn new(command: Vec<OsString>) -> Self {
        Self {
            command,
            state: Mutex::new(State {
                waiting: None,
                left_behind: LeftBehind(Vec::new()),
            }),
        }
    }

    pub(super) fn ask(&self, ask: &Ask) -> Result<Vec<u8>, Errno> {
        let mut line = serde_json::to_vec(ask).map_err(|_| Errno::EINVAL)?;
        line.push(b'\n');
        if line.len() > ASK_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let mut state = self.lock();
        let waits_for = ask.waits_for();
        state.left_behind.may_ask(&waits_for)?;
        let deadline = now() + ask.limit();
        // One that waited may have been ended by somebody meanwhile: then a new one is asked.
        let told = |mut child: Child| child.say(&line).is_ok().then_some(child);
        let mut child = match state.waiting.take().and_then(told) {
            Some(child) => child,
            None => Child::start(&self.command)
                .ok()
                .and_then(told)
                .ok_or(NO_ANSWER)?,
        };
        let mut heard = Vec::new();
        let reply = match child.hear(&mut heard, deadline, ANSWER_MAX, |heard| {
            heard.ends_with(b"\n")
        }) {
            Ok(()) => serde_json::from_slice(&heard).map_err(|_| NO_ANSWER),
            Err(Stopped::TimedOut) => Err(Errno::ETIMEDOUT),
            Err(Stopped::TooLong) => Err(Errno::EFBIG),
            Err(Stopped::Broken) => Err(NO_ANSWER),
        };
        match reply {
            Ok(reply) => {
                state.waiting = Some(child);
                match reply {
                    Reply::Value(value) => Ok(Box::<str>::from(value).into_string().into_bytes()),
                    Reply::Failed(errno) => Err(Errno::from_raw(errno)),
                }
            }
            Err(errno) => {
                state.left_behind.end(waits_for, child);
                Err(errno)
            }
        }
    }

    /// Whether nothing that is left behind speaks against asking.
    pub(super) fn may_ask(&self, waits_for: &str) -> Result<(), Errno> {
        self.lock().left_behind.may_ask(waits_for)
    }

    pub(super) fn rest(&self) {
        let mut state = self.lock();
        if let Some(mut child) = state.waiting.take() {
            child.hush();
            if child.ends().is_none() {
                child.kill();
            }
        }
        state.left_behind.bury();
    }

    /// As if `child` had been asked what waits for this, and the kernel held it.
    #[cfg(test)]
    pub(super) fn leave_behind(&self, waits_for: String, child: Child) {
        self.lock().left_behind.0.push((waits_for, child));
    }

    /// Whether nothing is left behind.
    #[cfg(test)]
    pub(super) fn is_free(&self) -> bool {
        self.lock().left_behind.0.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LeftBehind {
    /// Whether `name` may be asked: not while it is without an answer, nor while too many others are.
    pub(super) fn may_ask(&mut self, name: &str) -> Result<(), Errno> {
        self.bury();
        if self.0.iter().any(|(asked, _)| asked == name) {
            return Err(Errno::ETIMEDOUT);
        }
        if self.0.len() >= LEFT_BEHIND_MAX {
            return Err(NOT_ASKED);
        }
        Ok(())
    }

    /// Ends a process that was asked `name`, and keeps it when the kernel holds it; says how it ended.
    pub(super) fn end(&mut self, name: String, mut child: Child) -> Option<ExitStatus> {
        let ended = child.kill();
        if ended.is_none() {
            self.0.push((name, child));
        }
        ended
    }

    /// Forgets those that the kernel has let go of.
    pub(super) fn bury(&mut self) {
        self.0.retain_mut(|(_, child)| child.ended().is_none());
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.rest();
    }
}
