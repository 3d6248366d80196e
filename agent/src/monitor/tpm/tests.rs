use libhw::device::tpm::{Chip, Deep, Tpm, Version};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

fn look(scene: &mut Scene, version: Version, deep: Deep) -> Vec<Said> {
    let chip = Chip {
        id: "tpm0".to_owned(),
        version: Some(version),
        deep: Some(deep),
        ..Chip::default()
    };
    wrong(&scene.look_at(&Inventory {
        tpm: Some(Tpm { chips: vec![chip] }),
        ..Inventory::default()
    }))
}

#[test]
fn a_module_that_refuses_or_is_switched_off_is_told() {
    let mut scene = Scene::new(&ROW, &[]);
    let locked = |is: bool| Deep {
        in_lockout: Some(is),
        enabled: Some(false),
        ..Deep::default()
    };
    assert_eq!(
        look(&mut scene, Version::Two, locked(true)),
        [row("hw.tpm.lockout", "tpm=tpm0", "fault")]
    );
    assert_eq!(look(&mut scene, Version::Two, locked(false)), []);
    assert_eq!(
        look(&mut scene, Version::One, locked(false)),
        [row("hw.tpm.disabled", "tpm=tpm0", "fault")]
    );
    assert_eq!(look(&mut scene, Version::Two, Deep::default()), []);
}
