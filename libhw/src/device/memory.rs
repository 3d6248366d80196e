//! Memory as hardware: sockets and sticks, the controllers that count their errors, CXL expanders, hot-plug blocks.
//!
//! Sticks come from the SMBIOS tables (`Documentation/ABI/testing/sysfs-firmware-dmi-tables`, DSP0134 3.7 §7.17-§7.21),
//! which only root may read; counters from EDAC (`Documentation/ABI/testing/sysfs-devices-edac`); blocks from
//! `Documentation/ABI/testing/sysfs-devices-memory`; expanders from `Documentation/ABI/testing/sysfs-bus-cxl`.
//! Which counter belongs to which stick is a question for [`crate::join`].

use serde::{Deserialize, Serialize};

use crate::survey::Survey;
use crate::units::Bytes;

mod array;
mod blocks;
mod cxl;
mod edac;
mod error_record;
mod jep106;
mod meminfo;
mod range;
mod stick;
mod tables;
mod words;

pub use array::{Array, ErrorCorrection};
pub use blocks::{Blocks, NodeBlocks};
pub use cxl::{CxlMemory, CxlMemoryNow, CxlSecurity};
pub use edac::{EdacChannel, EdacController, EdacControllerNow, EdacDimm, EdacDimmNow, EdacKind};
pub use error_record::ErrorRecord;
pub use range::Range;
pub use stick::{Device, ManufacturerId, Population};

/// The memory of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Memory {
    /// What the kernel can use: `MemTotal` of /proc/meminfo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<Bytes>,
    /// The version of the SMBIOS tables: `3.4`; none where there are none, or we may not read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smbios_version: Option<String>,
    /// What sticks are plugged into (SMBIOS type 16), in the tables' order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arrays: Vec<Array>,
    /// Memory devices (SMBIOS type 17): a row for each socket, with its stick or empty, in the tables' order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// EDAC's memory controllers (`/sys/devices/system/edac/mc/mcN`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edac_controllers: Vec<EdacController>,
    /// What EDAC counts errors for: sticks, ranks or rows of chips, as the driver sees them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edac_dimms: Vec<EdacDimm>,
    /// CXL memory devices (`/sys/bus/cxl/devices/memN`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cxl: Vec<CxlMemory>,
    /// The blocks that the kernel can take in and out of use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Blocks>,
    /// What changes without an event.
    pub now: MemoryNow,
}

/// What changes in memory without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryNow {
    /// `MemAvailable`: what a new program could have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<Bytes>,
    /// `HardwareCorrupted`: pages that the kernel has given up, since their memory is poisoned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_corrupted_bytes: Option<Bytes>,
    /// `EarlyMemtestBad`: what the kernel's own test at boot found bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_memtest_bad_bytes: Option<Bytes>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Memory {
    let tables = tables::read(survey);
    let (total_bytes, now) = meminfo::read(survey);
    let (edac_controllers, edac_dimms) = edac::discover(survey);
    Memory {
        total_bytes,
        smbios_version: tables.version,
        arrays: tables.arrays,
        devices: tables.devices,
        edac_controllers,
        edac_dimms,
        cxl: cxl::discover(survey),
        blocks: blocks::discover(survey),
        now,
    }
}

/// Reads again what changes without an event: counters, and what is available.
pub fn refresh(memory: &mut Memory, survey: &Survey<'_>) {
    edac::refresh(&mut memory.edac_controllers, &mut memory.edac_dimms, survey);
    cxl::refresh(&mut memory.cxl, survey);
    (_, memory.now) = meminfo::read(survey);
}

#[cfg(test)]
mod tests;
