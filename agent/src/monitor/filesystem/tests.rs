use libhw::device::storage::{Mount, MountNow, Storage};
use libhw::inventory::Inventory;
use libhw::survey::{Problem, Reason};
use libhw::units::Bytes;

use crate::monitor::scene::{Said, Scene, row, said};

use super::{REMOTE_ROW, ROW};

fn mount(id: &str, used: u64) -> Mount {
    Mount {
        id: id.to_owned(),
        source: format!("/dev{id}"),
        kind: "ext4".to_owned(),
        device_number: format!("8:{}", id.len()),
        options: "rw,relatime".to_owned(),
        super_options: "rw,errors=remount-ro".to_owned(),
        now: MountNow {
            size_bytes: Some(Bytes(100)),
            used_bytes: Some(Bytes(used)),
            available_bytes: Some(Bytes(100 - used)),
            inodes: Some(1000),
            inodes_free: Some(900),
        },
        ..Mount::default()
    }
}

fn look(scene: &mut Scene, mounts: Vec<Mount>, problems: Vec<Problem>) -> Vec<Said> {
    let storage = Some(Storage {
        mounts,
        ..Storage::default()
    });
    said(&scene.look_at(&Inventory {
        storage,
        problems,
        ..Inventory::default()
    }))
}

#[test]
fn room_is_told_in_percent_and_read_only_after_an_error_by_the_options() {
    let mut scene = Scene::new(&ROW, &[]);
    let data = "filesystem=/data";
    let full = |word: &str| row("host.filesystem.full", data, word);
    let inodes = row("host.filesystem.inodes", data, "10 well");
    let writable = |word: &str| row("host.filesystem.read-only", data, word);
    let end = || row("complete", "", "");
    let said = look(&mut scene, vec![mount("/data", 91)], vec![]);
    assert_eq!(
        said,
        [full("91 well"), inodes.clone(), writable("sound"), end()]
    );
    let failed = Mount {
        super_options: "ro,errors=remount-ro".to_owned(),
        ..mount("/data", 50)
    };
    let said = look(&mut scene, vec![failed], vec![]);
    assert_eq!(
        said,
        [full("50 well"), inodes.clone(), writable("fault"), end()]
    );
    let stopped = Mount {
        super_options: "rw,emergency_ro".to_owned(),
        ..mount("/data", 50)
    };
    assert_eq!(
        look(&mut scene, vec![stopped], vec![])[2],
        writable("fault")
    );
    // Somebody mounted it so, and nobody can fill it.
    let meant = Mount {
        read_only: true,
        options: "ro".to_owned(),
        super_options: "ro".to_owned(),
        ..mount("/data", 100)
    };
    assert_eq!(
        look(&mut scene, vec![meant], vec![]),
        [writable("sound"), end()]
    );
    // Unmounted: there are no others.
    assert_eq!(look(&mut scene, vec![], vec![]), [end()]);
}

#[test]
fn a_file_system_is_told_once_and_one_without_room_of_its_own_not_at_all() {
    let mut scene = Scene::new(&ROW, &[]);
    let bind = Mount {
        id: "/srv/chroot/data".to_owned(),
        ..mount("/data", 50)
    };
    let image = Mount {
        kind: "squashfs".to_owned(),
        ..mount("/snap", 100)
    };
    let mut none = mount("/empty", 0);
    none.now = MountNow {
        size_bytes: Some(Bytes(0)),
        used_bytes: Some(Bytes(0)),
        available_bytes: Some(Bytes(0)),
        inodes: Some(0),
        inodes_free: Some(0),
    };
    let told = look(
        &mut scene,
        vec![bind, mount("/data", 50), image, none],
        vec![],
    );
    let full: Vec<_> = told
        .iter()
        .filter(|said| said.0 == "host.filesystem.full")
        .collect();
    assert_eq!(
        full,
        [&row("host.filesystem.full", "filesystem=/data", "50 well")]
    );
}

#[test]
fn a_server_that_does_not_answer_is_told_by_the_monitor_that_may_hang_alone() {
    let remote = Mount {
        remote: true,
        now: MountNow::default(),
        ..mount("/net", 0)
    };
    let problem = Problem {
        class: "storage".to_owned(),
        path: "/net".to_owned(),
        reason: Reason::TimedOut { limit_ms: 1000 },
    };
    let mut scene = Scene::new(&REMOTE_ROW, &[]);
    let said = look(&mut scene, vec![remote.clone()], vec![problem]);
    assert_eq!(
        said[0],
        row("host.filesystem.hung", "filesystem=/net", "fault")
    );
    let said = look(&mut scene, vec![remote.clone()], vec![]);
    assert_eq!(
        said[0],
        row("host.filesystem.hung", "filesystem=/net", "sound")
    );
    let mut local = Scene::new(&ROW, &[]);
    assert_eq!(
        look(&mut local, vec![remote], vec![]),
        [row("complete", "", "")]
    );
}

#[test]
fn a_name_with_control_characters_stands_in_an_entity_all_the_same() {
    let mut scene = Scene::new(&ROW, &[]);
    let hostile = mount(&format!("/\u{1b}[2J{}", "x".repeat(1 << 20)), 50);
    let told = look(&mut scene, vec![hostile], vec![]);
    assert_eq!(told.len(), 4);
    assert!(
        told[0].1.len() < 1024 && !told[0].1.contains('\u{1b}'),
        "{}",
        told[0].1
    );
}
