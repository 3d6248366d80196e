//! Devices that a test makes on this host: loop devices, and mapped devices and arrays of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use libhw::device::storage::{ArrayLevel, MapKind, MemberState};

use super::{compare, live, lsblk, storage};

/// A loop device of a file, gone with the test.
struct Looped(String);

impl Drop for Looped {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["-d", &self.0]).status();
    }
}

#[test]
fn a_loop_device_is_seen_with_its_file_and_its_partitions() {
    let folder = tempfile::tempdir().expect("a directory");
    let image = folder.path().join("image");
    // A table of MBR with one partition: from block 2048 on, 4096 blocks, of type 83h.
    let mut bytes = vec![0_u8; 8 << 20];
    bytes[446..462].copy_from_slice(&[0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 16, 0, 0]);
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    fs::write(&image, &bytes).expect("an image");
    let output = Command::new("losetup")
        .args(["-f", "-P", "-r", "--show"])
        .arg(&image)
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        support::skipped("no loop device can be made here");
        return;
    };
    let file = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let looped = Looped(file.clone());
    let id = file.trim_start_matches("/dev/").to_owned();
    let inventory = live(true);
    let ours = storage(&inventory);
    let disk = ours
        .disks
        .iter()
        .find(|disk| disk.id == id)
        .expect("the device");
    assert_eq!(disk.size_bytes.map(|size| size.0), Some(8 << 20));
    assert_eq!((disk.read_only, disk.transport), (Some(true), None));
    let row = ours
        .loops
        .iter()
        .find(|row| row.id == id)
        .expect("the loop");
    assert_eq!(row.backing_file.as_deref(), image.to_str());
    let compared = compare(ours, &lsblk(&[]), "this host with a loop device");
    assert!(compared > 10, "{compared}");
    match ours.partitions.iter().find(|part| part.disk == id) {
        Some(part) => {
            assert_eq!(part.number, Some(1));
            assert_eq!(part.start_bytes.map(|start| start.0), Some(2048 * 512));
            assert_eq!(part.size_bytes.map(|size| size.0), Some(4096 * 512));
        }
        None => support::skipped("this kernel reads no partition tables of loop devices"),
    }
    drop(looped);
}

/// A loop device of an image of 8 MiB; `None`, and a line that says so, where there can be none.
fn looped(folder: &Path, name: &str) -> Option<Looped> {
    let image = folder.join(name);
    fs::write(&image, vec![0_u8; 8 << 20]).expect("an image");
    let output = Command::new("losetup")
        .args(["-f", "--show"])
        .arg(&image)
        .output();
    let output = output.ok().filter(|output| output.status.success());
    if output.is_none() {
        support::skipped("no loop device can be made here");
    }
    let file = String::from_utf8_lossy(&output?.stdout).trim().to_owned();
    Some(Looped(file))
}

fn done(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn a_mapped_device_of_this_host_names_what_it_is_made_of() {
    let folder = tempfile::tempdir().expect("a directory");
    let Some(looped) = looped(folder.path(), "image") else {
        return;
    };
    let table = format!("0 2048 linear {} 0", looped.0);
    let create = [
        "create",
        "gnomon-test",
        "--uuid",
        "TEST-gnomon",
        "--table",
        &table,
    ];
    if !done("dmsetup", &create) {
        support::skipped("no mapped device can be made here");
        return;
    }
    let inventory = live(false);
    done("dmsetup", &["remove", "gnomon-test"]);
    let mut mapped = storage(&inventory).mapped_devices.iter();
    let row = mapped.find(|row| row.name.as_deref() == Some("gnomon-test"));
    let row = row.expect("the device");
    assert_eq!(row.kind, Some(MapKind::Other("TEST".to_owned())));
    assert_eq!(row.members, [looped.0.trim_start_matches("/dev/")]);
}

#[test]
fn an_array_of_this_host_that_lacks_a_device_is_degraded() {
    let folder = tempfile::tempdir().expect("a directory");
    let Some(looped) =
        looped(folder.path(), "image").filter(|_| Path::new("/proc/mdstat").exists())
    else {
        support::skipped("this kernel has no arrays");
        return;
    };
    let file = "/dev/md117";
    let shape = [
        "--level=1",
        "--raid-devices=2",
        "--assume-clean",
        "--metadata=1.2",
    ];
    let create = [
        &["--create", file, "--run"],
        &shape[..],
        &[looped.0.as_str(), "missing"],
    ]
    .concat();
    if !done("mdadm", &create) {
        support::skipped("no array can be made here");
        return;
    }
    let inventory = live(false);
    done("mdadm", &["--stop", file]);
    let mut arrays = storage(&inventory).arrays.iter();
    let array = arrays.find(|array| array.id == "md117").expect("the array");
    assert_eq!(array.level, Some(ArrayLevel::Raid1));
    assert_eq!((array.raid_disks, array.degraded), (Some(2), Some(1)));
    let member = &array.members[0];
    assert_eq!(member.id, looped.0.trim_start_matches("/dev/"));
    assert_eq!(
        (member.slot, member.state.as_slice()),
        (Some(0), &[MemberState::InSync][..])
    );
}
