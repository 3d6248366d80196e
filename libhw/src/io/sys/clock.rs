//! What PTP clocks and the system's clock are asked.
#![expect(
    unsafe_code,
    reason = "PTP clocks' ioctls and clock_adjtime have no safe wrapper"
)]

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

/// The words of `struct ptp_clock_caps` (`include/uapi/linux/ptp_clock.h`): maximal adjustment, alarms, external
/// timestamps, periodic outputs, PPS, pins, cross-timestamping, phase adjustment and its maximum, reserved.
pub(in crate::io) fn ptp_capabilities(clock: BorrowedFd<'_>) -> Result<[i32; 20], Errno> {
    /// `PTP_CLOCK_GETCAPS`.
    const GETCAPS: libc::Ioctl = libc::_IOR::<[i32; 20]>(b'=' as u32, 1);
    let mut words = [0_i32; 20];
    let pointer = words.as_mut_ptr();
    // SAFETY: the kernel writes `struct ptp_clock_caps`, 80 bytes, to `pointer`, and `words` owns 20 words of 4.
    let answer = unsafe { libc::ioctl(clock.as_raw_fd(), GETCAPS, pointer) };
    Errno::result(answer).map(|_| words)
}

/// How the kernel keeps time: adjtimex(2) without a mode, which changes nothing.
pub(in crate::io) fn discipline() -> Result<(i32, libc::timex), Errno> {
    let mut timex = std::mem::MaybeUninit::<libc::timex>::zeroed();
    let pointer = timex.as_mut_ptr();
    // SAFETY: with `modes` zero the kernel only writes the struct at `pointer`, which `timex` owns.
    let answer = unsafe { libc::adjtimex(pointer) };
    let state = Errno::result(answer)?;
    // SAFETY: it consists of integers, was all zeros, and the kernel has filled it in.
    Ok((state, unsafe { timex.assume_init() }))
}
