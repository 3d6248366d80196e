//! What a program said that was run for NVIDIA's library, as a capture has it.
#![cfg_attr(fuzzing, no_main)]

use std::fs;

use gnomon_fuzz::mutant::json_of;
use libhw::inventory::Class;
use libhw::io::root::Root;
use libhw::survey::{Problem, Reason};
use tempfile::TempDir;

const RECORDS: &[&[u8]] = &[
    br#"{"ended":{"exited":0},"said":[{"calls":"dlopen"},{"library":{"driver_version":"550.54.15","unavailable":[{"id":"a","error":3}]}},{"device":{"function":"0000:81:00.0","name":"NVIDIA H100","uuid":"GPU-1","serial":"165","nvml":{"state":"answers","architecture":"hopper","compute_mode":7,"memory_bytes":85899345920,"temperature":{"slowdown_celsius":90},"power":{"enforced_milliwatts":350000},"ecc":{"current":true,"pending":false},"now":{"temperature_celsius":41,"power_milliwatts":70000,"energy_millijoules":18446744073709551615,"throttle":["sw_power_cap","bit40"],"clocks":{"sm_hz":1980000000},"fans":[{"id":0,"speed_rpm":900}],"link":{"generation":5,"width":16},"memory":{"used_bytes":1024,"ecc":[{"id":"dram","uncorrected_volatile":1}]}}}}},"done"]}"#,
    br#"{"ended":{"killed":11},"said":[{"device":{"function":"0000:81:00.0","nvml":{"mig":{"current":true,"pending":true},"instances":[{"id":"MIG-1","profile":"1g.10gb","memory_bytes":1}],"nvlinks":[{"id":0,"remote":"gpu","remote_function":"0000:c1:00.0","now":{"active":true,"replays":1}}],"peers":[{"id":"0000:c1:00.0","path":20}],"unavailable":[{"id":"nvmlDeviceGetName","error":"no_permission"},{"id":"x","error":12345}]}}},{"calls":"nvmlDeviceGetName of 0000:81:00.0"},"garbage"]}"#,
    br#"{"ended":{"timed_out":15000},"said":[{"refuses":{"id":"nvmlInit_v2","error":"lib_rm_version_mismatch"}},{"bad_library":"wrong ELF class"}]}"#,
];

/// A machine with one NVIDIA device.
fn machine() -> TempDir {
    let tree = tempfile::tempdir().expect("a directory");
    let device = tree.path().join("sys/bus/pci/devices/0000:81:00.0");
    fs::create_dir_all(&device).expect("a directory");
    fs::create_dir_all(tree.path().join("gnomon/probes")).expect("a directory");
    for (name, text) in [
        ("class", "0x030200\n"),
        ("vendor", "0x10de\n"),
        ("device", "0x2330\n"),
    ] {
        fs::write(device.join(name), text).expect("room");
    }
    tree
}

fn nvml(bytes: &[u8]) -> bool {
    thread_local!(static MACHINE: TempDir = machine());
    MACHINE.with(|tree| {
        let record = tree.path().join("gnomon/probes/nvml.json");
        fs::write(record, json_of(RECORDS, bytes)).expect("room");
        let root = Root::captured(tree.path()).expect("a tree");
        let inventory = gnomon_fuzz::discovered(&root, &[Class::Gpu]);
        let adapters = inventory.gpu.map(|gpu| gpu.adapters).unwrap_or_default();
        let told = adapters.iter().any(|adapter| adapter.nvml.is_some());
        // A library that refuses tells of no device, and is understood nevertheless.
        let malformed = |problem: &Problem| matches!(problem.reason, Reason::Malformed { .. });
        told || !inventory.problems.iter().any(malformed)
    })
}

gnomon_fuzz::target!(nvml);
