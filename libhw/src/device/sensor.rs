//! Sensors: hwmon chips with their channels, thermal zones with trip points, cooling devices, and power zones.
//!
//! From /sys/class/hwmon (`Documentation/hwmon/sysfs-interface.rst`, `Documentation/ABI/testing/sysfs-class-hwmon`),
//! /sys/class/thermal (`Documentation/ABI/testing/sysfs-class-thermal`) and /sys/class/powercap
//! (`Documentation/power/powercap/powercap.rst`, `Documentation/ABI/testing/sysfs-class-powercap`).
//!
//! What a driver answers from a register of the CPU is read always. All other chips sit behind I²C, SMBus, a
//! Super I/O port, an NVMe or ATA command, ACPI methods or a device's firmware: milliseconds for a value, seconds
//! for a few power supplies, a wake-up for a sleeping device, and for ever where firmware hangs. Of these the
//! channels are listed and their labels read, which drivers keep in memory; values and limits only in a deep
//! look, each with a deadline, and a chip that misses one is not asked again in that look.

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

mod attribute;
mod hwmon;
mod powercap;
mod reader;
mod thermal;

pub use attribute::{Alarm, ChannelKind, Limit, Setting, Unit};
pub use hwmon::{Channel, ChannelNow, Chip, PwmControl};
pub use powercap::{Constraint, PowerZone, PowerZoneNow};
pub use thermal::{
    Binding, CoolingDevice, CoolingDeviceNow, Mode, ThermalZone, ThermalZoneNow, Trip, TripKind,
};

/// The sensors of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Sensor {
    /// hwmon chips, by number.
    pub chips: Vec<Chip>,
    /// The channels of all chips: by chip, kind and number.
    pub channels: Vec<Channel>,
    /// Thermal zones, by number.
    pub thermal_zones: Vec<ThermalZone>,
    /// Cooling devices, by number.
    pub cooling_devices: Vec<CoolingDevice>,
    /// Power zones (RAPL and others of powercap), by name.
    pub power_zones: Vec<PowerZone>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Sensor {
    let (chips, channels) = hwmon::discover(survey);
    let (thermal_zones, cooling_devices) = thermal::discover(survey);
    Sensor {
        chips,
        channels,
        thermal_zones,
        cooling_devices,
        power_zones: powercap::discover(survey),
    }
}

/// Reads again what changes without an event: values and alarms. Of a slow chip or zone, those alone that a deep
/// look had read before: the others would make a cheap question a slow one.
pub fn refresh(sensor: &mut Sensor, survey: &Survey<'_>) {
    hwmon::refresh(&sensor.chips, &mut sensor.channels, survey);
    thermal::refresh(
        &mut sensor.thermal_zones,
        &mut sensor.cooling_devices,
        survey,
    );
    powercap::refresh(&mut sensor.power_zones, survey);
}

#[cfg(test)]
mod tests;
