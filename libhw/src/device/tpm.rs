//! Trusted platform modules.
//!
//! From `Documentation/ABI/stable/sysfs-class-tpm`. Nearly everything that is told of a chip asks the chip, which
//! takes milliseconds to seconds and waits for whoever else talks to it: without a deep look there is only what the
//! kernel knows itself. A chip of version 2 tells who made it to a command only (TPM 2.0 Library part 3,
//! `TPM2_GetCapability`), which goes through /dev/tpmrmN.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

mod chip;
mod properties;
mod version1;

pub use properties::Properties;

/// The trusted platform modules of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tpm {
    /// By number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chips: Vec<Chip>,
}

/// One chip, or firmware or a hypervisor that acts as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Chip {
    /// The kernel's name: `tpm0`.
    pub id: String,
    /// `tpm_version_major`; kernels before 5.5 tell it by what else is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The driver: `tpm_tis`, `tpm_crb`, `tpm_ibmvtpm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The device that it is, by the kernel's name: `MSFT0101:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// `ppi/version`: the physical presence interface of the firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_presence_version: Option<String>,
    /// `/sys/kernel/security/tpmN`: whether firmware's log of what it measured is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_log: Option<bool>,
    /// Banks of platform configuration registers (`pcr-sha256`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banks: Vec<Bank>,
    /// What the chip says of itself; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deep: Option<Deep>,
}

/// The version of the specification that a chip follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Version {
    /// 1.1 or 1.2.
    #[serde(rename = "1.2")]
    One,
    /// 2.0.
    #[serde(rename = "2.0")]
    Two,
    /// A number of a later kernel.
    #[serde(untagged)]
    Other(String),
}

/// The platform configuration registers of one hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bank {
    /// The hash: `sha256`.
    pub id: String,
    /// How many registers.
    pub pcr_count: u32,
    /// By register its digits; only in a deep look.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pcrs: BTreeMap<u32, String>,
}

/// What a chip says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Deep {
    /// Who made it, in the four letters of the TCG's list: `INTC`, `IFX`, `STM`, `NTC`, `AMD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// The model, in the maker's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_string: Option<String>,
    /// The version of its firmware: `7.85.4555.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// The revision of the specification: `1.38`; of version 1 the whole version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specification: Option<String>,
    /// The year of the specification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specification_year: Option<u32>,
    /// Whether it was designed to FIPS 140-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fips_140_2: Option<bool>,
    /// `enabled`, of version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `active`, of version 1: it accepts commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// `owned`, and of version 2 whether the owner has set an authorisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owned: Option<bool>,
    /// `temp_deactivated`, of version 1: until the next power cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivated: Option<bool>,
    /// Whether it refuses authorisations, after too many wrong ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_lockout: Option<bool>,
    /// How many wrong authorisations it remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_counter: Option<u32>,
    /// How many it takes until the lockout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_limit: Option<u32>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Tpm {
    Tpm {
        chips: chip::discover(survey),
    }
}

/// Reads again what changes without an event: nothing, since it would ask the chip.
pub const fn refresh(_tpm: &mut Tpm, _survey: &Survey<'_>) {}

#[cfg(test)]
mod tests;
