//! What a network driver is asked by ioctl, where the kernel has no netlink for it, and netlink's groups.
#![expect(
    unsafe_code,
    reason = "network devices' ioctls have no safe wrapper, nor have netlink groups"
)]

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;

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
pub(in crate::io) struct DriverAnswer {
    pub(in crate::io) name: String,
    pub(in crate::io) version: String,
    pub(in crate::io) firmware: String,
    pub(in crate::io) expansion_rom: String,
    pub(in crate::io) bus: String,
}

/// The timestamps that a network driver can make, as masks; a PHC of -1 is none.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::io) struct TimestampingAnswer {
    pub(in crate::io) modes: u32,
    pub(in crate::io) phc: i32,
    pub(in crate::io) tx_types: u32,
    pub(in crate::io) rx_filters: u32,
}

/// `ethtool -i`; `None` where the driver does not say.
pub(in crate::io) fn ethtool_driver(interface: &str) -> Result<Option<DriverAnswer>, Errno> {
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
pub(in crate::io) fn ethtool_timestamping(
    interface: &str,
) -> Result<Option<TimestampingAnswer>, Errno> {
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

/// Joins a netlink multicast group whose number has no bit in an address.
pub(in crate::io) fn join_netlink_group(socket: &OwnedFd, group: u32) -> Result<(), Errno> {
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
