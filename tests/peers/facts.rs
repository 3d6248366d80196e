//! A machine as a set of lines that two programs can be compared by: sets, never counts.

use std::collections::BTreeSet;

use libhw::device::cpu::{CacheKind, Group};
use libhw::device::hugepages::Pool;
use libhw::idset::IdSet;
use libhw::inventory::Inventory;

/// One line a fact; the first word is what it is about.
pub type Facts = BTreeSet<String>;

/// What our inventory says, in the words that the peers are put in as well.
pub fn of_inventory(inventory: &Inventory) -> Facts {
    let mut facts = Facts::new();
    cpu(inventory, &mut facts);
    memory(inventory, &mut facts);
    for function in inventory.pci.iter().flat_map(|pci| &pci.functions) {
        let (class, vendor, device) = (
            function.class_id >> 8,
            function.vendor_id,
            function.device_id,
        );
        facts.insert(format!(
            "pci {} class {class:04x} device {vendor:04x}:{device:04x}",
            function.id
        ));
        facts.insert(format!(
            "pci-subsystem {} {:04x}:{:04x}",
            function.id,
            function.subsystem_vendor_id.unwrap_or(0),
            function.subsystem_device_id.unwrap_or(0),
        ));
        facts.extend(
            function
                .revision
                .map(|revision| format!("pci-revision {} {revision:02x}", function.id)),
        );
    }
    facts
}

/// Both, without what one of them could not know: a peer takes subsystem and revision from config space alone, which
/// many captures lack; kernels before 4.10 tell the revision nowhere else, and we don't read it there.
pub fn that_both_can_know(theirs: Facts, ours: Facts) -> (Facts, Facts) {
    fn subject(fact: &str) -> Vec<String> {
        fact.split(' ').take(2).map(str::to_owned).collect()
    }
    let subjects = |facts: &Facts| {
        facts
            .iter()
            .map(|fact| subject(fact))
            .collect::<BTreeSet<_>>()
    };
    let (told_by_them, told_by_us) = (subjects(&theirs), subjects(&ours));
    let of_config =
        |fact: &str| fact.starts_with("pci-subsystem ") || fact.starts_with("pci-revision ");
    (
        theirs
            .into_iter()
            .filter(|fact| {
                !fact.starts_with("pci-revision ") || told_by_us.contains(&subject(fact))
            })
            .collect(),
        ours.into_iter()
            .filter(|fact| !of_config(fact) || told_by_them.contains(&subject(fact)))
            .collect(),
    )
}

fn cpu(inventory: &Inventory, facts: &mut Facts) {
    let Some(cpu) = &inventory.cpu else { return };
    facts.extend(
        cpu.cpus
            .iter()
            .filter(|cpu| cpu.online)
            .map(|cpu| format!("pu {}", cpu.id)),
    );
    let groups: [(&str, &[Group]); 6] = [
        ("package", &cpu.packages),
        ("die", &cpu.dies),
        ("cluster", &cpu.clusters),
        ("core", &cpu.cores),
        ("book", &cpu.books),
        ("drawer", &cpu.drawers),
    ];
    for (name, groups) in groups {
        facts.extend(
            groups
                .iter()
                .map(|group| group_fact(name, group.kernel_id, &group.cpus)),
        );
    }
    for cache in &cpu.caches {
        let kind = match cache.kind {
            CacheKind::Data => "d",
            CacheKind::Instruction => "i",
            CacheKind::Unified => "",
        };
        let size = cache.size_bytes.map_or(0, |size| size.0);
        let line = cache.line_size_bytes.map_or(0, |size| size.0);
        facts.insert(cache_fact(cache.level, kind, size, line, &cache.cpus));
    }
}

/// A group of CPUs by its set; the kernel's number is compared where both sides tell one.
pub fn group_fact(name: &str, kernel_id: Option<u32>, cpus: &IdSet) -> String {
    let id = kernel_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!("{name} {id} cpus {cpus}")
}

/// A cache by level, kind (`d`, `i` or nothing), size, line size and set.
pub fn cache_fact(level: u32, kind: &str, size: u64, line: u64, cpus: &IdSet) -> String {
    format!("cache L{level}{kind} size {size} line {line} cpus {cpus}")
}

fn memory(inventory: &Inventory, facts: &mut Facts) {
    let no_pools: &[Pool] = &[];
    let pools = inventory
        .hugepages
        .as_ref()
        .map_or(no_pools, |class| &class.pools);
    for node in inventory.numa.iter().flat_map(|numa| &numa.nodes) {
        let total = node.memory_total_bytes.map_or(0, |size| size.0);
        // A node that is made up has the host's pools; and memory of nothing is how a peer says unknown.
        let of_node = |pool: &&Pool| {
            if node.made_up {
                pool.node.is_none()
            } else {
                pool.node == Some(node.id)
            }
        };
        facts.insert(format!("node {} memory {total}", node.id));
        facts.insert(format!("node {} cpus {}", node.id, node.cpus));
        for pool in pools.iter().filter(of_node) {
            let (size, total) = (pool.size_bytes.0, pool.total.unwrap_or(0));
            facts.insert(format!(
                "hugepages of node {} size {size} total {total}",
                node.id
            ));
        }
        // Of one node alone no peer tells the distance.
        for (to, distance) in node.distances.iter().filter(|_| node.distances.len() > 1) {
            facts.insert(format!("distance {} to {to} is {distance}", node.id));
        }
        for cache in &node.memory_side_caches {
            let size = cache.size_bytes.map_or(0, |size| size.0);
            facts.insert(format!("memory-side cache of node {} size {size}", node.id));
        }
    }
}
