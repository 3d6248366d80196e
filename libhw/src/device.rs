//! One file per device class: its type, how it is read, its tests.

pub mod cpu;
pub mod gpu;
pub mod crypto;
pub mod fpga;
pub mod hugepages;
pub mod memory;
pub mod numa;
pub mod pci;
pub mod ras;
pub mod nic;
pub mod numa;
pub mod pci;
pub mod ptp_clock;
pub mod sensor;
pub mod storage;
pub mod system;
pub mod tee;
pub mod tpm;
pub mod watchdog;
