//! One file per device class: its type, how it is read, its tests.

pub mod bmc;
pub mod cpu;
pub mod crypto;
pub mod fpga;
pub mod gpu;
pub mod hugepages;
pub mod limits;
pub mod memory;
pub mod nic;
pub mod numa;
pub mod pci;
pub mod ptp_clock;
pub mod ras;
pub mod sensor;
pub mod software;
pub mod storage;
pub mod system;
pub mod tee;
pub mod tpm;
pub mod watchdog;
