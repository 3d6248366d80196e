//! The entry point in front of the structures, in its three forms (DSP0134 3.7 §5.2; the third is that of version 2.0).

use super::Version;
use crate::parse::{Expected, Parsed};

/// What the entry point says of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// The version that the table follows.
    pub version: Version,
    /// The table's bytes; in version 3 the most that it may have.
    pub length: Option<usize>,
    /// The number of structures; version 3 has none, and an end marker in its place.
    pub count: Option<usize>,
}

const EXPECTED: Expected = Expected("an SMBIOS entry point: _SM3_, _SM_ or _DMI_");
const CHECKSUM: Expected = Expected("an SMBIOS entry point whose bytes sum up to 0");

impl EntryPoint {
    /// `/sys/firmware/dmi/tables/smbios_entry_point`.
    ///
    /// # Errors
    /// When it has none of the three marks, is cut short, or its checksum is wrong.
    pub fn parse(bytes: &[u8]) -> Parsed<Self> {
        if bytes.starts_with(b"_SM3_") {
            wide(bytes)
        } else if bytes.starts_with(b"_SM_") {
            narrow(bytes)
        } else if bytes.starts_with(b"_DMI_") {
            oldest(bytes)
        } else {
            Err(EXPECTED)
        }
    }
}

/// The 64-bit entry point (§5.2.2): 24 bytes.
fn wide(bytes: &[u8]) -> Parsed<EntryPoint> {
    summed(bytes, *bytes.get(6).ok_or(EXPECTED)?, 24)?;
    let [.., major, minor, _, _, _, a, b, c, d] = *bytes.first_chunk::<16>().ok_or(EXPECTED)?;
    Ok(EntryPoint {
        version: Version { major, minor },
        length: usize::try_from(u32::from_le_bytes([a, b, c, d])).ok(),
        count: None,
    })
}

/// The 32-bit entry point (§5.2.1): 31 bytes, of which version 2.1 said that they are 30.
fn narrow(bytes: &[u8]) -> Parsed<EntryPoint> {
    summed(bytes, *bytes.get(5).ok_or(EXPECTED)?, 30)?;
    let [_, _, _, _, _, _, major, minor, ..] = *bytes.first_chunk::<8>().ok_or(EXPECTED)?;
    let version = mended(Version { major, minor });
    let table = bytes.get(0x10..).ok_or(EXPECTED)?;
    let [a, b] = *table
        .get(6..8)
        .and_then(<[u8]>::first_chunk)
        .ok_or(EXPECTED)?;
    let [c, d] = *table
        .get(12..14)
        .and_then(<[u8]>::first_chunk)
        .ok_or(EXPECTED)?;
    Ok(EntryPoint {
        version,
        length: Some(usize::from(u16::from_le_bytes([a, b]))),
        count: Some(usize::from(u16::from_le_bytes([c, d]))),
    })
}

/// The entry point of 2.0 alone: 15 bytes, its version in two decimal digits.
fn oldest(bytes: &[u8]) -> Parsed<EntryPoint> {
    summed(bytes, 15, 15)?;
    let [.., a, b, _, _, _, _, c, d, version] = *bytes.first_chunk::<15>().ok_or(EXPECTED)?;
    Ok(EntryPoint {
        version: Version {
            major: version >> 4,
            minor: version & 0x0f,
        },
        length: Some(usize::from(u16::from_le_bytes([a, b]))),
        count: Some(usize::from(u16::from_le_bytes([c, d]))),
    })
}

/// Whether the first `length` bytes are there, at least `least`, and sum up to 0.
fn summed(bytes: &[u8], length: u8, least: usize) -> Parsed<()> {
    let bytes = bytes.get(..usize::from(length)).ok_or(EXPECTED)?;
    if bytes.len() < least {
        return Err(EXPECTED);
    }
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if sum == 0 { Ok(()) } else { Err(CHECKSUM) }
}

/// Versions that firmware is known to write wrongly, each with what it follows.
fn mended(version: Version) -> Version {
    let minor = match (version.major, version.minor) {
        (2, 31 | 33) => 3,
        (2, 51) => 6,
        (_, minor) => minor,
    };
    Version { minor, ..version }
}
