use super::*;
use crate::topology::sample::{self, Regular, cache, node, set};
use libhw::device::cpu::{CacheKind, Cpu, Thread};
use libhw::device::numa::Numa;

/// The tree in one line: `package 0 (node 0 (core 0 [0 8]))`.
fn outline(inventory: &Inventory) -> String {
    let tree = Tree::new(inventory);
    let mut words = vec![String::new(); tree.blocks.len()];
    for (index, block) in tree.blocks.iter().enumerate().rev() {
        let all = block
            .children
            .iter()
            .chain(&block.memory)
            .chain(&block.apart);
        let mut inner: Vec<String> = all.map(|child| words[*child].clone()).collect();
        if !block.threads.is_empty() {
            inner.insert(0, format!("{:?}", block.threads).replace(", ", " "));
        }
        let mark = if block.partial() { "~" } else { "" };
        let caches: String = block
            .caches
            .iter()
            .map(|cache| format!(" L{}", cache.level))
            .collect();
        let kind = format!("{:?}", block.kind).to_lowercase();
        words[index] = format!("{kind}{mark} {}{caches} ({})", block.id, inner.join(" "));
    }
    let inner = words[MACHINE].strip_prefix("machine 0 (").unwrap();
    inner.strip_suffix(')').unwrap().to_owned()
}

fn group(id: u32, cpus: &str) -> Group {
    Group {
        id,
        kernel_id: None,
        cpus: set(cpus),
    }
}

fn inventory(cpu: Cpu, nodes: Vec<Node>) -> Inventory {
    Inventory {
        cpu: Some(cpu),
        numa: Some(Numa {
            nodes,
            ..Numa::default()
        }),
        ..Inventory::default()
    }
}

fn nests(cases: Vec<(&str, Cpu, Vec<Node>, &str)>) {
    for (what, cpu, nodes, tree) in cases {
        assert_eq!(outline(&inventory(cpu, nodes)), tree, "{what}");
    }
}

#[test]
fn groups_nest_by_their_cpus() {
    let cores = || vec![group(0, "0"), group(1, "1")];
    let both = set("0-1");
    nests(vec![
        (
            "package, node and cache of the same CPUs",
            Cpu {
                packages: vec![group(0, "0-1")],
                dies: vec![group(0, "0-1")],
                clusters: vec![group(0, "0-1")],
                cores: cores(),
                caches: vec![
                    cache(3, CacheKind::Unified, 1, &both),
                    cache(1, CacheKind::Data, 1, &set("1")),
                ],
                ..Cpu::default()
            },
            vec![node(0, set("0-1"), 1)],
            "package 0 (node 0 (cache 0 L3 (core 0 ([0]) core 1 L1 ([1]))))",
        ),
        (
            "packages in a node",
            Cpu {
                packages: vec![group(0, "0"), group(1, "1")],
                cores: cores(),
                ..Cpu::default()
            },
            vec![node(0, set("0-1"), 1)],
            "node 0 (package 0 (core 0 ([0])) package 1 (core 1 ([1])))",
        ),
    ]);
}

#[test]
fn groups_nest_where_some_level_is_missing() {
    let cores = || vec![group(0, "0"), group(1, "1")];
    let both = set("0-1");
    nests(vec![
        (
            "a cache that spans packages",
            Cpu {
                packages: vec![group(0, "0"), group(1, "1")],
                caches: vec![cache(4, CacheKind::Unified, 1, &both)],
                ..Cpu::default()
            },
            Vec::new(),
            "cache 0 L4 (package 0 ([0]) package 1 ([1]))",
        ),
        (
            "a core in no package",
            Cpu {
                packages: vec![group(0, "0")],
                cores: cores(),
                ..Cpu::default()
            },
            Vec::new(),
            "package 0 (core 0 ([0])) core 1 ([1])",
        ),
        (
            "clusters that are cores, and a cluster that shares a cache",
            Cpu {
                clusters: vec![group(0, "0-1"), group(2, "2-3")],
                cores: vec![group(0, "0-1"), group(2, "2"), group(3, "3")],
                caches: vec![cache(2, CacheKind::Unified, 1, &set("2-3"))],
                ..Cpu::default()
            },
            Vec::new(),
            "cluster 2 L2 (core 2 ([2]) core 3 ([3])) core 0 ([0 1])",
        ),
    ]);
}

#[test]
fn groups_that_overlap_are_drawn_once() {
    nests(vec![
        (
            "nodes that overlap",
            Cpu::default(),
            vec![node(0, set("0-3"), 1), node(1, set("2-5"), 1)],
            "node 0 ([0 1 2 3]) node~ 1 ([4 5])",
        ),
        (
            "a package that overlaps two",
            Cpu {
                packages: vec![group(0, "0-3"), group(1, "4-7"), group(2, "2-4")],
                ..Cpu::default()
            },
            Vec::new(),
            "package 0 ([0 1] package~ 2 ([2 3])) package 1 ([4 5 6 7])",
        ),
        (
            "cores that overlap, and a node in a core",
            Cpu {
                cores: vec![group(0, "0-2"), group(1, "1"), group(3, "2-3")],
                ..Cpu::default()
            },
            vec![node(5, set("0"), 1)],
            "core 0 ([0 1 2]) core~ 3 ([3]) node 5 ()",
        ),
        (
            "CPUs of a node alone",
            Cpu::default(),
            vec![node(3, set("0-1"), 1)],
            "node 3 ([0 1])",
        ),
    ]);
}

#[test]
fn memory_stands_beside_the_nodes_that_reach_it_best() {
    let outline = outline(&sample::memory_nodes());
    for piece in [
        "node 2 ())) package 1",
        "node 5 () node 6 ()",
        "node 3 () apart 1 ()",
    ] {
        assert!(outline.contains(piece), "{piece} in {outline}");
    }
    assert_eq!(Tree::new(&sample::memory_nodes()).empty_nodes, set("4"));
}

#[test]
fn memory_near_to_several_nodes_of_a_package_stands_in_the_package() {
    let shape = Regular {
        packages: 2,
        nodes: 2,
        l3: 1,
        clusters: 1,
        cores: 1,
        threads: 1,
    };
    let mut inventory = shape.inventory();
    let near = |id, distances: [u32; 4]| Node {
        distances: (0..).zip(distances).collect(),
        ..node(id, IdSet::new(), 8)
    };
    inventory
        .numa
        .as_mut()
        .unwrap()
        .nodes
        .extend([near(4, [40, 40, 17, 17]), near(5, [17, 40, 40, 17])]);
    let tree = Tree::new(&inventory);
    let parent = |id| {
        let block = tree.of(Kind::Node).find(|block| block.id == id).unwrap();
        let parent = &tree.blocks[block.parent];
        (parent.kind, parent.id)
    };
    assert_eq!(
        (parent(4), parent(5)),
        ((Kind::Package, 1), (Kind::Machine, 0))
    );
}

#[test]
fn offline_cpus_stand_apart() {
    let cpu = Cpu {
        cores: vec![group(0, "0")],
        cpus: vec![
            Thread {
                id: 0,
                online: true,
                ..Thread::default()
            },
            Thread {
                id: 1,
                ..Thread::default()
            },
        ],
        ..Cpu::default()
    };
    assert_eq!(
        outline(&inventory(cpu, Vec::new())),
        "core 0 ([0]) apart 0 ([1])"
    );
}

#[test]
fn groups_too_many_or_too_deep_are_counted_and_not_drawn() {
    let nested = (0..100)
        .map(|depth| group(depth, &format!("0-{}", 200 - depth)))
        .collect();
    let deep = inventory(
        Cpu {
            packages: nested,
            ..Cpu::default()
        },
        Vec::new(),
    );
    let tree = Tree::new(&deep);
    assert_eq!(
        (tree.blocks.len() - 1, tree.left_out),
        (DEPTH_DRAWN, 100 - DEPTH_DRAWN)
    );
    let many = (0..40_000)
        .map(|id| group(id, &(id % 2000 + 8).to_string()))
        .collect();
    let wide = inventory(
        Cpu {
            packages: many,
            ..Cpu::default()
        },
        Vec::new(),
    );
    let tree = Tree::new(&wide);
    assert!(tree.blocks.len() <= BLOCKS_DRAWN + 3);
    assert_eq!(
        tree.blocks
            .iter()
            .filter(|block| block.kind == Kind::Package)
            .count()
            + tree.left_out,
        40_000
    );
}
