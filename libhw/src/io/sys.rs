//! The system calls behind [`super::root`]. This file and the folder below it are the only unsafe code of the crate.
#![expect(
    unsafe_code,
    reason = "getdents64 has no safe wrapper that keeps the descriptor count down; madvise and close_range have none"
)]

pub(super) mod clock;
pub(super) mod drive;
pub(super) mod network;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{
    AtFlags, Flock, FlockArg, OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat,
};
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::{read, write};

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

/// How a setting is opened to be changed.
pub(super) const SETTING: OFlag = OFlag::O_WRONLY
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

/// Opens `path` below `directory`: a link that leads out of it, or into another file system, is an error (Linux 5.6).
pub(super) fn open_beneath(
    directory: BorrowedFd<'_>,
    path: &str,
    flags: OFlag,
) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(
        ResolveFlag::RESOLVE_BENEATH
            | ResolveFlag::RESOLVE_NO_MAGICLINKS
            | ResolveFlag::RESOLVE_NO_XDEV,
    );
    openat2(directory, path, how)
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

/// Writes all of `bytes` at once, which is how the kernel takes a setting.
pub(super) fn write_once(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    loop {
        match write(file, bytes) {
            Err(Errno::EINTR) => {}
            Ok(written) if written == bytes.len() => return Ok(()),
            Ok(_) => return Err(Errno::EIO),
            Err(errno) => return Err(errno),
        }
    }
}

/// Holds `directory` for one at a time; `EWOULDBLOCK` where another holds it.
pub(super) fn hold(directory: OwnedFd) -> Result<Flock<OwnedFd>, Errno> {
    Flock::lock(directory, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| errno)
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

/// Leaves none of our descriptors but the standard ones to the programs that we start (Linux 5.11); an older kernel
/// does not know how, and those that this crate opens are none of theirs anyway.
pub(super) fn close_on_exec() {
    let (first, last, flags) = (3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: takes three numbers, touches no memory, and closes nothing in this process.
    let _ = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
}

/// Gives back the memory of the code that ran so far: what runs again is mapped again from its file.
pub(super) fn discard_code() -> std::io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "io/ may read files")]
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    for (start, length) in maps.lines().filter_map(code) {
        let start = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: the kernel lists the range as code of a file, private and not writable, so no page of it
        // was ever changed, and each that is dropped comes back from the file as it was.
        let advised = unsafe { libc::madvise(start, length, libc::MADV_DONTNEED) };
        Errno::result(advised)?;
    }
    Ok(())
}

/// Where the code of a file is mapped, and how long it is: `start-end r-xp offset device inode /path`.
fn code(line: &str) -> Option<(usize, usize)> {
    let mut parts = line.split_ascii_whitespace();
    let (start, end) = parts.next()?.split_once('-')?;
    let is_code = parts.next()? == "r-xp" && parts.nth(3)?.starts_with('/');
    let [start, end] = [start, end].map(|number| usize::from_str_radix(number, 16).ok());
    let start = start.filter(|_| is_code)?;
    Some((start, end?.checked_sub(start)?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_files_is_given_back() {
        for (line, range) in [
            (
                "1000-3000 r-xp 00001000 fe:00 12 /usr/bin/gnomon",
                Some((0x1000, 0x2000)),
            ),
            (
                "1000-3000 r-xp 00001000 fe:00 12 /usr/bin/a b (deleted)",
                Some((0x1000, 0x2000)),
            ),
            ("1000-3000 r--p 00001000 fe:00 12 /usr/bin/gnomon", None),
            ("1000-3000 rwxp 00001000 fe:00 12 /usr/bin/gnomon", None),
            ("1000-3000 r-xs 00001000 fe:00 12 /usr/bin/gnomon", None),
            ("1000-3000 r-xp 00000000 00:00 0", None),
            ("1000-3000 r-xp 00000000 00:00 0 [vdso]", None),
            ("3000-1000 r-xp 00001000 fe:00 12 /usr/bin/gnomon", None),
            ("", None),
        ] {
            assert_eq!(code(line), range, "{line}");
        }
    }

    #[test]
    fn a_program_runs_on_without_the_code_that_it_gave_back() {
        discard_code().unwrap();
        assert_eq!(code("1000-2000 r-xp 0 0 1 /a"), Some((0x1000, 0x1000)));
    }
}
