//! Errors that firmware remembers: SMBIOS types 18 and 33 (DSP0134 3.7 §7.19 and §7.34).

use serde::{Deserialize, Serialize};

use super::words::{self, word};
use crate::smbios::Structure;
use crate::units::Bytes;

/// An error that firmware remembers (SMBIOS types 18 and 33, DSP0134 §7.19 and §7.34).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorRecord {
    /// `Bad read`, `Corrected single-bit error`, `Uncorrectable error`, ... (§7.19.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `Device level` or `Memory partition level` (§7.19.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granularity: Option<String>,
    /// What was being done: `Read`, `Write`, `Partial write` (§7.19.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The vendor's syndrome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syndrome: Option<u32>,
    /// Where in the array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array_address: Option<u64>,
    /// Where in the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_address: Option<u64>,
    /// Within how many bytes the address is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_bytes: Option<Bytes>,
}

/// An address or a resolution that firmware does not know.
const UNKNOWN_32: u32 = 0x8000_0000;
const UNKNOWN_64: u64 = 0x8000_0000_0000_0000;

/// Type 18, whose addresses have 32 bits.
pub(super) fn narrow(structure: &Structure<'_>) -> ErrorRecord {
    let address = |at| structure.dword(at).filter(|known| *known != UNKNOWN_32);
    ErrorRecord {
        array_address: address(0x0b).map(u64::from),
        device_address: address(0x0f).map(u64::from),
        resolution_bytes: address(0x13).map(|bytes| Bytes(u64::from(bytes))),
        ..head(structure)
    }
}

/// Type 33, whose addresses have 64 bits.
pub(super) fn wide(structure: &Structure<'_>) -> ErrorRecord {
    let address = |at| structure.qword(at).filter(|known| *known != UNKNOWN_64);
    let resolution = structure.dword(0x1b).filter(|known| *known != UNKNOWN_32);
    ErrorRecord {
        array_address: address(0x0b),
        device_address: address(0x13),
        resolution_bytes: resolution.map(|bytes| Bytes(u64::from(bytes))),
        ..head(structure)
    }
}

/// What both begin with.
fn head(structure: &Structure<'_>) -> ErrorRecord {
    ErrorRecord {
        kind: word(words::ERROR_KIND, structure.byte(0x04)),
        granularity: word(words::ERROR_GRANULARITY, structure.byte(0x05)),
        operation: word(words::ERROR_OPERATION, structure.byte(0x06)),
        syndrome: structure.dword(0x07).filter(|syndrome| *syndrome > 0),
        ..ErrorRecord::default()
    }
}
