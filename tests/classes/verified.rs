//! Where each device class was seen to be right: the README's table is made of these rows.

/// How it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "the words of all classes, those to come too")]
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
