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

/// Opens a device to ask it, never to change it.
pub(super) fn open_device(path: &str) -> Result<OwnedFd, Errno> {
    nix::fcntl::open(path, FILE | OFlag::O_CLOEXEC, Mode::empty())
}

/// `include/uapi/linux/sockios.h`.
const SIOCETHTOOL: libc::Ioctl = 0x8946;

/// `ETHTOOL_GDRVINFO`, `include/uapi/linux/ethtool.h`.
const ETHTOOL_GDRVINFO: u32 = 3;

/// `ETHTOOL_GET_TS_INFO`.
const ETHTOOL_GET_TS_INFO: u32 = 0x41;

/// `struct ethtool_drvinfo`.
#[repr(C)]
#[derive(Clone, Copy)]
struct EthtoolDrvinfo {
    cmd: u32,
    driver: [u8; 32],
    version: [u8; 32],
    fw_version: [u8; 32],
    bus_info: [u8; 32],
    erom_version: [u8; 32],
    reserved2: [u8; 12],
    counts: [u32; 5],
}
const _: () = assert!(size_of::<EthtoolDrvinfo>() == 196);

/// `struct ethtool_ts_info`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct EthtoolTsInfo {
    cmd: u32,
    so_timestamping: u32,
    phc_index: i32,
    tx_types: u32,
    tx_reserved: [u32; 3],
    rx_filters: u32,
    rx_reserved: [u32; 3],
}
const _: () = assert!(size_of::<EthtoolTsInfo>() == 44);

/// What a network driver says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct DriverAnswer {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) firmware: String,
    pub(super) expansion_rom: String,
    pub(super) bus: String,
}

/// The timestamps that a network driver can make, as masks; a PHC of -1 is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimestampingAnswer {
    pub(super) modes: u32,
    pub(super) phc: i32,
    pub(super) tx_types: u32,
    pub(super) rx_filters: u32,
}

/// `ethtool -i`; `None` where the driver does not say.
pub(super) fn ethtool_driver(interface: &str) -> Result<Option<DriverAnswer>, Errno> {
    let mut answer = EthtoolDrvinfo {
        cmd: ETHTOOL_GDRVINFO,
        driver: [0; 32],
        version: [0; 32],
        fw_version: [0; 32],
        bus_info: [0; 32],
        erom_version: [0; 32],
        reserved2: [0; 12],
        counts: [0; 5],
    };
    if !ethtool(interface, &raw mut answer)? {
        return Ok(None);
    }
    Ok(Some(DriverAnswer {
        name: text_of(&answer.driver),
        version: text_of(&answer.version),
        firmware: text_of(&answer.fw_version),
        expansion_rom: text_of(&answer.erom_version),
        bus: text_of(&answer.bus_info),
    }))
}

/// `ethtool -T` of kernels without netlink for it; `None` where the driver does not say.
pub(super) fn ethtool_timestamping(interface: &str) -> Result<Option<TimestampingAnswer>, Errno> {
    let mut answer = EthtoolTsInfo {
        cmd: ETHTOOL_GET_TS_INFO,
        ..EthtoolTsInfo::default()
    };
    Ok(
        ethtool(interface, &raw mut answer)?.then_some(TimestampingAnswer {
            modes: answer.so_timestamping,
            phc: answer.phc_index,
            tx_types: answer.tx_types,
            rx_filters: answer.rx_filters,
        }),
    )
}

/// Has a driver fill in `command`, whose first word says which it is; whether it did.
fn ethtool<T>(interface: &str, command: *mut T) -> Result<bool, Errno> {
    let socket = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Netlink,
        nix::sys::socket::SockType::Raw,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        nix::sys::socket::SockProtocol::NetlinkRoute,
    )?;
    let mut name = [0; libc::IFNAMSIZ];
    let room = name.iter_mut().take(libc::IFNAMSIZ - 1);
    for (place, byte) in room.zip(interface.bytes()) {
        *place = libc::c_char::from_ne_bytes([byte]);
    }
    let mut request = libc::ifreq {
        ifr_name: name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru {
            ifru_data: command.cast(),
        },
    };
    let (fd, pointer) = (socket.as_raw_fd(), &raw mut request);
    // SAFETY: the kernel writes the struct that the command's first word names into `command`, which is one of
    // that size (asserted above) and lives as long as the call; it keeps no pointer.
    let answer = unsafe { libc::ioctl(fd, SIOCETHTOOL, pointer) };
    match Errno::result(answer) {
        Ok(_) => Ok(true),
        Err(Errno::EOPNOTSUPP | Errno::ENODEV | Errno::EINVAL | Errno::ENOTTY) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Bytes up to the first NUL.
fn text_of(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).trim().to_owned()
}

/// The words of `struct ptp_clock_caps` (`include/uapi/linux/ptp_clock.h`): maximal adjustment, alarms, external
/// timestamps, periodic outputs, PPS, pins, cross-timestamping, phase adjustment and its maximum, reserved.
pub(super) fn ptp_capabilities(clock: BorrowedFd<'_>) -> Result<[i32; 20], Errno> {
    /// `PTP_CLOCK_GETCAPS`.
    const GETCAPS: libc::Ioctl = libc::_IOR::<[i32; 20]>(b'=' as u32, 1);
    let mut words = [0_i32; 20];
    let pointer = words.as_mut_ptr();
    // SAFETY: the kernel writes `struct ptp_clock_caps`, 80 bytes, to `pointer`, and `words` owns 20 words of 4.
    let answer = unsafe { libc::ioctl(clock.as_raw_fd(), GETCAPS, pointer) };
    Errno::result(answer).map(|_| words)
}

/// How the kernel keeps time: adjtimex(2) without a mode, which changes nothing.
pub(super) fn discipline() -> Result<(i32, libc::timex), Errno> {
    let mut timex = std::mem::MaybeUninit::<libc::timex>::zeroed();
    let pointer = timex.as_mut_ptr();
    // SAFETY: with `modes` zero the kernel only writes the struct at `pointer`, which `timex` owns.
    let answer = unsafe { libc::adjtimex(pointer) };
    let state = Errno::result(answer)?;
    // SAFETY: it consists of integers, was all zeros, and the kernel has filled it in.
    Ok((state, unsafe { timex.assume_init() }))
}

/// Joins a netlink multicast group whose number has no bit in an address.
pub(super) fn join_netlink_group(socket: &OwnedFd, group: u32) -> Result<(), Errno> {
    let (fd, pointer) = (socket.as_raw_fd(), (&raw const group).cast());
    let size = libc::socklen_t::try_from(size_of::<u32>()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel reads `size` bytes at `pointer`, which are those of `group`.
    let answer = unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_NETLINK,
            libc::NETLINK_ADD_MEMBERSHIP,
            pointer,
            size,
        )
    };
    Errno::result(answer).map(drop)
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
