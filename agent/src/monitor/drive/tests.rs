use libhw::device::storage::{CriticalWarning, Disk, NvmeController, NvmeHealth, Storage};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

fn look(scene: &mut Scene, serial: &str, health: NvmeHealth) -> Vec<Said> {
    let mut controller = NvmeController {
        id: "nvme0".to_owned(),
        serial: Some(serial.to_owned()),
        ..NvmeController::default()
    };
    controller.now.health = Some(health);
    let storage = Some(Storage {
        nvme_controllers: vec![controller],
        ..Storage::default()
    });
    let reports = scene.look_at(&Inventory {
        storage,
        ..Inventory::default()
    });
    wrong(&reports)
}

fn sound() -> NvmeHealth {
    NvmeHealth {
        available_spare_percent: 100,
        spare_threshold_percent: 10,
        percentage_used: 3,
        media_errors: 2,
        ..NvmeHealth::default()
    }
}

#[test]
fn what_a_drive_warns_of_is_told_by_its_serial_number() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(look(&mut scene, "S1", sound()), []);
    for (warning, alarm) in [
        (CriticalWarning::Reliability, "hw.storage.health-failed"),
        (CriticalWarning::ReadOnly, "hw.storage.health-failed"),
        (CriticalWarning::Spare, "hw.storage.spare-low"),
        (CriticalWarning::Temperature, "hw.storage.temperature"),
    ] {
        let health = NvmeHealth {
            critical_warnings: vec![warning],
            ..sound()
        };
        assert_eq!(
            look(&mut scene, "S1", health),
            [row(alarm, "disk=S1", "fault")]
        );
    }
    let health = NvmeHealth {
        available_spare_percent: 9,
        ..sound()
    };
    assert_eq!(
        look(&mut scene, "S1", health),
        [row("hw.storage.spare-low", "disk=S1", "fault")]
    );
    assert_eq!(look(&mut scene, "S1", sound()), []);
}

#[test]
fn media_errors_are_counted_over_boots_and_those_of_another_drive_begin_anew() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(look(&mut scene, "S1", sound()), []);
    scene.reboot();
    let more = NvmeHealth {
        media_errors: 5,
        ..sound()
    };
    assert_eq!(
        look(&mut scene, "S1", more),
        [row("hw.storage.media-errors", "disk=S1", "+3")]
    );
    let other = NvmeHealth {
        media_errors: 900,
        ..sound()
    };
    assert_eq!(look(&mut scene, "S2", other), []);
}

#[test]
fn a_disk_that_says_it_will_fail_and_one_that_says_nothing() {
    let mut scene = Scene::new(&ROW, &[]);
    let disk = |failing: Option<bool>, pending: u64, reallocated: u64| {
        let mut disk = Disk {
            id: "sda".to_owned(),
            ..Disk::default()
        };
        let mut health = libhw::device::storage::AtaHealth::default();
        health.now.failing = failing;
        health.now.pending_sectors = Some(pending);
        health.now.reallocated_sectors = Some(reallocated);
        disk.ata = Some(health);
        Inventory {
            storage: Some(Storage {
                disks: vec![disk],
                ..Storage::default()
            }),
            ..Inventory::default()
        }
    };
    let mut look = |inventory: &Inventory| wrong(&scene.look_at(inventory));
    assert_eq!(look(&disk(Some(false), 0, 8)), []);
    let told = [
        row("hw.storage.health-failed", "disk=sda", "fault"),
        row("hw.storage.sectors-pending", "disk=sda", "fault"),
        row("hw.storage.sectors-reallocated", "disk=sda", "+2"),
    ];
    assert_eq!(look(&disk(Some(true), 1, 10)), told);
    assert_eq!(look(&disk(None, 0, 10)), []);
}

#[test]
fn a_tree_with_the_answers_of_drives_is_read_as_deeply_as_it_needs() {
    let mut scene = Scene::ttar(&ROW, "storage");
    let said = scene.said();
    assert!(
        said.iter().any(|said| said.0 == "hw.storage.wear"),
        "{said:?}"
    );
}
