//! Where each device class was seen to be right: the README's table is made of these rows.

/// How it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Another program's answer on the same tree or host, named.
    Peer(&'static str),
    /// A captured machine's own files, read independently.
    Capture,
    /// This host, whatever it is.
    RealMachine,
    /// A tree made up from the kernel's documents.
    Synthetic,
}

/// What is reported of a class, how that was seen to be right, and the test that shows it.
pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) what: &'static str,
    pub(super) how: How,
    pub(super) test: &'static str,
}

const fn row(class: &'static str, what: &'static str, how: How, test: &'static str) -> Row {
    Row {
        class,
        what,
        how,
        test,
    }
}

/// A row for each thing; the order is the inventory's.
pub(super) const ROWS: &[Row] = &[
    row(
        "cpu",
        "packages, dies, clusters, cores, CPUs, caches",
        How::Peer("lstopo"),
        "every_tree_reads_as_lstopo_reads_it",
    ),
    row(
        "cpu",
        "model, flags, vulnerabilities, frequencies",
        How::Peer("lscpu"),
        "the_summary_agrees_with_lscpu",
    ),
    row(
        "nic",
        "interfaces made by software: kind, state, MTU, MAC, membership, VLAN, queues",
        How::Peer("ip"),
        "made_interfaces_are_told_as_ip_tells_them",
    ),
    row(
        "nic",
        "driver, firmware, features, rings, channels, timestamps, speed (of virtio here)",
        How::Peer("ethtool"),
        "this_hosts_hardware_is_told_as_ethtool_tells_it",
    ),
    row(
        "nic",
        "interfaces of captured trees, with counters",
        How::Capture,
        "captured_interfaces_and_their_clocks_are_those_of_the_trees_files",
    ),
    row(
        "nic",
        "RDMA devices and ports",
        How::Capture,
        "the_composite_trees_rdma_devices_are_those_of_its_files",
    ),
    row(
        "nic",
        "virtual functions, DPLLs and pins, devlink, FEC, frame preemption, qdiscs",
        How::Synthetic,
        "a_telco_card_is_told_with_its_clock_pins_module_and_health",
    ),
    row(
        "nic",
        "modules: SFF-8472, SFF-8636, CMIS",
        How::Synthetic,
        "an_sfp28_is_read_as_sff_8472_lays_it_out",
    ),
    row(
        "nic",
        "link events, within 50 ms",
        How::RealMachine,
        "a_link_that_falls_is_on_disk_within_50_ms",
    ),
    row(
        "ptp_clock",
        "PTP clocks of network cards",
        How::Capture,
        "captured_interfaces_and_their_clocks_are_those_of_the_trees_files",
    ),
    row(
        "ptp_clock",
        "pins, PPS, GNSS, virtual and hypervisors' clocks, cross-timestamping",
        How::Synthetic,
        "a_telco_card_is_told_with_its_clock_pins_module_and_health",
    ),
];

#[test]
fn every_row_names_a_class_and_a_test_that_is_there() {
    use libhw::inventory::Class;

    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = String::new();
    for folder in ["tests", "libhw/src", "agent"] {
        read_all(&top.join(folder), &mut sources);
    }
    for row in ROWS {
        assert!(row.class.parse::<Class>().is_ok(), "{}", row.class);
        assert!(!row.what.is_empty());
        let found = sources.contains(&format!("fn {}()", row.test));
        assert!(
            found,
            "{}: no test is called {} ({:?})",
            row.class, row.test, row.how
        );
    }
}

fn read_all(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}
