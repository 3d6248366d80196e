use crate::monitor::scene::{Scene, row};

use super::ROW;

const QAT: &str = "sys/devices/pci0000:6b/0000:6b:00.0";
const PCI: &str = "pci=0000:6b:00\\.0";

fn wrong(scene: &mut Scene) -> Vec<crate::monitor::scene::Said> {
    scene
        .wrong()
        .into_iter()
        .filter(|said| said.1 == PCI)
        .collect()
}

#[test]
fn an_accelerator_that_ran_and_stopped_and_errors_that_it_counts_are_told() {
    let mut scene = Scene::ttar(&ROW, "crypto-qat-fec");
    scene.write(&format!("{QAT}/qat/state"), "up\n");
    for name in ["errors_correctable", "errors_nonfatal", "errors_fatal"] {
        scene.write(&format!("{QAT}/qat_ras/{name}"), "0\n");
    }
    assert_eq!(wrong(&mut scene), []);
    scene.write(&format!("{QAT}/qat_ras/errors_correctable"), "2\n");
    scene.write(&format!("{QAT}/qat_ras/errors_fatal"), "1\n");
    let told = [
        row("hw.crypto.corrected", PCI, "+2"),
        row("hw.crypto.error", PCI, "+1"),
    ];
    assert_eq!(wrong(&mut scene), told);
    scene.write(&format!("{QAT}/qat/state"), "down\n");
    assert_eq!(
        wrong(&mut scene),
        [row("hw.crypto.device-down", PCI, "fault")]
    );
    // Nobody started it in this boot.
    scene.reboot();
    scene.write(&format!("{QAT}/qat_ras/errors_correctable"), "0\n");
    scene.write(&format!("{QAT}/qat_ras/errors_fatal"), "0\n");
    assert_eq!(wrong(&mut scene), []);
}

#[test]
fn one_that_does_not_answer_is_down() {
    let mut scene = Scene::ttar(&ROW, "crypto-qat-fec");
    let told = scene.wrong();
    assert!(
        told.contains(&row("hw.crypto.device-down", "pci=0000:3d:00\\.0", "fault")),
        "{told:?}"
    );
}
