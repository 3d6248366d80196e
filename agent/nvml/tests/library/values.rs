//! Every value arrives as what it is.

use libhw::device::gpu::ThrottleReason;
use libhw::device::gpu::nvml::{
    NvLinkEnd, NvmlArchitecture, NvmlComputeMode, NvmlError, NvmlPath, NvmlState,
};
use libhw::units::{Bytes, Hertz};

use super::stub::{library, whole, why};

#[test]
fn every_value_of_the_library_arrives() {
    let Some(library) = library(&[]) else { return };
    let (about, devices) = whole(library.path(), "");
    assert_eq!(about.driver_version.as_deref(), Some("550.54.15"));
    assert_eq!(about.nvml_version.as_deref(), Some("12.550.54.15"));
    assert_eq!(about.cuda_version.as_deref(), Some("12.4"));
    assert_eq!(about.unavailable, []);
    let [first, second] = &devices[..] else {
        panic!("{devices:?}");
    };
    assert_eq!(
        (&*first.function, &*second.function),
        ("0000:81:00.0", "0000:c1:00.0")
    );
    assert_eq!(first.name.as_deref(), Some("NVIDIA H100 80GB HBM3"));
    assert_eq!(first.serial.as_deref(), Some("1650123456781"));
    assert_eq!(first.vbios.as_deref(), Some("96.00.74.00.01"));
    assert_eq!(
        first.uuid.as_deref(),
        Some("GPU-11111111-2222-3333-4444-555555555581")
    );
}

#[test]
fn what_lasts_of_a_device_arrives() {
    let Some(library) = library(&[]) else { return };
    let (_, devices) = whole(library.path(), "");
    let nvml = &devices[0].nvml;
    assert_eq!(nvml.state, NvmlState::Answers);
    assert_eq!(nvml.architecture, Some(NvmlArchitecture::Hopper));
    assert_eq!(nvml.compute_capability.as_deref(), Some("9.0"));
    assert_eq!(nvml.compute_mode, Some(NvmlComputeMode::ExclusiveProcess));
    assert_eq!(nvml.memory_bytes, Some(Bytes(80 << 30)));
    assert_eq!(nvml.memory_reserved_bytes, Some(Bytes(1 << 30)));
    assert_eq!(nvml.bar1_bytes, Some(Bytes(128 << 30)));
    assert_eq!(
        (nvml.inforom_ecc.as_deref(), &nvml.inforom_power),
        (Some("7.16"), &None)
    );
    assert_eq!(nvml.power.enforced_milliwatts, Some(650_000));
    assert_eq!(
        (nvml.power.min_milliwatts, nvml.power.max_milliwatts),
        (Some(200_000), Some(700_000))
    );
    let limits = nvml.temperature;
    assert_eq!(
        (limits.shutdown_celsius, limits.slowdown_celsius),
        (Some(95), Some(90))
    );
    assert_eq!(
        (limits.memory_max_celsius, limits.max_celsius),
        (Some(105), Some(87))
    );
    assert_eq!(nvml.clocks_max.memory_hz, Some(Hertz(1_982_000_000)));
    assert_eq!(
        nvml.link_max.map(|link| (link.generation, link.width)),
        Some((5, 16))
    );
    assert!(nvml.ecc.unwrap().current && !nvml.mig.unwrap().current);
    assert_eq!((nvml.nvlinks.len(), &nvml.instances[..]), (2, &[][..]));
    assert_eq!(nvml.nvlinks[0].remote, Some(NvLinkEnd::Gpu));
    assert_eq!(nvml.nvlinks[0].now.crc_data_errors, Some(3));
    assert!(nvml.nvlinks[0].now.active && !nvml.nvlinks[1].now.active);
    let peer = &nvml.peers[0];
    assert_eq!(
        (&*peer.id, peer.path, peer.nvlinks),
        ("0000:c1:00.0", NvmlPath::System, 1)
    );
}

#[test]
fn what_changes_in_a_device_arrives() {
    let Some(library) = library(&[]) else { return };
    let (_, devices) = whole(library.path(), "");
    let now = &devices[0].nvml.now;
    let throttle = [
        ThrottleReason::SwPowerCap,
        ThrottleReason::HwThermalSlowdown,
    ];
    assert_eq!(now.throttle.as_deref(), Some(&throttle[..]));
    assert_eq!(
        (now.temperature_celsius, now.memory_temperature_celsius),
        (Some(41), Some(52))
    );
    assert_eq!(
        (now.power_milliwatts, now.energy_millijoules),
        (Some(123_456), Some(9_876_543_210))
    );
    assert_eq!(
        (now.compute_percent, now.decoder_percent),
        (Some(37), Some(4))
    );
    assert_eq!(
        (now.fans[0].speed_percent, now.fans[0].speed_rpm),
        (Some(30), Some(1200))
    );
    assert_eq!(
        now.link.map(|link| (link.generation, link.width)),
        Some((4, 8))
    );
    assert_eq!(
        (now.link_replays, now.performance_state),
        (Some(7), Some(2))
    );
}

#[test]
fn how_the_memory_fares_and_what_it_is_cut_into_arrives() {
    let Some(library) = library(&[]) else { return };
    let (_, devices) = whole(library.path(), "");
    let memory = &devices[0].nvml.now.memory;
    assert_eq!(memory.used_bytes, Some(Bytes(20 << 30)));
    let places: Vec<&str> = memory.ecc.iter().map(|count| &*count.id).collect();
    assert_eq!(places, ["dram", "sram", "total"]);
    assert_eq!(memory.ecc[0].uncorrected_aggregate, Some(211));
    assert_eq!(memory.ecc[1].corrected_volatile, Some(700));
    let pages = memory.retired_pages.unwrap();
    assert_eq!(
        (pages.corrected, pages.uncorrected, pages.pending),
        (Some(1), Some(2), Some(true))
    );
    let rows = memory.remapped_rows.unwrap();
    assert!((rows.corrected, rows.uncorrected, rows.pending, rows.failed) == (3, 2, true, false));
    assert_eq!(
        (rows.banks_exhausted, rows.banks_untouched),
        (Some(1), Some(639))
    );
    let instances = &devices[1].nvml.instances;
    assert_eq!(instances.len(), 2);
    assert_eq!(instances[1].id, "MIG-11111111-2222-5333-8444-000000000002");
    assert_eq!(instances[1].profile.as_deref(), Some("1g.10gb"));
    assert_eq!(
        (instances[1].gpu_instance, instances[1].compute_instance),
        (Some(8), Some(0))
    );
    assert_eq!(instances[1].memory_bytes, Some(Bytes(10 << 30)));
    assert_eq!(
        (instances[1].slices, instances[1].multiprocessors),
        (Some(1), Some(16))
    );
}

#[test]
fn an_old_library_tells_what_it_knows() {
    let Some(library) = library(&["-DOLD"]) else {
        return;
    };
    let (about, devices) = whole(library.path(), "");
    assert_eq!(about.cuda_version.as_deref(), Some("12.4"));
    let nvml = &devices[0].nvml;
    // By the functions that were there before.
    assert_eq!(devices[0].function, "0000:81:00.0");
    assert_eq!(nvml.memory_bytes, Some(Bytes(80 << 30)));
    assert_eq!(
        (nvml.memory_reserved_bytes, nvml.now.memory.used_bytes),
        (None, Some(Bytes(20 << 30)))
    );
    assert_eq!(nvml.now.throttle.as_ref().map(Vec::len), Some(2));
    for missing in [
        "nvmlDeviceGetRemappedRows",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetArchitecture",
        "nvmlDeviceGetFieldValues",
    ] {
        assert_eq!(
            why(&nvml.unavailable, missing),
            Some(NvmlError::NoFunction),
            "{missing}"
        );
    }
    assert_eq!(nvml.state, NvmlState::Answers);
}
