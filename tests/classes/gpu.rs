//! Graphics and processing accelerators: captured cards against LACT's answer, made-up trees against the kernel's documents.

mod lact;

use libhw::device::gpu::{
    Adapter, AdapterKind, ComputeLinkKind, FirmwareState, Survivability, ThrottleReason,
};
use libhw::inventory::{Class, Inventory, Scope, discover};
use libhw::io::archive;
use libhw::io::capture::{self, Options};
use libhw::io::root::Root;
use libhw::join::gpu::{compute_nodes_of_adapter, slowest_link_of_adapter};

use crate::{replayed, synthetic};

#[test]
fn the_card_of_the_composite_tree_is_read_without_links() {
    let Some(machines) = support::machines() else {
        support::skipped(
            "no machines: set GNOMON_MACHINES to a directory with composite/prometheus-procfs.ttar",
        );
        return;
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let inventory = replayed(tree.path(), &[Class::Gpu]);
    let adapters = &inventory.gpu.as_ref().expect("the class").adapters;
    let card = adapters
        .iter()
        .find(|adapter| adapter.nodes == ["card0"])
        .expect("card0");
    assert_eq!(
        (card.id.as_str(), card.kind),
        ("0000:09:00.0", AdapterKind::Vga)
    );
    // What sysfs/class_drm_amdgpu_test.go of prometheus/procfs expects of it.
    let memory = card.memory.as_ref().expect("memory");
    assert_eq!(memory.gtt_bytes.map(|bytes| bytes.0), Some(8_573_157_376));
    assert_eq!(memory.vram_bytes.map(|bytes| bytes.0), Some(8_573_157_376));
    assert_eq!(
        memory.vram_visible_bytes.map(|bytes| bytes.0),
        Some(8_573_157_376)
    );
    assert_eq!(memory.vram_vendor.as_deref(), Some("samsung"));
    assert_eq!(
        card.now.gtt_used_bytes.map(|bytes| bytes.0),
        Some(144_560_128)
    );
    assert_eq!(
        card.now.vram_used_bytes.map(|bytes| bytes.0),
        Some(1_490_378_752)
    );
    assert_eq!(
        card.now.vram_visible_used_bytes.map(|bytes| bytes.0),
        Some(1_490_378_752)
    );
    assert_eq!(card.now.busy.compute_percent, Some(4));
    let amd = card.amd.as_ref().expect("amdgpu's part");
    assert_eq!(amd.now.performance_level.as_deref(), Some("manual"));
    assert_eq!(card.unique_id.as_deref(), Some("0123456789abcdef"));
    assert_eq!(inventory.problems, []);
}

fn named<'a>(inventory: &'a Inventory, id: &str) -> &'a Adapter {
    let adapters = &inventory.gpu.as_ref().expect("the class").adapters;
    adapters
        .iter()
        .find(|adapter| adapter.id == id)
        .unwrap_or_else(|| panic!("no adapter {id}"))
}

#[test]
fn partitions_xgmi_and_errors_of_a_server_module_are_told() {
    let inventory = synthetic("gpu-mi300x", &[Class::Gpu, Class::Pci]);
    assert_eq!(inventory.problems, []);
    let first = named(&inventory, "0000:0c:00.0");
    assert_eq!(first.nodes, ["card1", "renderD128", "card3", "renderD129"]);
    let partitions: Vec<_> = compute_nodes_of_adapter(&inventory, first).collect();
    assert_eq!(partitions.len(), 2);
    assert_eq!(partitions[1].render_node.as_deref(), Some("renderD129"));
    let gpu = inventory.gpu.as_ref().expect("the class");
    let xgmi = gpu
        .compute_links
        .iter()
        .filter(|link| link.kind == ComputeLinkKind::Xgmi);
    assert_eq!(xgmi.count(), 6);
    let hive = |adapter: &Adapter| adapter.amd.as_ref()?.xgmi.as_ref()?.hive_id.clone();
    assert!(hive(first).is_some() && hive(first) == hive(named(&inventory, "0000:22:00.0")));
    let umc = first
        .now
        .errors
        .iter()
        .find(|error| error.id == "umc")
        .expect("umc");
    assert_eq!(
        (umc.uncorrected, umc.corrected, umc.deferred),
        (Some(1), Some(17), Some(2))
    );
    let pages = first
        .amd
        .as_ref()
        .and_then(|amd| amd.now.bad_pages)
        .expect("bad pages");
    assert_eq!((pages.retired, pages.pending, pages.failed), (2, 1, 0));
    let link = slowest_link_of_adapter(&inventory, first).expect("a link");
    assert_eq!(
        (link.upper.id.as_str(), link.is_narrowed()),
        ("0000:00:01.1", true)
    );
    let other =
        slowest_link_of_adapter(&inventory, named(&inventory, "0000:22:00.0")).expect("a link");
    assert!(!other.is_narrowed() && !other.is_slowed());
}

#[test]
fn tiles_throttling_firmware_and_shares_of_intels_devices_are_told() {
    let inventory = synthetic("gpu-intel", &[Class::Gpu, Class::Pci]);
    assert_eq!(inventory.problems, []);
    let tiled = named(&inventory, "0000:8c:00.0");
    let intel = tiled.intel.as_ref().expect("xe's part");
    assert_eq!((intel.tiles.len(), intel.gts.len()), (2, 2));
    assert_eq!(
        tiled
            .memory
            .as_ref()
            .and_then(|memory| memory.vram_bytes)
            .map(|bytes| bytes.0),
        Some(128 << 30)
    );
    let reasons = tiled.now.throttle.as_ref().expect("a word on throttling");
    let other = ThrottleReason::Other("moonphase".to_owned());
    assert!(
        [ThrottleReason::Pl1, ThrottleReason::Thermal, other]
            .iter()
            .all(|reason| reasons.contains(reason))
    );
    let functions: Vec<_> = intel
        .sriov
        .iter()
        .map(|profile| profile.function.as_deref())
        .collect();
    assert_eq!(
        functions,
        [Some("0000:8c:00.0"), Some("0000:8c:00.1"), None]
    );
    let failed = tiled
        .firmware
        .iter()
        .find(|part| part.state == Some(FirmwareState::Failed));
    assert_eq!(failed.map(|part| part.id.as_str()), Some("huc"));
    assert_eq!(tiled.core_dumps, ["devcd1"]);
    let broken = named(&inventory, "0000:b0:00.0")
        .intel
        .as_ref()
        .expect("xe's part");
    assert_eq!(broken.survivability, Some(Survivability::Boot));
}

#[test]
fn both_ages_of_i915_are_read() {
    let inventory = synthetic("gpu-intel", &[Class::Gpu, Class::Pci]);
    let old = named(&inventory, "0000:00:02.0")
        .intel
        .as_ref()
        .expect("i915's part");
    assert_eq!(
        old.gts
            .first()
            .and_then(|gt| gt.now.rp0_hz)
            .map(|rate| rate.0),
        Some(1_450_000_000)
    );
    assert_eq!(old.now.error_saved, Some(false));
    let older = named(&inventory, "0000:01:00.0")
        .intel
        .as_ref()
        .expect("i915's part");
    let now = older
        .gts
        .first()
        .map(|gt| &gt.now)
        .expect("a group of engines");
    assert_eq!(now.max_hz.map(|rate| rate.0), Some(1_550_000_000));
    assert_eq!(
        (now.idle_residency_ms, older.now.error_saved),
        (Some(77), Some(true))
    );
}

#[test]
fn a_capture_of_accelerators_replays_to_what_was_read() {
    for name in ["gpu-mi300x", "gpu-intel", "gpu-others"] {
        let tree = support::ttar::ttar(&crate::place("trees").join(format!("{name}.ttar")));
        for deep in [false, true] {
            let scope = Scope {
                classes: vec![Class::Gpu],
                deep,
                virtual_functions: deep,
            };
            let options = Options {
                scope: scope.clone(),
                unmasked: true,
                ..Options::default()
            };
            let root = Root::captured(tree.path()).expect("a tree");
            let mut tar = Vec::new();
            let captured = capture::write(root, &options, "machine", &mut tar).expect("a capture");
            let place = tempfile::tempdir().expect("a directory");
            let file = place.path().join("machine.tar");
            std::fs::write(&file, &tar).expect("room for the capture");
            let again = discover(&archive::open(&file).expect("a capture"), &scope);
            assert_eq!(again, captured.inventory, "{name}, deep: {deep}");
            assert!(again.gpu.is_some_and(|gpu| !gpu.adapters.is_empty()));
        }
    }
}

#[test]
fn every_other_sort_of_accelerator_has_its_row() {
    let inventory = synthetic("gpu-others", &[Class::Gpu, Class::Pci]);
    assert_eq!(inventory.problems, []);
    for (id, kind, driver) in [
        ("0000:1b:00.0", AdapterKind::ThreeD, "nvidia"),
        ("0000:00:06.0", AdapterKind::ThreeD, "nvidia"),
        ("0000:03:00.0", AdapterKind::Display, "amdgpu"),
        ("fb000000.gpu", AdapterKind::Platform, "panthor"),
        ("0000:00:02.0", AdapterKind::Virtual, "virtio_gpu"),
        ("0000:04:00.0", AdapterKind::Vga, "ast"),
        ("0000:00:0b.0", AdapterKind::Accelerator, "intel_vpu"),
        ("0000:05:00.0", AdapterKind::Vga, "vfio-pci"),
    ] {
        let adapter = named(&inventory, id);
        assert_eq!(
            (adapter.kind, adapter.driver.as_deref()),
            (kind, Some(driver)),
            "{id}"
        );
    }
    assert_eq!(named(&inventory, "vkms").kind, AdapterKind::Virtual);
    let gpu = inventory.gpu.as_ref().expect("the class");
    let driver = gpu.nvidia_driver.as_ref().expect("NVIDIA's driver");
    assert_eq!(
        (driver.version.as_deref(), driver.open),
        (Some("550.54.15"), true)
    );
    let nvidia = named(&inventory, "0000:1b:00.0");
    assert_eq!(
        nvidia.unique_id.as_deref(),
        Some("GPU-2fb1c2b5-30c5-2d0c-8a4a-3ba8f4d66a4d")
    );
    assert_eq!(
        nvidia
            .nvidia
            .as_ref()
            .map(|nvidia| nvidia.mig_instances.clone()),
        Some(vec![1, 2])
    );
    let excluded = named(&inventory, "0000:00:06.0");
    assert_eq!(
        (excluded.unique_id.as_deref(), excluded.vbios.as_deref()),
        (None, None)
    );
}
