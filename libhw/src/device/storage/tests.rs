use super::*;
use crate::inventory::{Class, Inventory, Scope, discover as discover_all};
use crate::tree::{Tree, told};
use crate::units::Bytes;

mod health;
mod nvme;
mod port;

use nvme::NVME;

fn look(tree: &Tree, deep: bool) -> (Storage, Inventory) {
    let scope = Scope {
        classes: vec![Class::Storage],
        deep,
        ..Scope::default()
    };
    let inventory = discover_all(&tree.root(), &scope);
    (inventory.storage.clone().unwrap(), inventory)
}

fn disk<'a>(storage: &'a Storage, id: &str) -> &'a Disk {
    storage.disks.iter().find(|disk| disk.id == id).unwrap()
}

const SDA: &str = "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0";

const SATA: &[(&str, &str)] = &[
    ("block/sda/dev", "8:0\n"),
    ("block/sda/size", "3907029168\n"),
    ("block/sda/removable", "0\n"),
    ("block/sda/ro", "0\n"),
    ("block/sda/queue/rotational", "1\n"),
    ("block/sda/queue/logical_block_size", "512\n"),
    ("block/sda/queue/physical_block_size", "4096\n"),
    ("block/sda/queue/scheduler", "none [mq-deadline] kyber\n"),
    ("block/sda/queue/write_cache", "write back\n"),
    ("block/sda/queue/zoned", "none\n"),
    ("block/sda/queue/chunk_sectors", "0\n"),
    ("block/sda/queue/read_ahead_kb", "128\n"),
    ("block/sda/queue/discard_granularity", "0\n"),
    ("block/sda/sda1/partition", "1\n"),
    ("block/sda/sda1/dev", "8:1\n"),
    ("block/sda/sda1/start", "2048\n"),
    ("block/sda/sda1/size", "204800\n"),
    (
        "block/sda/sda1/uevent",
        "MAJOR=8\nPARTN=1\nPARTNAME=EFI System Partition\nPARTUUID=3f2a1b4c-01\n",
    ),
    ("block/sda/sda10/partition", "10\n"),
    ("block/sda/sda2/partition", "2\n"),
    ("block/sda/sda2/dev", "8:2\n"),
    ("block/sda/sda2/stat", "1 2 3 4 5 6 7 8 9 10 11\n"),
    ("block/sda/sda2/holders/dm-0/x", ""),
    ("vendor", "ATA     \n"),
    ("model", "WDC WD20EZRX-00D\n"),
    ("rev", "0A80\n"),
    ("wwid", "naa.50014ee2b6a4c3d2\n"),
    ("vpd_pg80", "\0\u{0}\0\u{14}     WD-WCC4M1234567"),
    ("state", "running\n"),
    ("ioerr_cnt", "0x1f\n"),
    ("iorequest_cnt", "0x10\n"),
];

const REST: &[(&str, &str)] = &[
    (
        "proc/diskstats",
        "   8       0 sda 9652963 396792 759304206 412943 8422549 6731723 286915323 13947418 0 5658367 19174573 1 2 3 12 4 5\n   8       1 sda1 1 0 8 0 0 0 0 0 0 0 0\n",
    ),
    (
        "run/udev/data/b8:2",
        "I:123\nE:ID_FS_TYPE=crypto_LUKS\nE:ID_FS_UUID=11112222-3333-4444-5555-666677778888\nE:ID_PART_ENTRY_UUID=3f2a1b4c-02\nE:ID_PART_ENTRY_TYPE=0x83\nE:ID_PART_TABLE_TYPE=dos\n",
    ),
    (
        "run/udev/data/b8:0",
        "E:ID_SERIAL_SHORT=OTHER\nE:ID_PART_TABLE_TYPE=dos\nE:ID_PART_TABLE_UUID=3f2a1b4c\n",
    ),
    ("sys/block/loop0/size", "0\n"),
    ("sys/block/loop1/size", "2048\n"),
    ("sys/block/loop1/loop/backing_file", "/var/image\n"),
    ("sys/block/loop1/loop/offset", "512\n"),
    ("sys/block/dm-0/size", "100\n"),
    ("sys/block/dm-0/dm/name", "vg--data-lv--a_b\n"),
    (
        "sys/block/dm-0/dm/uuid",
        "LVM-3zSHSR5Nbf4j7g6auAAefWY2CMaX01theZYEvQyecVsm2WtX3iY5q51qq5dWWOq7\n",
    ),
    ("sys/block/dm-0/dm/suspended", "0\n"),
    ("sys/block/dm-0/slaves/sda2/x", ""),
    ("sys/block/md127/size", "0\n"),
    ("sys/block/md127/md/level", "raid1\n"),
    ("sys/block/md127/md/array_state", "active\n"),
    ("sys/block/md127/md/raid_disks", "2\n"),
    ("sys/block/md127/md/degraded", "1\n"),
    ("sys/block/md127/md/sync_action", "recover\n"),
    ("sys/block/md127/md/sync_completed", "100 / 400\n"),
    ("sys/block/md127/md/sync_speed", "50\n"),
    (
        "sys/block/md127/md/dev-sda3/state",
        "in_sync,write_mostly\n",
    ),
    ("sys/block/md127/md/dev-sda3/slot", "0\n"),
    ("sys/block/md127/md/dev-sdb3/state", "faulty,odd\n"),
    ("sys/block/md127/md/dev-sdb3/slot", "none\n"),
    (
        "proc/self/mountinfo",
        "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n23 22 0:4 / /proc rw - proc proc rw\n24 22 0:50 /export /mnt/a\\040b ro - nfs4 server:/export rw,vers=4\n25 22 8:2 /var /srv rw - ext4 /dev/sda2 rw\n26 22 0:60 / /run/user rw - tmpfs tmpfs rw\n27 22 0:61 / /run/user rw - tmpfs second rw\n",
    ),
    (
        "gnomon/probes/space/!.json",
        "{\"size_bytes\":1000,\"free_bytes\":400,\"available_bytes\":300,\"inodes\":10,\"inodes_free\":5}",
    ),
    (
        "gnomon/probes/space/!mnt!a%20b.json",
        "{\"size_bytes\":5000,\"free_bytes\":1,\"available_bytes\":0,\"inodes\":0,\"inodes_free\":0}",
    ),
];

fn machine() -> Tree {
    let tree = Tree::new(REST);
    for (path, text) in SATA {
        tree.write(&format!("{SDA}/{path}"), text);
    }
    tree.link(
        "sys/block/sda",
        "../devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda",
    );
    tree.link(&format!("{SDA}/block/sda/device"), "../../../0:0:0:0");
    tree
}

#[test]
fn a_sata_disk_is_read_with_its_partitions() {
    let tree = machine();
    let (storage, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let names: Vec<_> = storage.disks.iter().map(|disk| disk.id.as_str()).collect();
    // An empty loop device is left out, an array without a size is not.
    assert_eq!(names, ["dm-0", "loop1", "md127", "sda"]);
    let sda = disk(&storage, "sda");
    assert_eq!(sda.size_bytes, Some(Bytes(2_000_398_934_016)));
    assert_eq!(sda.transport, Some(Transport::Sata));
    assert_eq!(sda.function.as_deref(), Some("0000:00:1f.2"));
    assert_eq!(sda.scsi_address.as_deref(), Some("0:0:0:0"));
    assert_eq!(sda.vendor.as_deref(), Some("ATA"));
    assert_eq!(sda.model.as_deref(), Some("WDC WD20EZRX-00D"));
    assert_eq!(sda.firmware.as_deref(), Some("0A80"));
    assert_eq!(sda.serial.as_deref(), Some("WD-WCC4M1234567"));
    assert_eq!(sda.wwn.as_deref(), Some("naa.50014ee2b6a4c3d2"));
    assert_eq!(sda.state, Some(DeviceState::Running));
    assert_eq!(sda.scheduler.as_deref(), Some("mq-deadline"));
    assert_eq!(sda.write_cache, Some(WriteCache::WriteBack));
    assert_eq!(sda.zoned, Some(Zoned::None));
    assert_eq!((sda.chunk_bytes, sda.zones), (None, None));
    assert_eq!(sda.read_ahead_bytes, Some(Bytes::from_kib(128)));
    let errors = sda.now.errors.unwrap();
    assert_eq!(
        (errors.errors, errors.requests, errors.timeouts),
        (Some(31), Some(16), None)
    );
    let statistics = sda.now.statistics.unwrap();
    assert_eq!((statistics.reads, statistics.in_flight), (9_652_963, 0));
    assert_eq!(statistics.read_bytes, Bytes(759_304_206 * 512));
    assert_eq!(
        (statistics.discards, statistics.flushes),
        (Some(1), Some(4))
    );
    let content = sda.content.as_ref().unwrap();
    assert_eq!(content.partition_table.as_deref(), Some("dos"));

    let names: Vec<_> = storage
        .partitions
        .iter()
        .map(|part| part.id.as_str())
        .collect();
    assert_eq!(names, ["sda1", "sda2", "sda10"]);
    let (efi, luks) = (&storage.partitions[0], &storage.partitions[1]);
    assert_eq!(efi.label.as_deref(), Some("EFI System Partition"));
    assert_eq!(efi.uuid.as_deref(), Some("3f2a1b4c-01"));
    assert_eq!(efi.start_bytes, Some(Bytes(1 << 20)));
    assert_eq!(efi.now.statistics.unwrap().discards, None);
    assert_eq!(luks.uuid.as_deref(), Some("3f2a1b4c-02"));
    assert_eq!(luks.kind.as_deref(), Some("0x83"));
    assert_eq!(
        luks.content.as_ref().unwrap().kind.as_deref(),
        Some("crypto_LUKS")
    );
    assert_eq!(luks.content.as_ref().unwrap().partition_table, None);
    assert_eq!(luks.holders, ["dm-0"]);
    assert_eq!(luks.now.statistics.unwrap().weighted_ms, 11);
}

#[test]
fn volumes_arrays_and_loops_name_what_they_are_made_of() {
    let tree = machine();
    let (mut storage, _) = look(&tree, false);
    let volume = &storage.mapped_devices[0];
    assert_eq!(volume.kind, Some(MapKind::Lvm));
    assert_eq!(volume.volume_group.as_deref(), Some("vg-data"));
    assert_eq!(volume.logical_volume.as_deref(), Some("lv-a_b"));
    assert_eq!(volume.members, ["sda2"]);
    let array = &storage.arrays[0];
    assert_eq!(array.level, Some(ArrayLevel::Raid1));
    assert_eq!(
        (array.degraded, array.sync_action.clone()),
        (Some(1), Some(SyncAction::Recover))
    );
    assert_eq!(array.now.sync_done_bytes, Some(Bytes(51200)));
    assert_eq!(array.now.sync_bytes_per_second, Some(51200));
    assert_eq!(array.members[0].slot, Some(0));
    assert_eq!(
        array.members[1].state,
        [MemberState::Faulty, MemberState::Other("odd".to_owned())]
    );
    assert_eq!(storage.loops[0].backing_file.as_deref(), Some("/var/image"));
    tree.write("sys/block/md127/md/degraded", "0");
    tree.write("sys/block/md127/md/sync_completed", "none");
    let root = tree.root();
    refresh(&mut storage, &Survey::new(&root, "storage", false, false));
    assert_eq!(storage.arrays[0].degraded, Some(0));
    assert_eq!(storage.arrays[0].now.sync_done_bytes, None);
}

#[test]
fn mounts_leave_windows_into_the_kernel_out_and_ask_a_server_only_in_a_deep_look() {
    let tree = machine();
    for (deep, remote) in [(false, None), (true, Some(Bytes(5000)))] {
        let (storage, inventory) = look(&tree, deep);
        let places: Vec<_> = storage
            .mounts
            .iter()
            .map(|mount| mount.id.as_str())
            .collect();
        assert_eq!(places, ["/", "/mnt/a b", "/run/user", "/srv"]);
        assert_eq!(told(&inventory.problems), []);
        let [root, nfs, user, srv] = storage.mounts.as_slice() else {
            panic!("{:?}", storage.mounts);
        };
        assert_eq!(root.now.used_bytes, Some(Bytes(600)));
        // One file system, asked once.
        assert_eq!(srv.now, root.now);
        assert_eq!(
            (srv.top.as_str(), srv.device_number.as_str()),
            ("/var", "8:2")
        );
        assert_eq!((nfs.remote, nfs.read_only), (true, true));
        assert_eq!(nfs.now.size_bytes, remote);
        assert_eq!(nfs.now.inodes, None);
        assert_eq!(user.source, "second");
    }
}

#[test]
fn mounts_are_listed_again_since_no_event_tells_of_them() {
    let tree = machine();
    let (mut storage, _) = look(&tree, true);
    tree.write(
        "proc/self/mountinfo",
        "24 22 0:50 /export /mnt/a\\040b ro - nfs4 server:/export rw\n29 22 0:70 / /new rw - fuse.sshfs host: rw\n",
    );
    let root = tree.root();
    refresh(&mut storage, &Survey::new(&root, "storage", false, false));
    let sizes: Vec<_> = storage
        .mounts
        .iter()
        .map(|mount| (mount.id.as_str(), mount.now.size_bytes))
        .collect();
    assert_eq!(sizes, [("/mnt/a b", Some(Bytes(5000))), ("/new", None)]);
}

#[test]
fn a_way_through_the_machine_tells_the_transport() {
    for (way, transport) in [
        (
            "../devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda",
            Some(Transport::Sata),
        ),
        (
            "../devices/pci0000:00/0000:03:00.0/host11/port-11:0/end_device-11:0/target11:0:0/11:0:0:0/block/sdb",
            Some(Transport::Sas),
        ),
        (
            "../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdc",
            Some(Transport::Usb),
        ),
        (
            "../devices/pci0000:00/0000:05:00.0/host7/rport-7:0-0/target7:0:0/7:0:0:1/block/sdd",
            Some(Transport::Fc),
        ),
        (
            "../devices/platform/host8/session1/target8:0:0/8:0:0:1/block/sde",
            Some(Transport::Iscsi),
        ),
        (
            "../devices/pci0000:00/0000:00:04.0/virtio1/block/vda",
            Some(Transport::Virtio),
        ),
        (
            "../devices/pci0000:00/0000:00:04.0/virtio1/host2/target2:0:0/2:0:0:0/block/sdf",
            Some(Transport::Scsi),
        ),
        (
            "../devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1",
            Some(Transport::Nvme),
        ),
        (
            "../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1",
            Some(Transport::Nvme),
        ),
        (
            "../devices/platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0",
            Some(Transport::Mmc),
        ),
        (
            "../devices/platform/soc/1d84000.ufshc/host0/target0:0:0/0:0:0:0/block/sda",
            Some(Transport::Ufs),
        ),
        ("../devices/vbd-768/block/xvda", Some(Transport::Xen)),
        ("../devices/virtual/block/dm-0", None),
        ("../devices/virtual/block/loop0", None),
        ("nvme0n1", None),
        ("", None),
    ] {
        assert_eq!(transport::of(way), transport, "{way}");
    }
}

#[test]
fn names_are_in_the_order_that_a_person_expects() {
    let mut names = [
        "sdaa", "sdb", "sda", "dm-10", "dm-2", "nvme10n1", "nvme1n1", "md127", "md0",
    ];
    names.sort_by_key(|name| attributes::natural(name));
    assert_eq!(
        names,
        [
            "dm-2", "dm-10", "md0", "md127", "nvme1n1", "nvme10n1", "sda", "sdb", "sdaa"
        ]
    );
}

#[test]
fn the_kinds_of_mapped_devices_and_odd_texts_of_arrays_are_told() {
    for (uuid, kind) in [
        ("LVM-x", Some(MapKind::Lvm)),
        ("mpath-360", Some(MapKind::Multipath)),
        ("CRYPT-LUKS2-0-name", Some(MapKind::Crypt)),
        ("part12-mpath-360", Some(MapKind::Partition)),
        ("partner-x", Some(MapKind::Other("partner".to_owned()))),
        ("stratis-1-x", Some(MapKind::Other("stratis".to_owned()))),
        ("none", None),
    ] {
        let tree = Tree::new(&[("sys/block/dm-0/dm/uuid", uuid)]);
        assert_eq!(look(&tree, false).0.mapped_devices[0].kind, kind, "{uuid}");
    }
    let tree = Tree::new(&[
        ("sys/block/md8/md/raid_disks", "11 (10)\n"),
        ("sys/block/md8/md/level", "raid7\n"),
        ("sys/block/md8/md/sync_completed", "delayed\n"),
        ("sys/block/md8/md/sync_speed", "none\n"),
        ("sys/block/md9/md/raid_disks", "\n"),
    ]);
    let (storage, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let array = &storage.arrays[0];
    assert_eq!(
        (array.raid_disks, array.raid_disks_before),
        (Some(11), Some(10))
    );
    assert_eq!(array.level, Some(ArrayLevel::Other("raid7".to_owned())));
    assert_eq!(storage.arrays[1].raid_disks, None);
}

#[test]
fn a_machine_without_storage_has_none_and_no_problem() {
    for files in [&[("proc/x", "")][..], &[("sys/block", "no directory")]] {
        let (storage, inventory) = look(&Tree::new(files), true);
        assert_eq!(storage, Storage::default());
        assert_eq!(told(&inventory.problems), []);
    }
}

#[test]
fn no_file_of_a_malformed_tree_panics_or_hides_the_others() {
    let files: Vec<(String, &str)> = SATA
        .iter()
        .map(|(path, text)| (format!("{SDA}/{path}"), *text))
        .chain(
            REST.iter()
                .chain(NVME)
                .map(|(path, text)| ((*path).to_owned(), *text)),
        )
        .collect();
    let tree = machine();
    for (path, text) in NVME {
        tree.write(path, text);
    }
    for (path, own) in &files {
        for text in [
            "\0\0\0",
            "",
            "garbage \u{fffd} - x",
            "99999999999999999999999",
            "-1",
            "[a] b / c",
        ] {
            tree.write(path, text);
            let (storage, _) = look(&tree, true);
            assert!(storage.disks.len() >= 2, "{path}: {text:?}");
            assert_eq!(
                (storage.nvme_controllers.len(), storage.arrays.len()),
                (2, 1)
            );
        }
        tree.write(path, own);
        tree.fail(&[(path, nix::errno::Errno::EIO as i32)]);
        look(&tree, true);
        tree.fail(&[]);
    }
}
