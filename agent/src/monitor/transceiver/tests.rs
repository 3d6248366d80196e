use libhw::device::nic::module::{Lane, ModuleNow, Threshold};
use libhw::device::nic::{FecNow, Interface, Module, Nic};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

fn port(light: i64, limits: [i64; 4], enabled: bool, blocks: u64) -> Interface {
    let [low_alarm, low_warning, high_warning, high_alarm] = limits;
    let threshold = Threshold {
        id: "rx_power_nanowatts".to_owned(),
        high_alarm,
        low_alarm,
        high_warning,
        low_warning,
    };
    let lane = Lane {
        id: 1,
        rx_power_nanowatts: Some(light),
        ..Lane::default()
    };
    let mut interface = Interface {
        id: "eth0".to_owned(),
        enabled: Some(enabled),
        module: Some(Module {
            thresholds: vec![threshold],
            ..Module::default()
        }),
        ..Interface::default()
    };
    interface.now.module = Some(ModuleNow {
        lanes: vec![lane],
        ..ModuleNow::default()
    });
    let counters = [("uncorrectable_blocks".to_owned(), blocks)].into();
    interface.now.fec = Some(FecNow {
        active: Some("RS".to_owned()),
        counters,
    });
    interface
}

fn look(scene: &mut Scene, interface: Interface) -> Vec<Said> {
    let nic = Some(Nic {
        interfaces: vec![interface],
        ..Nic::default()
    });
    wrong(&scene.look_at(&Inventory {
        nic,
        ..Inventory::default()
    }))
}

const LIMITS: [i64; 4] = [10_000, 20_000, 1_000_000, 2_000_000];

#[test]
fn light_is_judged_by_the_modules_own_limits() {
    let mut scene = Scene::new(&ROW, &[]);
    let light = |word: &str| {
        [row(
            "hw.nic.transceiver",
            "nic=eth0.level=received light of lane 1",
            word,
        )]
    };
    assert_eq!(look(&mut scene, port(500_000, LIMITS, true, 0)), []);
    assert_eq!(
        look(&mut scene, port(15_000, LIMITS, true, 0)),
        light("15 minor")
    );
    assert_eq!(look(&mut scene, port(0, LIMITS, true, 0)), light("0 major"));
    assert_eq!(
        look(&mut scene, port(3_000_000, LIMITS, true, 0)),
        light("3000 major")
    );
    // Switched off, or limits that say nothing.
    assert_eq!(look(&mut scene, port(0, LIMITS, false, 0)), []);
    assert_eq!(look(&mut scene, port(0, [0; 4], true, 0)), []);
    assert_eq!(look(&mut scene, port(0, [5, 4, 3, 2], true, 0)), []);
}

#[test]
fn blocks_beyond_error_correction_are_told_by_growth() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(look(&mut scene, port(500_000, LIMITS, true, 4)), []);
    let told = [row("hw.nic.fec-uncorrectable", "nic=eth0", "+2")];
    assert_eq!(look(&mut scene, port(500_000, LIMITS, true, 6)), told);
}

#[test]
fn a_module_that_receives_too_little_light_is_told_from_its_own_bytes() {
    let mut scene = Scene::ttar(&ROW, "telco-nic");
    let told = scene.wrong();
    assert!(
        told.iter()
            .any(|said| said.1.starts_with("nic=eno1np0.level=received light")),
        "{told:?}"
    );
}
