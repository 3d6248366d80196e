//! One rooted tree of /proc, /sys and /dev: this host, or a capture of another.
//!
//! A live host and a captured one are both a directory, so there is one code path and nothing to abstract
//! over. No path, link or `..` leaves the root. A capture also holds what is no file in `gnomon/`: the
//! errors that reading met, the names that were listed and not read, and the answers of probes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::io::aside::{self, Aside, Ask, Ran};
use crate::io::octets::Octets;
use crate::io::sys::EntryKind;
use crate::io::tree::{Resolved, Tree};

mod change;
mod listed;

pub use crate::io::tree::SIZE_MAX;
pub use change::Hold;
pub(super) use listed::LISTED;
use listed::Listed;

/// How long a read may take that is known to reach firmware or a device.
pub const SLOW_READ_LIMIT: Duration = aside::LIMIT;

/// The errors that reading met: a JSON object from path to errno. It stands in a folder of a capture, beside
/// sys/ and proc/, that holds what is no file of the machine.
pub(super) const ERRORS: &str = "gnomon/errors.json";

/// The answers of probes, each in a file `NAME.json`.
pub(super) const PROBES: &str = "gnomon/probes";

/// A rooted tree: the live host, or a capture.
#[derive(Debug)]
pub struct Root {
    tree: Arc<Tree>,
    place: PathBuf,
    live: bool,
    /// errno by path, of a capture.
    errors: BTreeMap<String, i32>,
    /// Of a capture.
    listed: Listed,
    record: Option<Mutex<Record>>,
    aside: Aside,
    #[cfg(test)]
    kernel: Option<change::Kernel>,
    /// Reused by every read, so that a small attribute costs no large allocation.
    buffer: Mutex<Vec<u8>>,
    /// What must outlive the root: the directory into which an archive was unpacked.
    _keep: Option<Box<dyn std::fmt::Debug + Send + Sync>>,
}

/// What was asked of a root, and what came back; a capture is made of exactly this.
pub(super) type Record = BTreeMap<(String, Question), Answer>;

/// The ways to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    /// At most so many bytes of a file.
    Bytes(usize),
    Names,
    Link,
    Probe,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Absent,
    Bytes(Vec<u8>),
    Names(Vec<(String, EntryKind)>),
    Link(String),
    Failed(Errno),
}

impl Root {
    /// This host.
    ///
    /// # Errors
    /// When `/` cannot be opened.
    pub fn live() -> Result<Self> {
        Self::at(Path::new("/"), true)
    }

    /// A directory that holds sys/ or proc/ of another machine (or of this one, at another time).
    ///
    /// # Errors
    /// When the directory cannot be opened, or its record of errors or of names is damaged.
    pub fn captured(directory: &Path) -> Result<Self> {
        let mut root = Self::at(directory, false)?;
        if let Some(text) = root.text(LISTED)? {
            root.listed = Listed::parse(&text)?;
        }
        if let Some(text) = root.text(ERRORS)? {
            root.errors = serde_json::from_str(&text).map_err(|_| {
                Error::malformed(
                    "/gnomon/errors.json",
                    "a JSON object of errno by path",
                    &text,
                )
            })?;
        }
        Ok(root)
    }

    fn at(directory: &Path, live: bool) -> Result<Self> {
        let tree = Tree::at(directory).map_err(|errno| Error::Root {
            path: directory.to_owned(),
            source: errno.into(),
        })?;
        Ok(Self {
            tree: Arc::new(tree),
            place: directory.to_owned(),
            live,
            errors: BTreeMap::new(),
            listed: Listed::default(),
            record: None,
            aside: Aside::default(),
            #[cfg(test)]
            kernel: None,
            buffer: Mutex::new(Vec::new()),
            _keep: None,
        })
    }

    /// Keeps `guard` for as long as the root lives.
    #[must_use]
    pub(super) fn keeping(mut self, guard: impl std::fmt::Debug + Send + Sync + 'static) -> Self {
        self._keep = Some(Box::new(guard));
        self
    }

    /// Asks from now on through a process of its own what may never be answered: `command` starts it, and it calls
    /// [`aside::serve`]. It runs from the first such question to [`Root::rest`]. Without this a thread asks, and
    /// where the kernel holds that thread the program cannot end.
    #[must_use]
    pub fn asking_aside(mut self, command: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        let command = command.into_iter().map(Into::into).collect();
        self.aside.ask_in_process(command);
        self
    }

    /// Asks from now on NVIDIA's library, where there is something to ask it about, by running `program`: that of
    /// the package gnomon-nvml. One that is not there is as good as none.
    #[must_use]
    pub fn asking_nvml(mut self, program: PathBuf) -> Self {
        self.aside.run_for_nvml(program);
        self
    }

    /// Ends the process of [`Root::asking_aside`] until there is another question.
    pub fn rest(&self) {
        self.aside.rest();
    }

    /// Remembers from now on what is asked, for a capture.
    #[must_use]
    pub(super) fn recording(mut self) -> Self {
        self.record = Some(Mutex::default());
        self
    }

    /// What was asked since [`Root::recording`]; from now on nothing is remembered.
    pub(super) fn recorded(&mut self) -> Record {
        let record = self.record.take().unwrap_or_default();
        record.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the running host: only then can it be changed, and only then do probes run.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// Where the tree lies.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// A file's text, `None` when this kernel doesn't have it. Bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// Denied, unsupported, too large, or the kernel's error.
    pub fn text(&self, path: &str) -> Result<Option<String>> {
        Ok(self
            .bytes(path)?
            .map(|bytes| match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }))
    }

    /// A file's bytes, `None` when this kernel doesn't have it.
    ///
    /// # Errors
    /// As [`Root::text`].
    pub fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let answer = self.answered(path, Question::Bytes(SIZE_MAX), |tree| {
            let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
            tree.bytes(path, SIZE_MAX, &mut buffer).map(Answer::Bytes)
        })?;
        Ok(answer.into_bytes())
    }

    /// The first `length` bytes of a file, of which the kernel then makes no more.
    ///
    /// # Errors
    /// As [`Root::text`].
    pub fn head(&self, path: &str, length: usize) -> Result<Option<Vec<u8>>> {
        let answer = self.answered(path, Question::Bytes(length), |tree| {
            let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
            tree.bytes(path, length, &mut buffer).map(Answer::Bytes)
        })?;
        Ok(answer.into_bytes())
    }

    /// The first `length` bytes of a file that reaches a device or firmware when it is read; left behind, with
    /// [`Error::TimedOut`], when that takes longer than [`SLOW_READ_LIMIT`].
    ///
    /// The kernel keeps what reads until it has an answer. That cannot be helped, but there is never more than
    /// one for a file: until it ends, the file times out at once.
    ///
    /// # Errors
    /// As [`Root::text`], and timed out.
    pub fn slow_bytes(&self, path: &str, length: usize) -> Result<Option<Vec<u8>>> {
        let answer = self.answered(path, Question::Bytes(length), |tree| {
            if !self.live {
                return tree.bytes(path, length, &mut Vec::new()).map(Answer::Bytes);
            }
            let path = path.to_owned();
            let answer = self.aside.ask(tree, &Ask::Bytes { path, length })?;
            let octets = serde_json::from_slice::<Octets>(&answer);
            octets
                .map(|octets| Answer::Bytes(octets.0))
                .map_err(|_| aside::NO_ANSWER)
        })?;
        Ok(answer.into_bytes())
    }

    /// The answer to a question that may never be answered, as the kind of value that [`Ask`] names for it; `None`
    /// when there is nothing to ask. On a capture it is what was answered there.
    ///
    /// # Errors
    /// As [`Root::text`], of [`Ask::path`], and timed out.
    pub fn ask<T: DeserializeOwned>(&self, ask: &Ask) -> Result<Option<T>> {
        self.told(ask, Aside::ask)
    }

    /// As [`Root::ask`], of what the kernel knows by itself: always on a thread, which costs no process.
    ///
    /// # Errors
    /// As [`Root::ask`].
    pub fn ask_here<T: DeserializeOwned>(&self, ask: &Ask) -> Result<Option<T>> {
        self.told(ask, Aside::ask_here)
    }

    /// As [`Root::ask`], of what is known to be answered from memory: in this thread.
    ///
    /// # Errors
    /// As [`Root::ask`], but never timed out.
    pub fn ask_at_once<T: DeserializeOwned>(&self, ask: &Ask) -> Result<Option<T>> {
        self.told(ask, |_, tree, ask| aside::answer(tree, ask))
    }

    fn told<T: DeserializeOwned>(
        &self,
        ask: &Ask,
        live: impl FnOnce(&Aside, &Arc<Tree>, &Ask) -> std::result::Result<Vec<u8>, Errno>,
    ) -> Result<Option<T>> {
        let record = format!("{PROBES}/{}.json", ask.name());
        let question = if self.live {
            Question::Probe
        } else {
            Question::Bytes(SIZE_MAX)
        };
        let answer = self.answer(&record, question, |tree| {
            let told = if self.live {
                live(&self.aside, tree, ask)
            } else {
                tree.bytes(&record, SIZE_MAX, &mut Vec::new())
            };
            told.map(Answer::Bytes)
        });
        match answer {
            Answer::Failed(errno) => Err(match failed(ask.path().unwrap_or(&record), errno) {
                Error::TimedOut { path, .. } => Error::TimedOut {
                    path,
                    limit: ask.limit(),
                },
                error => error,
            }),
            answer => parsed(&record, answer),
        }
    }

    /// The names in a directory, sorted; none when this kernel doesn't have it.
    ///
    /// # Errors
    /// Denied, or the kernel's error.
    pub fn names(&self, path: &str) -> Result<Vec<String>> {
        let entries = self.entries(path)?;
        Ok(entries.into_iter().map(|(name, _)| name).collect())
    }

    /// As [`Root::names`], with what each of them is.
    pub(super) fn entries(&self, path: &str) -> Result<Vec<(String, EntryKind)>> {
        let answer = self.answered(path, Question::Names, |tree| {
            let mut names = tree.names(path)?;
            self.listed.add_to(&mut names, tree, path);
            Ok(Answer::Names(names))
        })?;
        Ok(match answer {
            Answer::Names(names) => names,
            _ => Vec::new(),
        })
    }

    /// What a link says, `None` when there is no such link.
    ///
    /// # Errors
    /// Denied, or the kernel's error.
    pub fn link(&self, path: &str) -> Result<Option<String>> {
        let answer = self.answered(path, Question::Link, |tree| {
            tree.link(path).map(Answer::Link)
        })?;
        Ok(match answer {
            Answer::Link(target) => Some(target),
            _ => None,
        })
    }

    /// A fact that is no file: `ask` on the live host, and on a capture what it answered there.
    ///
    /// # Errors
    /// What `ask` reports, on the live host and in the replay alike.
    pub fn probe<T>(
        &self,
        name: &str,
        ask: impl FnOnce() -> io::Result<Option<T>>,
    ) -> Result<Option<T>>
    where
        T: Serialize + DeserializeOwned,
    {
        let path = format!("{PROBES}/{name}.json");
        if !self.live {
            let bytes = self.bytes(&path)?;
            return parsed(&path, bytes.map_or(Answer::Absent, Answer::Bytes));
        }
        let answer = self.answered(&path, Question::Probe, |_| {
            let value = ask()
                .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
            emitted(&value.ok_or(Errno::ENOENT)?)
        })?;
        parsed(&path, answer)
    }

    /// What NVIDIA's library answers, by the program of [`Root::asking_nvml`]; `None` without one. A program that
    /// did not end well is no error here: [`Ran`] says how it ended, and what it had said until then.
    ///
    /// # Errors
    /// When it cannot be started, and when one that the kernel holds was started before.
    pub fn nvml(&self) -> Result<Option<Ran>> {
        self.probe("nvml", || self.aside.nvml())
    }

    /// Whether a directory stands at `path`, or behind the links there.
    pub(super) fn is_directory(&self, path: &str) -> bool {
        self.tree.is_directory(path)
    }

    /// The real place of `path` and every link on the way to it, each with its own real place.
    pub(super) fn resolve(&self, path: &str) -> Result<Resolved> {
        self.tree.resolve(path).map_err(|errno| failed(path, errno))
    }

    fn answered(
        &self,
        path: &str,
        question: Question,
        ask: impl FnOnce(&Arc<Tree>) -> std::result::Result<Answer, Errno>,
    ) -> Result<Answer> {
        match self.answer(path, question, ask) {
            Answer::Failed(errno) => Err(failed(path, errno)),
            answer => Ok(answer),
        }
    }

    fn answer(
        &self,
        path: &str,
        question: Question,
        ask: impl FnOnce(&Arc<Tree>) -> std::result::Result<Answer, Errno>,
    ) -> Answer {
        self.remembered(path, question)
            .unwrap_or_else(|| self.asked(path, question, ask))
    }

    fn asked(
        &self,
        path: &str,
        question: Question,
        ask: impl FnOnce(&Arc<Tree>) -> std::result::Result<Answer, Errno>,
    ) -> Answer {
        let answer = match self.errors.get(path).copied() {
            Some(errno) => Err(Errno::from_raw(errno)),
            None => ask(&self.tree),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(Errno::ENOENT | Errno::ENOTDIR) => Answer::Absent,
            Err(errno) => Answer::Failed(errno),
        };
        if let Some(record) = &self.record {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            record.insert((path.to_owned(), question), answer.clone());
        }
        answer
    }

    /// While a capture is made, a question that is asked again has the answer that it had: so what was
    /// saved is what every class has seen.
    fn remembered(&self, path: &str, question: Question) -> Option<Answer> {
        let record = self.record.as_ref()?.lock();
        let record = record.unwrap_or_else(PoisonError::into_inner);
        record.get(&(path.to_owned(), question)).cloned()
    }
}

impl Answer {
    fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

fn emitted(value: &impl Serialize) -> std::result::Result<Answer, Errno> {
    let bytes = serde_json::to_vec(value);
    bytes.map(Answer::Bytes).map_err(|_| Errno::EINVAL)
}

/// The value that stands in the record of a probe.
fn parsed<T: DeserializeOwned>(path: &str, answer: Answer) -> Result<Option<T>> {
    let Some(bytes) = answer.into_bytes() else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|_| {
        let text = String::from_utf8_lossy(&bytes);
        Error::malformed(&shown(path), "the answer of a probe", &text)
    })
}

/// The path as a person knows it: below the root, with its slash.
fn shown(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

fn failed(path: &str, errno: Errno) -> Error {
    let path = shown(path);
    match errno {
        Errno::EACCES | Errno::EPERM => Error::Denied { path },
        Errno::EOPNOTSUPP | Errno::ENODEV | Errno::ENXIO => Error::Unsupported { path },
        Errno::ETIMEDOUT => Error::TimedOut {
            path,
            limit: SLOW_READ_LIMIT,
        },
        Errno::EFBIG => Error::TooLarge {
            path,
            limit: SIZE_MAX,
        },
        aside::NO_ANSWER => Error::Read {
            path,
            source: io::Error::other("the process that was to read it ended without an answer"),
        },
        aside::NOT_ASKED => Error::Read {
            path,
            source: io::Error::other("not asked: too many questions are without an answer"),
        },
        errno => Error::Read {
            path,
            source: errno.into(),
        },
    }
}

#[cfg(test)]
mod tests;
