//! Sensors: beside `sensors -j` on the same files, and value by value of captured and made-up machines.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use libhw::device::sensor::{Alarm, Channel, Limit, Sensor};
use libhw::inventory::Class;
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::{place, replayed, synthetic};

fn read(tree: &Path) -> Sensor {
    replayed(tree, &[Class::Sensor]).sensor.expect("the class")
}

/// A tree with one chip: `hwmon`, a directory of some machine, hung below a PCI function.
fn chip_of(hwmon: &Path) -> TempDir {
    let top = tempfile::tempdir().expect("a directory");
    let device = top.path().join("sys/devices/pci0000:00/0000:00:01.0");
    let own = device.join("hwmon/hwmon0");
    fs::create_dir_all(&own).expect("a directory");
    for folder in ["sys/class/hwmon", "sys/bus/pci"] {
        fs::create_dir_all(top.path().join(folder)).expect("a directory");
    }
    for entry in fs::read_dir(hwmon).expect("a chip").flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), own.join(entry.file_name())).expect("a copy");
        }
    }
    symlink("../../../0000:00:01.0", own.join("device")).expect("a link");
    symlink("../../../bus/pci", device.join("subsystem")).expect("a link");
    let class = "../../devices/pci0000:00/0000:00:01.0/hwmon/hwmon0";
    symlink(class, top.path().join("sys/class/hwmon/hwmon0")).expect("a link");
    top
}

/// What `sensors -j` says of a tree, whose /sys is laid over our own in a mount namespace.
fn sensors(tree: &Path) -> Option<Value> {
    let script = "for part in class devices bus; do mount --bind \"$0/sys/$part\" /sys/$part || exit 77; done; exec sensors -j -c /dev/null";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", script])
        .arg(tree)
        .output()
        .expect("unshare");
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        support::skipped(&format!("no mount namespace for sensors: {why}"));
        return None;
    }
    // A label with a line's end in it stands in its JSON as it is, which no JSON may have.
    let text = String::from_utf8_lossy(&output.stdout).replace(char::is_control, " ");
    Some(serde_json::from_str(&text).expect("JSON of sensors"))
}

/// The chips of all captured machines: directories that hold a `name` and an input.
fn captured_chips() -> Option<(TempDir, Vec<PathBuf>)> {
    let Some(machines) = support::machines() else {
        support::skipped("no machines");
        return None;
    };
    let top = tempfile::tempdir().expect("a directory");
    let folders = ["gpu", "fpga"].map(|folder| machines.join(folder));
    let archives = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    for archive in archives.flatten().flatten().map(|entry| entry.path()) {
        if archive.extension().is_some_and(|end| end == "gz") {
            let place = top.path().join(archive.file_name().expect("a name"));
            fs::create_dir(&place).expect("a directory");
            let done = Command::new("tar")
                .arg("xzf")
                .arg(&archive)
                .arg("-C")
                .arg(&place)
                .status();
            assert!(done.expect("tar").success(), "{}", archive.display());
        }
    }
    let composite = machines.join("composite/prometheus-procfs.ttar");
    if composite.is_file() {
        let tree = support::ttar::ttar(&composite).keep();
        fs::rename(tree, top.path().join("composite")).expect("a place beside the others");
    }
    let mut chips = Vec::new();
    below(top.path(), &mut chips);
    chips.sort();
    Some((top, chips))
}

fn below(folder: &Path, chips: &mut Vec<PathBuf>) {
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    if name.is_some_and(|name| name.starts_with("hwmon") && name.len() > 5)
        && folder.join("name").is_file()
    {
        chips.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(&entry.path(), chips);
        }
    }
}

/// What a channel says, by the names of the kernel's files.
fn files(channel: &Channel) -> BTreeMap<String, i64> {
    let (_, name) = channel.id.split_once('/').expect("chip and channel");
    let is_power = name.starts_with("power");
    let now = &channel.now;
    let (lowest, highest) = if is_power {
        ("_input_lowest", "_input_highest")
    } else {
        ("_lowest", "_highest")
    };
    let input = if name.starts_with("pwm") || name.ends_with("_vid") {
        ""
    } else {
        "_input"
    };
    let mut files: BTreeMap<String, i64> = [
        (input, now.input),
        ("_average", now.average),
        (lowest, now.lowest),
        (highest, now.highest),
        ("_average_lowest", now.average_lowest),
        ("_average_highest", now.average_highest),
        ("_fault", now.fault.map(i64::from)),
        ("_enable", now.enabled.map(i64::from)),
    ]
    .into_iter()
    .filter_map(|(suffix, value)| Some((format!("{name}{suffix}"), value?)))
    .collect();
    for (key, value) in words(&channel.limits)
        .into_iter()
        .chain(words(&channel.settings))
    {
        files.insert(format!("{name}_{key}"), value.as_i64().expect("a number"));
    }
    for (key, value) in words(&now.alarms) {
        let key = if key == "alarm" {
            key
        } else {
            format!("{key}_alarm")
        };
        files.insert(
            format!("{name}_{key}"),
            i64::from(value.as_bool().expect("a switch")),
        );
    }
    files
}

fn words(map: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(map) {
        Ok(Value::Object(map)) => map,
        other => panic!("{other:?}"),
    }
}

/// By what a kernel's number is more than the one that sensors prints.
fn scale(file: &str) -> f64 {
    let unscaled = [
        "_alarm", "_fault", "_type", "_div", "_pulses", "_enable", "_beep",
    ];
    if unscaled.iter().any(|end| file.ends_with(end)) {
        return 1.0;
    }
    match file.trim_start_matches(|sign: char| sign.is_ascii_alphabetic()) {
        _ if file.ends_with("_average_interval") => 1000.0,
        _ if file.starts_with("power") || file.starts_with("energy") => 1_000_000.0,
        _ if file.starts_with("fan") || file.starts_with("pwm") || file.starts_with("freq") => 1.0,
        _ => 1000.0,
    }
}

fn compare(sensor: &Sensor, peer: &Value, place: &str) -> usize {
    let chips: Vec<&Map<String, Value>> = peer
        .as_object()
        .expect("chips")
        .values()
        .filter_map(Value::as_object)
        .collect();
    let mut told = BTreeMap::new();
    for (label, feature) in chips.iter().copied().flatten() {
        for (file, value) in feature.as_object().into_iter().flatten() {
            told.insert(file.clone(), (label.clone(), value.as_f64()));
        }
    }
    let mut compared = 0;
    for channel in &sensor.channels {
        let (_, name) = channel.id.split_once('/').expect("chip and channel");
        for (file, value) in files(channel) {
            let Some((label, peer)) = told.remove(&file) else {
                continue;
            };
            compared += 1;
            let peer = peer.unwrap_or(f64::NAN) * scale(&file);
            #[expect(clippy::cast_precision_loss, reason = "sensors prints three decimals")]
            let own = value as f64;
            let near = (peer - own).abs() <= 0.001 * scale(&file);
            assert!(near, "{place}: {file}: ours {own}, theirs {peer}");
            assert_eq!(
                channel.label.as_deref().unwrap_or(name),
                label.trim(),
                "{place}: {file}"
            );
        }
    }
    // What is left is what sensors has and we have not: only what it makes noise with.
    let left: Vec<&String> = told.keys().filter(|file| !file.contains("beep")).collect();
    assert!(left.is_empty(), "{place}: only sensors has {left:?}");
    compared
}

#[test]
fn every_captured_chip_reads_as_sensors_reads_it() {
    if !support::installed("sensors") || !support::installed("unshare") {
        return;
    }
    let Some((_top, chips)) = captured_chips() else {
        return;
    };
    let mut compared = 0;
    for hwmon in &chips {
        let tree = chip_of(hwmon);
        let Some(peer) = sensors(tree.path()) else {
            return;
        };
        compared += compare(&read(tree.path()), &peer, &hwmon.display().to_string());
    }
    eprintln!("{} chips, {compared} values", chips.len());
    assert!(
        compared > 100,
        "only {compared} values of {} chips",
        chips.len()
    );
}

#[test]
fn the_made_up_chip_of_every_kind_reads_as_sensors_reads_it() {
    if !support::installed("sensors") || !support::installed("unshare") {
        return;
    }
    let tree = support::ttar::ttar(&place("trees").join("sensor.ttar"));
    // sensors wants the class alone, and one chip of one name after the other.
    let mut chips = Vec::new();
    below(tree.path(), &mut chips);
    for hwmon in chips {
        let tree = chip_of(&hwmon);
        let Some(peer) = sensors(tree.path()) else {
            return;
        };
        assert!(compare(&read(tree.path()), &peer, &hwmon.display().to_string()) > 0);
    }
}

#[test]
fn every_file_of_a_captured_chip_is_in_the_inventory() {
    let Some((_top, chips)) = captured_chips() else {
        return;
    };
    let mut compared = 0;
    for hwmon in &chips {
        let tree = chip_of(hwmon);
        let sensor = read(tree.path());
        let ours: BTreeMap<String, i64> = sensor.channels.iter().flat_map(files).collect();
        for entry in fs::read_dir(hwmon).expect("a chip").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_channel = name.contains(|sign: char| sign.is_ascii_digit());
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            // A pwm's switch is told in words, and percent signs and lists are none of these numbers.
            let Ok(number) = text.trim().parse::<i64>() else {
                continue;
            };
            if is_channel
                && !(name.starts_with("pwm") && name.ends_with("_enable"))
                && !name.contains("auto_")
            {
                let own = ours.get(&name);
                // A limit that only sets the chip's own curve up.
                if own.is_none() && (name.starts_with("pwm") || name.ends_with("_beep")) {
                    continue;
                }
                assert_eq!(own, Some(&number), "{}: {name}", hwmon.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "only {compared} values");
}

#[test]
fn thermal_zones_and_power_zones_of_the_composite_tree_are_what_its_files_say() {
    let Some(machines) = support::machines() else {
        support::skipped("no machines");
        return;
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let sensor = read(tree.path());
    thermal(&sensor, tree.path());
    // The control type itself is no zone.
    assert_eq!(
        sensor.power_zones.len(),
        entries(tree.path(), "powercap") - 1
    );
    for zone in &sensor.power_zones {
        let place = format!("powercap/{}", zone.id);
        let file = |name: &str| number(tree.path(), &place, name).map(i64::unsigned_abs);
        assert_eq!(
            zone.now.energy_microjoules,
            file("energy_uj"),
            "{}",
            zone.id
        );
        let range = file("max_energy_range_uj");
        assert_eq!(zone.max_energy_range_microjoules, range, "{}", zone.id);
        assert_eq!(zone.name, text(tree.path(), &place, "name"));
        for constraint in &zone.constraints {
            let file = |name: &str| file(&format!("constraint_{}_{name}", constraint.id));
            assert_eq!(constraint.power_limit_microwatts, file("power_limit_uw"));
            assert_eq!(constraint.time_window_microseconds, file("time_window_us"));
            assert_eq!(constraint.max_power_microwatts, file("max_power_uw"));
        }
    }
    let constraints = sensor.power_zones.iter().map(|zone| zone.constraints.len());
    assert_eq!(constraints.sum::<usize>(), 5);
}

fn thermal(sensor: &Sensor, tree: &Path) {
    let zones = &sensor.thermal_zones;
    let all = zones.len() + sensor.cooling_devices.len();
    assert_eq!(all, entries(tree, "thermal"));
    for zone in zones {
        let place = format!("thermal/{}", zone.id);
        let now = zone.now.temperature_millicelsius;
        assert_eq!(now, number(tree, &place, "temp"), "{}", zone.id);
        assert_eq!(zone.kind, text(tree, &place, "type"));
        assert_eq!(zone.policy, text(tree, &place, "policy"));
    }
    for device in &sensor.cooling_devices {
        let file = |name: &str| number(tree, &format!("thermal/{}", device.id), name);
        let state = file("cur_state").filter(|state| *state >= 0);
        assert_eq!(device.now.state.map(i64::from), state, "{}", device.id);
        let most = device
            .max_state
            .map(|state| state.try_into().expect("a step"));
        assert_eq!(most, file("max_state"));
    }
}

fn text(tree: &Path, place: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(tree.join("sys/class").join(place).join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(tree: &Path, place: &str, name: &str) -> Option<i64> {
    text(tree, place, name)?.parse().ok()
}

fn entries(tree: &Path, class: &str) -> usize {
    fs::read_dir(tree.join("sys/class").join(class))
        .expect("a class")
        .count()
}

#[test]
fn the_made_up_machine_has_every_kind_of_channel_and_its_faults() {
    let inventory = synthetic("sensor", &[Class::Sensor]);
    let sensor = inventory.sensor.expect("the class");
    let kinds: std::collections::BTreeSet<_> =
        sensor.channels.iter().map(|channel| channel.kind).collect();
    assert_eq!(kinds.len(), 11, "{kinds:?}");
    let called = |id: &str| {
        sensor
            .channels
            .iter()
            .find(|channel| channel.id == id)
            .expect("a channel")
    };
    assert_eq!(called("hwmon0/fan1").now.fault, Some(true));
    assert_eq!(
        called("hwmon0/temp1").limits.get(&Limit::EmergencyHyst),
        Some(&68000)
    );
    assert_eq!(
        called("hwmon2/temp1").now.alarms.get(&Alarm::Crit),
        Some(&true)
    );
    let smbus = sensor
        .chips
        .iter()
        .find(|chip| chip.id == "hwmon10")
        .expect("a chip");
    assert_eq!(smbus.function.as_deref(), Some("0000:00:1f.4"));
    assert!(inventory.problems.is_empty(), "{:?}", inventory.problems);
}
