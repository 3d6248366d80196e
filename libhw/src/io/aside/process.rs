//! Questions asked through a process: at most one that answers, and a few that never will.

use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use serde_json::Value;

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
    /// Those that were killed and that the kernel holds, by what they were asked.
    left_behind: Vec<(String, Child)>,
}

impl Processes {
    pub(super) const fn new(command: Vec<OsString>) -> Self {
        Self {
            command,
            state: Mutex::new(State {
                waiting: None,
                left_behind: Vec::new(),
            }),
        }
    }

    pub(super) fn ask(&self, ask: &Ask) -> Result<Value, Errno> {
        let mut line = serde_json::to_vec(ask).map_err(|_| Errno::EINVAL)?;
        line.push(b'\n');
        if line.len() > ASK_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let mut state = self.lock();
        state.bury();
        let name = ask.name();
        state.may_ask(&name)?;
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
        let heard = child.hear(deadline, ANSWER_MAX, |heard| heard.ends_with(b"\n"));
        let reply = match heard {
            Ok(heard) => serde_json::from_slice(&heard).map_err(|_| NO_ANSWER),
            Err(Stopped::TimedOut) => Err(Errno::ETIMEDOUT),
            Err(Stopped::TooLong) => Err(Errno::EFBIG),
            Err(Stopped::Broken) => Err(NO_ANSWER),
        };
        match reply {
            Ok(reply) => {
                state.waiting = Some(child);
                match reply {
                    Reply::Value(value) => Ok(value),
                    Reply::Failed(errno) => Err(Errno::from_raw(errno)),
                }
            }
            Err(errno) => {
                if child.kill().is_none() {
                    state.left_behind.push((name, child));
                }
                Err(errno)
            }
        }
    }

    pub(super) fn rest(&self) {
        let mut state = self.lock();
        if let Some(mut child) = state.waiting.take() {
            child.hush();
            if child.ends().is_none() {
                child.kill();
            }
        }
        state.bury();
    }

    /// Whether nothing is left behind.
    #[cfg(test)]
    pub(super) fn is_free(&self) -> bool {
        self.lock().left_behind.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets those that the kernel has let go of.
    fn bury(&mut self) {
        self.left_behind
            .retain_mut(|(_, child)| child.ended().is_none());
    }

    fn may_ask(&self, name: &str) -> Result<(), Errno> {
        if self.left_behind.iter().any(|(asked, _)| asked == name) {
            return Err(Errno::ETIMEDOUT);
        }
        if self.left_behind.len() >= LEFT_BEHIND_MAX {
            return Err(NOT_ASKED);
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.rest();
    }
}
