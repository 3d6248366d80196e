//! PTP hardware clocks, PPS sources, GNSS receivers, and how the kernel keeps the system's time.
//!
//! From /sys/class/ptp, /sys/class/pps, /sys/class/gnss and /sys/devices/system/clocksource
//! (`Documentation/ABI/testing/sysfs-ptp`, `.../sysfs-pps`, `.../sysfs-class-gnss`, `Documentation/driver-api/pps.rst`), and
//! adjtimex(2) without a mode, which changes nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::survey::Survey;
use crate::word::words;

mod clock;
mod gnss;
mod pps;
mod system;

pub use gnss::{Gnss, GnssProtocol};
pub use pps::{Pps, PpsEvent, PpsNow};
pub use system::{Clocksource, Discipline, SystemTime};

/// Clocks and what disciplines them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PtpClock {
    /// PTP hardware clocks, by number; those of a hypervisor and virtual ones too.
    pub clocks: Vec<Clock>,
    /// Pulses per second that the kernel stamps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pps: Vec<Pps>,
    /// GNSS receivers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gnss: Vec<Gnss>,
    /// What counts the system's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clocksource: Option<Clocksource>,
    /// How the system's time is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemTime>,
}

words! {
    /// What a clock is on.
    pub enum ClockKind {
        /// A device of this machine.
        Hardware = "hardware",
        /// The host of this virtual machine (`ptp_kvm`, `ptp_vmclock`, `ptp_vmw`, Hyper-V).
        Hypervisor = "hypervisor",
        /// Made by the kernel on top of another clock.
        Virtual = "virtual",
        /// Stands in for a clock in tests (`ptp_mock`).
        Mock = "mock",
    }

    /// What a pin of a clock does.
    pub enum PinFunction {
        /// Nothing.
        None = "none",
        /// Stamps what comes in.
        ExternalTimestamp = "external_timestamp",
        /// Sends a periodic signal.
        PeriodicOutput = "periodic_output",
        /// Measures or keeps the PHY's phase.
        PhySync = "phy_sync",
    }
}

/// One PTP hardware clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Clock {
    /// Its name, `ptp0`: the device is `/dev/ptp0`.
    pub id: String,
    /// `clock_name`: the driver's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ClockKind>,
    /// The PCI function that it is on, as `pci.functions[].id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The device that it is on, as its bus calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The interfaces of that device, in sysfs; what stamps with this clock, `join::interfaces_of_clock` tells.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub interfaces: BTreeSet<String>,
    /// The clock that it is made on, of a virtual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `max_adjustment`: how much its rate can be changed, in parts per billion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_adjustment_ppb: Option<u64>,
    /// `max_phase_adjustment`: of a clock with a servo of its own, in nanoseconds (Linux 6.6); 0 is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_phase_adjustment_ns: Option<u64>,
    /// `n_alarms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<u32>,
    /// `n_external_timestamps`: channels that stamp what comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_timestamps: Option<u32>,
    /// `n_periodic_outputs`: channels that send a periodic signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periodic_outputs: Option<u32>,
    /// `n_programmable_pins`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programmable_pins: Option<u32>,
    /// `pps_available`: whether it can tell the kernel of each second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pps: Option<bool>,
    /// Whether it and the system's clock are read at one moment, by hardware (PCIe PTM, ART); only in a deep look,
    /// which opens the device to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_timestamping: Option<bool>,
    /// `max_vclocks`: how many virtual clocks may be made on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_clocks_max: Option<u32>,
    /// `n_vclocks`: how many there are. While there are any the clock itself runs free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_clocks: Option<u32>,
    /// `pins`, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<ClockPin>,
}

/// A pin of a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClockPin {
    /// Its name, `SDP0`.
    pub id: String,
    /// What changes without an event.
    #[serde(default)]
    pub now: ClockPinNow,
}

/// How a pin is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ClockPinNow {
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<PinFunction>,
    /// On which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<u32>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> PtpClock {
    PtpClock {
        clocks: clock::discover(survey),
        pps: pps::discover(survey),
        gnss: gnss::discover(survey),
        clocksource: system::clocksource(survey),
        system: system::discover(survey),
    }
}

/// Reads again what changes without an event.
pub fn refresh(clock: &mut PtpClock, survey: &Survey<'_>) {
    for clock in &mut clock.clocks {
        clock::refresh(clock, survey);
    }
    for pps in &mut clock.pps {
        pps.now = pps::now(survey, &pps.id);
    }
    if clock.system.is_some() {
        clock.system = system::discover(survey);
    }
}

#[cfg(test)]
mod tests;
