//! One file per device class: its type, how it is read, its tests.

pub mod cpu;
pub mod hugepages;
pub mod numa;
pub mod pci;
pub mod sensor;
pub mod storage;
pub mod system;
