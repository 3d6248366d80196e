//! The memory and I/O regions of a function, from its `resource`.
//!
//! ```text
//! 0x00000000c3000000 0x00000000c3ffffff 0x000000000014220c
//! ```
//!
//! Start, end and flags of `include/linux/ioport.h`, a line for each region; zeros where there is none.

use crate::device::pci::Bar;
use crate::parse::{self, Expected, Parsed};
use crate::units::Bytes;

/// The regions that are in use.
///
/// # Errors
/// When a line is no three hexadecimal numbers.
pub(super) fn parse(text: &str, bridge: bool) -> Parsed<Vec<Bar>> {
    let lines: Vec<&str> = text
        .lines()
        .map(parse::trim)
        .filter(|line| !line.is_empty())
        .collect();
    // Linux without SR-IOV lists the four windows of a bridge right behind the ROM, where others have
    // the regions of the virtual functions: eleven lines and not seventeen.
    let known = if bridge && lines.len() <= WINDOWS_WITHOUT_SRIOV {
        VF_FIRST
    } else {
        VF_FIRST + 6
    };
    let mut bars = Vec::new();
    for (id, line) in (0_u32..).zip(lines.into_iter().take(known)) {
        bars.extend(region(id, line)?);
    }
    Ok(bars)
}

fn region(id: u32, line: &str) -> Parsed<Option<Bar>> {
    const EXPECTED: Expected = Expected("start, end and flags of a region, in hexadecimal");
    let mut numbers = line.split_whitespace().map(parse::hex);
    let mut number = || numbers.next().and_then(Result::ok).ok_or(EXPECTED);
    let (start, end, flags) = (number()?, number()?, number()?);
    let io = flags & IO != 0;
    if end <= start || flags & (IO | MEMORY) == 0 {
        return Ok(None);
    }
    // The lowest bits are the register's own; bit 0 of the ROM's is only whether it is switched on.
    let register = if io || id == ROM { 0 } else { flags & 0xf };
    Ok(Some(Bar {
        id,
        start,
        size_bytes: Bytes((end - start).saturating_add(1)),
        io,
        prefetchable: flags & PREFETCH != 0 || register & 8 != 0,
        wide: flags & MEMORY_64 != 0 || register & 6 == 4,
    }))
}

const ROM: u32 = 6;
const VF_FIRST: usize = 7;
const WINDOWS_WITHOUT_SRIOV: usize = VF_FIRST + 4;
const IO: u64 = 0x100;
const MEMORY: u64 = 0x200;
const PREFETCH: u64 = 0x2000;
const MEMORY_64: u64 = 0x10_0000;

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";

    #[test]
    fn flags_tell_what_a_region_is() {
        let text = "0x00000000c3000000 0x00000000c3ffffff 0x000000000014220c\n\
                    0x0000000000003000 0x000000000000301f 0x0000000000040101\n\
                    0x00000000c5d00000 0x00000000c5d00fff 0x0000000000040200\n";
        let bars = parse(text, false).unwrap();
        let flags = |bar: &Bar| (bar.id, bar.size_bytes.0, bar.io, bar.prefetchable, bar.wide);
        assert_eq!(
            bars.iter().map(flags).collect::<Vec<_>>(),
            [
                (0, 16 << 20, false, true, true),
                (1, 32, true, false, false),
                (2, 4096, false, false, false),
            ]
        );
    }

    #[test]
    fn windows_of_a_bridge_are_no_regions_of_virtual_functions() {
        let window = "0x0000000000002000 0x0000000000002fff 0x0000000000000101\n";
        for (lines, bridge, ids) in [
            (
                format!("{}{window}{}", NONE.repeat(7), NONE.repeat(3)),
                true,
                vec![],
            ),
            (
                format!("{}{window}{}", NONE.repeat(13), NONE.repeat(3)),
                true,
                vec![],
            ),
            (
                format!("{}{window}{}", NONE.repeat(7), NONE.repeat(5)),
                false,
                vec![7],
            ),
            (
                format!("{}{window}{}", NONE.repeat(7), NONE.repeat(9)),
                true,
                vec![7],
            ),
        ] {
            let bars = parse(&lines, bridge).unwrap();
            assert_eq!(
                bars.iter().map(|bar| bar.id).collect::<Vec<_>>(),
                ids,
                "{lines}"
            );
        }
    }

    #[test]
    fn hostile_regions_neither_panic_nor_overflow() {
        let max = "0x0 0xffffffffffffffff 0x200\n0x5 0x4 0x200\n0x5 0x9 0x0\n";
        let bars = parse(max, false).unwrap();
        assert_eq!(bars.len(), 1);
        assert_eq!(bars[0].size_bytes, Bytes(u64::MAX));
        assert_eq!(parse("", false), Ok(vec![]));
        for text in ["x", "0x1 0x2", "1 2 -3", "0x10000000000000000 0 0"] {
            assert!(parse(text, false).is_err(), "{text:?}");
        }
    }
}
