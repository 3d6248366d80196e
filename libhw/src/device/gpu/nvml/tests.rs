use serde_json::json;

use super::*;
use crate::device::gpu::{Adapter, AdapterVendor, Gpu};
use crate::inventory::Class;
use crate::survey::{Problem, Reason};
use crate::tree::{Tree, told};

const DEVICE: &str = "sys/bus/pci/devices/0000:81:00.0";

/// A machine with one NVIDIA device, and what a program said that was run for the library.
fn tree(record: &serde_json::Value) -> Tree {
    let tree = Tree::new(&[]);
    for (name, text) in [
        ("class", "0x030200\n"),
        ("vendor", "0x10de\n"),
        ("device", "0x2330\n"),
    ] {
        tree.write(&format!("{DEVICE}/{name}"), text);
    }
    tree.write("gnomon/probes/nvml.json", &record.to_string());
    tree
}

fn gpu(tree: &Tree) -> (Gpu, Vec<Problem>) {
    let inventory = tree.discover(Class::Gpu);
    (inventory.gpu.unwrap(), inventory.problems)
}

fn ran(ended: &serde_json::Value, said: &[serde_json::Value]) -> (Adapter, Gpu, Vec<Problem>) {
    let (gpu, problems) = gpu(&tree(&json!({"ended": ended, "said": said})));
    (gpu.adapters[0].clone(), gpu, problems)
}

fn device(nvml: &serde_json::Value) -> serde_json::Value {
    json!({"device": {
        "function": "0000:81:00.0", "name": "NVIDIA H100 PCIe", "uuid": "GPU-1", "serial": "165", "vbios": "96.00",
        "nvml": nvml,
    }})
}

fn library() -> serde_json::Value {
    json!({"library": {"driver_version": "550.54.15", "cuda_version": "12.4"}})
}

#[test]
fn a_device_joins_the_row_of_its_address() {
    let nvml = json!({
        "memory_bytes": 85_899_345_920_u64, "temperature": {"slowdown_celsius": 90, "shutdown_celsius": 95},
        "power": {"enforced_milliwatts": 350_000}, "compute_mode": "prohibited", "architecture": 99,
        "now": {
            "temperature_celsius": 41, "power_milliwatts": 70_000, "compute_percent": 3, "link_replays": 2,
            "throttle": ["sw_power_cap", "bit40"], "clocks": {"sm_hz": 1_980_000_000_u64},
            "fans": [{"id": 0, "speed_rpm": 900}],
            "memory": {"used_bytes": 1_024, "ecc": [{"id": "dram", "uncorrected_volatile": 1}, {"id": "total"}]},
        },
    });
    let (adapter, gpu, problems) = ran(
        &json!({"exited": 0}),
        &[library(), device(&nvml), json!("done")],
    );
    assert_eq!(told(&problems), []);
    assert_eq!(gpu.nvml.unwrap().cuda_version.as_deref(), Some("12.4"));
    assert_eq!(adapter.vendor, AdapterVendor::Nvidia);
    assert_eq!(adapter.product.as_deref(), Some("NVIDIA H100 PCIe"));
    assert_eq!(adapter.unique_id.as_deref(), Some("GPU-1"));
    assert_eq!(
        (adapter.serial.as_deref(), adapter.vbios.as_deref()),
        (Some("165"), Some("96.00"))
    );
    assert_eq!(adapter.memory.unwrap().vram_bytes, Some(Bytes(80 << 30)));
    let nvml = adapter.nvml.unwrap();
    assert_eq!(nvml.compute_mode, Some(NvmlComputeMode::Prohibited));
    assert_eq!(nvml.architecture, Some(NvmlArchitecture::Other(99)));
    let now = adapter.now;
    assert_eq!(now.vram_used_bytes, Some(Bytes(1024)));
    let die = &now.temperatures[0];
    assert_eq!(
        (die.value_millicelsius, die.critical_millicelsius),
        (Some(41_000), Some(90_000))
    );
    assert_eq!(die.emergency_millicelsius, Some(95_000));
    let board = &now.powers[0];
    assert_eq!(
        (board.average_microwatts, board.cap_microwatts),
        (Some(70_000_000), Some(350_000_000))
    );
    assert_eq!(
        (now.busy.compute_percent, now.pcie.replays),
        (Some(3), Some(2))
    );
    assert_eq!(
        (&*now.clocks[0].id, now.clocks[0].value_hz),
        ("sm", Some(Hertz(1_980_000_000)))
    );
    assert_eq!(
        (&*now.fans[0].id, now.fans[0].target_rpm),
        ("fan0", Some(900))
    );
    assert_eq!(
        (
            &*now.errors[0].id,
            now.errors[0].uncorrected,
            now.errors.len()
        ),
        ("dram", Some(1), 1)
    );
    let throttle = now.throttle.unwrap();
    assert!(throttle.contains(&ThrottleReason::Other("bit40".into())));
    assert!(throttle.contains(&ThrottleReason::SwPowerCap));
}

#[test]
fn absent_denied_and_broken_values_are_told_apart() {
    let refusal = |id: &str, error: serde_json::Value| json!({"id": id, "error": error});
    let nvml = json!({"state": "reset_required", "unavailable": [
        refusal("nvmlA", json!("not_supported")),
        refusal("nvmlB", json!("no_function")),
        refusal("nvmlC", json!("no_permission")),
        refusal("nvmlD", json!("reset_required")),
        refusal("nvmlE", json!(12345)),
        refusal("nvmlF", json!("malformed")),
    ]});
    let said = [library(), device(&nvml), json!("done")];
    let (adapter, _, problems) = ran(&json!({"exited": 0}), &said);
    let place = |name: &str| format!("/nvml/0000:81:00.0/{name}");
    let [denied, reset, other, malformed] = ["nvmlC", "nvmlD", "nvmlE", "nvmlF"].map(place);
    let expected = [
        (&*denied, "denied"),
        (&*reset, "unreadable"),
        (&*other, "unreadable"),
        (&*malformed, "unreadable"),
    ];
    assert_eq!(told(&problems), expected);
    assert!(
        problems[1]
            .to_string()
            .ends_with("the device must be reset"),
        "{}",
        problems[1]
    );
    let nvml = adapter.nvml.unwrap();
    assert_eq!(nvml.state, NvmlState::ResetRequired);
    assert_eq!(nvml.unavailable.len(), 6);
    assert_eq!(nvml.unavailable[4].error, NvmlError::Other(12345));
}

#[test]
fn a_program_that_crashed_or_hung_leaves_what_it_said_and_where_it_was() {
    let said = [
        library(),
        device(&json!({})),
        json!({"calls": "nvmlDeviceGetName of 0000:c1:00.0"}),
    ];
    for (ended, path, words) in [
        (
            json!({"killed": 11}),
            "/nvml",
            "/nvml: ended by signal 11 in nvmlDeviceGetName of 0000:c1:00.0",
        ),
        (
            json!({"exited": 1}),
            "/nvml",
            "/nvml: ended with status 1 in nvmlDeviceGetName of 0000:c1:00.0",
        ),
        (
            json!({"exited": 0}),
            "/nvml",
            "/nvml: ended before all was said",
        ),
        (
            json!({"timed_out": 15_000}),
            "/nvml/nvmlDeviceGetName/0000:c1:00.0",
            "/nvml/nvmlDeviceGetName/0000:c1:00.0: no answer within 15000 ms",
        ),
        (
            json!({"too_long": 4_194_304}),
            "/nvml",
            "/nvml: larger than 4194304 bytes",
        ),
    ] {
        let (adapter, gpu, problems) = ran(&ended, &said);
        assert_eq!((problems.len(), &*problems[0].path), (1, path), "{ended}");
        assert_eq!(problems[0].to_string(), words);
        assert!(adapter.nvml.is_some() && gpu.nvml.is_some(), "{ended}");
    }
    // Nobody minds how it ended when all was said.
    let (_, _, problems) = ran(&json!({"killed": 11}), &[library(), json!("done")]);
    assert_eq!(told(&problems), []);
}

#[test]
fn a_host_without_the_library_or_the_driver_has_no_problem_and_one_with_a_bad_one_has() {
    for (said, expected) in [
        (json!("no_library"), None),
        (
            json!({"refuses": {"id": "nvmlInit_v2", "error": "driver_not_loaded"}}),
            None,
        ),
        (
            json!({"refuses": {"id": "nvmlInit_v2", "error": "lib_rm_version_mismatch"}}),
            Some(("/nvml/nvmlInit_v2", "unreadable")),
        ),
        (
            json!({"bad_library": "wrong ELF class"}),
            Some(("/nvml/library", "unreadable")),
        ),
    ] {
        let (adapter, gpu, problems) = ran(&json!({"exited": 0}), &[said.clone(), json!("done")]);
        assert_eq!(told(&problems), Vec::from_iter(expected), "{said}");
        assert!(adapter.nvml.is_none() && gpu.nvml.is_none(), "{said}");
    }
}

#[test]
fn lines_that_are_none_are_told_once_and_hide_nothing() {
    let said = [
        json!("some text"),
        json!(["x"]),
        json!({"device": {"function": 7}}),
        json!({"device": {"function": "0000:81:00.0", "nvml": {"cores": -1}}}),
        json!({"device": {"function": "0000:99:00.0", "nvml": {}}}),
        json!({"device": {"function": "../../etc", "nvml": {"unavailable": [{"id": "x", "error": 7}]}}}),
        library(),
        device(&json!({"cores": 14_592})),
        json!("done"),
    ];
    let (adapter, _, problems) = ran(&json!({"exited": 0}), &said);
    assert_eq!(told(&problems)[0], ("/nvml", "malformed"));
    assert_eq!(
        problems
            .iter()
            .filter(|problem| problem.path == "/nvml")
            .count(),
        1
    );
    assert_eq!(adapter.nvml.unwrap().cores, Some(14_592));
    for record in [
        json!(7),
        json!({"ended": {"exited": 0}}),
        json!({"ended": "odd", "said": []}),
    ] {
        let (gpu, problems) = gpu(&tree(&record));
        assert_eq!(
            told(&problems),
            [("/gnomon/probes/nvml.json", "malformed")],
            "{record}"
        );
        assert!(gpu.nvml.is_none());
    }
}

#[test]
fn a_program_that_cannot_be_started_is_told_and_one_that_was_never_asked_is_not() {
    let broken = tree(&json!({}));
    broken.fail(&[("gnomon/probes/nvml.json", libc::ETIMEDOUT)]);
    let (_, problems) = gpu(&broken);
    assert!(
        matches!(problems[0].reason, Reason::TimedOut { .. }),
        "{problems:?}"
    );
    let other = tree(&json!("nobody reads this"));
    other.write(&format!("{DEVICE}/vendor"), "0x1002\n");
    assert_eq!(told(&gpu(&other).1), []);
}

#[test]
fn errors_from_the_kernel_s_log_stand_in_the_row_of_their_device() {
    let tree = tree(&json!({"ended": {"exited": 0}, "said": ["no_library"]}));
    let line = |sequence: u64, text: &str| json!({"sequence": sequence, "uptime_ns": sequence, "text": text});
    let lines = json!([
        line(
            5,
            "NVRM: Xid (PCI:0000:81:00): 79, pid=1, GPU has fallen off the bus."
        ),
        line(6, "NVRM: Xid (PCI:0000:c1:00): 13, pid=1, another device"),
        line(7, "NVRM: Xid (PCI:0000:81:00): 79, pid=2, again"),
    ]);
    tree.write("gnomon/probes/nvidia-xid.json", &lines.to_string());
    let (gpu, problems) = gpu(&tree);
    assert_eq!(told(&problems), []);
    let [xid] = &gpu.adapters[0].now.xids[..] else {
        panic!("{:?}", gpu.adapters);
    };
    assert_eq!(
        (xid.id, xid.count, xid.last_pid, xid.last_ns.0),
        (79, 2, Some(2), 7)
    );
    assert_eq!(xid.meaning.as_deref(), Some("the device fell off the bus"));
    tree.fail(&[("gnomon/probes/nvidia-xid.json", libc::EPERM)]);
    let (_, problems) = self::gpu(&tree);
    assert_eq!(
        told(&problems),
        [("/gnomon/probes/nvidia-xid.json", "denied")]
    );
}
