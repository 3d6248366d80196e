use libhw::device::gpu::nvml::{Nvml, NvmlRemappedRows, NvmlState};
use libhw::device::gpu::xid::{Xid, XidAction};
use libhw::device::gpu::{Adapter, ErrorCount, Gpu, RuntimePower, ThrottleReason};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

const PCI: &str = "pci=0000:81:00\\.0";

fn look(scene: &mut Scene, change: impl Fn(&mut Adapter)) -> Vec<Said> {
    let mut inventory = Scene::ttar(&ROW, "gpu-others").inventory();
    let mut adapter = inventory
        .gpu
        .take()
        .and_then(|gpu| gpu.adapters.into_iter().next())
        .unwrap();
    adapter.function = Some("0000:81:00.0".to_owned());
    adapter.product = None;
    change(&mut adapter);
    let gpu = Some(Gpu {
        adapters: vec![adapter],
        ..Gpu::default()
    });
    wrong(&scene.look_at(&Inventory {
        gpu,
        ..Inventory::default()
    }))
}

#[test]
fn a_device_that_fell_off_the_bus_is_lost_until_it_answers() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(look(&mut scene, |_| {}), []);
    let lost = [row("hw.gpu.lost", PCI, "fault")];
    assert_eq!(
        look(&mut scene, |one| one.now.power = Some(RuntimePower::Error)),
        lost
    );
    let state = |state: NvmlState| {
        move |one: &mut Adapter| {
            one.nvml = Some(Box::new(Nvml {
                state,
                ..Nvml::default()
            }));
        }
    };
    assert_eq!(look(&mut scene, state(NvmlState::Lost)), lost);
    assert_eq!(look(&mut scene, state(NvmlState::ResetRequired)), lost);
    assert_eq!(look(&mut scene, state(NvmlState::Answers)), []);
}

#[test]
fn errors_of_memory_and_of_other_parts_are_told_apart() {
    let mut scene = Scene::new(&ROW, &[]);
    let count = |id: &str, corrected: u64, uncorrected: u64| ErrorCount {
        id: id.to_owned(),
        corrected: Some(corrected),
        uncorrected: Some(uncorrected),
        deferred: None,
    };
    assert_eq!(
        look(&mut scene, |one| one.now.errors =
            vec![count("umc", 3, 0), count("gfx", 0, 0)]),
        []
    );
    let told = [
        row("hw.gpu.memory-corrected", PCI, "+1"),
        row("hw.gpu.memory-uncorrected", PCI, "+1"),
        row("hw.gpu.error", PCI, "+2"),
    ];
    assert_eq!(
        look(&mut scene, |one| one.now.errors =
            vec![count("umc", 4, 1), count("gfx", 0, 2)]),
        told
    );
}

#[test]
fn an_xid_of_the_device_is_told_and_one_of_a_program_is_not() {
    let mut scene = Scene::new(&ROW, &[]);
    let xid = |id: u32, action: XidAction, count: u64| Xid {
        id,
        action,
        count,
        last_text: "GPU has fallen off the bus.\u{1b}[2J".to_owned(),
        ..Xid::default()
    };
    let both = |count: u64| {
        move |one: &mut Adapter| {
            one.now.xids = vec![
                xid(13, XidAction::RestartProgram, 9),
                xid(79, XidAction::RestartMachine, count),
            ];
        }
    };
    let told = |word: &str| [row("hw.gpu.error", &format!("{PCI}.xid=79"), word)];
    assert_eq!(look(&mut scene, both(1)), told("+1"));
    assert_eq!(look(&mut scene, both(1)), []);
    assert_eq!(look(&mut scene, both(3)), told("+2"));
}

#[test]
fn rows_that_could_not_be_replaced_are_graver_than_those_that_wait_for_a_reset() {
    let mut scene = Scene::new(&ROW, &[]);
    let rows = |pending: bool, failed: bool| {
        move |one: &mut Adapter| {
            let mut nvml = Nvml::default();
            nvml.now.memory.remapped_rows = Some(NvmlRemappedRows {
                pending,
                failed,
                ..NvmlRemappedRows::default()
            });
            one.nvml = Some(Box::new(nvml));
        }
    };
    let told = |word: &str| [row("hw.gpu.row-remap", PCI, word)];
    let of = |said: Vec<Said>| {
        said.into_iter()
            .filter(|said| said.0 == "hw.gpu.row-remap")
            .collect::<Vec<_>>()
    };
    assert_eq!(of(look(&mut scene, rows(false, false))), []);
    assert_eq!(of(look(&mut scene, rows(true, false))), told("fault minor"));
    assert_eq!(of(look(&mut scene, rows(true, true))), told("fault major"));
}

#[test]
fn heat_slows_it_down_and_having_nothing_to_do_is_no_fault() {
    let mut scene = Scene::new(&ROW, &[]);
    let reasons = |reasons: &[ThrottleReason]| {
        let reasons: std::collections::BTreeSet<_> = reasons.iter().cloned().collect();
        move |one: &mut Adapter| one.now.throttle = Some(reasons.clone())
    };
    let all = ThrottleReason::Other("word of tomorrow".to_owned());
    assert_eq!(look(&mut scene, reasons(&[all, ThrottleReason::Ppt0])), []);
    assert_eq!(
        look(&mut scene, reasons(&[ThrottleReason::TempHotspot])),
        [row("hw.gpu.throttled", PCI, "fault")]
    );
}

#[test]
fn a_tree_of_a_device_with_error_counters_is_read() {
    let mut scene = Scene::ttar(&ROW, "gpu-mi300x");
    let said = scene.said();
    assert!(
        said.iter().any(|said| said.0 == "hw.gpu.memory-corrected"),
        "{said:?}"
    );
}
