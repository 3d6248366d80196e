//! What the library tells, in the terms of the class, so that all makers' devices can be looked at alike.

use std::collections::BTreeSet;

use crate::units::Hertz;

use super::super::{
    Adapter, AdapterMemory, AdapterNow, ClockDomain, ErrorCount, FanSensor, PowerSensor,
    TemperatureSensor,
};
use super::{Nvml, NvmlDevice};

/// Joins a device to its row; what the kernel told already stays.
pub(super) fn join(device: NvmlDevice, adapter: &mut Adapter) {
    adapter.product = adapter.product.take().or(device.name);
    adapter.unique_id = adapter.unique_id.take().or(device.uuid);
    adapter.serial = adapter.serial.take().or(device.serial);
    adapter.vbios = adapter.vbios.take().or(device.vbios);
    let nvml = Box::new(device.nvml);
    if let Some(size) = nvml.memory_bytes {
        let memory = adapter.memory.get_or_insert_with(AdapterMemory::default);
        memory.vram_bytes = memory.vram_bytes.or(Some(size));
    }
    now(&nvml, &mut adapter.now);
    adapter.nvml = Some(nvml);
}

fn now(nvml: &Nvml, now: &mut AdapterNow) {
    let told = &nvml.now;
    now.vram_used_bytes = now.vram_used_bytes.or(told.memory.used_bytes);
    now.busy.compute_percent = now
        .busy
        .compute_percent
        .or(told.compute_percent.map(Into::into));
    now.busy.memory_percent = now
        .busy
        .memory_percent
        .or(told.memory_percent.map(Into::into));
    let throttle = told.throttle.clone();
    now.throttle = throttle.map(|reasons| reasons.into_iter().collect::<BTreeSet<_>>());
    now.temperatures.extend(temperatures(nvml));
    now.powers.extend(power(nvml));
    let fans = told.fans.iter().map(|fan| FanSensor {
        id: format!("fan{}", fan.id),
        target_rpm: fan.speed_rpm.map(Into::into),
        ..FanSensor::default()
    });
    now.fans.extend(fans);
    now.clocks.extend(clocks(nvml));
    let counts = told.memory.ecc.iter().filter(|count| count.id != "total");
    now.errors.extend(counts.map(|count| ErrorCount {
        id: count.id.clone(),
        uncorrected: count.uncorrected_volatile,
        corrected: count.corrected_volatile,
        deferred: None,
    }));
    now.pcie.width = now.pcie.width.or(told.link.map(|link| link.width.into()));
    now.pcie.replays = now.pcie.replays.or(told.link_replays.map(Into::into));
}

fn temperatures(nvml: &Nvml) -> impl Iterator<Item = TemperatureSensor> {
    let millicelsius = |celsius: u32| i64::from(celsius) * 1000;
    let limits = nvml.temperature;
    let die = nvml
        .now
        .temperature_celsius
        .map(|celsius| TemperatureSensor {
            id: "gpu".to_owned(),
            value_millicelsius: Some(millicelsius(celsius)),
            max_millicelsius: limits.max_celsius.map(millicelsius),
            critical_millicelsius: limits.slowdown_celsius.map(millicelsius),
            emergency_millicelsius: limits.shutdown_celsius.map(millicelsius),
            ..TemperatureSensor::default()
        });
    let memory = nvml
        .now
        .memory_temperature_celsius
        .map(|celsius| TemperatureSensor {
            id: "memory".to_owned(),
            value_millicelsius: Some(millicelsius(celsius)),
            max_millicelsius: limits.memory_max_celsius.map(millicelsius),
            ..TemperatureSensor::default()
        });
    die.into_iter().chain(memory)
}

fn power(nvml: &Nvml) -> Option<PowerSensor> {
    let microwatts = |milliwatts: u32| u64::from(milliwatts) * 1000;
    let power = PowerSensor {
        id: "board".to_owned(),
        average_microwatts: nvml.now.power_milliwatts.map(microwatts),
        cap_microwatts: nvml.power.enforced_milliwatts.map(microwatts),
        cap_default_microwatts: nvml.power.default_milliwatts.map(microwatts),
        cap_min_microwatts: nvml.power.min_milliwatts.map(microwatts),
        cap_max_microwatts: nvml.power.max_milliwatts.map(microwatts),
        energy_microjoules: nvml
            .now
            .energy_millijoules
            .map(|energy| energy.saturating_mul(1000)),
        ..PowerSensor::default()
    };
    let empty = power.average_microwatts.is_none() && power.cap_microwatts.is_none();
    (!empty).then_some(power)
}

fn clocks(nvml: &Nvml) -> impl Iterator<Item = ClockDomain> {
    let clocks = nvml.now.clocks;
    let named = [
        ("graphics", clocks.graphics_hz),
        ("sm", clocks.sm_hz),
        ("memory", clocks.memory_hz),
        ("video", clocks.video_hz),
    ];
    named
        .into_iter()
        .filter_map(|(id, value): (&str, Option<Hertz>)| {
            Some(ClockDomain {
                id: id.to_owned(),
                value_hz: Some(value?),
                ..ClockDomain::default()
            })
        })
}
