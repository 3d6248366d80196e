//! Faults of what `labhw`, `labfpga` and `labdpll` stand for.

use crate::{LabError, Vm};

/// Corrected errors of the DIMM of that label; "?" where the controller can't tell.
///
/// # Errors
/// As [`Vm::write`].
pub fn memory_corrected(vm: &mut Vm, label: &str, count: u16) -> Result<(), LabError> {
    vm.write(
        "/sys/kernel/debug/labhw/memory/ce",
        &format!("{count} {label}"),
    )
}

/// Uncorrected errors of the DIMM of that label; "?" where the controller can't tell.
///
/// # Errors
/// As [`Vm::write`].
pub fn memory_uncorrected(vm: &mut Vm, label: &str, count: u16) -> Result<(), LabError> {
    vm.write(
        "/sys/kernel/debug/labhw/memory/ue",
        &format!("{count} {label}"),
    )
}

/// What a sensor measures, in hwmon's unit: `sensor_input(vm, "labboard", "temp1", 90_000)`.
///
/// # Errors
/// As [`Vm::write`].
pub fn sensor_input(vm: &mut Vm, chip: &str, sensor: &str, value: i64) -> Result<(), LabError> {
    set_sensor(vm, chip, &format!("{sensor}_input"), value)
}

/// Whether a sensor says of itself that it is broken.
///
/// # Errors
/// As [`Vm::write`].
pub fn sensor_fault(vm: &mut Vm, chip: &str, sensor: &str, broken: bool) -> Result<(), LabError> {
    set_sensor(vm, chip, &format!("{sensor}_fault"), broken.into())
}

/// Reading a sensor fails with this error number; 0: it does not.
///
/// # Errors
/// As [`Vm::write`].
pub fn sensor_unreadable(
    vm: &mut Vm,
    chip: &str,
    sensor: &str,
    errno: u32,
) -> Result<(), LabError> {
    set_sensor(vm, chip, &format!("{sensor}_error"), errno.into())
}

/// The thermal zone's temperature in millidegrees: passive at 80 000, hot at 95 000, critical at 105 000.
///
/// # Errors
/// As [`Vm::write`].
pub fn zone_temperature(vm: &mut Vm, millicelsius: i32) -> Result<(), LabError> {
    let path = "/sys/kernel/debug/labhw/thermal/temperature";
    vm.write(path, &millicelsius.to_string())
}

/// A step of programming an FPGA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FpgaStep {
    /// None of them.
    None = 0,
    /// Preparing it.
    Init = 1,
    /// Writing the image.
    Write = 2,
    /// Starting it.
    Complete = 3,
}

/// The step of programming the FPGA that fails from now on.
///
/// # Errors
/// As [`Vm::write`].
pub fn fpga_fails(vm: &mut Vm, step: FpgaStep) -> Result<(), LabError> {
    let step = step as u8;
    vm.write("/sys/kernel/debug/labfpga/fail", &step.to_string())
}

/// What the FPGA manager reports: bits of `FPGA_MGR_STATUS_*`.
///
/// # Errors
/// As [`Vm::write`].
pub fn fpga_status(vm: &mut Vm, bits: u32) -> Result<(), LabError> {
    vm.write("/sys/kernel/debug/labfpga/status", &bits.to_string())
}

/// Whether the clock circuits' input `gnss` or `synce` has a signal.
///
/// # Errors
/// As [`Vm::write`].
pub fn circuit_signal(vm: &mut Vm, input: &str, signal: bool) -> Result<(), LabError> {
    let path = format!("/sys/kernel/debug/labdpll/{input}/signal");
    vm.write(&path, &u8::from(signal).to_string())
}

/// Whether a circuit that lost its inputs holds over; where not, it is unlocked.
///
/// # Errors
/// As [`Vm::write`].
pub fn circuit_holds_over(vm: &mut Vm, able: bool) -> Result<(), LabError> {
    let able = if able { "Y" } else { "N" };
    vm.write("/sys/kernel/debug/labdpll/holdover", able)
}

fn set_sensor(vm: &mut Vm, chip: &str, file: &str, value: i64) -> Result<(), LabError> {
    let path = format!("/sys/kernel/debug/labhw/sensor/{chip}/{file}");
    vm.write(&path, &value.to_string())
}
