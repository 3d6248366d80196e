//! The regions of a PCI function.
#![cfg_attr(fuzzing, no_main)]

const PATH: &str = "sys/devices/pci0000:00/0000:00:00.0/0000:01:00.0/resource";

gnomon_fuzz::target!(|bytes| gnomon_fuzz::mutant::file(PATH, bytes));
