//! Identities in LLDP frames as systemd-networkd keeps them: the sender's address, and the names and addresses by which
//! its chassis, its port and its management are told (IEEE 802.1AB clause 8).

use std::ops::Range;

use super::Span;
use super::identity::{Kind, Notation};
use super::place;

/// Destination, source and type of an Ethernet frame.
const HEADER: usize = 14;

/// The identities in a file of frames, each after its length in 64 bits.
pub(super) fn spans(bytes: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(length) = bytes
        .get(at..at + 8)
        .and_then(|length| length.first_chunk().copied())
        .and_then(|length| usize::try_from(u64::from_le_bytes(length)).ok())
    {
        let start = at + 8;
        let Some(end) = start.checked_add(length).filter(|end| *end <= bytes.len()) else {
            break;
        };
        if length >= HEADER {
            spans.push(mac(start + 6..start + 12));
            in_frame(bytes, start + HEADER..end, &mut spans);
        }
        at = end;
    }
    spans
}

fn in_frame(bytes: &[u8], frame: Range<usize>, spans: &mut Vec<Span>) {
    let mut at = frame.start;
    while let Some([high, low]) = bytes.get(at..at + 2) {
        let head = u16::from_be_bytes([*high, *low]);
        let (kind, length) = (head >> 9, usize::from(head & 0x1ff));
        let value = at + 2..at + 2 + length;
        if kind == 0 || value.end > frame.end {
            return;
        }
        let subtype = bytes.get(value.start).copied().filter(|_| length > 0);
        match (kind, subtype) {
            // A chassis or a port by its MAC address.
            (1, Some(4)) | (2, Some(3)) if length == 7 => {
                spans.push(mac(value.start + 1..value.end));
            }
            // A chassis by a text of its owner's or its vendor's.
            (1, Some(1 | 2 | 6 | 7)) => {
                spans.extend(place::text(Kind::Name, bytes, value.start + 1..value.end));
            }
            (5, _) => spans.extend(place::text(Kind::Name, bytes, value.clone())),
            _ => {}
        }
        at = value.end;
    }
}

const fn mac(range: Range<usize>) -> Span {
    Span {
        range,
        kind: Kind::Mac,
        notation: Notation::Bytes,
    }
}
