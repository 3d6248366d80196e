//! A directory descriptor, and the two ways to resolve a path below it.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::io::sys::{self, EntryKind};

/// No file that we ask for is larger: /proc/cpuinfo of 4096 CPUs has 12 MB.
pub const SIZE_MAX: usize = 16 << 20;

/// No path of the kernel's goes over more links; a loop does.
const LINKS_MAX: usize = 40;

/// How often openat2 is asked again when somebody moves directories under it.
const ATTEMPTS: usize = 4;

/// The smallest page of any kernel: what sysfs answers at most in one read is a multiple of it.
const PAGE: usize = 4096;

/// How much is asked of a large file at a time.
const LARGE: usize = 64 << 10;

/// Where the kernel's settings stand.
const SETTINGS: [&str; 2] = ["proc", "sys"];

/// How a directory is opened that only leads to another.
const WAY: OFlag = sys::PLACE.union(OFlag::O_DIRECTORY);

type Answered<T> = Result<T, Errno>;

/// Where a path leads.
#[derive(Debug, Default)]
pub(in crate::io) struct Resolved {
    /// The path without any link in it; its last part may be missing.
    pub(in crate::io) real: String,
    /// Every link met: its own real path, and what it says.
    pub(in crate::io) links: Vec<(String, String)>,
}

/// The descriptor and the two ways to resolve a path below it.
#[derive(Debug)]
pub(in crate::io) struct Tree {
    dir: OwnedFd,
    /// openat2 is missing or forbidden here (before Linux 5.6; some sandboxes): links are followed by hand.
    by_hand: AtomicBool,
}

impl Tree {
    pub(in crate::io) fn at(directory: &Path) -> Answered<Self> {
        Ok(Self {
            dir: sys::open_directory(directory)?,
            by_hand: AtomicBool::new(false),
        })
    }

    /// Resolves by hand from now on, as where openat2 is missing.
    #[cfg(test)]
    pub(in crate::io) fn forbid_openat2(&self) {
        self.by_hand.store(true, Ordering::Relaxed);
    }

    fn open(&self, path: &str, flags: OFlag) -> Answered<OwnedFd> {
        let place = if path.is_empty() { "." } else { path };
        for _ in 0..ATTEMPTS {
            if self.by_hand.load(Ordering::Relaxed) {
                break;
            }
            match sys::open_in_root(self.dir.as_fd(), place, flags) {
                Err(Errno::ENOSYS) => self.by_hand.store(true, Ordering::Relaxed),
                // A sandbox forbids the call with EPERM, which may also be the file's own answer.
                Err(Errno::EPERM) => break,
                // A rename anywhere on the host while `..` was followed.
                Err(Errno::EAGAIN) => {}
                other => return other,
            }
        }
        self.open_by_hand(path, flags)
    }

    /// Opens a setting of the kernel to be changed: below one of these directories, in the same file system, and nothing
    /// that a link leads out to (`EXDEV`).
    pub(in crate::io) fn open_setting(&self, path: &str, flags: OFlag) -> Answered<OwnedFd> {
        let (top, rest) = path.split_once('/').ok_or(Errno::EXDEV)?;
        if !SETTINGS.contains(&top) || rest.is_empty() {
            return Err(Errno::EXDEV);
        }
        let directory = sys::open_entry(self.dir.as_fd(), top, WAY)?;
        if !self.by_hand.load(Ordering::Relaxed) {
            match sys::open_beneath(directory.as_fd(), rest, flags) {
                Err(Errno::ENOSYS | Errno::EPERM | Errno::EAGAIN) => {}
                other => return other,
            }
        }
        let real = self.resolve(path)?.real;
        let inside = real
            .strip_prefix(top)
            .is_some_and(|rest| rest.starts_with('/'));
        if inside {
            self.open_real(&real, flags)
        } else {
            Err(Errno::EXDEV)
        }
    }

    /// Changes a setting of the kernel.
    pub(in crate::io) fn write(&self, path: &str, bytes: &[u8]) -> Answered<()> {
        let file = self.open_setting(path, sys::SETTING | OFlag::O_TRUNC)?;
        sys::write_once(&file, bytes)
    }

    /// A directory that can be held.
    pub(in crate::io) fn open_to_hold(&self, path: &str) -> Answered<OwnedFd> {
        self.open(path, sys::DIRECTORY)
    }

    fn open_by_hand(&self, path: &str, flags: OFlag) -> Answered<OwnedFd> {
        let (parent, name) = split(path);
        let real = if flags.contains(OFlag::O_NOFOLLOW) && !matches!(name, "" | "." | "..") {
            join(&self.resolve(parent)?.real, name)
        } else {
            self.resolve(path)?.real
        };
        self.open_real(&real, flags)
    }

    /// Opens a path that has no links in it; one that was put there meanwhile is an error.
    fn open_real(&self, real: &str, flags: OFlag) -> Answered<OwnedFd> {
        let mut parts = real.split('/').filter(|part| !part.is_empty()).peekable();
        let mut at: Option<OwnedFd> = None;
        while let Some(part) = parts.next() {
            let from = at.as_ref().unwrap_or(&self.dir).as_fd();
            let flags = if parts.peek().is_none() { flags } else { WAY };
            at = Some(sys::open_entry(from, part, flags)?);
        }
        match at {
            Some(fd) => Ok(fd),
            None => sys::open_entry(self.dir.as_fd(), ".", flags),
        }
    }

    /// Follows `path` part by part, as the kernel would if our root were `/`.
    pub(in crate::io) fn resolve(&self, path: &str) -> Answered<Resolved> {
        let mut resolved = Resolved::default();
        let mut todo: Vec<String> = parts(path);
        let mut directory = self.directory("")?;
        while let Some(part) = todo.pop() {
            if part == ".." {
                resolved.real = split(&resolved.real).0.to_owned();
                directory = self.directory(&resolved.real)?;
                continue;
            }
            match sys::read_link(directory.as_fd(), &part) {
                Ok(target) => {
                    let link = join(&resolved.real, &part);
                    if target.starts_with('/') {
                        resolved.real.clear();
                        directory = self.directory("")?;
                    }
                    todo.extend(parts(&target));
                    resolved.links.push((link, target));
                    if resolved.links.len() > LINKS_MAX {
                        return Err(Errno::ELOOP);
                    }
                }
                // No link: a directory, a file, or something that is not there, which opening will tell.
                Err(Errno::EINVAL | Errno::ENOENT) => {
                    resolved.real = join(&resolved.real, &part);
                    if !todo.is_empty() {
                        directory = sys::open_entry(directory.as_fd(), &part, WAY)?;
                    }
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(resolved)
    }

    /// The device behind the device file at `path`, for commands that only ask.
    pub(in crate::io) fn device(&self, path: &str) -> Answered<OwnedFd> {
        self.open(path, sys::FILE)
    }

    /// The device behind the device file at `path`, for commands that are written and answered.
    pub(in crate::io) fn conversation(&self, path: &str) -> Answered<OwnedFd> {
        self.open(path, OFlag::O_RDWR | OFlag::O_NOCTTY)
    }

    /// What stands at `path`, or behind the links there, as a place only: nothing in it is opened.
    pub(in crate::io) fn place(&self, path: &str) -> Answered<OwnedFd> {
        self.open(path, sys::PLACE_BEHIND)
    }

    pub(in crate::io) fn is_directory(&self, path: &str) -> bool {
        self.open(path, sys::PLACE_BEHIND.union(OFlag::O_DIRECTORY))
            .is_ok()
    }

    fn directory(&self, real: &str) -> Answered<OwnedFd> {
        self.open_real(real, WAY)
    }

    pub(in crate::io) fn bytes(
        &self,
        path: &str,
        limit: usize,
        buffer: &mut Vec<u8>,
    ) -> Answered<Vec<u8>> {
        let file = self.open(path, sys::FILE)?;
        // sysfs answers a whole attribute in one read, and each read more costs a call; a binary one comes in pages.
        // So do the settings in procfs. Its other files answer as much as they like at a time: only nothing ends them.
        let short_is_end = path.starts_with("sys/") || path.starts_with("proc/sys/");
        buffer.resize(buffer.len().max(PAGE), 0);
        let mut bytes = Vec::new();
        loop {
            let space = buffer.len().min(limit.saturating_sub(bytes.len()).max(1));
            let space = buffer.get_mut(..space).unwrap_or_default();
            let length = space.len();
            let read = sys::read_some(&file, space)?;
            bytes.extend_from_slice(space.get(..read).unwrap_or_default());
            if read == 0 || (short_is_end && read < length && read % PAGE != 0) {
                return Ok(bytes);
            }
            if bytes.len() >= limit {
                return if limit < SIZE_MAX {
                    Ok(bytes)
                } else {
                    Err(Errno::EFBIG)
                };
            }
            if read == length {
                // Few files have more than a page, and those that do have many.
                buffer.resize(buffer.len().max(LARGE), 0);
            }
        }
    }

    pub(in crate::io) fn names(&self, path: &str) -> Answered<Vec<(String, EntryKind)>> {
        let mut names = sys::entries(&self.open(path, sys::DIRECTORY)?)?;
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }

    pub(in crate::io) fn link(&self, path: &str) -> Answered<String> {
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
pub(in crate::io) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A name below a directory; the root's own directory is empty.
pub(in crate::io) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}
