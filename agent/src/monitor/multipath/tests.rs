use libhw::device::storage::{
    AccessState, DeviceState, MapKind, MappedDevice, MappedNow, Storage, Way,
};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

fn look(scene: &mut Scene, ways: &[(&str, DeviceState)]) -> Vec<Said> {
    let way = |(id, state): &(&str, DeviceState)| Way {
        id: (*id).to_owned(),
        state: Some(state.clone()),
        access: Some(AccessState::Standby),
        preferred: None,
    };
    let mapped = MappedDevice {
        id: "dm-0".to_owned(),
        name: Some("mpatha".to_owned()),
        kind: Some(MapKind::Multipath),
        now: MappedNow {
            ways: ways.iter().map(way).collect(),
        },
        ..MappedDevice::default()
    };
    let storage = Some(Storage {
        mapped_devices: vec![mapped],
        ..Storage::default()
    });
    wrong(&scene.look_at(&Inventory {
        storage,
        ..Inventory::default()
    }))
}

#[test]
fn a_way_that_fails_or_goes_away_is_told_and_the_last_one_is_critical() {
    use DeviceState::{Offline, Running};
    let mut scene = Scene::new(&ROW, &[]);
    let lost = |word: &str| [row("hw.storage.path-lost", "multipath=mpatha", word)];
    assert_eq!(look(&mut scene, &[("sda", Running), ("sdb", Running)]), []);
    assert_eq!(
        look(&mut scene, &[("sda", Running), ("sdb", Offline)]),
        lost("fault")
    );
    assert_eq!(look(&mut scene, &[("sda", Running)]), lost("fault"));
    assert_eq!(
        look(&mut scene, &[("sda", Offline)]),
        lost("fault critical")
    );
    assert_eq!(look(&mut scene, &[("sda", Running), ("sdb", Running)]), []);
}

#[test]
fn a_closed_way_of_nvme_is_told() {
    let mut scene = Scene::ttar(&ROW, "storage");
    let wrong = scene.wrong();
    let nvme: Vec<_> = wrong
        .iter()
        .filter(|said| said.1.contains("uuid"))
        .collect();
    assert_eq!(nvme.len(), 1, "{wrong:?}");
    scene.edit(
        "sys/devices/virtual/nvme-fabrics/ctl/nvme1/nvme0c1n1/ana_state",
        "inaccessible",
        "non-optimized",
    );
    scene.edit(
        "sys/devices/virtual/nvme-fabrics/ctl/nvme1/state",
        "connecting",
        "live",
    );
    let wrong = scene.wrong();
    assert!(
        !wrong.iter().any(|said| said.1.contains("uuid")),
        "{wrong:?}"
    );
}
