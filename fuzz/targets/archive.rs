//! An archive of a machine: whatever its members are called and wherever its links lead, nothing is written
//! outside of the private directory, nothing outside is read, and the directory is gone afterwards.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::Unstructured;
use gnomon_fuzz::{members, unpacking};

fn archive(bytes: &[u8]) -> bool {
    let mut rest = Unstructured::new(bytes);
    let mut members = members::machine();
    // Too few bytes leave the rest as it is.
    let _ = members::spoil(&mut members, &mut rest);
    let packed = members::packed(&members, &mut rest);
    let opened = unpacking::opened(&packed);
    // What nothing was done to is no mutant, and proves nothing.
    opened.is_ok() && members != members::machine()
}

gnomon_fuzz::target!(archive);
