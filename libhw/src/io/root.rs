//! One rooted tree of /proc, /sys and /dev: this host, or a capture of another.
//!
//! A live host and a captured one are both a directory, so there is one code path and nothing to abstract
//! over. No path, link or `..` leaves the root. A capture also holds what is no file in `gnomon/`: the
//! errors that reading met, and the answers of probes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::io::sys::EntryKind;

mod change;
mod deadline;
mod tree;

pub use change::Hold;
use deadline::Deadline;
use tree::Tree;
pub(super) use tree::{Resolved, join, split};

/// No file that we ask for is larger: /proc/cpuinfo of 4096 CPUs has 12 MB.
pub const SIZE_MAX: usize = 16 << 20;

/// How long a read may take that is known to reach firmware or a device.
pub const SLOW_READ_LIMIT: Duration = Duration::from_secs(2);

/// The errors that reading met: a JSON object from path to errno. It stands in a folder of a capture, beside
/// sys/ and proc/, that holds what is no file of the machine.
pub(super) const ERRORS: &str = "gnomon/errors.json";

/// The answers of probes, each in a file `NAME.json`.
pub(super) const PROBES: &str = "gnomon/probes";

/// A rooted tree: the live host, or a capture.
#[derive(Debug)]
pub struct Root {
    tree: Tree,
    place: PathBuf,
    live: bool,
    /// errno by path, of a capture.
    errors: BTreeMap<String, i32>,
    record: Option<Mutex<Record>>,
    slow: Deadline,
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
    /// When the directory cannot be opened, or its record of errors is damaged.
    pub fn captured(directory: &Path) -> Result<Self> {
        let mut root = Self::at(directory, false)?;
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
            tree,
            place: directory.to_owned(),
            live,
            errors: BTreeMap::new(),
            record: None,
            slow: Deadline::default(),
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

    /// The first `length` bytes of a file that reaches a device or firmware when it is read; abandoned, with
    /// [`Error::TimedOut`], when that takes longer than [`SLOW_READ_LIMIT`].
    ///
    /// An abandoned read keeps its thread until the kernel lets it go. That cannot be helped, but there is
    /// never more than one for a file: until it ends, the file times out at once.
    ///
    /// # Errors
    /// As [`Root::text`], and timed out.
    pub fn slow_bytes(&self, path: &str, length: usize) -> Result<Option<Vec<u8>>> {
        let answer = self.answered(path, Question::Bytes(length), |tree| {
            if !self.live {
                return tree.bytes(path, length, &mut Vec::new()).map(Answer::Bytes);
            }
            let (tree, owned) = (tree.again()?, path.to_owned());
            let read = move || tree.bytes(&owned, length, &mut Vec::new());
            self.slow
                .within(SLOW_READ_LIMIT, path, read)
                .map(Answer::Bytes)
        })?;
        Ok(answer.into_bytes())
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
            tree.names(path).map(Answer::Names)
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
            let Some(text) = self.text(&path)? else {
                return Ok(None);
            };
            return serde_json::from_str(&text)
                .map(Some)
                .map_err(|_| Error::malformed(&shown(&path), "the answer of a probe", &text));
        }
        let mut value = None;
        self.answered(&path, Question::Probe, |_| {
            value = ask()
                .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
            let Some(value) = &value else {
                return Err(Errno::ENOENT);
            };
            serde_json::to_vec(value)
                .map(Answer::Bytes)
                .map_err(|_| Errno::EINVAL)
        })?;
        Ok(value)
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
        ask: impl FnOnce(&Tree) -> std::result::Result<Answer, Errno>,
    ) -> Result<Answer> {
        let answer = match self.remembered(path, question) {
            Some(answer) => answer,
            None => self.asked(path, question, ask),
        };
        match answer {
            Answer::Failed(errno) => Err(failed(path, errno)),
            answer => Ok(answer),
        }
    }

    fn asked(
        &self,
        path: &str,
        question: Question,
        ask: impl FnOnce(&Tree) -> std::result::Result<Answer, Errno>,
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

/// The path as a person knows it: below the root, with its slash.
fn shown(path: &str) -> String {
    format!("/{path}")
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
        errno => Error::Read {
            path,
            source: errno.into(),
        },
    }
}

#[cfg(test)]
mod tests;
