//! Interfaces of this host and of made-up namespaces, beside what ip and ethtool say.

use super::*;

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
        let (inventory, told) = settled();
        let nic = inventory.nic.as_ref().expect("the class");
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

/// What we and `ip` say of one and the same moment: a link comes up some time after it was told to.
fn settled() -> (Inventory, Value) {
    let ip = || json("ip", &["-j", "-d", "link"]).expect("ip's answer");
    let mut before = ip();
    for _ in 0..100 {
        let inventory = live();
        let after = ip();
        if before == after {
            return (inventory, after);
        }
        before = after;
    }
    panic!("the links never held still");
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
