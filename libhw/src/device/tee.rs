//! Trusted execution: what this host can start guests in, and what it is itself a guest of.
//!
//! Host and guest are told apart: a host's ability stands in the parameters of its hypervisor, in devices of
//! /sys/class/misc and in the limits of the misc cgroup controller; a guest has a device to ask for its attestation.
//! What the CPU has of it are the cpu class's flags; [`crate::join`] puts the two together.

use serde::{Deserialize, Serialize};

use crate::survey::Survey;
use crate::units::Bytes;

mod epc;
mod evidence;
mod technology;
mod trusted_os;

/// What there is of trusted execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tee {
    /// Those of which the kernel knows something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub technologies: Vec<Technology>,
    /// SGX's protected memory by node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sgx_epc: Vec<SgxEpc>,
    /// Trusted operating systems beside this one (`/sys/class/tee/teeN`): OP-TEE, AMD's, Qualcomm's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_os: Vec<TrustedOs>,
    /// `/sys/kernel/config/tsm/report` is there: a guest can ask for its attestation report.
    pub report: bool,
}

/// One technology.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Technology {
    /// Which.
    pub id: Name,
    /// Whether this machine can be a host of it.
    #[serde(default)]
    pub host: Host,
    /// Whether this machine is a guest of it.
    #[serde(default)]
    pub guest: bool,
    /// The devices through which it is used (`/sys/class/misc`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// How much of it there is (`misc.capacity` of the misc cgroup controller, `query/max_guests` on s390): guests, or
    /// bytes of SGX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// What changes without an event.
    #[serde(default)]
    pub now: TechnologyNow,
}

/// What changes in a technology without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TechnologyNow {
    /// How much of the capacity is in use (`misc.current`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// The technologies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// AMD Secure Encrypted Virtualization: memory.
    Sev,
    /// AMD SEV Encrypted State: registers too.
    SevEs,
    /// AMD SEV Secure Nested Paging: integrity too.
    SevSnp,
    /// Intel Trust Domain Extensions.
    Tdx,
    /// Intel Software Guard Extensions: enclaves within a process.
    Sgx,
    /// Arm Confidential Compute Architecture.
    Cca,
    /// Protected KVM on Arm.
    Pkvm,
    /// IBM Secure Execution on s390.
    SecureExecution,
    /// Protected Execution Facility on POWER.
    Pef,
    /// AWS Nitro Enclaves.
    Nitro,
}

/// Whether a machine can be a host of a technology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// It can.
    Enabled,
    /// The hypervisor knows it, and has it off or cannot.
    Disabled,
    /// Nothing tells.
    #[default]
    Unknown,
}

/// SGX's protected memory on a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SgxEpc {
    /// The node.
    pub id: u32,
    /// `nodeN/x86/sgx_total_bytes` (`Documentation/ABI/stable/sysfs-devices-node`).
    pub size_bytes: Bytes,
}

/// A trusted operating system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustedOs {
    /// The kernel's name: `tee0`.
    pub id: String,
    /// The driver: `optee`, `amdtee`, `qcomtee`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `rpmb_routing_model`: who keeps its data: `user`, `kernel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpmb_routing_model: Option<String>,
    /// `revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Its applications that the kernel uses (`/sys/bus/tee/devices`): `optee-ta-…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<String>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Tee {
    Tee {
        technologies: technology::discover(survey),
        sgx_epc: epc::discover(survey),
        trusted_os: trusted_os::discover(survey),
        report: !survey.names("sys/kernel/config/tsm").is_empty(),
    }
}

/// Reads again what changes without an event: how much of each capacity is in use.
pub fn refresh(tee: &mut Tee, survey: &Survey<'_>) {
    technology::refresh(&mut tee.technologies, survey);
}

#[cfg(test)]
mod tests;
