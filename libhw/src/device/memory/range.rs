//! Physical addresses of arrays and sticks: SMBIOS types 19 and 20 (DSP0134 3.7 §7.20 and §7.21).

use serde::{Deserialize, Serialize};

use crate::smbios::Structure;
use crate::units::Bytes;

/// Physical addresses (SMBIOS types 19 and 20, DSP0134 §7.20 and §7.21).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Range {
    /// The first address.
    pub start: u64,
    /// How many bytes.
    pub size_bytes: Bytes,
    /// Type 19: how many devices form one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_width: Option<u8>,
    /// Type 20: the device's place in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_position: Option<u8>,
    /// Type 20: the device's place in an interleave; 0 is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interleave_position: Option<u8>,
    /// Type 20: how many rows are interleaved at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interleave_depth: Option<u8>,
}

/// "The addresses stand in the extended fields", which count bytes and not kibibytes.
const EXTENDED: u32 = u32::MAX;

/// Type 19: where an array is.
pub(super) fn of_array(structure: &Structure<'_>) -> Option<Range> {
    Some(Range {
        partition_width: structure.byte(0x0e),
        ..addresses(structure, 0x0f)?
    })
}

/// Type 20: where a device is.
pub(super) fn of_device(structure: &Structure<'_>) -> Option<Range> {
    let known = |at| structure.byte(at).filter(|position| *position != 0xff);
    Some(Range {
        row_position: known(0x10),
        interleave_position: known(0x11),
        interleave_depth: known(0x12),
        ..addresses(structure, 0x13)?
    })
}

/// The first address and the last one, which is of the range too; `None` for a range that ends before it begins.
fn addresses(structure: &Structure<'_>, extended: usize) -> Option<Range> {
    let (start, last) = match (structure.dword(0x04)?, structure.dword(0x08)?) {
        (EXTENDED, _) => (structure.qword(extended)?, structure.qword(extended + 8)?),
        (start, end) => (u64::from(start) << 10, (u64::from(end) << 10) | 0x3ff),
    };
    let size = last.checked_sub(start)?.checked_add(1)?;
    Some(Range {
        start,
        size_bytes: Bytes(size),
        ..Range::default()
    })
}
