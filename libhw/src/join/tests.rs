use super::*;
use crate::device::cpu::Group;
use crate::device::numa::Access;
use crate::device::pci::Pci;

fn set(list: &str) -> IdSet {
    list.parse().unwrap()
}

fn cache(level: u32, kind: CacheKind, list: &str) -> Cache {
    Cache {
        level,
        kind,
        cpus: set(list),
        ..Cache::default()
    }
}

fn core(list: &str) -> Group {
    Group {
        id: set(list).first().unwrap(),
        cpus: set(list),
        ..Group::default()
    }
}

fn node(id: u32, list: &str, distances: &[(u32, u32)]) -> Node {
    Node {
        id,
        cpus: set(list),
        distances: distances.iter().copied().collect(),
        ..Node::default()
    }
}

fn function(id: &str, node: Option<u32>, local: &str, parent: Option<&str>) -> Function {
    Function {
        id: id.to_owned(),
        class_id: 0x02_0000,
        node,
        local_cpus: Some(set(local)),
        parent: parent.map(str::to_owned),
        ..Function::default()
    }
}

/// CPUs N and N + 8 are a core; node 0 has the first four cores, in two caches of two.
fn machine(functions: Vec<Function>) -> Inventory {
    let cores = (0..8).map(|cpu| core(&format!("{cpu},{}", cpu + 8)));
    let caches = ["0-1,8-9", "2-3,10-11", "4-5,12-13", "6-7,14-15"];
    let caches = caches.map(|list| cache(3, CacheKind::Unified, list));
    Inventory {
        cpu: Some(Cpu {
            online: Some(set("0-15")),
            cores: cores.collect(),
            caches: caches.to_vec(),
            ..Cpu::default()
        }),
        numa: Some(Numa {
            nodes: vec![
                node(0, "0-3,8-11", &[(0, 10), (1, 21), (2, 17)]),
                node(1, "4-7,12-15", &[(0, 21), (1, 10), (2, 28)]),
                node(2, "", &[(0, 17), (1, 28), (2, 10)]),
            ],
            ..Numa::default()
        }),
        pci: Some(Pci { functions }),
        ..Inventory::default()
    }
}

#[test]
fn a_function_is_near_to_the_cpus_of_its_node() {
    let inventory = machine(vec![]);
    for (node, local, near) in [
        (Some(1), "0-15", "4-7,12-15"),
        (Some(2), "", "0-3,8-11"),
        (Some(7), "0-1", "0-1"),
        (None, "4-5", "4-5"),
        (None, "4-5,99", "4-5"),
        (None, "0-15", "0-15"),
        (None, "", "0-15"),
    ] {
        let function = function("0000:01:00.0", node, local, None);
        assert_eq!(
            cpus_near_function(&inventory, &function).to_string(),
            near,
            "{node:?} {local}"
        );
    }
}

#[test]
fn a_function_without_a_node_is_where_its_bridge_is() {
    let inventory = machine(vec![
        function("0000:00:01.0", Some(1), "0-15", None),
        function("0000:01:00.0", None, "0-15", Some("0000:00:01.0")),
        function("0000:02:00.0", None, "0-15", Some("0000:01:00.0")),
        function("0000:03:00.0", None, "0-15", Some("0000:03:00.0")),
    ]);
    let functions = &inventory.pci.as_ref().unwrap().functions;
    assert_eq!(
        cpus_near_function(&inventory, &functions[2]),
        set("4-7,12-15")
    );
    assert_eq!(node_of_function(&inventory, &functions[2]), Some(1));
    assert_eq!(node_of_function(&inventory, &functions[3]), None);
    let by_node = functions_by_node(&inventory);
    let count = |node| by_node.get(&node).map_or(0, Vec::len);
    assert_eq!((count(Some(1)), count(None)), (3, 1));
    let near: Vec<_> = functions_near_cpu(&inventory, 0)
        .iter()
        .map(|f| f.id.clone())
        .collect();
    assert_eq!(near, ["0000:03:00.0"]);
    assert_eq!(functions_near_cpu(&inventory, 4).len(), 4);
}

#[test]
fn memory_without_cpus_is_near_to_its_best_initiators() {
    let mut inventory = machine(vec![]);
    assert_eq!(cpus_near_node(&inventory, 2), set("0-3,8-11"));
    let nodes = &mut inventory.numa.as_mut().unwrap().nodes;
    let access = |class, list| Access {
        class,
        initiators: set(list),
        ..Access::default()
    };
    nodes[2].access = vec![access(0, "0"), access(1, "1")];
    assert_eq!(cpus_near_node(&inventory, 2), set("4-7,12-15"));
    inventory.numa.as_mut().unwrap().nodes[2] = node(2, "", &[]);
    assert_eq!(cpus_near_node(&inventory, 2), IdSet::new());
}

#[test]
fn whole_cores_of_as_few_caches_as_can_be_are_chosen() {
    let inventory = machine(vec![]);
    let near = function("0000:01:00.0", Some(0), "", None);
    for (count, chosen) in [
        (0, Some("")),
        (1, Some("0")),
        (2, Some("0,8")),
        (3, Some("0-1,8")),
        (4, Some("0-1,8-9")),
        (6, Some("0-2,8-10")),
        (8, Some("0-3,8-11")),
        (9, None),
    ] {
        let cpus = cpus_for_function(&inventory, &near, count, false);
        assert_eq!(
            cpus.map(|cpus| cpus.to_string()).as_deref(),
            chosen,
            "{count}"
        );
    }
}

#[test]
fn isolated_cpus_are_apart() {
    let mut inventory = machine(vec![]);
    inventory.cpu.as_mut().unwrap().isolated = Some(set("0,8,2,4"));
    let near = function("0000:01:00.0", Some(0), "", None);
    let choose = |count, isolated| {
        cpus_for_function(&inventory, &near, count, isolated).map(|cpus| cpus.to_string())
    };
    // Core 2 is split already, so one CPU comes from there, and no other core is split.
    assert_eq!(choose(1, false).as_deref(), Some("10"));
    assert_eq!(choose(2, false).as_deref(), Some("1,9"));
    assert_eq!(choose(3, false).as_deref(), Some("3,10-11"));
    assert_eq!(choose(6, false), None);
    assert_eq!(choose(1, true).as_deref(), Some("2"));
    assert_eq!(choose(3, true).as_deref(), Some("0,2,8"));
    assert_eq!(choose(4, true), None);
}

#[test]
fn the_smallest_cache_that_is_large_enough_is_taken() {
    let mut inventory = machine(vec![]);
    let caches = ["0-3,8-11", "4-6,12-14", "7,15"];
    inventory.cpu.as_mut().unwrap().caches = caches
        .map(|list| cache(3, CacheKind::Unified, list))
        .to_vec();
    let anywhere = function("0000:01:00.0", None, "", None);
    for (count, chosen) in [
        (2, "7,15"),
        (6, "4-6,12-14"),
        (8, "0-3,8-11"),
        (10, "0-3,7-11,15"),
    ] {
        let cpus = cpus_for_function(&inventory, &anywhere, count, false).unwrap();
        assert_eq!(cpus.to_string(), chosen, "{count}");
    }
}

#[test]
fn the_last_level_is_each_cpus_own() {
    // Two fast cores and two slow ones share level 3; two slower ones have no more than level 2.
    let mut inventory = machine(vec![]);
    let cpu = inventory.cpu.as_mut().unwrap();
    cpu.online = Some(set("0-7"));
    cpu.cores = ["0-1", "2-3", "4", "5", "6", "7"].map(core).to_vec();
    cpu.caches = vec![
        cache(1, CacheKind::Instruction, "0-7"),
        cache(2, CacheKind::Unified, "0-1"),
        cache(2, CacheKind::Unified, "6-7"),
        cache(3, CacheKind::Unified, "0-5"),
    ];
    inventory.numa = None;
    let anywhere = function("0000:01:00.0", None, "", None);
    for (count, chosen) in [(2, "6-7"), (3, "0-1,4"), (6, "0-5"), (7, "0-6")] {
        let cpus = cpus_for_function(&inventory, &anywhere, count, false).unwrap();
        assert_eq!(cpus.to_string(), chosen, "{count}");
    }
}

#[test]
fn cpus_without_topology_are_cores_by_themselves() {
    let inventory = Inventory {
        cpu: Some(Cpu {
            online: Some(set("0-3")),
            ..Cpu::default()
        }),
        ..Inventory::default()
    };
    let anywhere = function("0000:01:00.0", Some(0), "", None);
    assert_eq!(
        cpus_for_function(&inventory, &anywhere, 3, false),
        Some(set("0-2"))
    );
    assert_eq!(
        cpus_for_function(&Inventory::default(), &anywhere, 1, false),
        None
    );
}

#[test]
fn a_cache_spans_cores_and_nodes() {
    let inventory = machine(vec![]);
    let l3 = caches_of_cpu(&inventory, 9).next().unwrap();
    assert_eq!(cores_of_cache(&inventory, l3), [0, 1]);
    assert_eq!(nodes_of_cpus(&inventory, &set("3-4")), set("0-1"));
    assert_eq!(cpus_of_node(&inventory, 1), Some(&set("4-7,12-15")));
    assert_eq!(cpus_of_node(&inventory, 9), None);
}
