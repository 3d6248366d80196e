//! The regions of a PCI function.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "sys/devices/pci0000:00/0000:00:00.0/0000:01:00.0/resource";

const TEXTS: &[&[u8]] = &[
    b"0x00000000e0000000 0x00000000e1ffffff 0x000000000014220c\n0x0000000000000000 0x0000000000000000 0x0000000000000000\n0x000000000000c000 0x000000000000c01f 0x0000000000040101\n",
];

gnomon_fuzz::target!(|bytes| file(Class::Pci, PATH, TEXTS, bytes));
