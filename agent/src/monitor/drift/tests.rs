use libhw::device::memory::{Device, Memory, Population};
use libhw::device::pci::{Function, Pci};
use libhw::device::storage::{Disk, Storage, Transport};
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use crate::monitor::scene::{Said, Scene, row, said, wrong};

use super::ROW;
use super::part::is_older;

fn stick(id: &str, serial: &str, size: u64) -> Device {
    Device {
        id: id.to_owned(),
        population: Population::Populated,
        serial: Some(serial.to_owned()),
        size_bytes: Some(Bytes(size)),
        ..Device::default()
    }
}

fn disk(id: &str, serial: &str, firmware: &str) -> Disk {
    Disk {
        id: id.to_owned(),
        serial: Some(serial.to_owned()),
        firmware: Some(firmware.to_owned()),
        transport: Some(Transport::Nvme),
        ..Disk::default()
    }
}

fn function(id: &str, device_id: u16) -> Function {
    Function {
        id: id.to_owned(),
        device_id,
        ..Function::default()
    }
}

fn machine(devices: Vec<Device>, disks: Vec<Disk>, functions: Vec<Function>) -> Inventory {
    Inventory {
        memory: Some(Memory {
            devices,
            ..Memory::default()
        }),
        storage: Some(Storage {
            disks,
            ..Storage::default()
        }),
        pci: Some(Pci { functions }),
        ..Inventory::default()
    }
}

fn accepted() -> Inventory {
    machine(
        vec![stick("A1", "1", 16), stick("B1", "2", 16)],
        vec![disk("nvme0n1", "S1", "1.10")],
        vec![function("0000:01:00.0", 1)],
    )
}

fn look(now: &Inventory) -> Vec<Said> {
    let mut scene = Scene::new(&ROW, &[]);
    scene.baseline = Some(accepted());
    wrong(&scene.look_at(now))
}

#[test]
fn the_accepted_machine_is_sound_and_its_drives_may_change_their_names() {
    assert_eq!(look(&accepted()), []);
    let mut now = accepted();
    now.storage.as_mut().unwrap().disks[0].id = "nvme3n1".to_owned();
    assert_eq!(look(&now), []);
}

#[test]
fn what_is_missing_is_told_by_its_name_until_it_is_back() {
    let mut scene = Scene::new(&ROW, &[]);
    scene.baseline = Some(accepted());
    let now = machine(
        vec![stick("A1", "1", 16)],
        vec![],
        vec![function("0000:01:00.0", 2)],
    );
    let told = [
        row("hw.memory.missing", "dimm=B1", "fault"),
        row("hw.pcie.missing", "pci=0000:01:00\\.0", "fault"),
        row("hw.storage.missing", "disk=S1", "fault"),
    ];
    assert_eq!(wrong(&scene.look_at(&now)), told);
    let mut empty = accepted();
    empty.memory.as_mut().unwrap().devices[1].population = Population::Empty;
    assert_eq!(
        wrong(&scene.look_at(&empty)),
        [row("hw.memory.missing", "dimm=B1", "fault")]
    );
    assert_eq!(wrong(&scene.look_at(&accepted())), []);
}

#[test]
fn what_is_new_replaced_or_smaller_changes_its_class() {
    let mut now = accepted();
    now.memory.as_mut().unwrap().devices[0] = stick("A1", "9", 8);
    now.storage
        .as_mut()
        .unwrap()
        .disks
        .push(disk("nvme1n1", "S2", "1"));
    let told = [
        row("hw.inventory.changed", "class=memory", "fault"),
        row("hw.inventory.changed", "class=storage", "fault"),
    ];
    assert_eq!(look(&now), told);
}

#[test]
fn firmware_that_is_older_is_told_and_newer_one_is_a_change() {
    let with = |firmware: &str| {
        let mut now = accepted();
        now.storage.as_mut().unwrap().disks[0].firmware = Some(firmware.to_owned());
        look(&now)
    };
    assert_eq!(
        with("1.9"),
        [row("hw.firmware.older", "component=S1", "fault")]
    );
    assert_eq!(
        with("1.11"),
        [row("hw.inventory.changed", "class=storage", "fault")]
    );
}

#[test]
fn a_class_that_was_not_read_and_a_machine_without_a_baseline_say_nothing() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(said(&scene.look_at(&accepted()))[0].0, "failed");
    scene.baseline = Some(accepted());
    assert_eq!(said(&scene.look_at(&Inventory::default())), []);
}

#[test]
fn versions_are_compared_by_their_numbers() {
    for (one, other, expected) in [
        ("1.9", "1.10", true),
        ("1.10", "1.9", false),
        ("1.0", "1.0", false),
        ("2.3.1", "2.3.1.4", true),
        ("0x2b0005c0", "0x2b000603", true),
        ("GDC5302Q", "GDC5602Q", true),
        ("", "1", true),
        (
            "99999999999999999999999998",
            "99999999999999999999999999",
            true,
        ),
        ("1.007", "1.7", false),
    ] {
        assert_eq!(is_older(one, other), expected, "{one} {other}");
    }
}
