//! The system calls behind [`super::root`], and the only unsafe code of the crate.
#![expect(
    unsafe_code,
    reason = "getdents64 has no safe wrapper that keeps the descriptor count down; madvise and drives' ioctls have none"
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

/// An NVMe admin command that reads: what of `struct nvme_passthru_cmd` is not zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct NvmeCommand {
    pub(super) opcode: u8,
    pub(super) namespace: u32,
    pub(super) dword10: u32,
}

/// `struct nvme_passthru_cmd` of `include/uapi/linux/nvme_ioctl.h`.
#[repr(C)]
#[derive(Default)]
struct NvmePassthru {
    opcode: u8,
    flags: u8,
    reserved: u16,
    namespace: u32,
    dwords_2_3: [u32; 2],
    metadata: u64,
    address: u64,
    metadata_length: u32,
    data_length: u32,
    dwords_10_15: [u32; 6],
    timeout_ms: u32,
    result: u32,
}

const _: () = assert!(size_of::<NvmePassthru>() == 72);

/// `NVME_IOCTL_ADMIN_CMD`: `_IOWR('N', 0x41, struct nvme_passthru_cmd)`.
const NVME_ADMIN: libc::Ioctl = nix::request_code_readwrite!(b'N', 0x41, size_of::<NvmePassthru>());

/// Gives an admin command to an NVMe controller, which writes its answer to `data`; the status that it ended with,
/// 0 for success.
pub(super) fn nvme_admin(
    device: &OwnedFd,
    command: &NvmeCommand,
    data: &mut [u8],
) -> Result<u32, Errno> {
    let mut passthru = NvmePassthru {
        opcode: command.opcode,
        namespace: command.namespace,
        address: u64::try_from(data.as_mut_ptr().expose_provenance()).unwrap_or_default(),
        data_length: u32::try_from(data.len()).map_err(|_| Errno::EINVAL)?,
        dwords_10_15: [command.dword10, 0, 0, 0, 0, 0],
        ..NvmePassthru::default()
    };
    let (fd, request) = (device.as_fd().as_raw_fd(), &raw mut passthru);
    // SAFETY: the structure is the kernel's, and the kernel writes at most `data_length` bytes to `address`, which
    // `data` owns.
    let status = unsafe { libc::ioctl(fd, NVME_ADMIN, request) };
    Ok(u32::try_from(Errno::result(status)?).unwrap_or_default())
}

/// What came back of a SCSI command.
#[derive(Clone, Debug, Default)]
pub(super) struct ScsiAnswer {
    /// The drive's status byte, 0 for good.
    pub(super) status: u8,
    /// The host adapter's status, 0 for good.
    pub(super) host: u16,
    /// Bytes that were asked for and did not come.
    pub(super) left: usize,
    /// The sense data.
    pub(super) sense: Vec<u8>,
}

/// `struct sg_io_hdr` of `include/scsi/sg.h`, version 3.
#[repr(C)]
struct SgIo {
    interface: i32,
    direction: i32,
    command_length: u8,
    sense_max: u8,
    pieces: u16,
    data_length: u32,
    data: *mut u8,
    command: *const u8,
    sense: *mut u8,
    timeout_ms: u32,
    flags: u32,
    pack: i32,
    user: *mut u8,
    status: u8,
    masked_status: u8,
    message_status: u8,
    sense_length: u8,
    host_status: u16,
    driver_status: u16,
    left: i32,
    duration: u32,
    info: u32,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<SgIo>() == 88);

/// Gives a SCSI command that reads to a drive, which writes its answer to `data`.
pub(super) fn scsi(device: &OwnedFd, command: &[u8], data: &mut [u8]) -> Result<ScsiAnswer, Errno> {
    const SG_IO: libc::Ioctl = 0x2285;
    const NO_DATA: i32 = -1;
    const FROM_DEVICE: i32 = -3;
    const MINUTE_MS: u32 = 60_000;
    let mut sense = [0_u8; 64];
    let mut header = SgIo {
        interface: i32::from(b'S'),
        direction: if data.is_empty() {
            NO_DATA
        } else {
            FROM_DEVICE
        },
        command_length: u8::try_from(command.len()).map_err(|_| Errno::EINVAL)?,
        sense_max: 64,
        pieces: 0,
        data_length: u32::try_from(data.len()).map_err(|_| Errno::EINVAL)?,
        data: data.as_mut_ptr(),
        command: command.as_ptr(),
        sense: sense.as_mut_ptr(),
        timeout_ms: MINUTE_MS,
        flags: 0,
        pack: 0,
        user: std::ptr::null_mut(),
        status: 0,
        masked_status: 0,
        message_status: 0,
        sense_length: 0,
        host_status: 0,
        driver_status: 0,
        left: 0,
        duration: 0,
        info: 0,
    };
    let (fd, request) = (device.as_fd().as_raw_fd(), &raw mut header);
    // SAFETY: the structure is the kernel's; it reads `command_length` bytes of `command` and writes at most
    // `data_length` bytes to `data` and `sense_max` to `sense`, which are all ours until it returns.
    let done = unsafe { libc::ioctl(fd, SG_IO, request) };
    Errno::result(done)?;
    let length = usize::from(header.sense_length).min(sense.len());
    Ok(ScsiAnswer {
        status: header.status,
        host: header.host_status,
        left: usize::try_from(header.left).unwrap_or_default(),
        sense: sense.get(..length).unwrap_or_default().to_vec(),
    })
}

/// The flags of `IOC_OPAL_GET_STATUS`, `_IOR('p', 236, struct opal_status)` of `include/uapi/linux/sed-opal.h`.
pub(super) fn opal_status(device: &OwnedFd) -> Result<u32, Errno> {
    /// `struct opal_status`: flags, and a word that is reserved.
    type Status = [u32; 2];
    const REQUEST: libc::Ioctl = nix::request_code_read!(b'p', 236, size_of::<Status>());
    let mut status: Status = [0; 2];
    let fd = device.as_fd().as_raw_fd();
    // SAFETY: the kernel writes the eight bytes of its structure, which `status` owns.
    let done = unsafe { libc::ioctl(fd, REQUEST, &raw mut status) };
    match Errno::result(done) {
        Ok(_) => Ok(status[0]),
        // A drive without it has no such command.
        Err(Errno::ENOTTY | Errno::EINVAL) => Err(Errno::EOPNOTSUPP),
        Err(errno) => Err(errno),
    }
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
