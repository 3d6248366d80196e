use crate::monitor::scene::{Scene, row};

use super::ROW;

const MD: &str = "sys/block/md0/md";

#[test]
fn an_array_that_lacks_a_device_is_told_until_it_is_whole_again() {
    let mut scene = Scene::new(&ROW, &[("sys/block/md0/size", "1000\n")]);
    for (name, text) in [
        ("level", "raid5\n"),
        ("array_state", "clean\n"),
        ("raid_disks", "3\n"),
        ("degraded", "0\n"),
        ("sync_action", "idle\n"),
        ("mismatch_cnt", "0\n"),
    ] {
        scene.write(&format!("{MD}/{name}"), text);
    }
    assert_eq!(scene.wrong(), []);
    scene.write(&format!("{MD}/degraded"), "1\n");
    scene.write(&format!("{MD}/sync_action"), "recover\n");
    assert_eq!(
        scene.wrong(),
        [row("hw.storage.raid-degraded", "array=md0", "fault")]
    );
    scene.write(&format!("{MD}/degraded"), "0\n");
    scene.write(&format!("{MD}/array_state"), "broken\n");
    scene.write(&format!("{MD}/mismatch_cnt"), "128\n");
    let wrong = [
        row("hw.storage.raid-failed", "array=md0", "fault"),
        row("hw.storage.raid-mismatch", "array=md0", "fault"),
    ];
    assert_eq!(scene.wrong(), wrong);
    // Of copies nobody can tell.
    scene.write(&format!("{MD}/level"), "raid1\n");
    scene.write(&format!("{MD}/array_state"), "state of tomorrow\n");
    assert_eq!(scene.wrong(), []);
}
