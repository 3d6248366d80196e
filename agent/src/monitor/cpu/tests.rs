use libhw::device::cpu::{Cpu, Model, Thread, Throttle, ThrottleNow};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

fn machine(online: [bool; 2], throttled: u64, microcode: [&str; 2]) -> Cpu {
    let thread = |(id, online): (u32, bool)| Thread {
        id,
        online,
        ..Thread::default()
    };
    let model = |microcode: &str| Model {
        vendor: Some("GenuineIntel".to_owned()),
        microcode: Some(microcode.to_owned()),
        ..Model::default()
    };
    Cpu {
        cpus: (0..).zip(online).map(thread).collect(),
        models: microcode.map(model).to_vec(),
        throttles: vec![Throttle {
            id: "package0".to_owned(),
            package: Some(0),
            core: None,
            now: ThrottleNow {
                count: Some(throttled),
                ..ThrottleNow::default()
            },
            cpu: 0,
        }],
        ..Cpu::default()
    }
}

fn look(scene: &mut Scene, cpu: Cpu) -> Vec<Said> {
    wrong(&scene.look_at(&Inventory {
        cpu: Some(cpu),
        ..Inventory::default()
    }))
}

#[test]
fn a_cpu_that_was_online_is_missed_unless_threads_were_switched_off() {
    let mut scene = Scene::new(&ROW, &[]);
    let machine = |online| machine(online, 0, ["0x1", "0x1"]);
    assert_eq!(look(&mut scene, machine([true, false])), []);
    assert_eq!(look(&mut scene, machine([true, true])), []);
    assert_eq!(
        look(&mut scene, machine([true, false])),
        [row("hw.cpu.offline", "cpu=1", "fault")]
    );
    let off = Cpu {
        smt_control: Some("off".to_owned()),
        ..machine([true, false])
    };
    assert_eq!(look(&mut scene, off), []);
    scene.reboot();
    assert_eq!(look(&mut scene, machine([true, false])), []);
}

#[test]
fn heat_and_differing_microcode_are_told() {
    let mut scene = Scene::new(&ROW, &[]);
    let both = [true; 2];
    assert_eq!(look(&mut scene, machine(both, 40, ["0x1", "0x1"])), []);
    assert_eq!(
        look(&mut scene, machine(both, 42, ["0x1", "0x1"])),
        [row("hw.cpu.throttled", "cpu=package0", "+2")]
    );
    let told = [row("hw.cpu.microcode-mismatch", "cpu=all", "fault")];
    assert_eq!(look(&mut scene, machine(both, 42, ["0x1", "0x2"])), told);
    // Unequal processors have microcode of their own.
    let mut hybrid = machine(both, 42, ["0x1", "0x2"]);
    hybrid.models[1].model = Some("191".to_owned());
    assert_eq!(look(&mut scene, hybrid), []);
}
