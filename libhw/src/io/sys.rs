//! The system calls behind [`super::root`], and the only unsafe code of the crate.
#![expect(
    unsafe_code,
    reason = "getdents64 has no safe wrapper that keeps the descriptor count down"
)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat};
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::read;

/// What a directory says an entry is, without looking at the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Directory,
    Link,
    Other,
}

/// How a directory is opened: to list it, or to resolve others below it.
pub(super) const DIRECTORY: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY);

/// How a file is opened. A FIFO in a hostile tree must not block us, nor a terminal become ours.
pub(super) const FILE: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY);

/// How what a link leads to is opened as a place only.
pub(super) const PLACE_BEHIND: OFlag = OFlag::O_PATH;

/// How a directory or a link itself is opened as a place only.
pub(super) const PLACE: OFlag = PLACE_BEHIND.union(OFlag::O_NOFOLLOW);

/// Opens the directory that is to be a root, as the caller names it.
pub(super) fn open_directory(path: &Path) -> Result<OwnedFd, Errno> {
    nix::fcntl::open(path, DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
}

/// Opens `path` as if `root` were `/`: links, absolute ones and `..` too, stay inside (Linux 5.6).
pub(super) fn open_in_root(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlag,
) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(root, path, how)
}

/// Opens the entry `name` of `directory` itself: a link is an error (`ELOOP`), not followed.
pub(super) fn open_entry(
    directory: BorrowedFd<'_>,
    name: &str,
    flags: OFlag,
) -> Result<OwnedFd, Errno> {
    openat(
        directory,
        name,
        flags | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW,
        Mode::empty(),
    )
}

/// Where the link `name` of `directory` points, as written in it.
pub(super) fn read_link(directory: BorrowedFd<'_>, name: &str) -> Result<String, Errno> {
    readlinkat(directory, name).map(|target| target.to_string_lossy().into_owned())
}

/// Reads once into `buffer`.
pub(super) fn read_some(file: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match read(file, buffer) {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// The entries of an open directory, `.` and `..` left out, in no order.
///
/// `getdents64` itself, since `readdir` costs three more system calls for each directory.
pub(super) fn entries(directory: &OwnedFd) -> Result<Vec<(String, EntryKind)>, Errno> {
    let mut entries = Vec::new();
    let mut buffer = [0_u8; 16 << 10];
    loop {
        let (fd, pointer, length) = (
            directory.as_fd().as_raw_fd(),
            buffer.as_mut_ptr(),
            buffer.len(),
        );
        // SAFETY: the kernel writes at most `length` bytes to `pointer`, and `buffer` owns them.
        let read = unsafe { libc::syscall(libc::SYS_getdents64, fd, pointer, length) };
        let filled = usize::try_from(Errno::result(read)?).unwrap_or(0);
        if filled == 0 {
            return Ok(entries);
        }
        let mut rest = buffer.get(..filled).unwrap_or_default();
        while let Some((entry, after)) = entry(rest) {
            rest = after;
            entries.extend(entry.map(|(name, kind)| match kind {
                Some(kind) => (name, kind),
                None => looked_at(directory, name),
            }));
        }
    }
}

/// What an entry is where its file system does not say so in the listing.
fn looked_at(directory: &OwnedFd, name: String) -> (String, EntryKind) {
    let stat = fstatat(directory, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW);
    let kind = match stat.map(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT) {
        Ok(SFlag::S_IFDIR) => EntryKind::Directory,
        Ok(SFlag::S_IFLNK) => EntryKind::Link,
        _ => EntryKind::Other,
    };
    (name, kind)
}

/// A name and what it is, where that is said; `None` for `.`, `..` and names that are no UTF-8, which the
/// kernel never makes.
type Entry = Option<(String, Option<EntryKind>)>;

/// One `struct linux_dirent64` (getdents64(2)): ino u64, off u64, reclen u16, type u8, name, NUL.
fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let length = usize::from(u16::from_ne_bytes([*bytes.get(16)?, *bytes.get(17)?]));
    let kind = match *bytes.get(18)? {
        libc::DT_DIR => Some(EntryKind::Directory),
        libc::DT_LNK => Some(EntryKind::Link),
        libc::DT_UNKNOWN => None,
        _ => Some(EntryKind::Other),
    };
    let name = bytes.get(19..length)?.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|name| *name != "." && *name != "..");
    Some((
        name.map(|name| (name.to_owned(), kind)),
        bytes.get(length..)?,
    ))
}
