//! Network interfaces, against `ip` and `ethtool` on this host, against the files of captured trees, and a made-up card.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libhw::device::nic::{Interface, InterfaceKind, Nic, OperState};
use libhw::inventory::{Class, Inventory, Scope, discover};
use libhw::io::root::Root;
use libhw::join::time;
use nix::sched::{CloneFlags, unshare};
use serde_json::Value;

use super::{replayed, synthetic};

mod peers;

const CLASSES: [Class; 3] = [Class::Pci, Class::Nic, Class::PtpClock];

fn composite() -> Option<tempfile::TempDir> {
    let Some(machines) = support::machines() else {
        support::skipped("no machines: set GNOMON_MACHINES");
        return None;
    };
    Some(support::ttar::ttar(
        &machines.join("composite/prometheus-procfs.ttar"),
    ))
}

/// A file's text; none where it cannot be read.
fn text(directory: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(directory.join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let mut children: Vec<PathBuf> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    children.sort();
    children
}

fn name(path: &Path) -> String {
    path.file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

#[test]
fn the_composite_trees_interfaces_are_those_of_its_files() {
    let Some(tree) = composite() else { return };
    let inventory = replayed(tree.path(), &CLASSES);
    assert!(compared(tree.path(), &inventory) > 0);
}

#[test]
fn captured_interfaces_and_their_clocks_are_those_of_the_trees_files() {
    let Some(trees) = support::trees() else {
        return;
    };
    let (mut interfaces, mut clocks) = (0, 0);
    for tree in trees {
        let inventory = replayed(&tree.directory, &CLASSES);
        interfaces += compared(&tree.directory, &inventory);
        clocks += clocks_compared(&tree.directory, &inventory);
    }
    assert!(interfaces > 4, "{interfaces}");
    assert!(clocks > 3, "{clocks}");
}

/// Compares each interface with its files; how many there are.
fn compared(tree: &Path, inventory: &Inventory) -> usize {
    let nic = inventory.nic.as_ref().expect("the class");
    let directories = children(&tree.join("sys/class/net"))
        .into_iter()
        .filter(|path| path.is_dir() || path.is_symlink());
    let directories: Vec<PathBuf> = directories.collect();
    assert_eq!(
        nic.interfaces.len(),
        directories.len(),
        "{}",
        tree.display()
    );
    for directory in &directories {
        let ours = nic.interface(&name(directory)).expect("the interface");
        let text = |name: &str| text(directory, name);
        let mac = text("address").filter(|mac| mac.chars().any(|c| !"0:".contains(c)));
        assert_eq!(ours.mac, mac, "{}", directory.display());
        assert_eq!(
            ours.mtu.map(|mtu| mtu.to_string()),
            text("mtu"),
            "{}",
            directory.display()
        );
        assert_eq!(
            ours.operstate.as_ref().map(ToString::to_string),
            text("operstate"),
            "{}",
            directory.display()
        );
        let speed = text("speed")
            .filter(|speed| !["-1", "0", "65535", "4294967295"].contains(&speed.as_str()));
        assert_eq!(
            ours.speed_mbps.map(|speed| speed.to_string()),
            speed,
            "{}",
            directory.display()
        );
        let changes = ours.now.carrier_changes.map(|count| count.to_string());
        assert_eq!(changes, text("carrier_changes"), "{}", directory.display());
        statistics_compared(directory, ours);
        if let Ok(device) = fs::read_link(directory.join("device")) {
            let device = device.to_string_lossy().trim_end_matches('/').to_owned();
            assert_eq!(
                ours.device.as_deref(),
                device.rsplit('/').next(),
                "{}",
                directory.display()
            );
        }
    }
    directories.len()
}

/// Compares an interface's counters with their files.
fn statistics_compared(directory: &Path, ours: &Interface) {
    for file in children(&directory.join("statistics")) {
        let count = fs::read_to_string(&file).expect("a count");
        let count: u64 = count.trim().parse().expect("a number");
        let ours = ours.now.counters.get(&name(&file)).copied();
        assert_eq!(ours.unwrap_or_default(), count, "{}", file.display());
    }
}

/// Compares each PTP clock with its files, wherever below sys/devices they are; how many there are.
fn clocks_compared(tree: &Path, inventory: &Inventory) -> usize {
    let clocks = &inventory.ptp_clock.as_ref().expect("the class").clocks;
    let mut count = 0;
    for function in children(&tree.join("sys/bus/pci/devices")) {
        for directory in children(&function.join("ptp")) {
            count += 1;
            let ours = clocks
                .iter()
                .find(|clock| clock.id == name(&directory))
                .expect("the clock");
            assert_eq!(ours.function, Some(name(&function)));
            assert_eq!(ours.name, text(&directory, "clock_name"));
            let number = |name: &str| text(&directory, name).and_then(|text| text.parse().ok());
            assert_eq!(ours.max_adjustment_ppb, number("max_adjustment"));
            assert_eq!(
                ours.external_timestamps.map(u64::from),
                number("n_external_timestamps")
            );
            assert_eq!(
                ours.periodic_outputs.map(u64::from),
                number("n_periodic_outputs")
            );
            assert_eq!(ours.pps.map(u64::from), number("pps_available"));
            let interfaces = time::interfaces_of_clock(inventory, ours);
            let interfaces: Vec<String> = interfaces
                .iter()
                .map(|interface| interface.id.clone())
                .collect();
            let beside: Vec<String> = children(&function.join("net"))
                .iter()
                .map(|path| name(path))
                .collect();
            assert_eq!(interfaces, beside, "{}", directory.display());
        }
    }
    count
}

#[test]
fn the_composite_trees_rdma_devices_are_those_of_its_files() {
    let Some(tree) = composite() else { return };
    let inventory = replayed(tree.path(), &CLASSES);
    let rdma = &inventory.nic.as_ref().expect("the class").rdma;
    let directories = children(&tree.path().join("sys/class/infiniband"));
    assert_eq!(rdma.len(), directories.len());
    let mut counters = 0;
    for directory in &directories {
        let ours = rdma
            .iter()
            .find(|device| device.id == name(directory))
            .expect("the device");
        assert_eq!(ours.firmware, text(directory, "fw_ver"));
        assert_eq!(ours.model, text(directory, "hca_type"));
        assert_eq!(ours.board, text(directory, "board_id"));
        assert_eq!(ours.node_guid, text(directory, "node_guid"));
        assert_eq!(ours.ports.len(), children(&directory.join("ports")).len());
        for port in &ours.ports {
            let directory = directory.join("ports").join(port.id.to_string());
            assert_eq!(port.link_layer, text(&directory, "link_layer"));
            let state = text(&directory, "state")
                .map(|text| text.split_once(": ").expect("two").1.to_lowercase());
            assert_eq!(port.now.state.as_ref().map(ToString::to_string), state);
            let rate = text(&directory, "rate").expect("a rate");
            let gigabits: f64 = rate
                .split(' ')
                .next()
                .expect("a number")
                .parse()
                .expect("a number");
            let ours = port.now.rate_mbps.expect("a rate");
            assert!(
                (gigabits * 1000.0 - f64::from(u32::try_from(ours).expect("small"))).abs() < 1.0,
                "{rate}"
            );
            for file in ["counters", "hw_counters"]
                .iter()
                .flat_map(|name| children(&directory.join(name)))
            {
                let Some(count) = fs::read_to_string(&file)
                    .ok()
                    .and_then(|text| text.trim().parse::<u64>().ok())
                else {
                    continue;
                };
                if name(&file) != "lifespan" {
                    counters += 1;
                    let ours = port
                        .now
                        .counters
                        .get(&name(&file))
                        .copied()
                        .unwrap_or_default();
                    assert_eq!(ours, count, "{}", file.display());
                }
            }
        }
    }
    assert!(counters > 20, "{counters}");
}

#[test]
fn the_composite_trees_clocksource_is_that_of_its_files() {
    let Some(tree) = composite() else { return };
    let inventory = replayed(tree.path(), &CLASSES);
    let clocksource = inventory
        .ptp_clock
        .as_ref()
        .and_then(|class| class.clocksource.clone())
        .expect("a source");
    assert_eq!(clocksource.current.as_deref(), Some("tsc"));
    assert_eq!(clocksource.available, ["tsc", "hpet", "acpi_pm"]);
}

#[test]
fn a_telco_card_is_told_with_its_clock_pins_module_and_health() {
    let inventory = synthetic("telco-nic", &CLASSES);
    let nic = inventory.nic.as_ref().expect("the class");
    let kind = |name: &str| {
        nic.interface(name)
            .and_then(|interface| interface.kind.clone())
            .expect("a kind")
    };
    assert_eq!(kind("eno1np0"), InterfaceKind::Physical);
    assert_eq!(kind("eno1v0"), InterfaceKind::VirtualFunction);
    assert_eq!(kind("eth0"), InterfaceKind::Representor);
    assert_eq!(kind("bond0.100"), InterfaceKind::Vlan);
    assert_eq!(kind("hsr0"), InterfaceKind::Other("hsr".into()));
    assert_eq!(nic.interface("veth1a2b3c").expect("veth").lower, None);
    assert_eq!(
        nic.ports_of("bond0"),
        BTreeSet::from(["eno1np0", "eno2np1"])
    );
    let port = nic.interface("eno1np0").expect("the port");
    let clock = time::clock_of_interface(&inventory, port).expect("a clock");
    assert_eq!(
        (clock.id.as_str(), clock.cross_timestamping),
        ("ptp0", Some(true))
    );
    let vlan = nic.interface("bond0.100").expect("the VLAN");
    assert_eq!(time::node_of_interface(&inventory, port), Some(1));
    assert_eq!(
        time::node_of_interface(&inventory, nic.interface("bond0").expect("bond")),
        Some(1)
    );
    assert_eq!(time::function_of_interface(&inventory, vlan), None);
    let stamped = time::interfaces_of_clock(&inventory, clock);
    let stamped: Vec<&str> = stamped
        .iter()
        .map(|interface| interface.id.as_str())
        .collect();
    assert_eq!(stamped, ["eno1np0", "eno2np1"]);
    let pin = time::pin_of_interface(&inventory, port).expect("a pin");
    assert_eq!(pin.label.as_deref(), Some("C827_0-RCLKA"));
    assert_eq!(time::dplls_of_interface(&inventory, port).len(), 2);
    let gnss = time::gnss_of_interface(
        &inventory,
        nic.interface("eno2np1").expect("the other port"),
    );
    assert_eq!(gnss.len(), 1);
    let rdma = time::rdma_of_interface(&inventory, port);
    assert_eq!(
        rdma.first().map(|rdma| rdma.id.as_str()),
        Some("rocep81s0f0")
    );
    let module = port.now.module.as_ref().expect("levels");
    let alarms: Vec<String> = module
        .alarms
        .iter()
        .map(|alarm| format!("{} {}", alarm.level, alarm.limit))
        .collect();
    assert_eq!(alarms, ["rx_power_nanowatts low_alarm"]);
    assert!(inventory.problems.is_empty(), "{:?}", inventory.problems);
}
