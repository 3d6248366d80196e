//! The memory of a pluggable module.
#![cfg_attr(fuzzing, no_main)]

use libhw::device::nic::module;
use libhw::io::ethtool::Eeprom;

/// The half pages that a module of any kind may have, in the order in which the bytes fill them.
const PLACES: [(u8, u8, u8); 7] = [
    (0x50, 0, 0),
    (0x50, 0, 128),
    (0x51, 0, 0),
    (0x50, 1, 128),
    (0x50, 2, 128),
    (0x50, 3, 128),
    (0x50, 0x11, 128),
];

fn memory(bytes: &[u8]) -> bool {
    let mut eeprom = Eeprom::default();
    for (place, half) in PLACES.into_iter().zip(bytes.chunks(128)) {
        eeprom.add(place, half);
    }
    let Some((module, now)) = module::read(&eeprom) else {
        return false;
    };
    let json = serde_json::to_string(&(&module, &now)).expect("JSON");
    let again: (module::Module, module::ModuleNow) =
        serde_json::from_str(&json).expect("our own JSON");
    assert_eq!((module, now), again);
    true
}

gnomon_fuzz::target!(memory);
