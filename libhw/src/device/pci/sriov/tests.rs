use crate::device::pci::tests::Tree;
use crate::device::pci::{Function, Pci};

const BUS: &str = "pci0000:00/0000:00:03.0";
const PF: &str = "0000:3b:00.0";

/// A physical function with `count` virtual ones, whose routing ids are `offset + N` away from its own.
fn machine(count: u32, offset: u32, files: &[(&str, &str)]) -> Tree {
    let mut all = vec![
        ("sriov_totalvfs", "256\n"),
        ("sriov_drivers_autoprobe", "1\n"),
    ];
    all.extend([("sriov_vf_device", "1889\n"), ("sriov_stride", "1\n")]);
    all.extend(files);
    let mut tree = Tree::new().function(BUS, PF, &all);
    for number in 0..count {
        let id = vf(number, offset);
        let link = format!("devices/{BUS}/{PF}/virtfn{number}");
        tree = tree
            .function(BUS, &id, &[("vendor", "unreadable on purpose")])
            .link(&link, &format!("../{id}"))
            .link(&format!("devices/{BUS}/{id}/physfn"), &format!("../{PF}"));
    }
    tree
}

fn vf(number: u32, offset: u32) -> String {
    let pf: crate::device::pci::Address = PF.parse().unwrap();
    pf.further(number + offset).unwrap().to_string()
}

fn ids(pci: &Pci) -> Vec<&str> {
    pci.functions
        .iter()
        .map(|function| function.id.as_str())
        .collect()
}

fn physical(functions: &[Function]) -> &Function {
    functions.iter().find(|function| function.id == PF).unwrap()
}

#[test]
fn virtual_functions_are_folded_and_their_files_not_read() {
    let tree = machine(300, 16, &[("sriov_offset", "16\n")]);
    let (pci, problems) = tree.look(false, false);
    assert_eq!(
        problems,
        [],
        "a virtual function's vendor is malformed: it was read"
    );
    assert_eq!(ids(&pci), [PF]);
    let sriov = pci.functions[0].sriov.as_ref().unwrap();
    assert_eq!(
        (sriov.vfs_total, sriov.vfs, sriov.vf_ids.len()),
        (256, 300, 300)
    );
    assert_eq!(
        (sriov.autoprobe, sriov.vf_device_id),
        (Some(true), Some(0x1889))
    );
    assert_eq!(sriov.vf_ids[0], "0000:3b:02.0");
    assert_eq!(sriov.vf_ids[299], "0000:3c:07.3");
}

#[test]
fn links_tell_the_addresses_where_the_rule_does_not() {
    for files in [
        &[][..],
        &[("sriov_offset", "17\n")],
        &[("sriov_offset", "16\n"), ("sriov_stride", "0\n")],
        &[("sriov_offset", "4294967295\n")],
    ] {
        let (pci, problems) = machine(5, 16, files).look(false, false);
        assert_eq!(problems, [], "{files:?}");
        assert_eq!(ids(&pci), [PF], "{files:?}");
        let sriov = pci.functions[0].sriov.as_ref().unwrap();
        let expected: Vec<_> = (0..5).map(|number| vf(number, 16)).collect();
        assert_eq!(sriov.vf_ids, expected, "{files:?}");
    }
}

#[test]
fn virtual_functions_are_listed_when_asked_for() {
    let (pci, problems) = machine(4, 16, &[("sriov_offset", "16\n")]).look(false, true);
    assert_eq!(pci.functions.len(), 5);
    assert_eq!(problems.len(), 4);
    let physical_function = |function: &Function| function.physical_function.clone();
    let named = pci
        .functions
        .iter()
        .filter_map(physical_function)
        .filter(|id| id == PF);
    assert_eq!(named.count(), 4);
    assert_eq!(
        physical(&pci.functions)
            .sriov
            .as_ref()
            .unwrap()
            .vf_ids
            .len(),
        4
    );
}

#[test]
fn virtual_functions_without_links_are_counted_by_the_kernel() {
    let (pci, _) = machine(0, 16, &[("sriov_numvfs", "8\n")]).look(false, false);
    let sriov = pci.functions[0].sriov.as_ref().unwrap();
    assert_eq!((sriov.vfs, sriov.vf_ids.len()), (8, 0));
}

#[test]
fn a_link_to_something_else_is_a_problem() {
    let tree = machine(0, 16, &[]).link(&format!("devices/{BUS}/{PF}/virtfn0"), "../../../etc");
    let (pci, problems) = tree.look(false, false);
    assert_eq!(ids(&pci), [PF]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].path.ends_with("/virtfn0"));
}
