//! The config space of a PCI function: a header and its two lists of capabilities.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::exact_file;
use libhw::inventory::Class;

const PATH: &str = "sys/devices/pci0000:00/0000:00:00.0/0000:01:00.0/config";

/// Where a capability stands, and its first four bytes: the number, the next one's place, what it is about.
const CAPABILITIES: &[(usize, u32)] = &[
    (0x34, 0x40),
    (0x40, 0x0003_5001),
    (0x50, 0x0000_6005),
    (0x60, 0x0002_0010),
    (0x100, 0x1402_0001),
    (0x140, 0x1601_0003),
    (0x144, 0x3322_1100),
    (0x160, 0x0001_0010),
];

fn config(bytes: &[u8]) -> bool {
    let mut config = vec![0; 512];
    config[..8].copy_from_slice(&[0x86, 0x80, 0x93, 0x15, 0x06, 0x04, 0x10, 0x00]);
    for (place, word) in CAPABILITIES {
        config[*place..place + 4].copy_from_slice(&word.to_le_bytes());
    }
    // Three bytes of the input are a place and what stands there instead.
    for change in bytes.chunks_exact(3).take(32) {
        let place = usize::from(change[0]) | usize::from(change[1] & 1) << 8;
        config[place] = change[2];
    }
    let length = if bytes.len() % 3 == 1 {
        usize::from(bytes[0])
    } else {
        512
    };
    exact_file(Class::Pci, PATH, &config[..length])
}

gnomon_fuzz::target!(config);
