//! The machines that come with the lab: as described, as peers see them, tuned, and captured.

use std::path::Path;

use gnomon_lab::machine::find;
use gnomon_lab::{Machine, Vm, ready};
use serde_json::{Value, json};

use crate::captures::{self, captured};
use crate::{boot, differences, inventory, peers};

fn example(name: &str) -> Machine {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("machines/{name}.toml"));
    Machine::parse(&std::fs::read_to_string(path).expect("an example")).expect("a machine")
}

/// The machine, once its inventory tells what it is described as, and what peers tell in it; and its captures replay to
/// the same.
fn as_described(name: &str) -> Option<Vm> {
    if !ready() {
        return None;
    }
    let machine = example(name);
    let mut vm = boot(&machine, &name.replace('-', "_")).unwrap();
    let inventory = inventory(&mut vm);
    let mut said = differences(&machine, &inventory);
    said.extend(peers::differences(&mut vm, &inventory));
    said.extend(captured(&mut vm, &machine, &inventory));
    assert!(said.is_empty(), "{name}:\n{}", said.join("\n"));
    Some(vm)
}

#[test]
fn the_two_socket_server_is_as_described_and_takes_huge_pages() {
    let Some(mut vm) = as_described("two-socket-server") else {
        return;
    };
    pools_are_set_and_read_back(&mut vm);
    what_can_be_had_of_a_pool_is_taken_and_told_as_a_part(&mut vm);
    a_pool_larger_than_the_memory_is_refused(&mut vm);
    virtual_functions_are_made_and_folded(&mut vm, "0000:21:00.0");
    assert_eq!(
        vm.list("/dev")
            .unwrap()
            .iter()
            .filter(|name| *name == "ipmi0")
            .count(),
        1
    );
}

#[test]
fn the_telco_edge_node_is_as_described() {
    let Some(mut vm) = as_described("telco-edge") else {
        return;
    };
    virtual_functions_are_made_and_folded(&mut vm, "0000:01:00.0");
    assert!(vm.list("/dev").unwrap().contains(&"tpmrm0".to_owned()));
    let algorithms = vm.read("/proc/crypto").unwrap();
    assert!(algorithms.contains("virtio_crypto_aes_cbc"), "{algorithms}");
}

#[test]
fn the_node_with_memory_of_three_kinds_is_as_described() {
    as_described("memory-tiers");
}

/// Runs `gnomon tune … --json`: its exit status and what it tells.
fn tune(vm: &mut Vm, arguments: &[&str]) -> (i32, Value) {
    let argv: Vec<&str> = ["gnomon", "tune"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let output = vm.run(&[&argv[..], &["--json"]].concat()).unwrap();
    let told = serde_json::from_str(&output.stdout).unwrap_or(Value::Null);
    (output.status, json!({"told": told, "error": output.stderr}))
}

fn pool(vm: &mut Vm, node: u32, kib: u32) -> u64 {
    let path =
        format!("/sys/devices/system/node/node{node}/hugepages/hugepages-{kib}kB/nr_hugepages");
    vm.read(&path).unwrap().trim().parse().unwrap()
}

fn told(vm: &mut Vm, path: &str) -> Value {
    find(&inventory(vm), path).cloned().unwrap_or_default()
}

/// Of both sizes, of nodes with and without CPUs; the kernel's own files and the inventory then say so.
fn pools_are_set_and_read_back(vm: &mut Vm) {
    for (node, size, kib, count) in [
        (0, "2M", 2048, 40),
        (2, "2M", 2048, 24),
        (1, "1G", 1_048_576, 0),
    ] {
        let (status, said) = tune(
            vm,
            &[
                "hugepages",
                "--node",
                &node.to_string(),
                "--size",
                size,
                "--count",
                &count.to_string(),
            ],
        );
        assert_eq!(status, 0, "{said}");
        assert_eq!(pool(vm, node, kib), count);
        assert_eq!(
            told(vm, &format!("hugepages.pools[node{node}/{kib}kB].total")),
            count
        );
    }
    assert_eq!(pool(vm, 1, 2048), 8, "another node's pool was touched");
}

/// The second socket has memory for three pages of 1 GiB, but not in pieces so large.
fn what_can_be_had_of_a_pool_is_taken_and_told_as_a_part(vm: &mut Vm) {
    let set = |vm: &mut Vm, count: &str, more: &[&str]| {
        let pool = ["hugepages", "--node", "1", "--size", "1G", "--count", count];
        tune(vm, &[&pool[..], more].concat())
    };
    let (status, said) = set(vm, "0", &[]);
    assert_eq!(status, 0, "{said}");
    let (status, said) = set(vm, "3", &["--all"]);
    assert_eq!(status, 1, "{said}");
    assert_eq!(pool(vm, 1, 1_048_576), 0, "not set back: {said}");
    let (status, said) = set(vm, "3", &[]);
    assert_eq!(status, 3, "{said}");
    let had = pool(vm, 1, 1_048_576);
    assert!((1..=2).contains(&had), "{had}: {said}");
    assert_eq!(told(vm, "hugepages.pools[node1/1048576kB].total"), had);
}

fn a_pool_larger_than_the_memory_is_refused(vm: &mut Vm) {
    let before = pool(vm, 3, 2048);
    let (status, said) = tune(
        vm,
        &["hugepages", "--node", "3", "--size", "2M", "--count", "400"],
    );
    assert_eq!(status, 1, "{said}");
    assert_eq!(pool(vm, 3, 2048), before);
}

/// Of an igb: listed below their physical function, each on its own only when asked for.
fn virtual_functions_are_made_and_folded(vm: &mut Vm, function: &str) {
    let functions = told(vm, "pci.functions").as_array().map_or(0, Vec::len);
    let (status, said) = tune(vm, &["vfs", function, "3"]);
    assert_eq!(status, 0, "{said}");
    let path = format!("/sys/bus/pci/devices/{function}/sriov_numvfs");
    assert_eq!(vm.read(&path).unwrap().trim(), "3");
    // An igb's lie from device 10 on, every second function.
    let bus = &function[..8];
    let ids = json!([
        format!("{bus}10.0"),
        format!("{bus}10.2"),
        format!("{bus}10.4")
    ]);
    let after = inventory(vm);
    let at = format!("pci.functions[{function}].sriov");
    assert_eq!(find(&after, &format!("{at}.vfs")), Some(&json!(3)));
    assert_eq!(find(&after, &format!("{at}.vf_ids")), Some(&ids));
    assert_eq!(
        find(&after, "pci.functions")
            .and_then(Value::as_array)
            .map(Vec::len),
        Some(functions)
    );
    let one_by_one = vm
        .run(&["gnomon", "inventory", "--json", "--vfs", "pci"])
        .unwrap();
    let one_by_one: Value = serde_json::from_str(&one_by_one.stdout).unwrap();
    for id in ids.as_array().unwrap() {
        let id = id.as_str().unwrap();
        let path = format!("pci.functions[{id}].physical_function");
        let class = find(&one_by_one, &path).or_else(|| find(&one_by_one, &path[4..]));
        assert_eq!(class, Some(&json!(function)), "{one_by_one}");
    }
    let interfaces = find(&after, "nic.interfaces")
        .and_then(Value::as_array)
        .unwrap();
    let of_it = interfaces
        .iter()
        .filter(|interface| interface["physical_function"] == function);
    assert_eq!(of_it.count(), 3, "{interfaces:?}");
    let (status, said) = tune(vm, &["vfs", function, "0"]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(told(vm, &format!("{at}.vfs")), 0);
}

#[test]
fn the_captures_that_are_kept_are_of_the_examples() {
    assert_eq!(
        captures::kept(),
        ["memory-tiers", "telco-edge", "two-socket-server"]
    );
}
