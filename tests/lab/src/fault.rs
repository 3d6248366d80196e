//! Faults that a test turns on, each by one line: `fault::memory_corrected(&mut vm, "DIMM_B1", 3)?`.
//!
//! What goes wrong in the guest shows there as on a real machine: in sysfs, in events, in what drivers say.

mod hardware;
mod injected;
mod ptp;

pub use hardware::{
    FpgaStep, circuit_holds_over, circuit_signal, fpga_fails, fpga_status, memory_corrected,
    memory_uncorrected, sensor_fault, sensor_input, sensor_unreadable, zone_temperature,
};
pub use injected::{
    PciError, Severity, bad_disk, firmware_memory_error, link, machine_check_corrected,
    machine_checks_each_second, nvme_critical_warning, page_offline, pci_error, watchdog_expires,
    with_error_source,
};
pub use ptp::{
    corrupt_frames, late_stamps, lose_every_stamp, lose_frames, lose_next_stamps, oscillator_error,
    oscillator_wander, plugged, wire_delay, wire_jitter,
};
