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
        "storage",
        "block devices and partitions",
        How::Peer("lsblk"),
        "captured_machines_read_as_lsblk_reads_them",
    ),
    row(
        "storage",
        "block devices of this host",
        How::Peer("lsblk"),
        "this_host_reads_as_lsblk_reads_it",
    ),
    row(
        "storage",
        "mounts and their use",
        How::Peer("findmnt"),
        "mounts_of_this_host_are_those_of_findmnt_with_their_use",
    ),
    row(
        "storage",
        "loop devices",
        How::RealMachine,
        "a_loop_device_is_seen_with_its_file_and_its_partitions",
    ),
    row(
        "storage",
        "RAID, mapped devices, NVMe, disk statistics",
        How::Capture,
        "the_composite_tree_is_what_its_files_say",
    ),
    row(
        "storage",
        "NVMe over fabrics, multipath, degraded RAID",
        How::Synthetic,
        "the_made_up_machine_tells_ways_that_are_gone_and_arrays_that_are_degraded",
    ),
    row(
        "storage",
        "NVMe health, identity, firmware slots",
        How::Synthetic,
        "an_nvme_controller_tells_its_health_in_a_deep_look_alone",
    ),
    row(
        "storage",
        "SATA SMART, security, power mode",
        How::Synthetic,
        "a_sata_drive_tells_its_attributes_and_its_verdict",
    ),
    row(
        "storage",
        "SAS log pages",
        How::Synthetic,
        "a_sas_drive_tells_what_its_log_pages_hold",
    ),
    row(
        "sensor",
        "hwmon channels, labels, limits, alarms",
        How::Peer("sensors"),
        "every_captured_chip_reads_as_sensors_reads_it",
    ),
    row(
        "sensor",
        "thermal zones, cooling devices, power zones",
        How::Capture,
        "thermal_zones_and_power_zones_of_the_composite_tree_are_what_its_files_say",
    ),
    row(
        "sensor",
        "every kind of channel, faults, trip points",
        How::Synthetic,
        "the_made_up_machine_has_every_kind_of_channel_and_its_faults",
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
