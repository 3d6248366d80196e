//! Faults of oscillators, wires and timestamps, all of `labptp`.

use crate::{LabError, Vm};

/// How wrong a clock's oscillator is; positive runs faster. The clock's phase does not step.
///
/// # Errors
/// As [`Vm::write`]; more than 1000 ppm is refused.
pub fn oscillator_error(vm: &mut Vm, clock: u32, error_ppb: i32) -> Result<(), LabError> {
    set(vm, &format!("clock{clock}/error_ppb"), error_ppb.into())
}

/// How far an oscillator wanders: the standard deviation of its error after one second.
///
/// # Errors
/// As [`Vm::write`]; more than 10 ppm is refused.
pub fn oscillator_wander(vm: &mut Vm, clock: u32, wander_ppb: u32) -> Result<(), LabError> {
    set(vm, &format!("clock{clock}/wander_ppb"), wander_ppb.into())
}

/// How long a frame that leaves the port is under way. Two directions that differ are what no PTP node can see.
///
/// # Errors
/// As [`Vm::write`].
pub fn wire_delay(vm: &mut Vm, port: u32, delay_ns: u32) -> Result<(), LabError> {
    set(vm, &format!("port{port}/delay_ns"), delay_ns.into())
}

/// How much longer than that, at most, drawn anew for every frame.
///
/// # Errors
/// As [`Vm::write`].
pub fn wire_jitter(vm: &mut Vm, port: u32, jitter_ns: u32) -> Result<(), LabError> {
    set(vm, &format!("port{port}/jitter_ns"), jitter_ns.into())
}

/// How many of a hundred frames that leave the port nobody sees again.
///
/// # Errors
/// As [`Vm::write`].
pub fn lose_frames(vm: &mut Vm, port: u32, percent: u32) -> Result<(), LabError> {
    set(vm, &format!("port{port}/loss_percent"), percent.into())
}

/// How many of a hundred frames that leave the port arrive broken, and are counted as `rx_crc_errors` there.
///
/// # Errors
/// As [`Vm::write`].
pub fn corrupt_frames(vm: &mut Vm, port: u32, percent: u32) -> Result<(), LabError> {
    set(vm, &format!("port{port}/corrupt_percent"), percent.into())
}

/// The next transmit stamps of the port never come.
///
/// # Errors
/// As [`Vm::write`].
pub fn lose_next_stamps(vm: &mut Vm, port: u32, count: u32) -> Result<(), LabError> {
    set(vm, &format!("port{port}/lose_stamp_next"), count.into())
}

/// Every `nth` transmit stamp of the port never comes; 0: all come.
///
/// # Errors
/// As [`Vm::write`].
pub fn lose_every_stamp(vm: &mut Vm, port: u32, nth: u32) -> Result<(), LabError> {
    set(vm, &format!("port{port}/lose_stamp_every"), nth.into())
}

/// How late the transmit stamps of the port come.
///
/// # Errors
/// As [`Vm::write`].
pub fn late_stamps(vm: &mut Vm, port: u32, delay_ms: u32) -> Result<(), LabError> {
    set(vm, &format!("port{port}/stamp_delay_ms"), delay_ms.into())
}

/// Whether the cable between the port and its peer is plugged.
///
/// # Errors
/// As [`Vm::write`].
pub fn plugged(vm: &mut Vm, port: u32, plugged: bool) -> Result<(), LabError> {
    set(vm, &format!("port{port}/plugged"), plugged.into())
}

fn set(vm: &mut Vm, file: &str, value: i64) -> Result<(), LabError> {
    let path = format!("/sys/kernel/debug/labptp/{file}");
    vm.write(&path, &value.to_string())
}
