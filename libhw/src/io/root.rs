//! One rooted tree of /proc, /sys and /dev: this host, or a capture of another.
//!
//! A live host and a captured one are both a directory, so there is one code path and nothing to abstract
//! over. No path, link or `..` leaves the root. A capture also holds what is no file in `gnomon/`: the
//! errors that reading met, and the answers of probes.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::io::sys::{self, EntryKind};

/// No file that we ask for is larger: /proc/cpuinfo of 4096 CPUs has 12 MB.
pub const SIZE_MAX: usize = 16 << 20;

/// How long a read may take that is known to reach firmware or a device.
pub const SLOW_READ_LIMIT: Duration = Duration::from_secs(2);

/// No path of the kernel's goes over more links; a loop does.
const LINKS_MAX: usize = 40;

/// The folder of a capture, beside sys/ and proc/, that holds what is no file of the machine.
pub(super) const ANSWERS: &str = "gnomon";

/// The errors that reading met, in [`ANSWERS`]: a JSON object from path to errno.
pub(super) const ERRORS: &str = "gnomon/errors.json";

/// A rooted tree: the live host, or a capture.
#[derive(Debug)]
pub struct Root {
    tree: Tree,
    place: PathBuf,
    live: bool,
    /// errno by path, of a capture.
    errors: BTreeMap<String, i32>,
    record: Option<Mutex<Record>>,
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
    Bytes,
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
        let open = || {
            let flags = sys::DIRECTORY | OFlag::O_CLOEXEC;
            nix::fcntl::open(directory, flags, nix::sys::stat::Mode::empty())
        };
        let dir = open().map_err(|errno| Error::Root {
            path: directory.to_owned(),
            source: errno.into(),
        })?;
        Ok(Self {
            tree: Tree {
                dir,
                by_hand: AtomicBool::new(false),
            },
            place: directory.to_owned(),
            live,
            errors: BTreeMap::new(),
            record: None,
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

    /// What was asked since [`Root::recording`].
    pub(super) fn recorded(&self) -> Record {
        let lock = |record: &Mutex<Record>| {
            record
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        self.record.as_ref().map(lock).unwrap_or_default()
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
        self.answered(path, Question::Bytes, |tree| {
            let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
            tree.bytes(path, SIZE_MAX, &mut buffer).map(Answer::Bytes)
        })
        .map(|answer| match answer {
            Answer::Bytes(bytes) => Some(bytes),
            _ => None,
        })
    }

    /// The first `length` bytes of a file that reaches a device or firmware when it is read; abandoned, with
    /// [`Error::TimedOut`], when that takes longer than [`SLOW_READ_LIMIT`].
    ///
    /// An abandoned read keeps its thread until the kernel lets it go: that cannot be helped, and costs
    /// nobody else.
    ///
    /// # Errors
    /// As [`Root::text`], and timed out.
    pub fn slow_bytes(&self, path: &str, length: usize) -> Result<Option<Vec<u8>>> {
        self.answered(path, Question::Bytes, |tree| {
            if !self.live {
                return tree.bytes(path, length, &mut Vec::new()).map(Answer::Bytes);
            }
            let (tree, owned) = (tree.again()?, path.to_owned());
            within(SLOW_READ_LIMIT, move || {
                tree.bytes(&owned, length, &mut Vec::new())
            })
            .map(Answer::Bytes)
        })
        .map(|answer| match answer {
            Answer::Bytes(bytes) => Some(bytes),
            _ => None,
        })
    }

    /// The names in a directory, sorted; none when this kernel doesn't have it.
    ///
    /// # Errors
    /// Denied, or the kernel's error.
    pub fn names(&self, path: &str) -> Result<Vec<String>> {
        let answer = self.answered(path, Question::Names, |tree| {
            tree.names(path).map(Answer::Names)
        })?;
        Ok(match answer {
            Answer::Names(names) => names.into_iter().map(|(name, _)| name).collect(),
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
        let path = format!("{ANSWERS}/probes/{name}.json");
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
        let answer = match self.errors.get(path).copied() {
            Some(errno) => Answer::Failed(Errno::from_raw(errno)),
            None => match ask(&self.tree) {
                Ok(answer) => answer,
                Err(Errno::ENOENT | Errno::ENOTDIR) => Answer::Absent,
                Err(errno) => Answer::Failed(errno),
            },
        };
        if let Some(record) = &self.record {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            record.insert((path.to_owned(), question), answer.clone());
        }
        match answer {
            Answer::Failed(errno) => Err(failed(path, errno)),
            answer => Ok(answer),
        }
    }
}

/// The path as a person knows it: below the root, with its slash.
pub(super) fn shown(path: &str) -> String {
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

/// Runs `work` on a thread of its own and waits for it at most `limit`.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> std::result::Result<T, Errno> + Send + 'static,
) -> std::result::Result<T, Errno> {
    let (answer, wait) = mpsc::sync_channel(1);
    // The receiver is gone when the work was too slow; its answer is then nobody's.
    #[expect(clippy::disallowed_methods, reason = "io/ may start threads")]
    let started = std::thread::Builder::new()
        .name("slow-read".into())
        .spawn(move || answer.send(work()));
    started.map_err(|_| Errno::EAGAIN)?;
    wait.recv_timeout(limit).unwrap_or(Err(Errno::ETIMEDOUT))
}

/// Where a path leads.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// The path without any link in it; its last part may be missing.
    pub(super) real: String,
    /// Every link met: its own real path, and what it says.
    pub(super) links: Vec<(String, String)>,
}

/// The descriptor and the two ways to resolve a path below it.
#[derive(Debug)]
struct Tree {
    dir: OwnedFd,
    /// openat2 is missing or forbidden here (before Linux 5.6; some sandboxes): links are followed by hand.
    by_hand: AtomicBool,
}

impl Tree {
    fn again(&self) -> std::result::Result<Self, Errno> {
        let dir = self
            .dir
            .try_clone()
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
        Ok(Self {
            dir,
            by_hand: AtomicBool::new(self.by_hand.load(Ordering::Relaxed)),
        })
    }

    fn open(&self, path: &str, flags: OFlag) -> std::result::Result<OwnedFd, Errno> {
        if !self.by_hand.load(Ordering::Relaxed) {
            let path = if path.is_empty() { "." } else { path };
            match sys::open_in_root(self.dir.as_fd(), path, flags) {
                Err(Errno::ENOSYS) => self.by_hand.store(true, Ordering::Relaxed),
                // A sandbox forbids the call with EPERM, which may also be the file's own answer.
                Err(Errno::EPERM) => return self.open_by_hand(path, flags),
                other => return other,
            }
        }
        self.open_by_hand(path, flags)
    }

    fn open_by_hand(&self, path: &str, flags: OFlag) -> std::result::Result<OwnedFd, Errno> {
        let real = if flags.contains(OFlag::O_NOFOLLOW) {
            let (parent, name) = split(path);
            join(&self.resolve(parent)?.real, name)
        } else {
            self.resolve(path)?.real
        };
        self.open_real(&real, flags)
    }

    /// Opens a path that has no links in it; one that was put there meanwhile is an error.
    fn open_real(&self, real: &str, flags: OFlag) -> std::result::Result<OwnedFd, Errno> {
        let mut parts = real.split('/').filter(|part| !part.is_empty()).peekable();
        let mut at: Option<OwnedFd> = None;
        while let Some(part) = parts.next() {
            let from = at.as_ref().unwrap_or(&self.dir).as_fd();
            let flags = if parts.peek().is_none() {
                flags
            } else {
                sys::PLACE | OFlag::O_DIRECTORY
            };
            at = Some(sys::open_entry(from, part, flags)?);
        }
        match at {
            Some(fd) => Ok(fd),
            None => sys::open_entry(self.dir.as_fd(), ".", flags),
        }
    }

    /// Follows `path` part by part, as the kernel would if our root were `/`.
    fn resolve(&self, path: &str) -> std::result::Result<Resolved, Errno> {
        let mut resolved = Resolved::default();
        let mut todo: Vec<String> = parts(path);
        while let Some(part) = todo.pop() {
            if part == ".." {
                resolved.real = split(&resolved.real).0.to_owned();
                continue;
            }
            let next = join(&resolved.real, &part);
            let parent = if resolved.links.len() > LINKS_MAX {
                return Err(Errno::ELOOP);
            } else {
                self.open_real(&resolved.real, sys::PLACE | OFlag::O_DIRECTORY)
            };
            match parent.and_then(|parent| sys::read_link(parent.as_fd(), &part)) {
                Ok(target) => {
                    if target.starts_with('/') {
                        resolved.real.clear();
                    }
                    todo.extend(parts(&target));
                    resolved.links.push((next, target));
                }
                // No link: a directory, a file, or something that is not there, which opening will tell.
                Err(Errno::EINVAL | Errno::ENOENT | Errno::ENOTDIR) => resolved.real = next,
                Err(errno) => return Err(errno),
            }
        }
        Ok(resolved)
    }

    fn bytes(
        &self,
        path: &str,
        limit: usize,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<Vec<u8>, Errno> {
        let file = self.open(path, sys::FILE)?;
        // sysfs answers a whole attribute in one read, and each read more costs a call;
        // procfs answers a page at a time, so there only nothing means the end.
        let short_is_end = path.starts_with("sys/");
        buffer.resize(buffer.len().max(64 << 10), 0);
        let mut bytes = Vec::new();
        loop {
            let space = buffer.len().min(limit.saturating_sub(bytes.len()).max(1));
            let space = buffer.get_mut(..space).unwrap_or_default();
            let length = space.len();
            let read = sys::read_some(&file, space)?;
            bytes.extend_from_slice(space.get(..read).unwrap_or_default());
            if read == 0 || (short_is_end && read < length) {
                return Ok(bytes);
            }
            if bytes.len() >= limit {
                return if limit < SIZE_MAX {
                    Ok(bytes)
                } else {
                    Err(Errno::EFBIG)
                };
            }
        }
    }

    fn names(&self, path: &str) -> std::result::Result<Vec<(String, EntryKind)>, Errno> {
        let mut names = sys::entries(&self.open(path, sys::DIRECTORY)?)?;
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }

    fn link(&self, path: &str) -> std::result::Result<String, Errno> {
        let link = self.open(path, sys::PLACE)?;
        match sys::read_link(link.as_fd(), "") {
            // It is there, but is no link.
            Err(Errno::EINVAL) => Err(Errno::ENOENT),
            other => other,
        }
    }
}

/// The parts of a path, last first.
fn parts(path: &str) -> Vec<String> {
    path.rsplit('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}

/// A path's directory and last part.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A name below a directory; the root's own directory is empty.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}
