//! Where each device class was seen to be right: the README's table is made of these rows.

use std::fmt::Write as _;
use std::path::Path;

use libhw::inventory::Class;

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
        "software",
        "os-release",
        How::Peer("sh"),
        "the_system_is_what_the_shell_reads_in_its_own_file",
    ),
    row(
        "software",
        "kernel release, modules",
        How::Peer("uname, lsmod"),
        "the_kernel_and_its_modules_are_those_that_uname_and_lsmod_tell",
    ),
    row(
        "software",
        "kernel command line",
        How::Capture,
        "the_command_line_of_every_captured_machine_is_read_word_by_word",
    ),
    row(
        "software",
        "taints, secure boot, ESRT, lockdown, live patches, crash kernel, reboot marks",
        How::Synthetic,
        "a_server_with_secure_boot_and_a_failed_update_tells_both",
    ),
    row(
        "limits",
        "allowed CPUs of cpusets, versions 1 and 2",
        How::Peer("lstopo"),
        "allowed_cpus_and_nodes_of_every_tree_are_those_that_lstopo_allows",
    ),
    row(
        "limits",
        "rlimits, affinity",
        How::Peer("prlimit, taskset"),
        "rlimits_and_affinity_are_those_that_util_linux_tells",
    ),
    row(
        "limits",
        "capabilities",
        How::Peer("capsh"),
        "capabilities_are_those_that_capsh_decodes",
    ),
    row(
        "limits",
        "quotas, memory, I/O, huge pages, pressure, container, seccomp",
        How::Synthetic,
        "a_pod_in_a_partition_tells_all_of_its_limits",
    ),
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
        "cpu",
        "interrupts: action, controller, function, counts",
        How::Peer("lsirq"),
        "interrupts_of_this_host_are_those_that_lsirq_tells",
    ),
    row(
        "cpu",
        "interrupts and thermal throttling of a captured tree",
        How::Capture,
        "interrupts_and_heat_of_the_composite_tree_are_those_in_its_files",
    ),
    row(
        "cpu",
        "resctrl, uncore, pstate drivers, throttled cores, interrupt affinity",
        How::Synthetic,
        "a_hybrid_processor_with_shares_and_throttled_cores_tells_them_all",
    ),
    row(
        "cpu",
        "governors set and set back (tune)",
        How::Synthetic,
        "a_governor_that_one_policy_refuses_is_set_for_none",
    ),
    row(
        "cpu",
        "idle states and how often each was entered",
        How::Capture,
        "idle_states_of_every_captured_machine_are_those_in_its_files",
    ),
    row(
        "hugepages",
        "pools set, read back, refused, in use (tune)",
        How::RealMachine,
        "huge_pages_of_this_host_are_set_read_back_and_set_back",
    ),
    row(
        "memory",
        "sticks, sockets and arrays from SMBIOS: every field of types 16, 17, 19, 20",
        How::Peer("dmidecode"),
        "captured_smbios_tables_read_as_dmidecode_reads_them",
    ),
    row(
        "memory",
        "the same of versions up to 3.5 with every code that dmidecode knows",
        How::Peer("dmidecode"),
        "made_up_smbios_tables_read_as_dmidecode_reads_them",
    ),
    row(
        "memory",
        "EDAC counters of i10nm, skx, amd64, ghes, ie31200, joined to the stick",
        How::Synthetic,
        "labels_of_several_edac_drivers_lead_to_the_stick",
    ),
    row(
        "memory",
        "CXL memory, hot-plug blocks, poison",
        How::Synthetic,
        "cxl_devices_and_blocks_of_a_synthetic_tree_read_as_its_documents_say",
    ),
    row(
        "ras",
        "AER totals by function",
        How::Capture,
        "errors_of_the_captured_pci_functions_add_up_as_their_files_do",
    ),
    row(
        "ras",
        "machine check interrupts",
        How::Capture,
        "interrupts_of_the_captured_machine_add_up_as_its_lines_do",
    ),
    row(
        "ras",
        "EDAC devices, failed pages, HEST, BERT, pstore",
        How::Synthetic,
        "a_synthetic_tree_of_errors_reads_as_its_documents_say",
    ),
    row(
        "ras",
        "EDAC and ACPI tables of Arm",
        How::Synthetic,
        "a_synthetic_arm_machine_reads_as_its_documents_say",
    ),
    row(
        "pci",
        "virtual functions set and set back (tune)",
        How::Synthetic,
        "a_number_that_the_driver_refuses_leaves_as_many_as_before",
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
        "nic",
        "interfaces made by software: kind, state, MTU, MAC, membership, VLAN, queues",
        How::Peer("ip"),
        "made_interfaces_are_told_as_ip_tells_them",
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
        "storage",
        "block devices and partitions",
        How::Peer("lsblk"),
        "captured_machines_read_as_lsblk_reads_them",
    ),
    row(
        "gpu",
        "NVIDIA's library: memory, ECC, retired pages, remapped rows, throttle reasons, NVLink, MIG, topology",
        How::Synthetic,
        "every_value_of_the_library_arrives",
    ),
    row(
        "gpu",
        "NVIDIA's library: name, memory, ECC, temperature, link, as nvidia-smi says (skipped without a GPU)",
        How::Peer("nvidia-smi"),
        "it_agrees_with_nvidia_smi",
    ),
    row(
        "gpu",
        "XIDs from the kernel's log",
        How::Synthetic,
        "errors_from_the_kernel_s_log_stand_in_the_row_of_their_device",
    ),
    row(
        "gpu",
        "AMD and Intel cards: ids, driver, VBIOS, memory, clocks, powers, temperatures, fans, voltages, throttling, link",
        How::Peer("LACT"),
        "every_captured_card_says_what_lact_says",
    ),
    row(
        "gpu",
        "amdgpu memory, activity, unique id of a tree without links",
        How::Peer("prometheus/procfs"),
        "the_card_of_the_composite_tree_is_read_without_links",
    ),
    row(
        "gpu",
        "AMD partitions, XGMI, RAS errors, bad pages, compute nodes; the slowest link above a card",
        How::Synthetic,
        "partitions_xgmi_and_errors_of_a_server_module_are_told",
    ),
    row(
        "gpu",
        "Intel tiles, engine groups, throttle reasons, GuC and HuC, SR-IOV shares, survivability; i915",
        How::Synthetic,
        "tiles_throttling_firmware_and_shares_of_intels_devices_are_told",
    ),
    row(
        "gpu",
        "NVIDIA's /proc, platform GPUs, virtio-gpu, BMC displays, NPUs, suspended and passed-through GPUs",
        How::Synthetic,
        "every_other_sort_of_accelerator_has_its_row",
    ),
    row(
        "gpu",
        "gpu_metrics of formats 1.0 to 3.0",
        How::Synthetic,
        "every_layout_has_its_fields_where_the_kernel_puts_them",
    ),
    row(
        "fpga",
        "Intel cards (DFL, OPAE): image, version, interface, ports, AFUs, errors",
        How::Capture,
        "a_captured_card_is_what_fpgainfo_says_it_is",
    ),
    row(
        "fpga",
        "sensors of cards",
        How::Capture,
        "every_sensor_of_a_captured_card_reads_what_its_file_says",
    ),
    row(
        "fpga",
        "private features",
        How::Capture,
        "every_private_feature_of_a_captured_card_is_listed_with_its_number",
    ),
    row(
        "fpga",
        "controllers: versions, MAC addresses, keys, flash counts, retimers",
        How::Capture,
        "the_controller_of_a_captured_card_tells_versions_keys_and_flash_counts",
    ),
    row(
        "fpga",
        "PMCI controllers, booted image, memory interfaces, managers, bridges, ZynqMP",
        How::Synthetic,
        "a_card_of_the_kernels_newest_driver_and_a_soc_read_as_their_documents_say",
    ),
    row(
        "fpga",
        "AMD cards by XRT: shell, DNA, firewall, memory errors, sensors",
        How::Synthetic,
        "cards_of_xrt_read_as_its_drivers_say",
    ),
    row(
        "crypto",
        "/proc/crypto: implementations, and which the kernel takes",
        How::Capture,
        "proc_crypto_of_a_captured_machine_reads_as_its_text_says",
    ),
    row(
        "crypto",
        "/proc/crypto of a running kernel",
        How::RealMachine,
        "proc_crypto_of_this_host_reads_as_its_text_says",
    ),
    row(
        "crypto",
        "CPU instructions",
        How::Capture,
        "instructions_of_captured_machines_are_among_their_flags",
    ),
    row(
        "crypto",
        "Intel QAT: state, services, ring pairs, heartbeat, errors; vRAN FEC (ACC100, ACC200, N3000)",
        How::Synthetic,
        "quickassist_and_forward_error_correction_read_as_their_documents_say",
    ),
    row(
        "crypto",
        "Intel DSA and IAA: engines, groups, work queues, errors",
        How::Synthetic,
        "data_accelerators_read_as_their_document_says",
    ),
    row(
        "crypto",
        "AMD Secure Processor, virtio-crypto, hwrng",
        How::Synthetic,
        "amds_and_guests_accelerators_read_as_their_documents_say",
    ),
    row(
        "crypto",
        "IBM Crypto Express, CPACF",
        How::Synthetic,
        "crypto_express_and_cpacf_read_as_their_documents_say",
    ),
    row(
        "crypto",
        "CAAM, CESA, OCTEON CPT, HiSilicon by uacce",
        How::Synthetic,
        "arms_accelerators_read_as_their_documents_say",
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
    row(
        "tpm",
        "versions 1.2 and 2.0: maker, firmware, banks, registers, state",
        How::Synthetic,
        "synthetic_chips_of_both_versions_read_as_their_documents_say",
    ),
    row(
        "tee",
        "SEV, TDX, SGX, OP-TEE, Secure Execution: host and guest",
        How::Synthetic,
        "a_synthetic_host_is_told_from_a_synthetic_guest",
    ),
    row(
        "watchdog",
        "timers with every attribute",
        How::Capture,
        "the_captured_watchdog_reads_as_its_files_say",
    ),
    row(
        "watchdog",
        "restart by the watchdog, IPMI, lockup detectors",
        How::Synthetic,
        "a_synthetic_tree_of_watchdogs_reads_as_its_documents_say",
    ),
];

const BEGIN: &str = "<!-- verified: made by tests/classes/verified.rs -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_readme_says_what_was_verified_and_how() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("the table's begin");
    let (_, after) = rest.split_once(END).expect("the table's end");
    support::golden(&path, &format!("{before}{BEGIN}{}{END}{after}", table()));
}

/// The rows as a table; those of a class together, what was seen in the same way in one line.
fn table() -> String {
    let mut text = String::from("| class | what is reported | verified against |\n|---|---|---|\n");
    let class = |name: &str| name.parse::<Class>().expect("a class");
    let mut rows: Vec<&Row> = ROWS.iter().collect();
    rows.sort_by_key(|row| class(row.class));
    for row in rows {
        let how = match row.how {
            How::Peer(name) => format!("`{name}`, on the same machine or tree"),
            How::Capture => "captured machines, read independently".to_owned(),
            How::RealMachine => "the machine that runs the tests".to_owned(),
            How::Synthetic => "made-up trees only".to_owned(),
        };
        let _ = writeln!(text, "| {} | {} | {how} |", row.class, row.what);
    }
    text
}

#[test]
fn every_row_names_a_class_and_a_test_that_is_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
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

fn read_all(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}
