//! Where SMBIOS structures hold serial numbers, asset tags and UUIDs (SMBIOS 3.7 §7).

use std::ops::Range;

use super::Span;
use super::identity::{Kind, Notation};

/// By type of structure: the places of numbers of strings that tell one unit.
const STRINGS: &[(u8, &[usize])] = &[
    (1, &[0x07]),
    (2, &[0x07, 0x08]),
    (3, &[0x07, 0x08]),
    (4, &[0x20, 0x21]),
    (17, &[0x18, 0x19]),
    (22, &[0x07]),
    (39, &[0x08, 0x09]),
];

/// System, whose UUID stands at 08h.
const SYSTEM: u8 = 1;

/// Management controller host interface, whose protocols stand after a description of its own length.
const HOST_INTERFACE: u8 = 42;

/// Redfish over IP, which begins with the UUID of the service (DSP0270 §6.3).
const REDFISH: u8 = 4;

/// What tells one machine in one or more structures.
pub(super) fn spans(table: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    while let Some([kind, length]) = table.get(start..).and_then(|rest| rest.first_chunk()) {
        let (kind, length) = (*kind, usize::from(*length));
        let formatted = start..start + length;
        let (Some(fields), true) = (table.get(formatted.clone()), length >= 4) else {
            break;
        };
        let (strings, end) = strings(table, formatted.end);
        let numbers = STRINGS.iter().find(|(of, _)| *of == kind);
        for place in numbers.map_or(&[][..], |(_, places)| places) {
            let number = fields.get(*place).copied().map_or(0, usize::from);
            let string = number.checked_sub(1).and_then(|index| strings.get(index));
            spans.extend(
                string.and_then(|range| super::place::text(Kind::Serial, table, range.clone())),
            );
        }
        let uuid = match kind {
            SYSTEM => Some(0x08),
            HOST_INTERFACE => redfish(fields),
            _ => None,
        };
        spans.extend(uuid.and_then(|uuid| mixed(start + uuid, &formatted)));
        start = end;
    }
    spans
}

/// The ranges of a structure's strings, and where the next structure begins.
fn strings(table: &[u8], mut start: usize) -> (Vec<Range<usize>>, usize) {
    let mut strings = Vec::new();
    loop {
        let rest = table.get(start..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == 0) {
            // Without any string there are two zeros; after the last one, one more.
            Some(0) => {
                let both = if strings.is_empty() { 2 } else { 1 };
                return (strings, start + both);
            }
            Some(length) => {
                strings.push(start..start + length);
                start += length + 1;
            }
            None => return (strings, table.len()),
        }
    }
}

fn redfish(fields: &[u8]) -> Option<usize> {
    let mut at = 6 + usize::from(*fields.get(5)?);
    let count = *fields.get(at)?;
    at += 1;
    for _ in 0..count {
        let (protocol, length) = (*fields.get(at)?, *fields.get(at + 1)?);
        if protocol == REDFISH {
            return Some(at + 2);
        }
        at += 2 + usize::from(length);
    }
    None
}

fn mixed(start: usize, within: &Range<usize>) -> Option<Span> {
    let range = start..start + 16;
    (range.end <= within.end).then_some(Span {
        range,
        kind: Kind::Uuid,
        notation: Notation::Mixed,
    })
}
