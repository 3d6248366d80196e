//! Inventories made up for tests.

use libhw::device::cpu::{Cache, CacheKind, Cpu, Group, Kind, Model, Thread};
use libhw::device::hugepages::{Hugepages, Pool, PoolNow};
use libhw::device::numa::{Access, Node, Numa, Tier};
use libhw::device::pci::{Function, FunctionNow, Link, Pci, Sriov};
use libhw::device::system::{System, Unit};
use libhw::idset::IdSet;
use libhw::inventory::Inventory;
use libhw::units::{Bytes, BytesPerSecond, Nanoseconds};

mod odd;

pub(super) use odd::{drawers, hostile, hybrid, many_devices, memory_nodes};

/// A machine of equal parts: how many of each there are in the next larger one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Regular {
    pub(super) packages: u32,
    pub(super) nodes: u32,
    pub(super) l3: u32,
    pub(super) clusters: u32,
    pub(super) cores: u32,
    pub(super) threads: u32,
}

impl Regular {
    const fn cores(self) -> u32 {
        self.packages * self.nodes * self.l3 * self.clusters * self.cores
    }

    /// Groups of `parts` equal parts. Second threads are numbered after all first ones, as firmware does.
    fn groups(self, parts: u32) -> Vec<Group> {
        let each = self.cores() / parts;
        let group = |part: u32| {
            let cores = part * each..(part + 1) * each;
            let threads = 0..self.threads;
            let cpus = threads
                .flat_map(|thread| cores.clone().map(move |core| core + thread * self.cores()));
            Group {
                id: part * each,
                kernel_id: None,
                cpus: cpus.collect(),
            }
        };
        (0..parts).map(group).collect()
    }

    pub(super) fn inventory(self) -> Inventory {
        let nodes = self.packages * self.nodes;
        let domains = nodes * self.l3;
        let mut packages = self.groups(self.packages);
        for (package, id) in packages.iter_mut().zip(0..) {
            package.id = id;
        }
        let clusters = if self.clusters > 1 {
            self.groups(domains * self.clusters)
        } else {
            Vec::new()
        };
        let cores = self.groups(self.cores());
        let all: IdSet = (0..self.cores() * self.threads).collect();
        let mut caches = Vec::new();
        for core in &cores {
            caches.extend([
                cache(1, CacheKind::Data, 32, &core.cpus),
                cache(1, CacheKind::Instruction, 64, &core.cpus),
                cache(2, CacheKind::Unified, 512, &core.cpus),
            ]);
        }
        caches.extend(
            self.groups(domains)
                .iter()
                .map(|domain| cache(3, CacheKind::Unified, 8192, &domain.cpus)),
        );
        let cpu = Cpu {
            online: Some(all.clone()),
            models: vec![model("AMD EPYC 7451 24-Core Processor", &all)],
            cpus: all
                .iter()
                .map(|id| Thread {
                    id,
                    online: true,
                    ..Thread::default()
                })
                .collect(),
            packages,
            clusters,
            cores,
            caches,
            ..Cpu::default()
        };
        Inventory {
            system: Some(system("Sample R7425")),
            cpu: Some(cpu),
            numa: Some(Numa {
                nodes: self.numa(nodes),
                ..Numa::default()
            }),
            hugepages: Some(hugepages(nodes)),
            pci: Some(Pci {
                functions: functions(nodes, 2),
            }),
            ..Inventory::default()
        }
    }

    fn numa(self, nodes: u32) -> Vec<Node> {
        let distance = |from: u32, to: u32| match (from == to, from / self.nodes == to / self.nodes)
        {
            (true, _) => 10,
            (_, true) => 16,
            _ => 32,
        };
        let groups = self.groups(nodes).into_iter().zip(0..);
        groups
            .map(|(group, id)| Node {
                distances: (0..nodes).map(|to| (to, distance(id, to))).collect(),
                ..node(id, group.cpus, 31)
            })
            .collect()
    }
}

pub(super) fn node(id: u32, cpus: IdSet, gib: u64) -> Node {
    Node {
        id,
        cpus,
        memory_total_bytes: Some(Bytes(gib << 30)),
        ..Node::default()
    }
}

pub(super) fn set(text: &str) -> IdSet {
    text.parse().unwrap()
}

pub(super) fn cache(level: u32, kind: CacheKind, kib: u64, cpus: &IdSet) -> Cache {
    Cache {
        id: format!("L{level}.{}", cpus.first().unwrap_or(0)),
        level,
        kind,
        size_bytes: Some(Bytes::from_kib(kib)),
        cpus: cpus.clone(),
        ..Cache::default()
    }
}

pub(super) fn model(name: &str, cpus: &IdSet) -> Model {
    Model {
        name: Some(name.to_owned()),
        cpus: cpus.clone(),
        ..Model::default()
    }
}

fn system(product: &str) -> System {
    System {
        hostname: Some("node-17".to_owned()),
        architecture: Some("x86_64".to_owned()),
        kernel_release: Some("6.12.9-amd64".to_owned()),
        product: Some(Unit {
            vendor: Some("Example".to_owned()),
            name: Some(product.to_owned()),
            ..Unit::default()
        }),
        ..System::default()
    }
}

fn hugepages(nodes: u32) -> Hugepages {
    let pool = |node: Option<u32>, kib: u64, total: u64| Pool {
        id: String::new(),
        node,
        size_bytes: Bytes::from_kib(kib),
        total: Some(total),
        overcommit: None,
        now: PoolNow {
            free: Some(total / 2),
            ..PoolNow::default()
        },
    };
    let mut pools = vec![
        pool(None, 2048, u64::from(nodes) * 512),
        pool(None, 1 << 20, 0),
    ];
    for id in 0..nodes {
        pools.extend([
            pool(Some(id), 2048, 512),
            pool(Some(id), 1 << 20, u64::from(id % 2) * 4),
        ]);
    }
    Hugepages {
        pools,
        ..Hugepages::default()
    }
}

/// Class, vendor, device, driver, lanes.
const DEVICES: [(u32, &str, &str, &str, u32); 5] = [
    (
        0x02_0000,
        "Intel Corporation",
        "Ethernet Controller E810-C for QSFP",
        "ice",
        16,
    ),
    (
        0x01_0802,
        "Samsung Electronics Co Ltd",
        "NVMe SSD Controller PM173X",
        "nvme",
        4,
    ),
    (
        0x03_0200,
        "NVIDIA Corporation",
        "GA100 [A100 PCIe 40GB]",
        "nvidia",
        16,
    ),
    (
        0x10_8000,
        "Advanced Micro Devices, Inc. [AMD]",
        "Family 17h (Models 00h-0fh) PCIe Dummy Function",
        "ccp",
        8,
    ),
    (0x06_0400, "Intel Corporation", "PCI Bridge", "pcieport", 16),
];

/// `each` devices for each node, of several kinds, and two without a node.
pub(super) fn functions(nodes: u32, each: u32) -> Vec<Function> {
    let many =
        (0..nodes).flat_map(|node| (0..each).map(move |number| function(Some(node), number)));
    many.chain([function(None, 0), function(None, 4)]).collect()
}

pub(super) fn function(node: Option<u32>, number: u32) -> Function {
    let (class_id, vendor, device, driver, lanes) = DEVICES[number as usize % DEVICES.len()];
    let speed = |speed_mtps| Link {
        speed_mtps: Some(speed_mtps),
        width: Some(lanes),
    };
    let bus = node.map_or(0xf0, |node| node * 8 + number / 32);
    Function {
        id: format!("0000:{bus:02x}:{:02x}.0", number % 32),
        class_id,
        vendor_id: 0x8086,
        device_id: 0x1592 + u16::try_from(number).unwrap(),
        vendor: Some(vendor.to_owned()),
        device: Some(device.to_owned()),
        driver: Some(driver.to_owned()),
        node,
        link_max: Some(speed(16_000)),
        sriov: (class_id == 0x02_0000).then(|| Sriov {
            vfs_total: 64,
            vfs: 8,
            ..Sriov::default()
        }),
        now: FunctionNow {
            link: Some(speed(if number == 1 { 8_000 } else { 16_000 })),
            ..FunctionNow::default()
        },
        ..Function::default()
    }
}

pub(super) fn vm() -> Inventory {
    let mut inventory = Regular {
        packages: 1,
        nodes: 1,
        l3: 1,
        clusters: 1,
        cores: 2,
        threads: 1,
    }
    .inventory();
    inventory.pci = Some(Pci {
        functions: (0..6).map(|number| function(None, number)).collect(),
    });
    inventory
}

pub(super) fn epyc() -> Inventory {
    let mut inventory = Regular {
        packages: 2,
        nodes: 4,
        l3: 2,
        clusters: 1,
        cores: 3,
        threads: 2,
    }
    .inventory();
    let cpu = inventory.cpu.as_mut().unwrap();
    cpu.isolated = Some(set("6-11,54-59"));
    cpu.nohz_full = Some(set("6-8"));
    inventory
}

pub(super) fn server() -> Inventory {
    Regular {
        packages: 2,
        nodes: 4,
        l3: 2,
        clusters: 1,
        cores: 8,
        threads: 2,
    }
    .inventory()
}

pub(super) fn largest() -> Inventory {
    Regular {
        packages: 2,
        nodes: 4,
        l3: 4,
        clusters: 1,
        cores: 8,
        threads: 2,
    }
    .inventory()
}

pub(super) fn arm() -> Inventory {
    Regular {
        packages: 2,
        nodes: 2,
        l3: 1,
        clusters: 8,
        cores: 4,
        threads: 1,
    }
    .inventory()
}

pub(super) fn huge() -> Inventory {
    Regular {
        packages: 16,
        nodes: 4,
        l3: 4,
        clusters: 1,
        cores: 16,
        threads: 2,
    }
    .inventory()
}

pub(super) fn all() -> Vec<(&'static str, Inventory)> {
    vec![
        ("empty", Inventory::default()),
        ("vm", vm()),
        ("epyc", epyc()),
        ("server", server()),
        ("largest", largest()),
        ("arm", arm()),
        ("huge", huge()),
        ("hybrid", hybrid()),
        ("memory_nodes", memory_nodes()),
        ("drawers", drawers()),
        ("hostile", hostile()),
        ("many_devices", many_devices()),
    ]
}
