//! Clocks, as ioctls and adjtimex(2) tell of them; nothing is set.

use std::os::fd::AsFd;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::io::netlink::{LIMIT, deadline};
use crate::io::root::Root;
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

/// What `ptpN` can do; opens `/dev/ptpN`, to read. `None` on a tree without a record of it.
///
/// # Errors
/// Denied, or when the driver does not answer in time.
pub(crate) fn capabilities(root: &Root, clock: u32) -> Result<Option<Capabilities>> {
    root.probe(&format!("ptp-caps-ptp{clock}"), || {
        deadline::within(LIMIT, move || {
            let device = match sys::open_device(&format!("/dev/ptp{clock}")) {
                Err(Errno::ENOENT) => return Ok(None),
                device => device?,
            };
            let words = sys::ptp_capabilities(device.as_fd())?;
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
            Ok(Some(Capabilities {
                max_adjustment_ppb,
                cross_timestamping: cross != 0,
                adjust_phase: adjust_phase != 0,
                max_phase_adjustment_ns,
            }))
        })
    })
}

/// How the kernel keeps time; `None` on a tree without a record of it.
///
/// # Errors
/// When a sandbox forbids to ask.
pub(crate) fn discipline(root: &Root) -> Result<Option<Discipline>> {
    root.probe("adjtimex", || {
        let (state, timex) = sys::discipline()?;
        // STA_NANO: offsets in nanoseconds, else in microseconds.
        let scale = if timex.status & libc::STA_NANO == 0 {
            1000
        } else {
            1
        };
        Ok(Some(Discipline {
            state,
            status: timex.status,
            offset_ns: timex.offset.saturating_mul(scale),
            frequency_scaled_ppm: timex.freq,
            maxerror_us: timex.maxerror,
            esterror_us: timex.esterror,
            tai_offset_s: timex.tai,
        }))
    })
}
