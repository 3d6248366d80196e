//! An inventory from a file, as `gnomon diff` reads it.
#![cfg_attr(fuzzing, no_main)]

use libhw::inventory::Inventory;

fn json(bytes: &[u8]) -> bool {
    let inventory = serde_json::from_slice::<Inventory>(bytes);
    inventory.as_ref().map(gnomon_fuzz::holds).is_ok()
}

gnomon_fuzz::target!(json);
