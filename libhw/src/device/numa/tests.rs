use super::{Access, Numa};
use crate::inventory::Class;
use crate::survey::Problem;
use crate::tree::{Tree, told};
use crate::units::{Bytes, BytesPerSecond, Nanoseconds};

const NODE: &str = "sys/devices/system/node";

fn read(tree: &Tree) -> (Numa, Vec<Problem>) {
    let inventory = tree.discover(Class::Numa);
    (inventory.numa.unwrap(), inventory.problems)
}

fn node_tree(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::new(&[]);
    for (path, text) in files {
        tree.write(&format!("{NODE}/{path}"), text);
    }
    tree
}

fn two_nodes() -> Tree {
    node_tree(&[
        ("online", "0-1\n"),
        ("possible", "0-3\n"),
        ("has_cpu", "0\n"),
        ("has_memory", "0-1\n"),
        ("node0/cpulist", "0-3\n\0"),
        (
            "node0/meminfo",
            "Node 0 MemTotal:        1024 kB\nNode 0 MemFree:          512 kB\n",
        ),
        ("node0/distance", "10 20\n"),
        ("node1/cpulist", "\n"),
        ("node1/meminfo", "Node 1 MemTotal:        2048 kB\n"),
        ("node1/distance", "20 10\n"),
    ])
}

#[test]
fn a_node_tells_its_cpus_memory_and_distances() {
    let (numa, problems) = read(&two_nodes());
    assert_eq!(problems, []);
    assert_eq!(numa.possible.unwrap().to_string(), "0-3");
    assert_eq!(numa.has_cpu.unwrap().to_string(), "0");
    assert_eq!(numa.has_generic_initiator, None);
    let [first, second] = numa.nodes.as_slice() else {
        panic!("{:?}", numa.nodes);
    };
    assert_eq!(first.cpus.to_string(), "0-3");
    assert_eq!(first.memory_total_bytes, Some(Bytes(1 << 20)));
    assert_eq!(first.now.memory_free_bytes, Some(Bytes(1 << 19)));
    assert_eq!(first.distances, [(0, 10), (1, 20)].into());
    assert!(second.cpus.is_empty());
    assert_eq!(second.now.memory_free_bytes, None);
}

#[test]
fn free_memory_is_read_again() {
    let tree = two_nodes();
    let mut inventory = tree.discover(Class::Numa);
    tree.write(
        &format!("{NODE}/node0/meminfo"),
        "Node 0 MemTotal: 1024 kB\nNode 0 MemFree: 7 kB\n",
    );
    assert_eq!(inventory.refresh(&tree.root()), []);
    let free = inventory.numa.unwrap().nodes[0].now.memory_free_bytes;
    assert_eq!(free, Some(Bytes::from_kib(7)));
}

#[test]
fn cpumap_stands_in_for_a_cpulist_that_is_missing_or_broken() {
    let tree = node_tree(&[
        ("node0/cpumap", "00000000,0000000f\n"),
        ("node2/cpulist", "0-\n"),
        ("node2/cpumap", "f0\n"),
    ]);
    let (numa, problems) = read(&tree);
    let cpus: Vec<_> = numa
        .nodes
        .iter()
        .map(|node| (node.id, node.cpus.to_string()))
        .collect();
    assert_eq!(cpus, [(0, "0-3".to_owned()), (2, "4-7".to_owned())]);
    assert_eq!(
        told(&problems),
        [("/sys/devices/system/node/node2/cpulist", "malformed")]
    );
}

#[test]
fn offline_cpus_are_no_cpus_of_a_node() {
    let tree = node_tree(&[("node0/cpumap", "ff\n")]);
    let cpus = "sys/devices/system/cpu";
    for cpu in 0..8 {
        tree.directory(&format!("{cpus}/cpu{cpu}"));
    }
    tree.write(&format!("{cpus}/cpu5/online"), "0\n");
    tree.write(&format!("{cpus}/cpu6/online"), "1\n");
    let (numa, _) = read(&tree);
    assert_eq!(numa.nodes[0].cpus.to_string(), "0-4,6-7");
    tree.write(&format!("{cpus}/online"), "0-3,9\n");
    let (numa, _) = read(&tree);
    assert_eq!(numa.nodes[0].cpus.to_string(), "0-3");
}

#[test]
fn an_offline_node_0_is_left_out_and_distances_count_the_others() {
    let tree = node_tree(&[
        ("online", "1,4\n"),
        ("node0/cpulist", "0-3\n"),
        ("node0/distance", "10 21\n"),
        ("node1/distance", "10 21\n"),
        ("node4/distance", "21 10\n"),
    ]);
    let (numa, problems) = read(&tree);
    assert_eq!(problems, []);
    assert_eq!(
        numa.nodes.iter().map(|node| node.id).collect::<Vec<_>>(),
        [1, 4]
    );
    assert_eq!(numa.nodes[1].distances, [(1, 21), (4, 10)].into());
}

#[test]
fn distances_that_do_not_fit_the_online_nodes_are_a_problem_of_their_own() {
    for text in ["10 20 30\n", "10\n", "10 x\n", "10 -1\n"] {
        let tree = two_nodes();
        tree.write(&format!("{NODE}/node1/distance"), text);
        let (numa, problems) = read(&tree);
        assert!(numa.nodes[1].distances.is_empty(), "{text:?}");
        assert_eq!(numa.nodes[0].distances.len(), 2);
        assert_eq!(
            told(&problems),
            [("/sys/devices/system/node/node1/distance", "malformed")]
        );
    }
}

#[test]
fn hmat_bandwidth_is_in_mebibytes_and_zero_is_untold() {
    let tree = two_nodes();
    let at = |name: &str| format!("{NODE}/node1/access1/initiators/{name}");
    tree.write(&at("read_bandwidth"), "78644\n");
    tree.write(&at("write_bandwidth"), "0\n");
    tree.write(&at("read_latency"), "77\n");
    tree.link(&at("node0"), "../../../node0");
    // An initiator lists what it reaches, and is no memory by that.
    tree.directory(&format!("{NODE}/node0/access1/initiators"));
    tree.link(
        &format!("{NODE}/node0/access1/targets/node1"),
        "../../../node1",
    );
    let (numa, problems) = read(&tree);
    assert_eq!(problems, []);
    assert_eq!(numa.nodes[0].access, []);
    let expected = Access {
        class: 1,
        initiators: [0].into_iter().collect(),
        read_bandwidth_bytes_per_second: Some(BytesPerSecond(78644 << 20)),
        read_latency_ns: Some(Nanoseconds(77)),
        ..Access::default()
    };
    assert_eq!(numa.nodes[1].access, [expected]);
}

#[test]
fn memory_side_caches_are_listed_from_the_memory_on() {
    let tree = two_nodes();
    for (path, text) in [
        ("index2/size", "4096\n"),
        ("index2/indexing", "7\n"),
        ("index1/size", "103079215104\n"),
        ("index1/line_size", "64\n"),
        ("index1/indexing", "0\n"),
        ("index1/write_policy", "1\n"),
        ("index1/address_mode", "1\n"),
    ] {
        tree.write(&format!("{NODE}/node0/memory_side_cache/{path}"), text);
    }
    let (numa, problems) = read(&tree);
    assert_eq!(problems, []);
    let [near_memory, near_cpus] = numa.nodes[0].memory_side_caches.as_slice() else {
        panic!("{:?}", numa.nodes[0].memory_side_caches);
    };
    assert_eq!(near_memory.level, 1);
    assert_eq!(near_memory.size_bytes, Some(Bytes(96 << 30)));
    assert_eq!(near_memory.line_size_bytes, Some(Bytes(64)));
    assert_eq!(near_memory.indexing.as_deref(), Some("direct_mapped"));
    assert_eq!(near_memory.write_policy.as_deref(), Some("write_through"));
    assert_eq!(near_memory.address_mode.as_deref(), Some("extended_linear"));
    assert_eq!(near_cpus.indexing.as_deref(), Some("other"));
}

#[test]
fn tiers_are_listed_fastest_first_and_known_to_their_nodes() {
    let tree = two_nodes();
    let tiers = "sys/devices/virtual/memory_tiering";
    tree.write(&format!("{tiers}/memory_tier22/nodelist"), "1\n");
    tree.write(&format!("{tiers}/memory_tier4/nodelist"), "0\n");
    tree.write(&format!("{tiers}/uevent"), "");
    let (numa, _) = read(&tree);
    let tiers: Vec<_> = numa.tiers.iter().map(|tier| tier.id).collect();
    assert_eq!(tiers, [4, 22]);
    let of_nodes: Vec<_> = numa.nodes.iter().map(|node| node.tier).collect();
    assert_eq!(of_nodes, [Some(4), Some(22)]);
}

#[test]
fn dax_devices_tell_their_memory_their_nodes_and_who_has_them() {
    let tree = Tree::new(&[]);
    let region = "sys/devices/platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0/dax0.0";
    tree.write(&format!("{region}/size"), "1073741824\n");
    tree.write(&format!("{region}/target_node"), "2\n");
    tree.write(&format!("{region}/numa_node"), "-1\n");
    tree.link(
        "sys/bus/dax/devices/dax0.0",
        &format!("../../../../{region}"),
    );
    tree.link(&format!("{region}/driver"), "/sys/bus/dax/drivers/kmem");
    tree.write("sys/devices/platform/hmem.1/dax1.0/size", "lots\n");
    tree.link(
        "sys/bus/dax/devices/dax1.0",
        "/sys/devices/platform/hmem.1/dax1.0",
    );
    tree.link(
        "sys/bus/dax/devices/dax2.0",
        "../../../devices/ndbus0/gone/dax2.0",
    );
    let (numa, problems) = read(&tree);
    let [lent, broken, dangling] = numa.dax.as_slice() else {
        panic!("{:?}", numa.dax);
    };
    assert_eq!(lent.size_bytes, Some(Bytes(1 << 30)));
    assert_eq!((lent.target_node, lent.node), (Some(2), None));
    assert_eq!(lent.driver.as_deref(), Some("kmem"));
    assert_eq!(lent.kind.as_deref(), Some("cxl"));
    assert_eq!(
        (broken.kind.as_deref(), broken.size_bytes),
        (Some("hmem"), None)
    );
    assert_eq!(dangling.kind.as_deref(), Some("pmem"));
    assert_eq!(
        told(&problems),
        [("/sys/bus/dax/devices/dax1.0/size", "malformed")]
    );
}

#[test]
fn cxl_memory_devices_tell_their_capacity_and_pci_function() {
    let tree = Tree::new(&[]);
    let device = "sys/devices/pci0000:34/0000:34:00.0/10000:35:00.0/mem10";
    for (path, text) in [
        ("ram/size", "0x2000000000\n"),
        ("pmem/size", "0\n"),
        ("numa_node", "1\n"),
        ("serial", "0x1234abcd\n"),
        ("firmware_version", "BWFW VERSION 00\n"),
    ] {
        tree.write(&format!("{device}/{path}"), text);
    }
    tree.link(
        "sys/bus/cxl/devices/mem10",
        &format!("../../../../{device}"),
    );
    tree.directory("sys/bus/cxl/devices/decoder0.0");
    let (numa, problems) = read(&tree);
    assert_eq!(problems, []);
    let [memdev] = numa.cxl_memdevs.as_slice() else {
        panic!("{:?}", numa.cxl_memdevs);
    };
    assert_eq!(memdev.id, "mem10");
    assert_eq!(memdev.ram_bytes, Some(Bytes(128 << 30)));
    assert_eq!(memdev.pmem_bytes, Some(Bytes(0)));
    assert_eq!(memdev.node, Some(1));
    assert_eq!(memdev.pci.as_deref(), Some("10000:35:00.0"));
    assert_eq!(memdev.serial.as_deref(), Some("0x1234abcd"));
    assert_eq!(memdev.firmware_version.as_deref(), Some("BWFW VERSION 00"));
}

#[test]
fn a_node_of_gpu_memory_knows_its_gpu() {
    let tree = two_nodes();
    let gpus = "proc/driver/nvidia/gpus";
    tree.write(
        &format!("{gpus}/0004:05:00.0/numa_status"),
        "Node:      1\nStatus:    online\n",
    );
    tree.write(&format!("{gpus}/0004:06:00.0/numa_status"), "Node: -1\n");
    let (numa, problems) = read(&tree);
    assert_eq!(problems, []);
    let gpus: Vec<_> = numa.nodes.iter().map(|node| node.gpu.as_deref()).collect();
    assert_eq!(gpus, [None, Some("0004:05:00.0")]);
}

#[test]
fn a_kernel_without_numa_has_one_node_with_everything() {
    let tree = Tree::new(&[
        ("sys/devices/system/cpu/online", "0-1,3\n"),
        ("proc/meminfo", "MemTotal: 2048 kB\nMemFree: 1024 kB\n"),
    ]);
    let mut inventory = tree.discover(Class::Numa);
    tree.write("proc/meminfo", "MemTotal: 2048 kB\nMemFree: 1 kB\n");
    assert_eq!(inventory.refresh(&tree.root()), []);
    let numa = inventory.numa.unwrap();
    assert_eq!((numa.online, numa.nodes.len()), (None, 1));
    let node = &numa.nodes[0];
    assert!(node.made_up);
    assert_eq!(node.cpus.to_string(), "0-1,3");
    assert_eq!(node.memory_total_bytes, Some(Bytes::from_kib(2048)));
    assert_eq!(node.now.memory_free_bytes, Some(Bytes::from_kib(1)));
}

#[test]
fn a_tree_without_proc_has_no_memory_and_an_empty_one_no_node() {
    let tree = Tree::new(&[]);
    tree.directory("sys/devices/system/cpu/cpu0");
    tree.directory("sys/devices/system/cpu/cpu2");
    tree.directory("sys/devices/system/cpu/cpufreq");
    let (numa, problems) = read(&tree);
    assert_eq!(problems, []);
    assert_eq!(numa.nodes[0].cpus.to_string(), "0,2");
    assert_eq!(numa.nodes[0].memory_total_bytes, None);
    assert_eq!(read(&Tree::new(&[])), (Numa::default(), vec![]));
}

#[test]
fn denied_slow_and_broken_files_are_told_apart_and_hide_nothing_else() {
    let tree = two_nodes();
    tree.fail(&[
        ("sys/devices/system/node/node0/cpulist", 5),
        ("sys/devices/system/node/node0/meminfo", 13),
        ("sys/devices/system/node/node1/meminfo", 110),
    ]);
    tree.write(&format!("{NODE}/node0/cpumap"), "f\n");
    let (numa, problems) = read(&tree);
    assert_eq!(
        told(&problems),
        [
            ("/sys/devices/system/node/node0/cpulist", "unreadable"),
            ("/sys/devices/system/node/node0/meminfo", "denied"),
            ("/sys/devices/system/node/node1/meminfo", "timed out"),
        ]
    );
    assert_eq!(numa.nodes[0].cpus.to_string(), "0-3");
    assert_eq!(numa.nodes[0].memory_total_bytes, None);
    assert_eq!(numa.nodes[0].distances.len(), 2);
}

#[test]
fn nodes_that_cannot_be_listed_are_not_made_up() {
    let tree = two_nodes();
    tree.write("proc/meminfo", "MemTotal: 2048 kB\n");
    tree.fail(&[(NODE, 13)]);
    let (numa, problems) = read(&tree);
    assert_eq!(numa.nodes, []);
    assert_eq!(told(&problems), [("/sys/devices/system/node", "denied")]);
}

#[test]
fn a_malformed_number_is_kept_as_a_problem_with_its_text() {
    let tree = two_nodes();
    tree.write(&format!("{NODE}/node0/meminfo"), "Node 0 MemTotal: lots\n");
    tree.write(&format!("{NODE}/online"), "zero\n");
    let (numa, problems) = read(&tree);
    assert_eq!((numa.online, numa.nodes.len()), (None, 2));
    let messages: Vec<_> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(
        messages,
        [
            "/sys/devices/system/node/node0/meminfo: expected a size such as 32K, found \"lots\"",
            "/sys/devices/system/node/online: expected a list such as 0-3,8, found \"zero\\n\"",
        ]
    );
}
