//! One file per device class: its type, how it is read, its tests.

pub mod cpu;
pub mod hugepages;
pub mod limits;
pub mod numa;
pub mod pci;
pub mod software;
pub mod system;
