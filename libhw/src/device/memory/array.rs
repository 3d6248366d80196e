//! Groups of memory devices: SMBIOS type 16 (DSP0134 3.7 §7.17).

use serde::{Deserialize, Serialize};

use super::words::{self, word};
use super::{ErrorRecord, Range};
use crate::smbios::Structure;
use crate::units::Bytes;

/// A group of memory devices (SMBIOS type 16, DSP0134 §7.17).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Array {
    /// Its handle: `0x1000`.
    pub id: String,
    /// Where it is, in the standard's words: `System Board Or Motherboard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What it is for: `System Memory`, `Flash Memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// How errors are found and corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_correction: Option<ErrorCorrection>,
    /// The most that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_max_bytes: Option<Bytes>,
    /// How many sockets or places it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_count: Option<u16>,
    /// The last error that firmware knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// Where it appears among the addresses (SMBIOS type 19).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

/// How an array finds and corrects errors (DSP0134 §7.17.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCorrection {
    /// Errors are neither found nor corrected.
    None,
    /// Errors are found, not corrected.
    Parity,
    /// One wrong bit is corrected.
    SingleBitEcc,
    /// Several wrong bits are corrected.
    MultiBitEcc,
    /// Errors are found by a checksum.
    Crc,
    /// Firmware does not know.
    Unknown,
    /// `other`, or the code of a later version: `0x09`.
    #[serde(untagged)]
    Other(String),
}

/// "The capacity stands in the extended field."
const EXTENDED: u32 = 0x8000_0000;

/// An array without its errors and ranges.
pub(super) fn array(structure: &Structure<'_>) -> Array {
    let capacity = match structure.dword(0x07) {
        Some(EXTENDED) => structure.qword(0x0f).map(Bytes),
        kib => kib.map(|kib| Bytes::from_kib(u64::from(kib))),
    };
    Array {
        id: crate::dmi::name_of(structure.handle),
        location: word(words::LOCATION, structure.byte(0x04)),
        purpose: word(words::PURPOSE, structure.byte(0x05)),
        error_correction: structure.byte(0x06).map(ErrorCorrection::of),
        capacity_max_bytes: capacity.filter(|capacity| capacity.0 > 0),
        device_count: structure.word(0x0d),
        error: None,
        ranges: Vec::new(),
    }
}

impl ErrorCorrection {
    fn of(code: u8) -> Self {
        match code {
            0x01 => Self::Other("other".to_owned()),
            0x02 => Self::Unknown,
            0x03 => Self::None,
            0x04 => Self::Parity,
            0x05 => Self::SingleBitEcc,
            0x06 => Self::MultiBitEcc,
            0x07 => Self::Crc,
            code => Self::Other(format!("{code:#04x}")),
        }
    }
}
