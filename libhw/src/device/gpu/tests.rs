use proptest::prelude::*;

use crate::inventory::{Class, Inventory, Scope, discover};
use crate::survey::Problem;
use crate::tree::{Tree, told};

use super::*;

fn gpu(tree: &Tree) -> (Gpu, Vec<Problem>) {
    let inventory = tree.discover(Class::Gpu);
    (inventory.gpu.unwrap(), inventory.problems)
}

fn deep(tree: &Tree) -> (Gpu, Vec<Problem>) {
    let scope = Scope {
        classes: vec![Class::Gpu],
        deep: true,
        virtual_functions: true,
    };
    let inventory = discover(&tree.root(), &scope);
    (inventory.gpu.unwrap(), inventory.problems)
}

const AMD: &str = "sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0";
const XE: &str = "sys/devices/pci0000:00/0000:00:02.0";
const KFD: &str = "sys/class/kfd/kfd/topology/nodes";
const NVIDIA: &str = "proc/driver/nvidia";

/// What amdgpu's device says, as it should be.
const AMD_FILES: &[(&str, &str)] = &[
    ("class", "0x030000"),
    ("vendor", "0x1002"),
    ("device", "0x73bf"),
    (
        "uevent",
        "DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:73BF\nPCI_SUBSYS_ID=1DA2:440E\n",
    ),
    ("numa_node", "0"),
    ("boot_vga", "1"),
    ("power/runtime_status", "active"),
    ("vbios_version", "113-D4121EXT-CO1"),
    ("unique_id", "946d7e1ef9b172dd"),
    ("product_name", "Radeon"),
    ("serial_number", "PCB0001"),
    ("mem_info_vram_total", "17163091968"),
    ("mem_info_vram_used", "668274688"),
    ("mem_info_vram_vendor", "samsung"),
    ("fw_version/smc_fw_version", "0x003a5600"),
    ("current_compute_partition", "SPX"),
    ("available_compute_partition", "SPX, CPX"),
    ("xgmi_device_id", "1"),
    ("xgmi_num_hops", "00 01"),
    ("board_info", "type : oam"),
    ("ras/features", "feature mask: 0x7b"),
    ("ras/umc_err_count", "ue: 1\nce: 2\n"),
    ("ras/gpu_vram_bad_pages", "0x1 : 0x1000 : R\n"),
    ("gpu_busy_percent", "3"),
    ("pp_dpm_sclk", "0: 500Mhz *\n1: 2660Mhz\n"),
    ("pp_dpm_pcie", "0: 2.5GT/s, x1 310Mhz\n"),
    ("gpu_metrics", "\x08\0\x01\x03\x28\0\x29\0"),
    ("hwmon/hwmon5/temp1_input", "56000"),
    ("hwmon/hwmon5/temp1_label", "edge"),
    ("hwmon/hwmon5/power1_cap", "289000000"),
    ("hwmon/hwmon5/fan1_input", "0"),
    ("hwmon/hwmon5/pwm1_enable", "2"),
    ("hwmon/hwmon5/in0_input", "775"),
    ("hwmon/hwmon5/freq1_input", "500000000"),
];

/// What xe's device says.
const XE_FILES: &[(&str, &str)] = &[
    ("class", "0x038000"),
    ("uevent", "DRIVER=xe\nPCI_CLASS=38000\nPCI_ID=8086:0BD5\n"),
    ("tile0/physical_vram_size_bytes", "68719476736"),
    ("tile0/gt0/engines/ccs/job_timeout_ms", "5000"),
    ("tile0/gt0/freq0/act_freq", "1350"),
    ("tile0/gt0/freq0/throttle/reason_pl1", "1"),
    ("tile0/gt0/gtidle/idle_residency_ms", "1"),
    ("sriov_admin/pf/profile/exec_quantum_ms", "20"),
    ("sriov_admin/pf/profile/sched_priority", "[low] normal"),
    ("survivability_mode", "Survivability mode type: Boot"),
    ("lb_fan_control_version", "1.2.3.4"),
];

/// Files of each vendor, as they should be.
fn files() -> Vec<(String, &'static str)> {
    let rest = [
        (
            format!("{KFD}/0/properties"),
            "simd_count 96\nlocation_id 768\nunique_id 7\n",
        ),
        (
            format!("{KFD}/0/mem_banks/0/properties"),
            "size_in_bytes 1\n",
        ),
        (
            format!("{KFD}/0/io_links/0/properties"),
            "type 11\nnode_from 0\nnode_to 1\n",
        ),
        (
            format!("{NVIDIA}/version"),
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue\n",
        ),
        (
            format!("{NVIDIA}/gpus/0000:03:00.0/information"),
            "Model: X\nDevice Minor: 0\nGPU UUID: GPU-1\n",
        ),
        (
            format!("{NVIDIA}/gpus/0000:03:00.0/power"),
            "Runtime D3 status: Disabled\n",
        ),
        ("sys/class/drm/card0-DP-1/status".to_owned(), "connected"),
    ];
    let below = |place: &'static str, files: &'static [(&'static str, &'static str)]| {
        files
            .iter()
            .map(move |(name, text)| (format!("{place}/{name}"), *text))
    };
    below(AMD, AMD_FILES)
        .chain(below(XE, XE_FILES))
        .chain(rest)
        .collect()
}

/// The same tree with every file saying `text`, or what it should.
fn tree(text: Option<&str>) -> Tree {
    let tree = Tree::new(&[]);
    for (path, own) in files() {
        tree.write(&path, text.unwrap_or(own));
    }
    tree.link(
        "sys/bus/pci/devices/0000:03:00.0",
        "../../../devices/pci0000:00/0000:00:01.0/0000:03:00.0",
    );
    tree.link(
        "sys/bus/pci/devices/0000:00:02.0",
        "../../../devices/pci0000:00/0000:00:02.0",
    );
    tree.directory(&format!("{AMD}/drm/card0"));
    tree.link(
        "sys/class/drm/card0",
        "../../devices/pci0000:00/0000:00:01.0/0000:03:00.0/drm/card0",
    );
    tree.link(
        "sys/class/devcoredump/devcd1/failing_device",
        "../../../0000:03:00.0",
    );
    tree
}

#[test]
fn a_machine_without_accelerators_has_none() {
    assert_eq!(gpu(&Tree::new(&[])), (Gpu::default(), Vec::new()));
}

#[test]
fn a_sound_tree_leaves_no_problem_and_refreshes_to_itself() {
    let tree = tree(None);
    let (gpu, problems) = deep(&tree);
    assert_eq!(told(&problems), []);
    assert_eq!(gpu.adapters.len(), 2);
    let amd = gpu
        .adapters
        .iter()
        .find(|adapter| adapter.id == "0000:03:00.0")
        .unwrap();
    assert_eq!(amd.now.temperatures.len(), 2, "{:?}", amd.now.temperatures);
    assert_eq!(amd.core_dumps, ["devcd1"]);
    assert_eq!(amd.connectors.len(), 1);
    let root = tree.root();
    let mut inventory = Inventory {
        gpu: Some(gpu.clone()),
        ..Inventory::default()
    };
    assert_eq!(inventory.refresh(&root), []);
    assert_eq!(inventory.gpu, Some(gpu));
}

#[test]
fn no_file_that_says_anything_else_hides_the_devices() {
    let long = "9".repeat(1 << 16);
    for text in [
        "",
        "\n",
        "\0\0\0\0",
        "garbage",
        "-1",
        "18446744073709551616",
        "\u{fffd}: \u{fffd}",
        &long,
    ] {
        let tree = tree(Some(text));
        // A node is there, whatever its device says.
        let (gpu, _) = deep(&tree);
        let card = gpu
            .adapters
            .iter()
            .find(|adapter| adapter.id == "0000:03:00.0");
        assert_eq!(
            card.map(|card| card.nodes.clone()),
            Some(vec!["card0".to_owned()]),
            "{text:.20?}"
        );
    }
}

#[test]
fn every_file_that_cannot_be_read_is_told_and_hides_no_other() {
    for (path, _) in files() {
        let tree = tree(None);
        // Asked below the name by which a device is found.
        let asked = path
            .replace(AMD, "sys/bus/pci/devices/0000:03:00.0")
            .replace(XE, "sys/bus/pci/devices/0000:00:02.0");
        tree.fail(&[(asked.as_str(), libc::EIO)]);
        let (gpu, problems) = deep(&tree);
        let class = asked.ends_with("/class");
        let unread = asked.ends_with("/vendor")
            || asked.ends_with("/device")
            || asked.ends_with("job_timeout_ms");
        let expected = (asked == "sys/bus/pci/devices/0000:00:02.0/class") || class || unread;
        assert!(
            expected || told(&problems) == [(format!("/{asked}").as_str(), "unreadable")],
            "{asked}: {problems:?}"
        );
        assert!(
            gpu.adapters
                .iter()
                .any(|adapter| adapter.nodes == ["card0"]),
            "{asked}"
        );
    }
}

#[test]
fn a_device_that_sleeps_is_not_asked_unless_the_look_is_deep() {
    let tree = tree(None);
    for status in ["suspended", "suspending"] {
        tree.write(&format!("{AMD}/power/runtime_status"), status);
        let (asleep, _) = gpu(&tree);
        let card = asleep
            .adapters
            .iter()
            .find(|adapter| adapter.id == "0000:03:00.0")
            .unwrap();
        assert!(
            card.now.temperatures.is_empty()
                && card.now.clocks.is_empty()
                && card.now.errors.is_empty()
        );
        assert_eq!(card.amd.as_ref().unwrap().compute_partition, None);
        // What the driver knows by itself is told all the same.
        assert!(
            card.memory.is_some() && card.now.vram_used_bytes.is_some() && card.vbios.is_some()
        );
        let (woken, _) = deep(&tree);
        let card = woken
            .adapters
            .iter()
            .find(|adapter| adapter.id == "0000:03:00.0")
            .unwrap();
        assert!(!card.now.temperatures.is_empty());
    }
}

#[test]
fn what_must_not_be_read_is_not_read() {
    let tree = tree(None);
    for name in ["pcie_bw", "xgmi_error"] {
        tree.write(&format!("{AMD}/{name}"), "1");
        tree.fail(&[(
            format!("sys/bus/pci/devices/0000:03:00.0/{name}").as_str(),
            libc::EIO,
        )]);
        assert_eq!(told(&deep(&tree).1), [], "{name} was read");
    }
}

#[test]
fn virtual_functions_are_folded_unless_asked_for() {
    let tree = tree(None);
    tree.link(&format!("{XE}/physfn"), "../0000:00:01.7");
    assert_eq!(gpu(&tree).0.adapters.len(), 1);
    assert_eq!(deep(&tree).0.adapters.len(), 2);
}

#[test]
fn a_driver_that_may_not_answer_now_is_no_problem() {
    let tree = tree(None);
    tree.fail(&[("sys/bus/pci/devices/0000:03:00.0/gpu_metrics", libc::EPERM)]);
    assert_eq!(told(&gpu(&tree).1), []);
    assert_eq!(
        told(&deep(&tree).1),
        [("/sys/bus/pci/devices/0000:03:00.0/gpu_metrics", "denied")]
    );
}

#[test]
fn words_that_are_not_known_are_kept() {
    let reasons: Vec<ThrottleReason> = serde_json::from_str(r#"["pl1","moonphase"]"#).unwrap();
    assert_eq!(
        reasons,
        [
            ThrottleReason::Pl1,
            ThrottleReason::Other("moonphase".into())
        ]
    );
    assert_eq!(
        serde_json::to_string(&reasons).unwrap(),
        r#"["pl1","moonphase"]"#
    );
    assert_eq!(reasons[0].cause(), Some(ThrottleCause::Power));
    assert_eq!(reasons[1].cause(), None);
    let power: RuntimePower = serde_json::from_str(r#""dreaming""#).unwrap();
    assert_eq!(power, RuntimePower::Other("dreaming".into()));
    let kind: AdapterKind = serde_json::from_str(r#""hologram""#).unwrap();
    assert_eq!(kind, AdapterKind::Unknown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_text_panics(text in ".*", at in 0_usize..60) {
        let tree = tree(None);
        if let Some((path, _)) = files().get(at) {
            tree.write(path, &text);
        }
        let _ = deep(&tree);
    }
}
