//! Commands to drives.
#![expect(unsafe_code, reason = "drives' ioctls have no safe wrapper")]

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;

/// An NVMe admin command that reads: what of `struct nvme_passthru_cmd` is not zero.
#[derive(Clone, Copy, Debug)]
pub(in crate::io) struct NvmeCommand {
    pub(in crate::io) opcode: u8,
    pub(in crate::io) namespace: u32,
    pub(in crate::io) dword10: u32,
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
pub(in crate::io) fn nvme_admin(
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
pub(in crate::io) struct ScsiAnswer {
    /// The drive's status byte, 0 for good.
    pub(in crate::io) status: u8,
    /// The host adapter's status, 0 for good.
    pub(in crate::io) host: u16,
    /// Bytes that were asked for and did not come.
    pub(in crate::io) left: usize,
    /// The sense data.
    pub(in crate::io) sense: Vec<u8>,
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
pub(in crate::io) fn scsi(
    device: &OwnedFd,
    command: &[u8],
    data: &mut [u8],
) -> Result<ScsiAnswer, Errno> {
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
pub(in crate::io) fn opal_status(device: &OwnedFd) -> Result<u32, Errno> {
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
