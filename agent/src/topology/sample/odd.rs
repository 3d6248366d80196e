//! Machines that are unlike most.

use super::*;

pub(in crate::topology) fn hybrid() -> Inventory {
    let mut inventory = Regular {
        packages: 1,
        nodes: 1,
        l3: 1,
        clusters: 1,
        cores: 8,
        threads: 1,
    }
    .inventory();
    let cpu = inventory.cpu.as_mut().unwrap();
    let slow = set("4-7");
    cpu.caches
        .retain(|cache| !(cache.level == 2 && cache.cpus.is_subset(&slow)));
    cpu.caches.push(cache(2, CacheKind::Unified, 2048, &slow));
    let kind = |name: &str, cpus: &str| Kind {
        id: 0,
        name: Some(name.to_owned()),
        capacity: None,
        cpus: set(cpus),
    };
    cpu.kinds = vec![kind("performance", "0-3"), kind("efficiency", "4-7")];
    cpu.offline = Some(set("8-9"));
    cpu.cpus.extend([8, 9].map(|id| Thread {
        id,
        ..Thread::default()
    }));
    inventory
}

/// Two nodes with CPUs, three of CXL memory or without anything, and two of a GPU.
pub(in crate::topology) fn memory_nodes() -> Inventory {
    let mut inventory = Regular {
        packages: 2,
        nodes: 1,
        l3: 1,
        clusters: 1,
        cores: 4,
        threads: 2,
    }
    .inventory();
    let numa = inventory.numa.as_mut().unwrap();
    let far = |id: u32, gib: u64, to: [u32; 2]| Node {
        distances: [(0, to[0]), (1, to[1]), (id, 10)].into(),
        tier: Some(22),
        ..node(id, IdSet::new(), gib)
    };
    let access = Access {
        class: 0,
        initiators: set("1"),
        read_bandwidth_bytes_per_second: Some(BytesPerSecond(26_000_000_000)),
        read_latency_ns: Some(Nanoseconds(280)),
        ..Access::default()
    };
    numa.nodes.extend([
        far(2, 128, [17, 28]),
        far(3, 64, [20, 20]),
        far(4, 0, [40, 40]),
    ]);
    numa.nodes.push(Node {
        access: vec![access],
        ..far(5, 80, [40, 40])
    });
    numa.nodes.push(far(6, 0, [80, 40]));
    numa.tiers = vec![
        Tier {
            id: 4,
            nodes: set("0-1"),
        },
        Tier {
            id: 22,
            nodes: set("2-6"),
        },
    ];
    inventory
        .pci
        .as_mut()
        .unwrap()
        .functions
        .push(function(Some(6), 2));
    inventory
}

pub(in crate::topology) fn drawers() -> Inventory {
    let shape = Regular {
        packages: 8,
        nodes: 1,
        l3: 1,
        clusters: 1,
        cores: 4,
        threads: 2,
    };
    let mut inventory = shape.inventory();
    let cpu = inventory.cpu.as_mut().unwrap();
    cpu.drawers = shape.groups(2);
    cpu.books = shape.groups(4);
    inventory.numa = Some(Numa {
        nodes: vec![Node {
            made_up: true,
            ..node(0, set("0-63"), 16)
        }],
        ..Numa::default()
    });
    inventory
}

/// Groups that overlap in every way, names that attack, numbers out of any range.
pub(in crate::topology) fn hostile() -> Inventory {
    let mut inventory = epyc();
    let cpu = inventory.cpu.as_mut().unwrap();
    let group = |id, cpus| Group {
        id,
        kernel_id: None,
        cpus: set(cpus),
    };
    cpu.packages.extend([
        group(7, "3-30"),
        group(7, "3-30"),
        group(u32::MAX, "200-210"),
    ]);
    cpu.cores
        .extend([group(1, "1-2"), group(90, "40,5"), group(91, "")]);
    cpu.dies = (0..60).map(|id| group(id, "0-40")).collect();
    cpu.caches.push(Cache {
        level: u32::MAX,
        size_bytes: Some(Bytes(u64::MAX)),
        ..cache(9, CacheKind::Unified, 1, &set("20-70"))
    });
    cpu.models = vec![model(&"<x>\u{1b}[2J&".repeat(500), &set("0-95"))];
    let numa = inventory.numa.as_mut().unwrap();
    numa.nodes.push(Node {
        distances: [(0, 0), (1, u32::MAX)].into(),
        ..node(70, set("2-9"), 1 << 30)
    });
    let functions = &mut inventory.pci.as_mut().unwrap().functions;
    functions.push(Function {
        id: "<script>\n".repeat(80),
        device: Some("]]>\u{202e}\"'&\u{0}".repeat(4000)),
        vendor: Some(String::new()),
        driver: Some("\u{1b}]0;title\u{7}".to_owned()),
        node: Some(99),
        ..function(None, 0)
    });
    inventory.system.as_mut().unwrap().hostname =
        Some("</svg><script>alert(1)</script>".to_owned());
    inventory
}

pub(in crate::topology) fn many_devices() -> Inventory {
    let mut inventory = vm();
    inventory.pci = Some(Pci {
        functions: functions(1, 60),
    });
    inventory
}
