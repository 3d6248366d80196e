//! A program that is run to its end for what it says: a line of JSON at a time, so that what it said before it
//! hung or crashed is not lost.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::child::{Child, Stopped, now};
use super::process::LeftBehind;

/// Loading NVIDIA's library wakes every GPU, which takes a second each without the persistence daemon.
const NVML_LIMIT: Duration = Duration::from_secs(15);

/// More than a node's GPUs are worth.
const SAID_MAX: usize = 4 << 20;

/// What a program said, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// Its lines, each a JSON value; what is none is there as text.
    pub said: Vec<Value>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal, which was not ours.
    Killed(i32),
    /// It did not end within so many milliseconds, and was killed or left behind.
    TimedOut(u64),
    /// It said more than so many bytes, and was killed or left behind.
    TooLong(usize),
}

/// The programs that a root may run.
#[derive(Debug, Default)]
pub(super) struct Programs {
    pub(super) nvml: Option<PathBuf>,
    left_behind: Mutex<LeftBehind>,
}

impl Programs {
    pub(super) fn nvml(&self) -> io::Result<Option<Ran>> {
        let Some(program) = &self.nvml else {
            return Ok(None);
        };
        let left_behind = self.left_behind.lock();
        let mut left_behind = left_behind.unwrap_or_else(PoisonError::into_inner);
        left_behind.may_ask("nvml")?;
        let mut child = match Child::start(&[program.into()]) {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        child.hush();
        let mut heard = Vec::new();
        let stopped = child.hear(&mut heard, now() + NVML_LIMIT, SAID_MAX, |_| false);
        let status = match stopped {
            Ok(()) => child.ends(),
            Err(_) => None,
        };
        if status.is_none() {
            left_behind.end("nvml".to_owned(), child);
        }
        let ended = match stopped {
            Err(Stopped::TooLong) => Ended::TooLong(SAID_MAX),
            Err(Stopped::Broken) => return Err(Errno::EPIPE.into()),
            Err(Stopped::TimedOut) => timed_out(),
            Ok(()) => status.map_or_else(timed_out, ended),
        };
        let said = heard.split(|byte| *byte == b'\n');
        let said = said.filter(|line| !line.is_empty()).map(line).collect();
        Ok(Some(Ran { ended, said }))
    }

    pub(super) fn rest(&self) {
        let left_behind = self.left_behind.lock();
        left_behind.unwrap_or_else(PoisonError::into_inner).bury();
    }
}

fn timed_out() -> Ended {
    Ended::TimedOut(u64::try_from(NVML_LIMIT.as_millis()).unwrap_or(u64::MAX))
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Killed(signal.unwrap_or_default()),
    }
}

fn line(line: &[u8]) -> Value {
    serde_json::from_slice(line)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(line).into_owned()))
}
