//! The system calls behind [`super::root`], and the only unsafe code of the crate.
#![expect(
    unsafe_code,
    reason = "getdents64 has no safe wrapper that keeps the descriptor count down; madvise and close_range have none"
    reason = "getdents64 has no safe wrapper that keeps the descriptor count down; madvise, the ioctls of network devices and PTP clocks, clock_adjtime and netlink groups have none"
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

/// Leaves none of our descriptors but the standard ones to the programs that we start (Linux 5.11); an older kernel
/// does not know how, and those that this crate opens are none of theirs anyway.
pub(super) fn close_on_exec() {
    let (first, last, flags) = (3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: takes three numbers, touches no memory, and closes nothing in this process.
    let _ = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
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
    Ok(ethtool(interface, &raw mut answer)?.then_some(TimestampingAnswer {
        modes: answer.so_timestamping,
        phc: answer.phc_index,
        tx_types: answer.tx_types,
        rx_filters: answer.rx_filters,
    }))
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
        libc::setsockopt(fd, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, pointer, size)
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
