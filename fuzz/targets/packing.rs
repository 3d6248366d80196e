//! A packed archive whose packing is damaged: no packing takes more memory or time than its size warrants, and
//! what comes out of it is a tar that may be as odd as any.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::{Result, Unstructured};
use gnomon_fuzz::mutant::{rarely, some};
use gnomon_fuzz::{members, packer, unpacking};
use libhw::error::Error;

/// One machine in every packing.
const PACKED: &[&[u8]] = &[
    include_bytes!("../packed/machine.tar.gz"),
    include_bytes!("../packed/machine.tar.bz2"),
    include_bytes!("../packed/machine.tar.xz"),
    include_bytes!("../packed/machine.tar.zst"),
];

/// No mutant has more spoilt places.
const SPOILT_MAX: usize = 3;

fn spoil(packed: &mut Vec<u8>, bytes: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..SPOILT_MAX {
        if bytes.is_empty() {
            break;
        }
        let at = bytes.choose_index(packed.len() + 1)?;
        match bytes.int_in_range(0..=15)? {
            0 => packed.truncate(at),
            1 => drop(packed.splice(at..at, some(bytes)?)),
            2 => drop(packed.drain(at..packed.len().min(at + 4))),
            3 => packed.extend_from_slice(bytes.choose(PACKED)?),
            4 => packed.extend(some(bytes)?),
            _ => {
                let byte = bytes.arbitrary()?;
                packed
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|old| *old = byte);
            }
        }
    }
    Ok(())
}

/// What is opened, and whether it is another than those of `PACKED`. Three in four are packed anew, well formed, and one
/// in four of these is then spoilt; the rest are those of `PACKED`, spoilt.
fn mutant(bytes: &mut Unstructured<'_>) -> Result<(Vec<u8>, bool)> {
    if rarely(bytes, 4) {
        let whole = bytes.choose(PACKED)?;
        let mut packed = whole.to_vec();
        // Too few bytes leave the rest as it is.
        let _ = spoil(&mut packed, bytes);
        let other = packed != *whole;
        return Ok((packed, other));
    }
    let mut machine = members::machine();
    if rarely(bytes, 4) {
        let _ = members::spoil(&mut machine, bytes);
    }
    let tar = members::packed(&machine, bytes);
    let mut packed = packer::packed(&tar, bytes)?;
    if rarely(bytes, 4) {
        let _ = spoil(&mut packed, bytes);
    }
    Ok((packed, true))
}

/// Past the first check is what came so far that a member of the tar was seen: packings have check sums only at
/// their ends.
fn packing(bytes: &[u8]) -> bool {
    let Ok((packed, other)) = mutant(&mut Unstructured::new(bytes)) else {
        return false;
    };
    let seen = match unpacking::opened(&packed) {
        Err(Error::Damaged { member, .. } | Error::Member { member, .. }) => !member.is_empty(),
        Err(_) => false,
        Ok(()) => true,
    };
    // What nothing was done to is no mutant, and proves nothing.
    seen && other
}

gnomon_fuzz::target!(packing);
