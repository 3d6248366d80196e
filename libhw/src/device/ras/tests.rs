use crate::device::ras::{EdacCount, PciCount, Ras, RecordKind, Severity};
use crate::inventory::Class;
use crate::survey::{Problem, Survey};
use crate::tree::{Tree, told};
use crate::units::Bytes;

mod threshold;

fn read(tree: &Tree) -> (Ras, Vec<Problem>) {
    let inventory = tree.discover(Class::Ras);
    (inventory.ras.unwrap(), inventory.problems)
}

fn refreshed(mut ras: Ras, tree: &Tree) -> Ras {
    super::refresh(&mut ras, &Survey::new(&tree.root(), "ras", false, false));
    ras
}

const INTERRUPTS: &str = "           CPU0       CPU1\n  0:         22          0   IO-APIC   2-edge      timer\n\
    NMI:          3          4   Non-maskable interrupts\n\
    THR:          0          1   Threshold APIC interrupts\n\
    DFR:          0          0   Deferred Error APIC interrupts\n\
    MCE:          1          2   Machine check exceptions\n\
    MCP:         50         60   Machine check polls\nERR:          0\n";

#[test]
fn interrupts_of_errors_are_counted_over_all_cpus() {
    let tree = Tree::new(&[("proc/interrupts", INTERRUPTS)]);
    let (ras, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let found: Vec<_> = ras
        .interrupts
        .iter()
        .map(|one| (one.id.as_str(), one.description.as_str(), one.now.count))
        .collect();
    assert_eq!(
        found,
        [
            ("THR", "Threshold APIC interrupts", 1),
            ("DFR", "Deferred Error APIC interrupts", 0),
            ("MCE", "Machine check exceptions", 3),
            ("MCP", "Machine check polls", 110),
        ]
    );
    tree.write("proc/interrupts", &INTERRUPTS.replace("50 ", "70 "));
    assert_eq!(refreshed(ras, &tree).interrupts[3].now.count, 130);
    let odd = "MCE: x\nMCE: 7 words\nMCP: 18446744073709551615 1 0 Machine check polls\nTHR:\n";
    let ras = read(&Tree::new(&[("proc/interrupts", odd)])).0;
    let counts: Vec<_> = ras.interrupts.iter().map(|one| one.now.count).collect();
    assert_eq!(counts, [0, u64::MAX, 0]);
}

#[test]
fn machine_checks_tell_how_they_are_set_up() {
    let place = "sys/devices/system/machinecheck/machinecheck0";
    let tree = Tree::new(&[]);
    for (name, text) in [
        ("bank0", "ffffffffffffffff\n"),
        ("bank10", "0\n"),
        ("check_interval", "300\n"),
        ("ignore_ce", "0\n"),
        ("dont_log_ce", "1\n"),
        ("cmci_disabled", "0\n"),
        ("monarch_timeout", "1000000\n"),
        ("northbridge/dram/error_count", "0\n"),
    ] {
        tree.write(&format!("{place}/{name}"), text);
    }
    let (ras, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let check = ras.machine_check.unwrap();
    assert_eq!(
        (check.bank_count, check.check_interval_seconds),
        (2, Some(300))
    );
    assert_eq!(
        (check.ignore_corrected, check.drop_corrected),
        (Some(false), Some(true))
    );
    assert_eq!(check.corrected_interrupt_off, Some(false));
    assert_eq!(check.monarch_timeout_microseconds, Some(1_000_000));
}

#[test]
fn edac_counts_caches_and_buses_beside_memory() {
    let tree = Tree::new(&[]);
    for (path, text) in [
        ("mc/mc0/ce_count", "9\n"),
        ("cpu/log_ce", "1\n"),
        ("cpu/cpu0/ce_count", "4\n"),
        ("cpu/cpu0/ue_count", "1\n"),
        ("cpu/cpu0/L1/ce_count", "3\n"),
        ("cpu/cpu0/L1/ue_count", "0\n"),
        ("cpu/cpu0/L2/ce_count", "1\n"),
        ("cpu/cpu0/L2/ue_count", "1\n"),
        ("cpu/notes/readme", "x\n"),
        ("pci/check_pci_errors", "1\n"),
        ("pci/pci_parity_count", "2\n"),
        ("pci/pci_nonparity_count", "3\n"),
        ("pci/pci0/pe_count", "2\n"),
        ("pci/pci0/npe_count", "1\n"),
    ] {
        tree.write(&format!("sys/devices/system/edac/{path}"), text);
    }
    for feature in ["scrub0", "ecs_fru1", "mem_repair0", "scrubbing", "power"] {
        tree.directory(&format!("sys/bus/edac/devices/cxl_mem0/{feature}"));
    }
    tree.directory("sys/bus/edac/devices/mc0/scrub0");
    let (ras, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let [cpu0] = ras.edac_devices.as_slice() else {
        panic!("{ras:?}");
    };
    let count = |corrected, uncorrected| EdacCount {
        corrected: Some(corrected),
        uncorrected: Some(uncorrected),
    };
    assert_eq!((cpu0.id.as_str(), cpu0.now), ("cpu/cpu0", count(4, 1)));
    let blocks: Vec<_> = cpu0
        .blocks
        .iter()
        .map(|one| (one.id.as_str(), one.now))
        .collect();
    assert_eq!(blocks, [("L1", count(3, 0)), ("L2", count(1, 1))]);
    let pci = ras.edac_pci.as_ref().unwrap();
    let of = |parity, other| PciCount {
        parity: Some(parity),
        other: Some(other),
    };
    assert_eq!((pci.checked, pci.now), (Some(true), of(2, 3)));
    assert_eq!(
        (pci.controllers[0].id.as_str(), pci.controllers[0].now),
        ("pci0", of(2, 1))
    );
    assert_eq!(ras.edac_features[0].id, "cxl_mem0");
    assert_eq!(
        ras.edac_features[0].features,
        ["ecs_fru1", "mem_repair0", "scrub0"]
    );
    tree.write("sys/devices/system/edac/cpu/cpu0/L2/ce_count", "8\n");
    tree.write("sys/devices/system/edac/pci/pci_parity_count", "7\n");
    let again = refreshed(ras, &tree);
    assert_eq!(again.edac_devices[0].blocks[1].now, count(8, 1));
    assert_eq!(again.edac_pci.unwrap().now, of(7, 3));
}

#[test]
fn failed_pages_are_told_by_node_with_what_became_of_them() {
    let tree = Tree::new(&[
        ("proc/sys/vm/memory_failure_recovery", "1\n"),
        ("proc/sys/vm/memory_failure_early_kill", "0\n"),
        ("proc/sys/vm/enable_soft_offline", "1\n"),
    ]);
    let place = "sys/devices/system/node/node1/memory_failure";
    for (name, text) in [
        ("total", "5\n"),
        ("recovered", "2\n"),
        ("ignored", "1\n"),
        ("failed", "1\n"),
        ("delayed", "1\n"),
    ] {
        tree.write(&format!("{place}/{name}"), text);
    }
    tree.directory("sys/devices/system/node/node0");
    let (ras, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let [node1] = ras.memory_failures.as_slice() else {
        panic!("{ras:?}");
    };
    let now = node1.now;
    assert_eq!((node1.id, now.total, now.recovered), (1, Some(5), Some(2)));
    assert_eq!(
        (now.ignored, now.failed, now.delayed),
        (Some(1), Some(1), Some(1))
    );
    let policy = ras.memory_failure_policy.unwrap();
    assert_eq!(
        (policy.recovery, policy.early_kill),
        (Some(true), Some(false))
    );
    assert_eq!(policy.soft_offline, Some(true));
    tree.write(&format!("{place}/total"), "6\n");
    let again = refreshed(ras, &tree);
    assert_eq!(again.memory_failures[0].now.total, Some(6));
}

/// HEST of a server: its header, and 37 sources.
fn hest() -> Vec<u8> {
    let mut table = vec![0; 40];
    table[..4].copy_from_slice(b"HEST");
    table[36] = 37;
    table
}

#[test]
fn firmware_tells_its_tables_and_the_error_before_the_start() {
    let tree = Tree::new(&[
        ("sys/firmware/acpi/tables/APIC", ""),
        ("sys/firmware/acpi/tables/BERT", ""),
        ("sys/firmware/acpi/tables/ERST", ""),
        ("sys/bus/platform/drivers/GHES/GHES.0/uevent", ""),
        ("sys/bus/platform/drivers/GHES/GHES.12/uevent", ""),
        ("sys/bus/platform/drivers/GHES/bind", ""),
    ]);
    tree.write_bytes("sys/firmware/acpi/tables/HEST", &hest());
    // One record; fatal.
    let head = [
        0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0, 9, 9,
    ];
    tree.write_bytes("sys/firmware/acpi/tables/data/BERT", &head);
    let (ras, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let firmware = ras.firmware.unwrap();
    assert_eq!(firmware.tables, ["BERT", "ERST", "HEST"]);
    assert_eq!(firmware.error_source_count, Some(37));
    assert_eq!(firmware.generic_source_count, Some(2));
    let error = ras.boot_error.unwrap();
    assert_eq!((error.severity, error.record_count), (Severity::Fatal, 1));
    tree.write_bytes("sys/firmware/acpi/tables/data/BERT", &[0; 20]);
    assert_eq!(read(&tree).0.boot_error, None);
    tree.write_bytes("sys/firmware/acpi/tables/data/BERT", &[1; 19]);
    tree.write_bytes("sys/firmware/acpi/tables/HEST", b"HEST");
    let (ras, problems) = read(&tree);
    assert_eq!(
        (ras.boot_error, ras.firmware.unwrap().error_source_count),
        (None, None)
    );
    assert_eq!(
        told(&problems),
        [
            ("/sys/firmware/acpi/tables/HEST", "malformed"),
            ("/sys/firmware/acpi/tables/data/BERT", "malformed"),
        ]
    );
}

#[test]
fn what_a_crash_left_is_named_by_its_kind_and_never_read() {
    let tree = Tree::new(&[("sys/module/pstore/parameters/backend", "efi_pstore\n")]);
    for name in [
        "dmesg-efi_pstore-170123456701001",
        "dmesg-efi_pstore-170123456702001.enc.z",
        "mce-erst-1",
        "console-ramoops-0",
        "pmsg-ramoops-0",
        "ftrace-ramoops-3",
        "powerpc-opal-nvram-1",
        "strange",
    ] {
        tree.write(&format!("sys/fs/pstore/{name}"), "secret");
    }
    tree.directory("var/lib/systemd/pstore/170123456701");
    let record = r#"{"mce-erst-1":{"size_bytes":1832,"unix_seconds":1701234567}}"#;
    tree.write("gnomon/probes/pstore.json", record);
    let (ras, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let pstore = ras.pstore.unwrap();
    assert_eq!(pstore.backend.as_deref(), Some("efi_pstore"));
    assert_eq!(pstore.archived, ["170123456701"]);
    let kinds: Vec<_> = pstore
        .records
        .iter()
        .map(|one| (&one.kind, one.packed))
        .collect();
    let other = |word: &str| RecordKind::Other(word.to_owned());
    assert_eq!(
        kinds,
        [
            (&RecordKind::Console, false),
            (&RecordKind::Dmesg, false),
            (&RecordKind::Dmesg, true),
            (&RecordKind::Ftrace, false),
            (&RecordKind::Mce, false),
            (&RecordKind::Pmsg, false),
            (&other("powerpc"), false),
            (&other("strange"), false),
        ]
    );
    let mce = &pstore.records[4];
    assert_eq!(mce.size_bytes, Some(Bytes(1832)));
    assert_eq!(mce.made_unix_seconds, Some(1_701_234_567));
    assert_eq!(pstore.records[0].size_bytes, None);
}

#[test]
fn a_tree_without_any_is_no_problem_and_a_spoilt_one_tells_each_file() {
    let (ras, problems) = read(&Tree::new(&[(
        "sys/module/pstore/parameters/backend",
        "(null)\n",
    )]));
    assert_eq!((ras, problems), (Ras::default(), Vec::new()));
    for text in ["", "\0\0", "rubbish\n", "99999999999999999999999\n", "-1\n"] {
        let tree = Tree::new(&[
            (
                "sys/devices/system/machinecheck/machinecheck0/check_interval",
                text,
            ),
            ("sys/devices/system/edac/cpu/cpu0/ce_count", text),
            ("sys/devices/system/edac/cpu/cpu0/ue_count", "1\n"),
            ("sys/devices/system/edac/pci/pci_parity_count", text),
            ("sys/devices/system/node/node0/memory_failure/total", text),
            ("sys/devices/system/node/node0/memory_failure/failed", "1\n"),
            ("proc/sys/vm/memory_failure_recovery", text),
        ]);
        let (ras, problems) = read(&tree);
        assert_eq!(ras.edac_devices[0].now.uncorrected, Some(1), "{text:?}");
        assert_eq!(ras.memory_failures[0].now.failed, Some(1));
        assert_eq!(ras.memory_failure_policy, None);
        assert_eq!(problems.len(), 5, "{text:?}: {problems:?}");
    }
    let tree = Tree::new(&[("proc/interrupts", INTERRUPTS)]);
    tree.fail(&[
        ("sys/fs/pstore", libc::EACCES),
        ("sys/devices/system/edac", libc::EIO),
    ]);
    let (ras, problems) = read(&tree);
    assert_eq!(ras.interrupts.len(), 4);
    assert_eq!(
        told(&problems),
        [
            ("/sys/devices/system/edac", "unreadable"),
            ("/sys/fs/pstore", "denied")
        ]
    );
}
