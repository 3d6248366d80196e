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
        "cpu",
        "idle states and how often each was entered",
        How::Capture,
        "idle_states_of_every_captured_machine_are_those_in_its_files",
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
        "hugepages",
        "pools set, read back, refused, in use (tune)",
        How::RealMachine,
        "huge_pages_of_this_host_are_set_read_back_and_set_back",
    ),
    row(
        "pci",
        "virtual functions set and set back (tune)",
        How::Synthetic,
        "a_number_that_the_driver_refuses_leaves_as_many_as_before",
    ),
    row(
        "cpu",
        "governors set and set back (tune)",
        How::Synthetic,
        "a_governor_that_one_policy_refuses_is_set_for_none",
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
