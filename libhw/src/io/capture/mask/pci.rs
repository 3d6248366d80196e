//! Where PCI devices hold serial numbers: a capability in config space, and vital product data.

use std::ops::Range;

use super::Span;
use super::identity::{Kind, Notation};
use super::place;

/// The extended capabilities begin after the 256 bytes of conventional config space.
const EXTENDED: usize = 0x100;

/// Device Serial Number: 64 bits, the lower half first (PCI Express Base Specification §7.9.3).
const SERIAL_NUMBER: u32 = 0x0003;

/// The device serial number in config space.
pub(super) fn serial(config: &[u8]) -> Option<Span> {
    let mut at = EXTENDED;
    // Each takes four bytes at least: a list that is longer goes round in circles.
    for _ in 0..0x1000 / 4 {
        let header = config
            .get(at..)?
            .first_chunk()
            .copied()
            .map(u32::from_le_bytes)?;
        let range = at + 4..at + 12;
        if header & 0xffff == SERIAL_NUMBER && range.end <= config.len() {
            return Some(Span {
                range,
                kind: Kind::Eui64,
                notation: Notation::Reversed,
            });
        }
        at = usize::try_from(header >> 20).unwrap_or(0) & !3;
        if at < EXTENDED {
            return None;
        }
    }
    None
}

/// The serial numbers in vital product data.
pub(super) fn vpd_serials(vpd: &[u8]) -> Vec<Span> {
    let fields = fields(vpd).into_iter();
    fields
        .filter(|(keyword, _)| keyword == b"SN")
        .filter_map(|(_, range)| place::text(Kind::Serial, vpd, range))
        .collect()
}

/// Makes the checksum right again: all bytes up to and with the first of `RV` have the sum 0 (PCI Local Bus
/// Specification 3.0 §I.3.2).
pub(super) fn mend_vpd(vpd: &mut [u8]) {
    let Some((_, range)) = fields(vpd)
        .into_iter()
        .find(|(keyword, _)| keyword == b"RV")
    else {
        return;
    };
    let before = vpd.get(..range.start).unwrap_or_default();
    let sum = before
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if let Some(checksum) = vpd.get_mut(range).and_then(|field| field.first_mut()) {
        *checksum = sum.wrapping_neg();
    }
}

/// The keywords of the read-only part (large resource 10h), with where their values stand.
fn fields(vpd: &[u8]) -> Vec<([u8; 2], Range<usize>)> {
    const LARGE: u8 = 0x80;
    const READ_ONLY: u8 = 0x90;
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some([tag, low, high]) = vpd.get(at..).and_then(|rest| rest.first_chunk()) {
        if tag & LARGE == 0 {
            break;
        }
        let mut field = at + 3;
        at = field + usize::from(u16::from_le_bytes([*low, *high]));
        while *tag == READ_ONLY && field + 3 <= at {
            let Some([first, second, length]) =
                vpd.get(field..).and_then(|rest| rest.first_chunk())
            else {
                break;
            };
            let value = field + 3..field + 3 + usize::from(*length);
            field = value.end;
            if value.end <= vpd.len() {
                fields.push(([*first, *second], value));
            }
        }
    }
    fields
}
