//! Errors that the composite tree counts, added up by hand; and synthetic trees of what no capture has.

use std::path::Path;

use libhw::device::ras::Severity;
use libhw::inventory::Class;
use libhw::join::ras::{Source, error_counts};

/// What the lines of a counter file add up to, but for the total, which is their sum.
fn sum(path: &Path) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with("TOTAL"));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn errors_of_the_captured_pci_functions_add_up_as_their_files_do() {
    let Some(machines) = support::machines() else {
        return support::skipped("no machines: set GNOMON_MACHINES to a directory with composite/");
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let inventory = crate::replayed(tree.path(), &[Class::Pci, Class::Memory, Class::Ras]);
    let counts = error_counts(&inventory);
    let mut seen = 0;
    for entry in std::fs::read_dir(tree.path().join("sys/bus/pci/devices"))
        .expect("functions")
        .flatten()
    {
        let file = |name: &str| entry.path().join(name);
        if !file("aer_dev_correctable").exists() {
            continue;
        }
        seen += 1;
        let id = entry.file_name().into_string().expect("an address");
        let of = counts
            .iter()
            .find(|one| one.source == Source::Aer && one.id == id);
        let ours = of.map_or((0, 0, 0), |one| (one.corrected, one.uncorrected, one.fatal));
        let theirs = (
            sum(&file("aer_dev_correctable")),
            sum(&file("aer_dev_nonfatal")),
            sum(&file("aer_dev_fatal")),
        );
        assert_eq!(ours, theirs, "{id}");
    }
    assert!(seen > 0, "no function of the tree counts errors");
}

#[test]
fn interrupts_of_the_captured_machine_add_up_as_its_lines_do() {
    let Some(machines) = support::machines() else {
        return support::skipped("no machines: set GNOMON_MACHINES to a directory with composite/");
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let ras = crate::replayed(tree.path(), &[Class::Ras])
        .ras
        .expect("ras");
    let text = std::fs::read_to_string(tree.path().join("proc/interrupts")).expect("interrupts");
    for name in ["MCE", "MCP", "THR", "DFR"] {
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{name}:")));
        let theirs = line.map(|line| {
            let words = line.split_whitespace().skip(1);
            words
                .map_while(|word| word.parse::<u64>().ok())
                .sum::<u64>()
        });
        let ours = ras.interrupts.iter().find(|one| one.id == name);
        assert_eq!(ours.map(|one| one.now.count), theirs, "{name}");
    }
    assert!(!ras.interrupts.is_empty());
}

#[test]
fn a_synthetic_tree_of_errors_reads_as_its_documents_say() {
    let inventory = crate::synthetic("ras", &[Class::Ras]);
    let thresholds = &inventory.ras.as_ref().expect("ras").thresholds;
    let counted = thresholds
        .iter()
        .map(|one| (one.id.as_str(), one.now.errors.values().sum::<u32>()));
    assert_eq!(
        counted.collect::<Vec<_>>(),
        [
            ("l2_cache/l2_cache", 2),
            ("load_store/load_store", 0),
            ("umc_0/dram_ecc", 1200)
        ]
    );
    let counts = error_counts(&inventory);
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].source, counts[0].corrected), (Source::Edac, 2));
    let ras = inventory.ras.expect("ras");
    let error = ras.boot_error.expect("an error before the start");
    assert_eq!((error.severity, error.record_count), (Severity::Fatal, 1));
    let firmware = ras.firmware.expect("tables");
    assert_eq!(
        (firmware.error_source_count, firmware.generic_source_count),
        (Some(7), Some(2))
    );
    let pstore = ras.pstore.expect("records");
    assert_eq!(pstore.records[0].size_bytes.map(|size| size.0), Some(17712));
}

#[test]
fn a_synthetic_arm_machine_reads_as_its_documents_say() {
    let classes = [Class::Memory, Class::Ras, Class::Tee, Class::Watchdog];
    let inventory = crate::synthetic("arm", &classes);
    let ras = inventory.ras.expect("ras");
    assert_eq!(ras.edac_devices[0].id, "xgene0/xgene0");
    assert_eq!(ras.firmware.expect("tables").tables, ["AEST", "SDEI"]);
    assert_eq!(inventory.tee.expect("tee").technologies.len(), 1);
}
