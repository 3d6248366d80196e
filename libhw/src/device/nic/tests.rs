use super::*;
use crate::inventory::Class;
use crate::tree::{Tree, told};

mod skim;

const ETH: &str = "sys/class/net/eth0";

fn nic(tree: &Tree) -> Nic {
    let inventory = tree.discover(Class::Nic);
    assert_eq!(inventory.problems, []);
    inventory.nic.unwrap()
}

#[test]
fn a_tree_without_a_network_has_none() {
    assert_eq!(nic(&Tree::new(&[])), Nic::default());
}

/// A port that is the spare one of a bond, with a VLAN on that.
fn bonded() -> Tree {
    let tree = Tree::new(&[
        ("sys/class/net/eth0/address", "02:00:00:00:00:01\n"),
        ("sys/class/net/eth0/carrier", "1\n"),
        ("sys/class/net/eth0/carrier_changes", "5\n"),
        ("sys/class/net/eth0/duplex", "full\n"),
        ("sys/class/net/eth0/flags", "0x1003\n"),
        ("sys/class/net/eth0/ifindex", "2\n"),
        ("sys/class/net/eth0/iflink", "2\n"),
        ("sys/class/net/eth0/mtu", "1500\n"),
        ("sys/class/net/eth0/operstate", "up\n"),
        ("sys/class/net/eth0/queues/rx-0/rps_cpus", "0\n"),
        ("sys/class/net/eth0/queues/rx-1/rps_cpus", "0\n"),
        ("sys/class/net/eth0/queues/tx-0/xps_cpus", "0\n"),
        ("sys/class/net/eth0/speed", "25000\n"),
        ("sys/class/net/eth0/statistics/rx_bytes", "7\n"),
        ("sys/class/net/eth0/statistics/rx_errors", "0\n"),
        ("sys/class/net/eth0/type", "1\n"),
        ("sys/class/net/eth0/bonding_slave/state", "backup\n"),
        ("sys/class/net/bond0/ifindex", "9\n"),
        ("sys/class/net/bond0/bonding/mode", "active-backup 1\n"),
        ("sys/class/net/bond0/bonding/active_slave", "eth0\n"),
        ("sys/class/net/bond0/speed", "-1\n"),
        ("sys/class/net/bonding_masters", "bond0\n"),
        ("sys/class/net/bond0.5/ifindex", "10\n"),
        ("sys/class/net/bond0.5/iflink", "9\n"),
        (
            "sys/class/net/bond0.5/uevent",
            "DEVTYPE=vlan\nINTERFACE=bond0.5\n",
        ),
        (
            "proc/net/vlan/bond0.5",
            "bond0.5  VID: 5\t REORDER_HDR: 1  dev->priv_flags: 1021\n",
        ),
        ("sys/devices/pci0000:00/0000:00:03.0/numa_node", "1\n"),
    ]);
    tree.link(
        "sys/class/net/eth0/device",
        "../../../devices/pci0000:00/0000:00:03.0/",
    );
    tree.link(
        "sys/devices/pci0000:00/0000:00:03.0/driver",
        "../../../bus/pci/drivers/ice",
    );
    tree.link("sys/class/net/eth0/master", "../bond0");
    tree
}

#[test]
fn sysfs_alone_tells_what_it_can() {
    let nic = nic(&bonded());
    let eth = nic.interface("eth0").unwrap();
    assert_eq!(eth.kind, Some(InterfaceKind::Physical));
    assert_eq!(
        (eth.index, eth.mtu, eth.speed_mbps),
        (Some(2), Some(1500), Some(25_000))
    );
    assert_eq!((eth.enabled, eth.carrier), (Some(true), Some(true)));
    assert_eq!(
        (&eth.operstate, &eth.duplex),
        (&Some(OperState::Up), &Some(Duplex::Full))
    );
    assert_eq!(
        (eth.function.as_deref(), eth.node, eth.driver.as_deref()),
        (Some("0000:00:03.0"), Some(1), Some("ice"))
    );
    assert_eq!(
        (eth.master.as_deref(), eth.lower.as_deref()),
        (Some("bond0"), None)
    );
    assert_eq!((eth.rx_queues, eth.tx_queues), (Some(2), Some(1)));
    assert_eq!(
        eth.now.counters,
        BTreeMap::from([("rx_bytes".to_owned(), 7)])
    );
    assert_eq!(
        (eth.now.carrier_changes, eth.now.port_state.as_deref()),
        (Some(5), Some("backup"))
    );
}

#[test]
fn a_bond_and_a_vlan_are_told_from_sysfs() {
    let nic = nic(&bonded());
    let bond = nic.interface("bond0").unwrap();
    assert_eq!(
        (&bond.kind, bond.bond_mode.as_deref()),
        (&Some(InterfaceKind::Bond), Some("active-backup"))
    );
    assert_eq!(
        (bond.bond_active.as_deref(), bond.speed_mbps),
        (Some("eth0"), None)
    );
    let vlan = nic.interface("bond0.5").unwrap();
    assert_eq!(
        (vlan.lower.as_deref(), vlan.vlan.as_ref().unwrap().number),
        (Some("bond0"), 5)
    );
    assert_eq!(nic.interfaces.len(), 3);
    assert_eq!(nic.ports_of("bond0"), BTreeSet::from(["eth0"]));
}

#[test]
fn what_a_driver_refuses_of_a_link_that_is_down_is_absent() {
    let tree = Tree::new(&[
        ("sys/class/net/eth0/type", "1\n"),
        ("sys/class/net/eth0/flags", "0x1002\n"),
    ]);
    let refused = [
        "carrier",
        "speed",
        "duplex",
        "phys_port_name",
        "phys_switch_id",
    ];
    let paths = refused.map(|name| format!("{ETH}/{name}"));
    for path in &paths {
        tree.write(path, "");
    }
    let errors: Vec<_> = paths
        .iter()
        .zip([22, 22, 22, 95, 95])
        .map(|(path, errno)| (path.as_str(), errno))
        .collect();
    tree.fail(&errors);
    let eth = &nic(&tree).interfaces[0];
    assert_eq!(
        (eth.carrier, eth.speed_mbps, eth.enabled),
        (None, None, Some(false))
    );
}

#[test]
fn files_that_are_damaged_are_problems_and_hide_nothing_else() {
    for text in ["\0\0\0", "", "garbage", "99999999999999999999999999", "-7"] {
        let names = [
            "address",
            "carrier",
            "carrier_changes",
            "flags",
            "ifindex",
            "iflink",
            "mtu",
            "operstate",
            "speed",
            "type",
            "uevent",
        ];
        let paths: Vec<String> = names.iter().map(|name| format!("{ETH}/{name}")).collect();
        let mut files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), text)).collect();
        files.push(("sys/class/net/eth1/mtu", "1400\n"));
        files.push(("sys/class/infiniband/mlx5_0/ports/1/state", text));
        files.push(("sys/class/infiniband/mlx5_0/ports/1/rate", text));
        files.push((
            "sys/class/infiniband/mlx5_0/ports/1/counters/symbol_error",
            text,
        ));
        let inventory = Tree::new(&files).discover(Class::Nic);
        let nic = inventory.nic.unwrap();
        assert_eq!(nic.interfaces.len(), 2, "{text:?}");
        assert_eq!(nic.interface("eth1").unwrap().mtu, Some(1400));
        assert_eq!(nic.rdma[0].ports[0].now.rate_mbps, None);
        if text == "garbage" {
            let problems = told(&inventory.problems);
            assert!(
                problems.contains(&("/sys/class/net/eth0/mtu", "malformed")),
                "{problems:?}"
            );
            assert!(
                problems.contains(&("/sys/class/infiniband/mlx5_0/ports/1/rate", "malformed")),
                "{problems:?}"
            );
        }
    }
    let tree = Tree::new(&[
        ("sys/class/net/eth0/mtu", "1500\n"),
        ("sys/class/net/eth0/type", "1\n"),
    ]);
    tree.fail(&[("sys/class/net/eth0/mtu", 5), ("sys/class/infiniband", 13)]);
    let problems = tree.discover(Class::Nic).problems;
    assert_eq!(
        told(&problems),
        [
            ("/sys/class/infiniband", "denied"),
            ("/sys/class/net/eth0/mtu", "unreadable")
        ]
    );
}

#[test]
fn a_record_that_is_damaged_is_a_problem_and_sysfs_tells_in_its_place() {
    let names = ["nic-links", "nic-qdiscs", "devlink", "dpll", "ethtool-eth0"];
    for text in ["", "{", "[1,2]", "7", r#"[{"name":7}]"#, "\0"] {
        let paths: Vec<String> = names
            .iter()
            .map(|name| format!("gnomon/probes/{name}.json"))
            .collect();
        let mut files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), text)).collect();
        files.push(("sys/class/net/eth0/mtu", "1500\n"));
        let tree = Tree::new(&files);
        tree.link(
            "sys/class/net/eth0/device",
            "../../../devices/pci0000:00/0000:00:03.0",
        );
        let inventory = tree.discover(Class::Nic);
        let nic = inventory.nic.unwrap();
        assert_eq!(nic.interfaces[0].mtu, Some(1500), "{text:?}");
        let problems = told(&inventory.problems);
        assert_eq!(problems.len(), names.len(), "{problems:?}");
        assert!(
            problems.contains(&("/gnomon/probes/ethtool-eth0.json", "malformed")),
            "{problems:?}"
        );
    }
}

#[test]
fn an_interface_of_another_network_namespace_lends_nothing_from_sysfs() {
    let links = r#"[{"name":"lo","index":1,"link_type":772},{"name":"eth0","index":7,"link_type":1,"kind":"veth"}]"#;
    let tree = Tree::new(&[
        ("gnomon/probes/nic-links.json", links),
        ("sys/class/net/eth0/ifindex", "2\n"),
        ("sys/class/net/eth0/dev_port", "3\n"),
        ("sys/class/net/eth1/ifindex", "3\n"),
        ("sys/class/net/lo/ifindex", "1\n"),
    ]);
    tree.link(
        "sys/class/net/eth0/device",
        "../../../devices/pci0000:00/0000:00:03.0",
    );
    let nic = nic(&tree);
    assert_eq!(nic.interfaces.len(), 2);
    let eth = nic.interface("eth0").unwrap();
    assert_eq!(
        (&eth.kind, &eth.function, eth.dev_port),
        (&Some(InterfaceKind::Veth), &None, None)
    );
}

/// A frame as systemd-networkd keeps it.
fn kept(parts: &[(u16, &[u8])]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([0x88, 0xcc]);
    for (kind, value) in parts {
        let length = u16::try_from(value.len()).unwrap();
        frame.extend((kind << 9 | length).to_be_bytes());
        frame.extend(*value);
    }
    [
        &u64::try_from(frame.len()).unwrap().to_le_bytes()[..],
        &frame,
    ]
    .concat()
}

#[test]
fn a_neighbour_is_told_by_its_lldp_frame() {
    let frame = kept(&[
        (1, &[4, 0, 0x11, 0x22, 0x33, 0x44, 0x55]),
        (2, b"\x05Ethernet1/7"),
        (3, &[0, 120]),
        (4, b"to node 7"),
        (5, b"leaf-3"),
        (6, b"NOS 4.2"),
        (7, &[0, 0x14, 0, 0x04]),
        (127, &[0, 0x80, 0xc2, 1, 0, 100]),
        (0, &[]),
    ]);
    let (neighbours, whole) = parse_lldp(&[frame.clone(), frame.clone()].concat());
    assert!(whole);
    assert_eq!(neighbours.len(), 2);
    let expected = Neighbour {
        chassis_address: Some("00:11:22:33:44:55".into()),
        port: Some("Ethernet1/7".into()),
        port_description: Some("to node 7".into()),
        system_hostname: Some("leaf-3".into()),
        system_description: Some("NOS 4.2".into()),
        capabilities: vec!["bridge".into()],
        ttl_s: Some(120),
        vlan: Some(100),
    };
    assert_eq!(neighbours[0], expected);
    for length in 0..frame.len() {
        let (neighbours, _) = parse_lldp(&frame[..length]);
        assert!(neighbours.is_empty(), "{length}");
    }
    let (_, whole) = parse_lldp(&[0xff; 64]);
    assert!(!whole);
}

#[test]
fn a_refresh_reads_counters_and_nothing_else() {
    let tree = Tree::new(&[
        ("sys/class/net/eth0/mtu", "1500\n"),
        ("sys/class/net/eth0/statistics/rx_errors", "1\n"),
        ("sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE\n"),
    ]);
    let mut inventory = tree.discover(Class::Nic);
    tree.write("sys/class/net/eth0/mtu", "9000\n");
    tree.write("sys/class/net/eth0/statistics/rx_errors", "2\n");
    tree.write("sys/class/infiniband/mlx5_0/ports/1/state", "1: DOWN\n");
    assert_eq!(inventory.refresh(&tree.root()), []);
    let nic = inventory.nic.unwrap();
    assert_eq!(nic.interfaces[0].mtu, Some(1500));
    assert_eq!(nic.interfaces[0].now.counters["rx_errors"], 2);
    assert_eq!(nic.rdma[0].ports[0].now.state, Some(RdmaPortState::Down));
}
