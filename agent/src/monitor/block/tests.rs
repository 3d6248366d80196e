use libhw::device::storage::{
    ControllerState, DeviceState, Disk, DiskNow, ErrorCounts, NvmeController, Storage,
};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

fn disk(state: DeviceState, errors: u64, timeouts: u64) -> Disk {
    Disk {
        id: "sda".to_owned(),
        serial: Some("S1".to_owned()),
        state: Some(state),
        now: DiskNow {
            errors: Some(ErrorCounts {
                requests: Some(1000),
                done: Some(1000),
                errors: Some(errors),
                timeouts: Some(timeouts),
            }),
            ..DiskNow::default()
        },
        ..Disk::default()
    }
}

fn look(scene: &mut Scene, disks: Vec<Disk>, state: ControllerState) -> Vec<Said> {
    let controller = NvmeController {
        id: "nvme0".to_owned(),
        state: Some(state),
        ..NvmeController::default()
    };
    let storage = Some(Storage {
        disks,
        nvme_controllers: vec![controller],
        ..Storage::default()
    });
    wrong(&scene.look_at(&Inventory {
        storage,
        ..Inventory::default()
    }))
}

#[test]
fn devices_that_were_given_up_and_commands_that_failed_are_told() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(
        look(
            &mut scene,
            vec![disk(DeviceState::Running, 12, 0)],
            ControllerState::Live
        ),
        []
    );
    let wrong = [
        row("hw.storage.command-errors", "disk=S1", "+3"),
        row("hw.storage.timeouts", "disk=S1", "+1"),
    ];
    assert_eq!(
        look(
            &mut scene,
            vec![disk(DeviceState::Running, 15, 1)],
            ControllerState::Live
        ),
        wrong
    );
    let wrong = [
        row("hw.storage.offline", "disk=S1", "fault"),
        row("hw.storage.offline", "disk=nvme0", "fault"),
    ];
    assert_eq!(
        look(
            &mut scene,
            vec![disk(DeviceState::Offline, 15, 1)],
            ControllerState::Dead
        ),
        wrong
    );
    assert_eq!(
        look(
            &mut scene,
            vec![disk(DeviceState::Running, 15, 1)],
            ControllerState::Resetting
        ),
        []
    );
    // Pulled out: that it is missing is told by who knows the baseline.
    assert_eq!(look(&mut scene, vec![], ControllerState::Live), []);
}

#[test]
fn a_port_that_had_a_link_is_told_when_it_loses_it() {
    let mut scene = Scene::new(&ROW, &[]);
    let host = "sys/class/fc_host/host0";
    scene.write(&format!("{host}/port_name"), "0x10000090fa0000aa\n");
    scene.write(&format!("{host}/port_state"), "Linkdown\n");
    scene.write("sys/block/.keep", "");
    assert_eq!(scene.wrong(), []);
    scene.write(&format!("{host}/port_state"), "Online\n");
    assert_eq!(scene.wrong(), []);
    scene.write(&format!("{host}/port_state"), "Linkdown\n");
    scene.reboot();
    let wrong = scene.wrong();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(
        (wrong[0].0.as_str(), wrong[0].2.as_str()),
        ("hw.storage.port-down", "fault")
    );
}
