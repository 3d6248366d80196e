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
