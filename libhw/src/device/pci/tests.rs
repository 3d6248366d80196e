#![expect(clippy::disallowed_methods, reason = "a test makes its own tree")]

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::io::root::Root;
use crate::survey::{Problem, Reason};

/// A made-up machine.
pub(super) struct Tree {
    directory: tempfile::TempDir,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A function behind the root bus or a bridge, as `above` says, that has an identity and `files`.
    pub(super) fn function(self, above: &str, id: &str, files: &[(&str, &str)]) -> Self {
        let identity = [
            ("vendor", "0x8086\n"),
            ("device", "0x1592\n"),
            ("class", "0x020000\n"),
        ];
        for (name, text) in identity.iter().chain(files) {
            self.write(&format!("{above}/{id}/{name}"), text.as_bytes());
        }
        self.link_to(above, id)
    }

    /// The bus's link to a function, whether there is one or not.
    fn link_to(self, above: &str, id: &str) -> Self {
        let target = format!("../../../devices/{above}/{id}");
        self.link(&format!("bus/pci/devices/{id}"), &target)
    }

    pub(super) fn link(self, path: &str, target: &str) -> Self {
        let path = self.place(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
        self
    }

    pub(super) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.place(&format!("devices/{path}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn place(&self, path: &str) -> PathBuf {
        self.directory.path().join("sys").join(path)
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.place(&format!("devices/{path}"))).unwrap();
    }

    pub(super) fn root(&self) -> Root {
        Root::captured(self.directory.path()).unwrap()
    }

    pub(super) fn look(&self, deep: bool, virtual_functions: bool) -> (Pci, Vec<Problem>) {
        let root = self.root();
        let survey = Survey::new(&root, "pci", deep, virtual_functions);
        let pci = discover(&survey);
        (pci, survey.into_problems())
    }

    /// What a plain look finds, where nothing may go wrong.
    pub(super) fn functions(&self) -> Vec<Function> {
        let (pci, problems) = self.look(false, false);
        assert_eq!(problems, []);
        pci.functions
    }
}

const BUS: &str = "pci0000:00";

/// A function with every file that discovery reads.
fn whole_function() -> Tree {
    let tree = Tree::new()
        .function(
            "pci0000:00/0000:00:03.0",
            "0000:3b:00.1",
            &[
                (
                    "modalias",
                    "pci:v00008086d0000159Bsv000015D9sd00000003bc02sc00i00\n",
                ),
                ("vendor", "not read when modalias is there"),
                ("revision", "0x02\n"),
                ("numa_node", "1\n"),
                ("local_cpulist", "0-3,8\n"),
                ("driver_override", "(null)\n"),
                ("label", "Embedded NIC 1\n"),
                ("acpi_index", "7\n"),
                ("max_link_speed", "16.0 GT/s PCIe\n"),
                ("max_link_width", "16\n"),
                ("current_link_speed", "8.0 GT/s PCIe\n"),
                ("current_link_width", "8\n"),
                ("power_state", "D0\n"),
                (
                    "resource",
                    "0x00000000c3000000 0x00000000c3ffffff 0x000000000014220c\n",
                ),
                (
                    "aer_dev_correctable",
                    "RxErr 2\nBadTLP 0\nTOTAL_ERR_COR 2\n",
                ),
                ("aer_dev_nonfatal", "Undefined 0\nTOTAL_ERR_NONFATAL 0\n"),
                ("aer_dev_fatal", "TLP 1\nTOTAL_ERR_FATAL 1\n"),
            ],
        )
        .link(
            "devices/pci0000:00/0000:00:03.0/0000:3b:00.1/driver",
            "../gone/ice",
        )
        .link(
            "devices/pci0000:00/0000:00:03.0/0000:3b:00.1/iommu_group",
            "../gone/27",
        )
        .link("bus/pci/slots/gone", "nowhere");
    tree.write("../bus/pci/slots/7-1/address", b"0000:3b:00\n");
    tree
}

#[test]
fn a_function_tells_everything_that_its_files_say() {
    let functions = whole_function().functions();
    let [function] = functions.as_slice() else {
        panic!("{functions:?}");
    };
    assert_eq!(function.id, "0000:3b:00.1");
    assert_eq!((function.vendor_id, function.device_id), (0x8086, 0x159b));
    assert_eq!(function.subsystem_vendor_id, Some(0x15d9));
    assert_eq!((function.class_id, function.revision), (0x02_0000, Some(2)));
    assert_eq!(function.class.as_deref(), Some("Ethernet controller"));
    assert_eq!(function.vendor.as_deref(), Some("Intel Corporation"));
    assert_eq!(function.driver.as_deref(), Some("ice"));
    assert_eq!(function.driver_override, None);
    assert_eq!(function.parent.as_deref(), Some("0000:00:03.0"));
    assert_eq!((function.node, function.iommu_group), (Some(1), Some(27)));
    assert_eq!(function.local_cpus.as_ref().unwrap().to_string(), "0-3,8");
    assert_eq!(
        (function.label.as_deref(), function.index),
        (Some("Embedded NIC 1"), Some(7))
    );
    assert_eq!(function.slot.as_deref(), Some("7-1"));
    let link = |speed, width| {
        Some(Link {
            speed_mtps: Some(speed),
            width: Some(width),
        })
    };
    assert_eq!(function.link_max, link(16_000, 16));
    assert_eq!(function.now.link, link(8000, 8));
    assert_eq!(function.now.power_state.as_deref(), Some("D0"));
    assert_eq!(function.bars.len(), 1);
    let aer = function.now.aer.as_ref().unwrap();
    assert_eq!(aer.correctable, BTreeMap::from([("RxErr".to_owned(), 2)]));
    assert_eq!(aer.nonfatal, BTreeMap::new());
    assert_eq!(aer.fatal, BTreeMap::from([("TLP".to_owned(), 1)]));
    assert_eq!(function.deep, None);
}

#[test]
fn functions_come_by_address_and_domains_may_be_wide() {
    let vmd = "pci0000:00/0000:00:0e.0/pci10000:e0";
    let tree = Tree::new()
        .function(vmd, "10000:e0:01.0", &[])
        .function(BUS, "0000:00:10.0", &[])
        .function(BUS, "0000:00:0e.0", &[])
        .link("bus/pci/devices/nonsense", "nowhere");
    let (pci, problems) = tree.look(false, false);
    let ids: Vec<_> = pci
        .functions
        .iter()
        .map(|function| function.id.as_str())
        .collect();
    assert_eq!(ids, ["0000:00:0e.0", "0000:00:10.0", "10000:e0:01.0"]);
    let parents: Vec<_> = pci
        .functions
        .iter()
        .map(|function| function.parent.as_deref())
        .collect();
    assert_eq!(parents, [None, None, Some("0000:00:0e.0")]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(matches!(&problems[0].reason, Reason::Malformed { text, .. } if text == "nonsense"));
}

#[test]
fn one_malformed_attribute_does_not_hide_the_function() {
    let tree = Tree::new()
        .function(
            BUS,
            "0000:00:01.0",
            &[("vendor", "0xzz\n"), ("numa_node", "x"), ("resource", "?")],
        )
        .function(BUS, "0000:00:02.0", &[("numa_node", "-1\n\0")]);
    let (pci, problems) = tree.look(false, false);
    assert_eq!(pci.functions.len(), 2);
    assert_eq!(
        (pci.functions[0].vendor_id, pci.functions[0].device_id),
        (0, 0x1592)
    );
    assert_eq!(pci.functions[1].node, None);
    let paths: Vec<_> = problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    let path = |name| format!("/sys/bus/pci/devices/0000:00:01.0/{name}");
    assert_eq!(paths, [path("vendor"), path("numa_node"), path("resource")]);
    assert!(
        problems
            .iter()
            .all(|problem| matches!(problem.reason, Reason::Malformed { .. }))
    );
}

#[test]
fn what_every_function_has_is_a_problem_when_it_is_not_there() {
    let tree = Tree::new().function(BUS, "0000:00:01.0", &[]).function(
        BUS,
        "0000:00:02.0",
        &[("irq", "9")],
    );
    tree.remove("pci0000:00/0000:00:01.0/vendor");
    for name in ["vendor", "device", "class"] {
        tree.remove(&format!("pci0000:00/0000:00:02.0/{name}"));
    }
    let (pci, problems) = tree.look(false, false);
    assert_eq!(pci.functions.len(), 1);
    let paths: Vec<_> = problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "/sys/bus/pci/devices/0000:00:01.0/vendor",
            "/sys/bus/pci/devices/0000:00:02.0/vendor",
        ]
    );
}

#[test]
fn a_link_that_leads_nowhere_is_a_problem_and_no_function() {
    let tree = Tree::new()
        .link_to(BUS, "0000:00:01.0")
        .link("bus/pci/devices/0000:00:02.0", "0000:00:02.0")
        .function(BUS, "0000:00:03.0", &[]);
    let (pci, problems) = tree.look(false, false);
    assert_eq!(pci.functions.len(), 1);
    assert_eq!(pci.functions[0].id, "0000:00:03.0");
    assert!(
        problems.iter().any(
            |problem| problem.path == "/sys/bus/pci/devices/0000:00:01.0"
                && matches!(problem.reason, Reason::Malformed { .. })
        ),
        "{problems:?}"
    );
    assert!(
        problems
            .iter()
            .any(|problem| problem.path == "/sys/bus/pci/devices/0000:00:02.0")
    );
}

#[test]
fn links_are_not_read_while_the_function_sleeps() {
    let link = [
        ("max_link_speed", "8.0 GT/s PCIe\n"),
        ("max_link_width", "4\n"),
        ("current_link_speed", "8.0 GT/s PCIe\n"),
        ("current_link_width", "255\n"),
    ];
    let with = |extra: &[(&'static str, &'static str)]| [&link, extra].concat();
    let tree = Tree::new()
        .function(BUS, "0000:00:01.0", &with(&[("power_state", "D3cold\n")]))
        .function(
            BUS,
            "0000:00:02.0",
            &with(&[("power/runtime_status", "suspended\n")]),
        )
        .function(
            BUS,
            "0000:00:03.0",
            &with(&[("power/runtime_status", "active\n")]),
        );
    let functions = tree.functions();
    let asleep = |function: &Function| (function.link_max, function.now.link);
    assert_eq!(asleep(&functions[0]), (None, None));
    assert_eq!(asleep(&functions[1]), (None, None));
    assert_eq!(functions[2].link_max.unwrap().width, Some(4));
    assert_eq!(functions[2].now.link.unwrap().width, None);
    let (deep, _) = tree.look(true, false);
    assert!(
        deep.functions
            .iter()
            .all(|function| function.link_max.is_some())
    );
}

#[test]
fn a_refresh_reads_only_what_changes() {
    let place = "pci0000:00/0000:00:01.0";
    let tree = Tree::new().function(
        BUS,
        "0000:00:01.0",
        &[
            ("max_link_speed", "8.0 GT/s PCIe\n"),
            ("current_link_speed", "8.0 GT/s PCIe\n"),
            ("current_link_width", "4\n"),
            ("power_state", "D0\n"),
            ("aer_dev_correctable", "RxErr 0\nTOTAL_ERR_COR 0\n"),
            ("numa_node", "0\n"),
        ],
    );
    let mut pci = Pci {
        functions: tree.functions(),
    };
    for (name, text) in [
        ("current_link_width", "1\n"),
        ("aer_dev_correctable", "RxErr 5\nTOTAL_ERR_COR 5\n"),
        ("numa_node", "1\n"),
    ] {
        tree.write(&format!("{place}/{name}"), text.as_bytes());
    }
    let root = tree.root();
    let survey = Survey::new(&root, "pci", false, false);
    refresh(&mut pci, &survey);
    let function = &pci.functions[0];
    assert_eq!(function.now.link.unwrap().width, Some(1));
    assert_eq!(function.now.aer.as_ref().unwrap().correctable["RxErr"], 5);
    assert_eq!(function.node, Some(0));

    tree.write(&format!("{place}/power_state"), b"D3cold\n");
    refresh(&mut pci, &survey);
    assert_eq!(pci.functions[0].now.link, None);
    tree.write(&format!("{place}/power_state"), b"D0\n");
    refresh(&mut pci, &survey);
    assert_eq!(pci.functions[0].now.link.unwrap().width, Some(1));
    assert_eq!(survey.into_problems(), []);
}

#[test]
fn root_ports_count_what_came_from_below() {
    let tree = Tree::new().function(
        BUS,
        "0000:00:01.0",
        &[
            ("aer_rootport_total_err_cor", "3\n"),
            ("aer_rootport_total_err_nonfatal", "0\n"),
            ("aer_rootport_total_err_fatal", "1\n"),
        ],
    );
    let aer = tree.functions().remove(0).now.aer.unwrap();
    let received = aer.received.unwrap();
    assert_eq!(
        (received.correctable, received.nonfatal, received.fatal),
        (3, 0, 1)
    );
}

#[test]
fn old_kernels_say_local_cpus_as_a_bitmap() {
    let tree = Tree::new().function(
        BUS,
        "0000:00:01.0",
        &[("local_cpus", "00000000,0000000f\n")],
    );
    let functions = tree.functions();
    assert_eq!(functions[0].local_cpus.as_ref().unwrap().to_string(), "0-3");
}

#[test]
fn a_machine_without_pci_has_no_functions_and_no_problem() {
    assert_eq!(Tree::new().functions(), []);
}
