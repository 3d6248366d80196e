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

const CLASSES: [Class; 3] = [Class::Pci, Class::Nic, Class::PtpClock];

fn live() -> Inventory {
    let scope = Scope {
        classes: CLASSES.to_vec(),
        ..Scope::default()
    };
    discover(&Root::live().expect("a host"), &scope)
}

/// What a program prints; `None`, and a line that says so, where it is not installed or fails.
fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(_) => None,
        Err(_) => {
            support::skipped(&format!("{program} is not installed"));
            None
        }
    }
}

fn json(program: &str, arguments: &[&str]) -> Option<Value> {
    let text = printed(program, arguments)?;
    Some(
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{program} {arguments:?}: {error}")),
    )
}

/// Runs `test` on a thread that has a network of its own.
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::current().name().unwrap_or("a test").to_owned();
    let builder = std::thread::Builder::new().name(thread);
    let run = builder.spawn(|| {
        if unshare(CloneFlags::CLONE_NEWNET).is_err() {
            support::skipped("only root may have a network namespace of its own");
            return;
        }
        test();
    });
    let ended = run.expect("a thread").join();
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// Makes an interface; whether this kernel can.
fn made(arguments: &str) -> bool {
    let status = Command::new("ip")
        .args(arguments.split(' '))
        .stderr(std::process::Stdio::null())
        .status();
    let made = status.is_ok_and(|status| status.success());
    if !made {
        support::skipped(&format!("this kernel does not do: ip {arguments}"));
    }
    made
}

#[test]
fn made_interfaces_are_told_as_ip_tells_them() {
    in_namespace(|| {
        if !support::installed("ip") {
            support::skipped("ip is not installed");
            return;
        }
        made("link set lo up");
        made("link add br0 type bridge");
        made("link add va type veth peer name vb");
        made("link set va master br0");
        made("link set va up");
        made("link set vb up mtu 1400 alias fronthaul");
        made("link property add dev vb altname midhaul0");
        made("link add mv0 link vb type macvlan mode bridge");
        if made("link add bond0 type bond mode active-backup") {
            made("link add vc type veth peer name vd");
            made("link set vc master bond0");
            made("link set bond0 up");
        }
        made("link add link vb name vb.100 type vlan id 100");
        made("link add dummy0 type dummy");
        let inventory = live();
        let nic = inventory.nic.as_ref().expect("the class");
        let told = json("ip", &["-j", "-d", "link"]).expect("ip's answer");
        let told = told.as_array().expect("a list");
        assert_eq!(nic.interfaces.len(), told.len());
        for link in told {
            agrees_with_ip(nic, link);
        }
        let problems: Vec<_> = inventory
            .problems
            .iter()
            .filter(|problem| problem.class == "nic")
            .collect();
        assert!(problems.is_empty(), "{problems:?}");
    });
}

fn agrees_with_ip(nic: &Nic, link: &Value) {
    let name = link["ifname"].as_str().expect("a name");
    let ours = nic
        .interface(name)
        .unwrap_or_else(|| panic!("{name} is missing"));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    assert_eq!(ours.index, number(&link["ifindex"]), "{name}");
    assert_eq!(ours.mtu, number(&link["mtu"]), "{name}");
    let state = link["operstate"].as_str().expect("a state").to_lowercase();
    assert_eq!(
        ours.operstate,
        Some(OperState::from(state.as_str())),
        "{name}"
    );
    let mac = text(&link["address"]).filter(|mac| mac != "00:00:00:00:00:00");
    assert_eq!(ours.mac, mac, "{name}");
    assert_eq!(ours.master, text(&link["master"]), "{name}");
    assert_eq!(ours.lower, text(&link["link"]), "{name}");
    assert_eq!(ours.alias, text(&link["ifalias"]), "{name}");
    assert_eq!(ours.rx_queues, number(&link["num_rx_queues"]), "{name}");
    assert_eq!(ours.tx_queues, number(&link["num_tx_queues"]), "{name}");
    let flags: BTreeSet<&str> = link["flags"]
        .as_array()
        .expect("flags")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(ours.enabled, Some(flags.contains("UP")), "{name}");
    if flags.contains("UP") {
        assert_eq!(ours.carrier, Some(!flags.contains("NO-CARRIER")), "{name}");
    }
    let names = link["altnames"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(text);
    assert_eq!(ours.alternative_names, names.collect::<Vec<_>>(), "{name}");
    let info = &link["linkinfo"];
    if let Some(kind) = info["info_kind"].as_str() {
        assert_eq!(ours.kind, Some(kind.into()), "{name}");
    } else if flags.contains("LOOPBACK") {
        assert_eq!(ours.kind, Some(InterfaceKind::Loopback), "{name}");
    }
    assert_eq!(
        ours.bond_mode,
        text(&info["info_data"]["mode"]).filter(|_| info["info_kind"] == "bond"),
        "{name}"
    );
    let vlan = ours.vlan.as_ref().map(|vlan| u32::from(vlan.number));
    assert_eq!(
        vlan,
        number(&info["info_data"]["id"]).filter(|_| info["info_kind"] == "vlan"),
        "{name}"
    );
    let port = text(&info["info_slave_data"]["state"]).map(|state| state.to_lowercase());
    assert_eq!(ours.now.port_state, port, "{name}");
}

#[test]
fn this_hosts_hardware_is_told_as_ethtool_tells_it() {
    if !support::installed("ethtool") {
        support::skipped("ethtool is not installed");
        return;
    }
    let inventory = live();
    let nic = inventory.nic.as_ref().expect("the class");
    let mut compared = 0;
    for interface in nic
        .interfaces
        .iter()
        .filter(|interface| interface.is_hardware())
    {
        compared += 1;
        drivers_agree(interface);
        features_agree(interface);
        rings_agree(interface);
        timestamps_agree(interface);
        links_agree(interface);
    }
    if compared == 0 {
        support::skipped("this host has no network hardware");
    }
}

/// The lines `key: value` of ethtool.
fn lines(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

fn drivers_agree(interface: &Interface) {
    let name = &interface.id;
    let Some(text) = printed("ethtool", &["-i", name]) else {
        return;
    };
    let told = lines(&text);
    let known = |key: &str| {
        told.get(key)
            .filter(|text| !text.is_empty() && *text != "N/A")
            .cloned()
    };
    assert_eq!(interface.driver, known("driver"), "{name}");
    assert_eq!(interface.driver_version, known("version"), "{name}");
    assert_eq!(interface.firmware, known("firmware-version"), "{name}");
    if let Some(bus) = known("bus-info").filter(|bus| bus.contains('.')) {
        assert_eq!(interface.function, Some(bus), "{name}");
    }
}

fn features_agree(interface: &Interface) {
    let name = &interface.id;
    let Some(told) = json("ethtool", &["--json", "-k", name]) else {
        return;
    };
    let told = told[0].as_object().expect("features").iter();
    // Some lines are sums of others, under names that no single feature has.
    let sums = [
        "scatter-gather",
        "tcp-segmentation-offload",
        "tx-checksumming",
        "generic-segmentation-offload",
        "generic-receive-offload",
        "large-receive-offload",
        "rx-vlan-offload",
        "tx-vlan-offload",
        "ntuple-filters",
        "receive-hashing",
        "rx-checksumming",
    ];
    let active =
        told.filter(|(key, value)| value["active"] == true && !sums.contains(&key.as_str()));
    let active: BTreeSet<&str> = active.map(|(key, _)| key.as_str()).collect();
    let ours: BTreeSet<&str> = interface.features.iter().map(String::as_str).collect();
    let missing: Vec<_> = active.difference(&ours).collect();
    assert!(missing.is_empty(), "{name}: {missing:?}");
    assert!(!ours.is_empty(), "{name}");
}

fn rings_agree(interface: &Interface) {
    let name = &interface.id;
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    if let Some(told) = json("ethtool", &["--json", "-g", name]) {
        let rings = interface.rings.expect("rings");
        assert_eq!(
            (rings.rx, rings.tx),
            (number(&told[0]["rx"]), number(&told[0]["tx"])),
            "{name}"
        );
        assert_eq!(
            (rings.rx_max, rings.tx_max),
            (number(&told[0]["rx-max"]), number(&told[0]["tx-max"])),
            "{name}"
        );
    }
    if let Some(text) = printed("ethtool", &["-l", name]) {
        let (most, now) = text
            .split_once("Current hardware settings:")
            .expect("two parts");
        let count = |text: &str| {
            lines(text)
                .get("Combined")
                .and_then(|count| count.parse().ok())
        };
        let channels = interface.channels.expect("channels");
        assert_eq!(
            (channels.combined_max, channels.combined),
            (count(most), count(now)),
            "{name}"
        );
    }
}

/// The words below a heading of `ethtool -T`.
fn below(text: &str, heading: &str) -> BTreeSet<String> {
    let after = text
        .lines()
        .skip_while(|line| !line.starts_with(heading))
        .skip(1);
    let words = after.take_while(|line| line.starts_with('\t'));
    words
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn timestamps_agree(interface: &Interface) {
    let name = &interface.id;
    let Some(text) = printed("ethtool", &["-T", name]) else {
        return;
    };
    let ours = interface.timestamping.clone().expect("timestamps");
    let modes: BTreeSet<String> = ours.modes.iter().map(ToString::to_string).collect();
    assert_eq!(modes, below(&text, "Capabilities:"), "{name}");
    let sent: BTreeSet<String> = ours.tx_types.iter().map(ToString::to_string).collect();
    assert_eq!(
        sent,
        below(&text, "Hardware Transmit Timestamp Modes:"),
        "{name}"
    );
    let received: BTreeSet<String> = ours.rx_filters.iter().map(ToString::to_string).collect();
    assert_eq!(
        received,
        below(&text, "Hardware Receive Filter Modes:"),
        "{name}"
    );
    let clock = lines(&text).get("PTP Hardware Clock").cloned();
    let clock = clock
        .filter(|number| number != "none")
        .map(|number| format!("ptp{number}"));
    assert_eq!(ours.clock, clock, "{name}");
}

fn links_agree(interface: &Interface) {
    let name = &interface.id;
    let Some(text) = printed("ethtool", &[name]) else {
        return;
    };
    let told = lines(&text);
    let known = |key: &str| {
        told.get(key)
            .filter(|text| !text.starts_with("Unknown"))
            .cloned()
    };
    let speed = known("Speed").and_then(|speed| speed.trim_end_matches("Mb/s").parse().ok());
    assert_eq!(interface.speed_mbps, speed, "{name}");
    let duplex = known("Duplex").map(|word| word.to_lowercase());
    assert_eq!(
        interface.duplex.as_ref().map(ToString::to_string),
        duplex,
        "{name}"
    );
    if let Some(autoneg) = known("Auto-negotiation") {
        assert_eq!(interface.autoneg, Some(autoneg == "on"), "{name}");
    }
}

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
