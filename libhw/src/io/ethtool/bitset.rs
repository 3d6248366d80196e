//! Sets of bits with names (`ethtool-netlink.rst`, "Bit sets"), in their verbose form.

use std::collections::BTreeSet;

use crate::io::netlink::attribute::{Attribute, Attributes};

const NOMASK: u16 = 1;
const BITS: u16 = 3;
const BIT_NAME: u16 = 2;
const BIT_INDEX: u16 = 1;
const BIT_VALUE: u16 = 3;

/// More than any set has, so that a hostile answer cannot take all memory.
const BITS_MAX: usize = 1024;

/// The names in a set: those that are told about at all, and those that are set.
///
/// A set with a mask tells of every bit in the mask and marks those that are set; one without tells of these
/// alone.
pub(super) fn names(set: Attribute<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let plain = set.nested().any(|part| part.kind == NOMASK);
    let (mut told, mut on) = (BTreeSet::new(), BTreeSet::new());
    let bits = set.nested().filter(|part| part.kind == BITS);
    for bit in bits.flat_map(|bits| bits.nested()).take(BITS_MAX) {
        let parts: Attributes<'_> = bit.nested();
        let find = |kind| parts.clone().find(|part| part.kind == kind);
        let name = find(BIT_NAME).and_then(|name| name.text());
        // A bit that the kernel itself has no name for.
        let number = || find(BIT_INDEX)?.small().map(|number| number.to_string());
        let Some(name) = name.or_else(number) else {
            continue;
        };
        if plain || find(BIT_VALUE).is_some() {
            on.insert(name.clone());
        }
        told.insert(name);
    }
    (told, on)
}
