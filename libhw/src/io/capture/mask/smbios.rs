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

/// A host interface that is a network card (DSP0270 1.3 §8.2): its descriptor begins at 06h.
const NETWORK: u8 = 0x40;

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
        match kind {
            SYSTEM => spans.extend(mixed(start + 0x08, &formatted)),
            HOST_INTERFACE => host_interface(table, &formatted, &strings, &mut spans),
            _ => {}
        }
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

/// A host interface's own card, then the services behind it.
fn host_interface(
    table: &[u8],
    formatted: &Range<usize>,
    strings: &[Range<usize>],
    spans: &mut Vec<Span>,
) {
    let fields = table.get(formatted.clone()).unwrap_or_default();
    let start = formatted.start;
    let within = |at: usize, length: usize| {
        let range = start + at..start + at + length;
        (range.end <= formatted.end).then_some(range)
    };
    let card_end = 6 + fields.get(5).copied().map_or(0, usize::from);
    let of_card = |at: usize, length: usize| {
        let range = within(at, length)?;
        (at + length <= card_end).then_some(range)
    };
    let bytes = |kind: Kind, range: Range<usize>| Span {
        range,
        kind,
        notation: Notation::Bytes,
    };
    let mac = |at: usize| of_card(at, 6).map(|range| bytes(Kind::Mac, range));
    match (fields.get(4), fields.get(6)) {
        // USB's string descriptor: its length with its own two bytes, and a text of 16 bits a sign.
        (Some(&NETWORK), Some(2)) => {
            let length = of_card(11, 1).and_then(|_| fields.get(11)?.checked_sub(2));
            let range = length.and_then(|length| of_card(13, usize::from(length)));
            spans.extend(range.map(|range| bytes(Kind::Serial, range)));
        }
        (Some(&NETWORK), Some(4)) => {
            let number = of_card(12, 1).and_then(|_| fields.get(12)?.checked_sub(1));
            let string = number.and_then(|index| strings.get(usize::from(index)));
            spans.extend(
                string.and_then(|range| super::place::text(Kind::Serial, table, range.clone())),
            );
            spans.extend(mac(13));
        }
        (Some(&NETWORK), Some(5)) => spans.extend(mac(16)),
        _ => {}
    }
    for at in services(fields) {
        spans.extend(mixed(start + at, formatted));
        let length = fields.get(at + 90).copied().map_or(0, usize::from);
        let name = within(at + 91, length);
        spans.extend(name.and_then(|range| super::place::text(Kind::Name, table, range)));
    }
}

/// Where the records of Redfish services begin, behind their protocol and length.
fn services(fields: &[u8]) -> Vec<usize> {
    let mut services = Vec::new();
    let Some(data) = fields.get(5) else {
        return services;
    };
    let mut at = 6 + usize::from(*data);
    let count = fields.get(at).copied().unwrap_or_default();
    at += 1;
    for _ in 0..count {
        let Some([protocol, length]) = fields.get(at..).and_then(|rest| rest.first_chunk()) else {
            break;
        };
        if *protocol == REDFISH {
            services.push(at + 2);
        }
        at += 2 + usize::from(*length);
    }
    services
}

fn mixed(start: usize, within: &Range<usize>) -> Option<Span> {
    let range = start..start + 16;
    (range.end <= within.end).then_some(Span {
        range,
        kind: Kind::Uuid,
        notation: Notation::Mixed,
    })
}
