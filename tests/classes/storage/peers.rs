//! Beside lsblk, findmnt, df, smartctl and nvme on the same files and devices.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libhw::device::storage::{Disk, Storage};
use libhw::inventory::{Class, Inventory, Scope, discover};
use libhw::io::root::Root;
use serde_json::Value;

use super::storage;
use crate::replayed;

mod made;

/// What is read of this host.
fn live(deep: bool) -> Inventory {
    let scope = Scope {
        classes: vec![Class::Storage],
        deep,
        ..Scope::default()
    };
    discover(&Root::live().expect("this host"), &scope)
}

fn json_of(command: &mut Command) -> Option<Value> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// The rows of lsblk by name, children too.
fn lsblk(arguments: &[&str]) -> BTreeMap<String, Value> {
    let mut command = Command::new("lsblk");
    let listed = json_of(command.args(["-J", "-b", "-O"]).args(arguments)).expect("JSON of lsblk");
    let mut rows = BTreeMap::new();
    let mut todo: Vec<Value> = listed["blockdevices"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    while let Some(row) = todo.pop() {
        todo.extend(row["children"].as_array().cloned().unwrap_or_default());
        rows.insert(row["kname"].as_str().unwrap_or_default().to_owned(), row);
    }
    rows
}

/// Our answer in lsblk's words, field by field; null is what we do not know.
fn in_its_words(disk: &Disk) -> BTreeMap<&'static str, Value> {
    let bytes = |bytes: Option<libhw::units::Bytes>| Value::from(bytes.map(|bytes| bytes.0));
    let word = |value: &Option<libhw::device::storage::Transport>| {
        serde_json::to_value(value).expect("a word")
    };
    BTreeMap::from([
        ("size", bytes(disk.size_bytes)),
        ("maj:min", Value::from(disk.device_number.clone())),
        ("rota", Value::from(disk.rotational)),
        ("ro", Value::from(disk.read_only)),
        ("rm", Value::from(disk.removable)),
        ("log-sec", bytes(disk.logical_block_bytes)),
        ("phy-sec", bytes(disk.physical_block_bytes)),
        ("min-io", bytes(disk.minimum_io_bytes)),
        ("opt-io", bytes(disk.optimal_io_bytes)),
        ("disc-gran", bytes(disk.discard_granularity_bytes)),
        ("disc-max", bytes(disk.discard_max_bytes)),
        ("dax", Value::from(disk.dax)),
        (
            "ra",
            Value::from(disk.read_ahead_bytes.map(|bytes| bytes.0 / 1024)),
        ),
        ("rq-size", Value::from(disk.queue_requests)),
        ("sched", Value::from(disk.scheduler.clone())),
        ("model", Value::from(disk.model.clone())),
        ("vendor", Value::from(disk.vendor.clone())),
        ("rev", Value::from(disk.firmware.clone())),
        ("hctl", Value::from(disk.scsi_address.clone())),
        ("tran", word(&disk.transport)),
    ])
}

/// Where what lsblk says is not what the kernel's files say.
fn is_lsblks_own(field: &str, theirs: &Value) -> bool {
    // It says false where there is no file, and asks no queue for its length without one.
    theirs.is_null() || (matches!(field, "rota" | "ro" | "rm" | "dax") && theirs == false)
        // Version 2.38 counts a device without a discard as 0.
        || (field.starts_with("disc-") && theirs == 0)
        || (matches!(field, "min-io" | "opt-io") && theirs == 0)
}

fn compare(ours: &Storage, theirs: &BTreeMap<String, Value>, place: &str) -> usize {
    let mut compared = 0;
    for disk in &ours.disks {
        // Ways to a device are hidden, and lsblk leaves arrays that do not run out.
        let Some(row) = theirs.get(&disk.id) else {
            // A mapped device is listed below what it is made of, which a capture may lack.
            let gone = disk.hidden == Some(true)
                || matches!(disk.size_bytes.map(|size| size.0), Some(0) | None)
                || (disk.id.starts_with("dm-") && disk.slaves.is_empty());
            assert!(gone, "{place}: lsblk has no {}", disk.id);
            continue;
        };
        for (field, own) in in_its_words(disk) {
            let theirs = match &row[field] {
                Value::String(text) => Value::from(text.trim()),
                other => other.clone(),
            };
            if own != theirs {
                let excused = own.is_null() && is_lsblks_own(field, &theirs) || theirs.is_null();
                assert!(
                    excused,
                    "{place}: {} {field}: ours {own}, theirs {theirs}",
                    disk.id
                );
                continue;
            }
            compared += 1;
        }
    }
    for partition in &ours.partitions {
        let row = &theirs[&partition.id];
        assert_eq!(
            Value::from(partition.size_bytes.map(|size| size.0)),
            row["size"],
            "{place}: {}",
            partition.id
        );
        assert_eq!(Value::from(partition.device_number.clone()), row["maj:min"]);
        compared += 2;
    }
    compared
}

#[test]
fn this_host_reads_as_lsblk_reads_it() {
    if !support::installed("lsblk") {
        return;
    }
    let inventory = live(false);
    let ours = storage(&inventory);
    let theirs = lsblk(&[]);
    let compared = compare(ours, &theirs, "this host");
    // What lsblk has beyond ours holds nothing yet.
    for (name, row) in &theirs {
        let known = ours
            .disks
            .iter()
            .map(|disk| &disk.id)
            .chain(ours.partitions.iter().map(|part| &part.id));
        let known = known.into_iter().any(|id| id == name);
        assert!(known || row["size"] == 0, "only lsblk has {name}");
    }
    eprintln!("{compared} values of {} disks", ours.disks.len());
}

#[test]
fn captured_machines_read_as_lsblk_reads_them() {
    let Some(trees) = support::trees().filter(|_| support::installed("lsblk")) else {
        return;
    };
    let mut compared = 0;
    for tree in trees {
        let blocks = tree.directory.join("sys/block");
        let Some(numbers) = numbers(&blocks) else {
            continue;
        };
        // lsblk finds a device by its number, in a directory that captures leave out.
        let top = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(top.path().join("sys/dev/block")).expect("a directory");
        fs::create_dir_all(top.path().join("dev")).expect("a directory");
        let real = tree.directory.canonicalize().expect("a tree");
        for folder in ["block", "devices", "class"] {
            let _ = symlink(
                real.join("sys").join(folder),
                top.path().join("sys").join(folder),
            );
        }
        for (number, place) in &numbers {
            symlink(place, top.path().join("sys/dev/block").join(number)).expect("a link");
        }
        let theirs = lsblk(&["-a", "--sysroot", &top.path().display().to_string()]);
        let inventory = replayed(&tree.directory, &[Class::Storage]);
        compared += compare(storage(&inventory), &theirs, &tree.name);
    }
    eprintln!("{compared} values");
    assert!(compared > 100, "only {compared} values");
}

/// The numbers of all block devices with where they are; `None` where there is none with a number.
fn numbers(blocks: &Path) -> Option<Vec<(String, PathBuf)>> {
    let mut numbers = Vec::new();
    for disk in fs::read_dir(blocks).ok()?.flatten() {
        let place = disk.path().canonicalize().ok()?;
        let below = fs::read_dir(&place)
            .ok()?
            .flatten()
            .map(|entry| entry.path());
        let parts = below.filter(|path| path.join("partition").is_file());
        for place in parts.chain([place.clone()]) {
            if let Ok(number) = fs::read_to_string(place.join("dev")) {
                numbers.push((number.trim().to_owned(), place));
            }
        }
    }
    (!numbers.is_empty()).then_some(numbers)
}

#[test]
fn mounts_of_this_host_are_those_of_findmnt_with_their_use() {
    if !support::installed("findmnt") {
        return;
    }
    let columns = "TARGET,SOURCE,FSTYPE,MAJ:MIN,FSROOT,OPTIONS,SIZE";
    let listed = json_of(Command::new("findmnt").args(["-J", "-l", "-b", "-k", "-o", columns]));
    let listed = listed.expect("JSON of findmnt");
    let inventory = live(true);
    let mut seen = BTreeMap::new();
    for row in listed["filesystems"].as_array().expect("rows") {
        seen.insert(
            row["target"].as_str().expect("a target").to_owned(),
            row.clone(),
        );
    }
    let mut compared = 0;
    for mount in &storage(&inventory).mounts {
        let row = &seen[&mount.id];
        assert_eq!(
            row["fstype"],
            Value::from(mount.kind.clone()),
            "{}",
            mount.id
        );
        assert_eq!(
            row["maj:min"].as_str().map(str::trim),
            Some(mount.device_number.as_str())
        );
        let source = row["source"].as_str().unwrap_or_default();
        assert!(source.starts_with(&mount.source), "{}: {source}", mount.id);
        assert_eq!(
            row["options"]
                .as_str()
                .unwrap_or_default()
                .split(',')
                .any(|word| word == "ro"),
            mount.read_only
        );
        if let Some(size) = mount.now.size_bytes {
            let theirs = row["size"]
                .as_u64()
                .or_else(|| row["size"].as_str()?.parse().ok());
            assert_eq!(theirs, Some(size.0), "{}", mount.id);
        }
        compared += 1;
    }
    assert!(compared > 0, "a host has a root");
    let pseudo = seen.values().filter(|row| row["fstype"] == "proc").count();
    assert!(
        pseudo > 0
            && !storage(&inventory)
                .mounts
                .iter()
                .any(|mount| mount.kind == "proc")
    );
}

#[test]
fn use_of_this_host_is_what_df_says() {
    let output = Command::new("df")
        .args(["-B1", "--output=target,size,used,avail", "/"])
        .output();
    let Ok(output) = output else {
        support::skipped("df is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let inventory = live(false);
    let mut mounts = storage(&inventory).mounts.iter();
    let Some(root) = mounts.find(|mount| mount.id == "/") else {
        support::skipped("the root of this host is no file system of its own");
        return;
    };
    let [_, size, used, available] = words.as_slice() else {
        panic!("{text}");
    };
    assert_eq!(
        root.now
            .size_bytes
            .map(|size| size.0.to_string())
            .as_deref(),
        Some(*size)
    );
    // Others write meanwhile: within a gibibyte.
    for (ours, theirs) in [
        (root.now.used_bytes, used),
        (root.now.available_bytes, available),
    ] {
        let theirs: u64 = theirs.parse().expect("bytes");
        assert!(
            ours.expect("use").0.abs_diff(theirs) < 1 << 30,
            "{ours:?} {theirs}"
        );
    }
}

#[test]
fn an_nvme_controller_of_this_host_is_in_the_health_that_nvme_cli_says() {
    let controllers: Vec<String> = fs::read_dir("/sys/class/nvme")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    if controllers.is_empty() {
        support::skipped("this host has no NVMe controller");
        return;
    }
    if !support::installed("nvme") {
        return;
    }
    let inventory = live(true);
    for controller in &storage(&inventory).nvme_controllers {
        let file = format!("/dev/{}", controller.id);
        let theirs = json_of(Command::new("nvme").args(["smart-log", "-o", "json", &file]));
        let (Some(ours), Some(theirs)) = (&controller.now.health, theirs) else {
            support::skipped(&format!("{file} does not tell its health"));
            continue;
        };
        let kelvin = ours.temperature_celsius.map(|celsius| celsius + 273);
        assert_eq!(theirs["temperature"].as_i64(), kelvin, "{file}");
        for (key, own) in [
            ("avail_spare", u64::from(ours.available_spare_percent)),
            ("spare_thresh", u64::from(ours.spare_threshold_percent)),
            ("percent_used", u64::from(ours.percentage_used)),
            ("power_cycles", ours.power_cycles),
            ("power_on_hours", ours.power_on_hours),
            ("unsafe_shutdowns", ours.unsafe_shutdowns),
            ("media_errors", ours.media_errors),
        ] {
            assert_eq!(number(&theirs[key]), Some(own), "{file}: {key}");
        }
    }
}

/// Some versions write large numbers as texts.
fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.replace(',', "").parse().ok())
}

#[test]
fn a_sata_drive_of_this_host_is_in_the_health_that_smartctl_says() {
    let inventory = live(true);
    let drives: Vec<&Disk> = storage(&inventory)
        .disks
        .iter()
        .filter(|disk| disk.ata.is_some())
        .collect();
    if drives.is_empty() {
        support::skipped("this host has no SATA drive that answers");
        return;
    }
    if !support::installed("smartctl") {
        return;
    }
    for disk in drives {
        let file = format!("/dev/{}", disk.id);
        let theirs = json_of(Command::new("smartctl").args(["--json", "-x", &file]))
            .expect("JSON of smartctl");
        let now = &disk.ata.as_ref().expect("health").now;
        assert_eq!(
            theirs["smart_status"]["passed"].as_bool(),
            now.failing.map(|failing| !failing),
            "{file}"
        );
        let table = theirs["ata_smart_attributes"]["table"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert_eq!(table.len(), now.attributes.len(), "{file}");
        for (theirs, ours) in table.iter().zip(&now.attributes) {
            assert_eq!(theirs["id"].as_u64(), Some(u64::from(ours.id)));
            assert_eq!(theirs["value"].as_u64(), Some(u64::from(ours.value)));
            assert_eq!(theirs["thresh"].as_u64(), ours.threshold.map(u64::from));
        }
    }
}
