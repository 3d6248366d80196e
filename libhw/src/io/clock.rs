//! Clocks, as ioctls and adjtimex(2) tell of them; nothing is set.

use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::io::sys;

/// What a PTP hardware clock can do (`struct ptp_clock_caps`, `include/uapi/linux/ptp_clock.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Parts per billion.
    pub max_adjustment_ppb: i32,
    /// `cross_timestamping`: it and the system's clock are read at one moment, by hardware (PTM).
    pub cross_timestamping: bool,
    /// `adjust_phase`: it has a servo of its own.
    pub adjust_phase: bool,
    /// Nanoseconds, of its own servo (Linux 6.6).
    pub max_phase_adjustment_ns: i32,
}

/// How the kernel keeps the system's time (adjtimex(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Discipline {
    /// What adjtimex returns: 0 `TIME_OK`, 5 `TIME_ERROR`.
    pub state: i32,
    /// `STA_*`.
    pub status: i32,
    /// Nanoseconds that are still to be slewed.
    pub offset_ns: i64,
    /// Parts per million times 65536.
    pub frequency_scaled_ppm: i64,
    /// Microseconds.
    pub maxerror_us: i64,
    /// Microseconds.
    pub esterror_us: i64,
    /// Seconds between TAI and UTC; 0 where nobody has set them.
    pub tai_offset_s: i32,
}

/// What the clock behind a device file can do.
///
/// # Errors
/// The driver's.
pub(in crate::io) fn capabilities(device: BorrowedFd<'_>) -> Result<Capabilities, Errno> {
    let words = sys::clock::ptp_capabilities(device)?;
    let [
        max_adjustment_ppb,
        _,
        _,
        _,
        _,
        _,
        cross,
        adjust_phase,
        max_phase_adjustment_ns,
        ..,
    ] = words;
    Ok(Capabilities {
        max_adjustment_ppb,
        cross_timestamping: cross != 0,
        adjust_phase: adjust_phase != 0,
        max_phase_adjustment_ns,
    })
}

/// How the kernel keeps time.
///
/// # Errors
/// When a sandbox forbids to ask.
pub(in crate::io) fn discipline() -> Result<Discipline, Errno> {
    let (state, timex) = sys::clock::discipline()?;
    // STA_NANO: offsets in nanoseconds, else in microseconds.
    let scale = if timex.status & libc::STA_NANO == 0 {
        1000
    } else {
        1
    };
    Ok(Discipline {
        state,
        status: timex.status,
        offset_ns: timex.offset.saturating_mul(scale),
        frequency_scaled_ppm: timex.freq,
        maxerror_us: timex.maxerror,
        esterror_us: timex.esterror,
        tai_offset_s: timex.tai,
    })
}
