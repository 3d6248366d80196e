//! Storage: value by value of captured and of made-up machines; beside other programs in `peers`.

use std::fs;
use std::path::Path;

use libhw::device::storage::{
    AccessState, AnaState, ControllerState, CriticalWarning, DeviceState, FcPortState, MapKind,
    Storage, SyncAction,
};
use libhw::inventory::{Class, Inventory};
use serde_json::Value;

use super::{replayed, synthetic};

mod peers;
mod ports;

fn storage(inventory: &Inventory) -> &Storage {
    inventory.storage.as_ref().expect("the class")
}

#[test]
fn the_composite_tree_is_what_its_files_say() {
    let Some(machines) = support::machines() else {
        support::skipped("no machines");
        return;
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let inventory = replayed(tree.path(), &[Class::Storage]);
    let ours = storage(&inventory);
    let files = Files(tree.path());
    arrays(&files, ours);
    mapped(&files, ours);
    disks(&files, ours);
    statistics(&tree.path().join("proc/diskstats"), ours);
    nvme(&files, ours);
}

/// The files of a tree below its sys/, read by hand.
struct Files<'a>(&'a Path);

impl Files<'_> {
    fn text(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.0.join("sys").join(path)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// How many block devices have a directory of this name.
    fn count(&self, inner: &str) -> usize {
        let entries = fs::read_dir(self.0.join("sys/block")).expect("blocks");
        let entries = entries.flatten();
        entries
            .filter(|entry| entry.path().join(inner).is_dir())
            .count()
    }
}

fn arrays(files: &Files<'_>, ours: &Storage) {
    assert_eq!(ours.arrays.len(), files.count("md"));
    for array in &ours.arrays {
        let file = |name: &str| format!("block/{}/md/{name}", array.id);
        let word = |value: Value| value.as_str().map(|word| word.replace('_', "-"));
        assert_eq!(array.uuid, files.text(&file("uuid")), "{}", array.id);
        assert_eq!(
            array.degraded.map(u64::from),
            files.number(&file("degraded"))
        );
        let chunk = files.number(&file("chunk_size")).filter(|size| *size > 0);
        assert_eq!(array.chunk_bytes.map(|size| size.0), chunk);
        for (own, name) in [
            (serde_json::to_value(&array.level), "level"),
            (serde_json::to_value(&array.state), "array_state"),
            (serde_json::to_value(&array.sync_action), "sync_action"),
        ] {
            assert_eq!(
                word(own.expect("a word")),
                files.text(&file(name)),
                "{}: {name}",
                array.id
            );
        }
        let text = files.text(&file("raid_disks"));
        let first = text.and_then(|text| text.split(' ').next()?.parse().ok());
        assert_eq!(array.raid_disks, first);
        for member in &array.members {
            let state = serde_json::to_value(&member.state).expect("words");
            let state = state
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let state: Vec<_> = state.collect();
            let path = file(&format!("dev-{}/state", member.id));
            assert_eq!(Some(state.join(",")), files.text(&path));
        }
    }
}

fn mapped(files: &Files<'_>, ours: &Storage) {
    assert!(ours.mapped_devices.len() >= files.count("dm"));
    for device in &ours.mapped_devices {
        let known = files
            .text(&format!("block/{}/dm/name", device.id))
            .is_some();
        let place = if known { "block" } else { "class/block" };
        let file = |name: &str| files.text(&format!("{place}/{}/dm/{name}", device.id));
        assert_eq!(device.name, file("name"), "{}", device.id);
        assert_eq!(device.uuid, file("uuid"), "{}", device.id);
    }
}

fn disks(files: &Files<'_>, ours: &Storage) {
    for disk in &ours.disks {
        let file = |name: &str| format!("block/{}/{name}", disk.id);
        if let Some(sectors) = files.number(&file("size")) {
            let size = disk.size_bytes.map(|size| size.0);
            assert_eq!(size, Some(sectors * 512), "{}", disk.id);
        }
        let block = files.number(&file("queue/logical_block_size"));
        assert_eq!(disk.logical_block_bytes.map(|size| size.0), block);
        let state = serde_json::to_value(&disk.state).expect("a word");
        assert_eq!(state.as_str(), files.text(&file("device/state")).as_deref());
    }
}

fn nvme(files: &Files<'_>, ours: &Storage) {
    let controller = &ours.nvme_controllers[0];
    assert_eq!(controller.model, files.text("class/nvme/nvme0/model"));
    assert_eq!(controller.serial, files.text("class/nvme/nvme0/serial"));
    assert_eq!(
        controller.firmware,
        files.text("class/nvme/nvme0/firmware_rev")
    );
    let number = files.number("class/nvme/nvme0/cntlid");
    assert_eq!(controller.controller_id.map(u64::from), number);
    let namespace = &ours.nvme_namespaces[0];
    assert_eq!(namespace.ana_state, Some(AnaState::Optimized));
    let size = namespace.size_bytes.map(|size| size.0 / 512);
    assert_eq!(size, files.number("class/nvme/nvme0/nvme0n0/size"));
    let used = files.number("class/nvme/nvme0/nvme0n0/nuse");
    assert_eq!(namespace.blocks_used, used);
    let subsystems = ours.nvme_subsystems.iter();
    let ids: Vec<_> = subsystems
        .map(|row| (row.id.as_str(), row.controllers.len()))
        .collect();
    assert_eq!(ids, [("nvme-subsys0", 3), ("nvme-subsys1", 2)]);
}

/// The rows of diskstats, number by number.
fn statistics(path: &Path, ours: &Storage) {
    let text = fs::read_to_string(path).expect("diskstats");
    let mut compared = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let numbers: Vec<u64> = words[3..]
            .iter()
            .map(|word| word.parse().expect("a number"))
            .collect();
        let Some(disk) = ours.disks.iter().find(|disk| disk.id == words[2]) else {
            continue;
        };
        let own = disk.now.statistics.expect("statistics");
        let own = [
            own.reads,
            own.reads_merged,
            own.read_bytes.0 / 512,
            own.read_ms,
            own.writes,
            own.writes_merged,
            own.written_bytes.0 / 512,
            own.write_ms,
            own.in_flight,
            own.busy_ms,
            own.weighted_ms,
        ];
        assert_eq!(own, numbers[..11], "{line}");
        compared += 1;
    }
    assert!(compared > 0, "some disk is in diskstats");
}

#[test]
fn the_made_up_machine_tells_ways_that_are_gone_and_arrays_that_are_degraded() {
    let inventory = synthetic("storage", &[Class::Storage]);
    let ours = storage(&inventory);
    let [first, second] = ours.nvme_controllers.as_slice() else {
        panic!("{:?}", ours.nvme_controllers);
    };
    assert_eq!(second.state, Some(ControllerState::Connecting));
    let health = first.now.health.as_ref().expect("health");
    assert_eq!(
        health.critical_warnings,
        [CriticalWarning::Spare, CriticalWarning::Reliability]
    );
    let ways: Vec<_> = ours
        .nvme_namespaces
        .iter()
        .map(|way| (way.id.as_str(), way.ana_state.clone()))
        .collect();
    assert_eq!(
        ways,
        [
            ("nvme0c0n1", Some(AnaState::Optimized)),
            ("nvme0c1n1", Some(AnaState::Inaccessible)),
            ("nvme0n1", None)
        ]
    );
    let multipath = &ours.mapped_devices[0];
    assert_eq!(
        (multipath.kind.clone(), multipath.members.len()),
        (Some(MapKind::Multipath), 2)
    );
    let ways: Vec<_> = multipath.now.ways.iter().map(|way| &way.access).collect();
    assert_eq!(
        ways,
        [&Some(AccessState::Optimized), &Some(AccessState::Standby)]
    );
    let port = &ours.fc_hosts[0];
    assert_eq!(
        (&port.now.state, port.now.speed_mbps),
        (&Some(FcPortState::Linkdown), None)
    );
    let gone = ours
        .disks
        .iter()
        .filter(|disk| disk.state == Some(DeviceState::TransportOffline));
    assert_eq!(
        gone.map(|disk| disk.id.as_str()).collect::<Vec<_>>(),
        ["sdb"]
    );
    assert_eq!(
        (ours.arrays[0].degraded, ours.arrays[0].sync_action.clone()),
        (Some(1), Some(SyncAction::Recover))
    );
    let failing = ours.disks.iter().find_map(|disk| disk.scsi?.now.failing);
    assert_eq!(failing, Some(true));
    // The server that does not answer.
    let told: Vec<_> = inventory
        .problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(told, ["/mnt/far away"]);
}
