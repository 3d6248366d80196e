//! Questions that may never be answered: a read that reaches firmware, a file system whose server is gone, a
//! command to a drive, a driver that is asked under a lock of the whole network, a setting that waits for a device.
//!
//! The kernel may hold whoever asks for as long as it likes, and a thread that it holds outlives even SIGKILL
//! of its process. So a daemon asks through a process that holds nothing of its own: it is asked on a pipe, is left
//! behind at the deadline, and starts again with the next question. A program that ends soon asks on a thread, and so
//! does a daemon what the kernel knows by itself. Either way the question is answered by `answer`.
//!
//! ```text
//!   {"ask":"space","path":"/mnt/data"}      ──▶  {"value":{"size_bytes":…}}   or {"failed":5}
//! ```

use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::io::octets::Octets;
use crate::io::tree::{SIZE_MAX, Tree};
use crate::io::{clock, sys};

mod child;
mod drive;
mod network;
mod process;
mod program;
mod space;
mod thread;
mod tpm;

pub use drive::Command;
pub use network::Network;
pub use program::{Ended, Ran};
pub use space::Space;

use process::Processes;
use program::Programs;
use thread::Threads;

/// How long a question is waited for that is known to reach firmware or a device.
pub const LIMIT: Duration = Duration::from_secs(2);

/// The longest question: what every pipe takes in one piece, so that asking never blocks.
const ASK_MAX: usize = 4096;

/// The longest answer: the largest file, two digits for each byte, and what stands around them.
const ANSWER_MAX: usize = 2 * SIZE_MAX + 64;

/// More questions than this are not left behind: from then on nothing new is asked until one of them ends.
const LEFT_BEHIND_MAX: usize = 6;

/// The process that asks ended without an answer, or cannot be started. The kernel answers no read with this.
pub(super) const NO_ANSWER: Errno = Errno::ECHILD;

/// Too many questions are without an answer already. The kernel answers no read with this.
pub(super) const NOT_ASKED: Errno = Errno::EUSERS;

/// A question. Each has its own kind of answer, named with it.
///
/// To add one: a variant, its arms in `path`, `limit` and `kind`, and one in `answer` that calls what does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ask {
    /// The first bytes of a file: [`Octets`].
    Bytes {
        /// The file, below the root.
        path: String,
        /// At most so many.
        length: usize,
    },
    /// What a drive answers to a command: [`Octets`].
    Drive {
        /// The device file, below the root.
        path: String,
        /// The command.
        command: Command,
    },
    /// What a PTP hardware clock can do: [`clock::Capabilities`].
    Clock {
        /// Its device file, below the root.
        path: String,
    },
    /// What the network's drivers say; the answer is that of the question.
    Network(Network),
    /// The properties that a TPM of version 2 tells: `Vec<Octets>`, its answers as they came.
    Tpm {
        /// The chip's device file, below the root.
        path: String,
    },
    /// How full a mounted file system is: [`Space`].
    Space {
        /// Where it is mounted, below the root.
        path: String,
    },
    /// Whether the kernel takes a setting: `Option<i32>`, the number of its error. What it then is has to be read back.
    Write {
        /// The setting, below the root.
        path: String,
        /// What is written, at once.
        text: String,
        /// How many seconds an answer is waited for.
        limit_s: u64,
    },
}

impl Ask {
    /// What is asked about, as a path below the root.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Bytes { path, .. }
            | Self::Drive { path, .. }
            | Self::Clock { path }
            | Self::Space { path }
            | Self::Tpm { path }
            | Self::Write { path, .. } => Some(path),
            Self::Network(_) => None,
        }
    }

    /// How long an answer is waited for.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        match self {
            Self::Write { limit_s, .. } => Duration::from_secs(*limit_s),
            _ => LIMIT,
        }
    }

    /// The kind of question.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Bytes { .. } => "bytes",
            Self::Clock { .. } => "clock",
            Self::Drive { command, .. } => command.name(),
            Self::Network(_) => "network",
            Self::Space { .. } => "space",
            Self::Tpm { .. } => "tpm",
            Self::Write { .. } => "write",
        }
    }

    /// Of those that would wait for the same as one that is without an answer, none is asked.
    fn waits_for(&self) -> String {
        match self {
            Self::Network(_) => self.kind().to_owned(),
            _ => self.name(),
        }
    }

    /// The name under which a capture keeps the answer: `space/!mnt!data`, made of what every file name may have.
    pub(super) fn name(&self) -> String {
        if let Self::Network(question) = self {
            return question.name();
        }
        let path = self.path().unwrap_or_default().trim_matches('/');
        let mut name = format!("{}/!", self.kind());
        let mut part = 1;
        for byte in path.bytes() {
            // A name of a file ends at 255 bytes; what is longer goes on in a directory of its own.
            if part > 200 {
                name.push('/');
                part = 0;
            }
            let before = name.len();
            match byte {
                b'/' => name.push('!'),
                b'-' | b'_' | b'.' | b':' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                    name.push(byte.into());
                }
                byte => name.push_str(&format!("%{byte:02X}")),
            }
            part += name.len() - before;
        }
        name
    }
}

/// Answers a question, in JSON. It may take for ever.
pub(super) fn answer(tree: &Tree, ask: &Ask) -> Result<Vec<u8>, Errno> {
    match ask {
        Ask::Bytes { path, length } => json(&Octets(tree.bytes(path, *length, &mut Vec::new())?)),
        Ask::Clock { path } => json(&clock::capabilities(tree.device(path)?.as_fd())?),
        Ask::Drive { path, command } => json(&drive::ask(tree, path, *command)?),
        Ask::Network(question) => question.ask(),
        Ask::Space { path } => json(&space::of(tree, path)?),
        Ask::Tpm { path } => json(&tpm::properties(tree, path)?),
        Ask::Write { path, text, .. } => {
            let refused = tree.write(path, text.as_bytes()).err();
            json(&refused.map(|errno| errno as i32))
        }
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Errno> {
    serde_json::to_vec(value).map_err(|_| Errno::EINVAL)
}

/// An answer on its way back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Value(Box<RawValue>),
    Failed(i32),
}

impl From<Result<Vec<u8>, Errno>> for Reply {
    fn from(answer: Result<Vec<u8>, Errno>) -> Self {
        let text = answer.and_then(|json| String::from_utf8(json).map_err(|_| Errno::EINVAL));
        let value = text.and_then(|text| RawValue::from_string(text).map_err(|_| Errno::EINVAL));
        match value {
            Ok(value) => Self::Value(value),
            Err(errno) => Self::Failed(errno as i32),
        }
    }
}

/// Where questions are asked, and which programs are run.
#[derive(Debug, Default)]
pub(super) struct Aside {
    threads: Threads,
    processes: Option<Processes>,
    programs: Programs,
}

impl Aside {
    /// Asks from now on in a process that `command` starts, and that calls [`serve`].
    pub(super) fn ask_in_process(&mut self, command: Vec<OsString>) {
        self.processes = Some(Processes::new(command));
    }

    /// Runs `program` for what NVIDIA's library answers.
    pub(super) fn run_for_nvml(&mut self, program: PathBuf) {
        self.programs.nvml = Some(program);
    }

    /// What NVIDIA's library answers; `None` without a program that asks it.
    pub(super) fn nvml(&self) -> io::Result<Option<Ran>> {
        self.programs.nvml()
    }

    /// Asks; the answer is in JSON. `ETIMEDOUT` when none came in time, and at once for as long as an earlier question
    /// of the same words is still under way.
    pub(super) fn ask(&self, tree: &Arc<Tree>, ask: &Ask) -> Result<Vec<u8>, Errno> {
        let Some(processes) = &self.processes else {
            return self.ask_here(tree, ask);
        };
        self.threads.may_ask(&ask.waits_for())?;
        processes.ask(ask)
    }

    /// As [`Aside::ask`], always on a thread.
    pub(super) fn ask_here(&self, tree: &Arc<Tree>, ask: &Ask) -> Result<Vec<u8>, Errno> {
        let waits_for = ask.waits_for();
        if let Some(processes) = &self.processes {
            processes.may_ask(&waits_for)?;
        }
        let (tree, own) = (Arc::clone(tree), ask.clone());
        self.threads
            .within(ask.limit(), &waits_for, move || answer(&tree, &own))
    }

    /// Whether nothing that is without an answer speaks against asking.
    pub(super) fn may_ask(&self, ask: &Ask) -> Result<(), Errno> {
        let waits_for = ask.waits_for();
        self.threads.may_ask(&waits_for)?;
        let processes = self.processes.as_ref();
        processes.map_or(Ok(()), |processes| processes.may_ask(&waits_for))
    }

    /// As [`Aside::ask_here`], with an answer of somebody else.
    #[cfg(test)]
    pub(super) fn ask_instead(
        &self,
        ask: &Ask,
        answer: impl FnOnce() -> Result<Vec<u8>, Errno> + Send + 'static,
    ) -> Result<Vec<u8>, Errno> {
        self.threads.within(ask.limit(), &ask.waits_for(), answer)
    }

    /// Ends the process that waits for more questions, and looks after those that were left behind.
    pub(super) fn rest(&self) {
        if let Some(processes) = &self.processes {
            processes.rest();
        }
        self.threads.rest();
        self.programs.rest();
    }
}

/// Keeps every descriptor that is open now, but the standard ones, from the programs that are started later. For a
/// program that was itself started with some that it does not know of.
pub fn keep_descriptors() {
    sys::close_on_exec();
}

/// Answers the questions that come on standard input until it ends, as the process of a daemon's own program that
/// `Root::asking_aside` was told of.
///
/// # Errors
/// When it cannot be tied to its parent, or a pipe is broken.
pub fn serve() -> io::Result<()> {
    let parent = parent_id();
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if parent_id() != parent {
        return Ok(());
    }
    let _ = prctl::set_name(c"gnomon-aside");
    let tree = Tree::at("/".as_ref())?;
    answer_all(&tree, io::stdin().lock(), io::stdout().lock())
}

fn answer_all(tree: &Tree, mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let most = u64::try_from(ASK_MAX).unwrap_or(u64::MAX);
        if input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let ask = serde_json::from_slice(&line).map_err(|_| Errno::EBADMSG);
        let reply = Reply::from(ask.and_then(|ask| answer(tree, &ask)));
        let mut reply = serde_json::to_vec(&reply)?;
        reply.push(b'\n');
        output.write_all(&reply)?;
        output.flush()?;
    }
}

#[cfg(test)]
mod tests;
