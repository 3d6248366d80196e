//! Relations across classes: who is near whom. Functions of an [`Inventory`], nothing is read.

use crate::device::cpu::Cache;
use crate::device::pci::Function;
use crate::idset::IdSet;
use crate::inventory::Inventory;

/// The online CPUs of a memory node; empty for memory alone, `None` when there is no such node.
#[must_use]
pub fn cpus_of_node(inventory: &Inventory, node: u32) -> Option<&IdSet> {
    let numa = inventory.numa.as_ref()?;
    numa.nodes
        .iter()
        .find(|candidate| candidate.id == node)
        .map(|node| &node.cpus)
}

/// The memory nodes that hold some of `cpus`.
#[must_use]
pub fn nodes_of_cpus(inventory: &Inventory, cpus: &IdSet) -> IdSet {
    let nodes = inventory.numa.iter().flat_map(|numa| &numa.nodes);
    nodes
        .filter(|node| node.cpus.intersects(cpus))
        .map(|node| node.id)
        .collect()
}

/// The caches of a CPU, nearest first.
pub fn caches_of_cpu(inventory: &Inventory, cpu: u32) -> impl Iterator<Item = &Cache> {
    let caches = inventory.cpu.iter().flat_map(|class| &class.caches);
    caches.filter(move |cache| cache.cpus.contains(cpu))
}

/// The cores that a cache spans.
#[must_use]
pub fn cores_of_cache(inventory: &Inventory, cache: &Cache) -> Vec<u32> {
    let cores = inventory.cpu.iter().flat_map(|class| &class.cores);
    cores
        .filter(|core| core.cpus.intersects(&cache.cpus))
        .map(|core| core.id)
        .collect()
}

/// The online CPUs near to a PCI function: those of its node; without one those that the kernel calls
/// local; without these all.
#[must_use]
pub fn cpus_near_function(inventory: &Inventory, function: &Function) -> IdSet {
    let online = || {
        inventory
            .cpu
            .as_ref()
            .and_then(|cpu| cpu.online.clone())
            .unwrap_or_default()
    };
    let of_node = function.node.and_then(|node| cpus_of_node(inventory, node));
    let local = of_node
        .filter(|cpus| !cpus.is_empty())
        .or(function.local_cpus.as_ref());
    local
        .filter(|cpus| !cpus.is_empty())
        .cloned()
        .unwrap_or_else(online)
}

/// The PCI functions near to a CPU, that is, those for which it is one of [`cpus_near_function`]; bridges left out.
#[must_use]
pub fn functions_near_cpu(inventory: &Inventory, cpu: u32) -> Vec<&Function> {
    let functions = inventory.pci.iter().flat_map(|pci| &pci.functions);
    functions
        .filter(|function| {
            !function.is_bridge() && cpus_near_function(inventory, function).contains(cpu)
        })
        .collect()
}

/// The smallest set of `count` CPUs near to a PCI function: whole cores first, of as few last-level caches
/// as can be, isolated CPUs left out unless `isolated` asks for these alone. `None` when there are not so many.
#[must_use]
pub fn cpus_for_function(
    inventory: &Inventory,
    function: &Function,
    count: usize,
    isolated: bool,
) -> Option<IdSet> {
    let cpu = inventory.cpu.as_ref()?;
    let apart = cpu.isolated.clone().unwrap_or_default();
    let near = cpus_near_function(inventory, function);
    let near = if isolated {
        near.intersection(&apart)
    } else {
        near.difference(&apart)
    };
    let last = cpu
        .caches
        .iter()
        .map(|cache| cache.level)
        .max()
        .unwrap_or(0);
    let mut domains: Vec<IdSet> = cpu
        .caches
        .iter()
        .filter(|cache| cache.level == last)
        .map(|cache| cache.cpus.intersection(&near))
        .filter(|cpus| !cpus.is_empty())
        .collect();
    let cached = domains
        .iter()
        .fold(IdSet::new(), |all, domain| all.union(domain));
    domains.push(near.difference(&cached));
    // One domain that is just large enough; else the largest first, so that the fewest are touched.
    domains.sort_by_key(|domain| {
        (
            domain.len() < count,
            if domain.len() < count {
                usize::MAX - domain.len()
            } else {
                domain.len()
            },
        )
    });
    let mut chosen = IdSet::new();
    for domain in domains {
        for core in cpu.cores.iter().map(|core| core.cpus.intersection(&domain)) {
            for id in core.iter().take(count.saturating_sub(chosen.len())) {
                chosen.insert(id);
            }
        }
    }
    (chosen.len() == count).then_some(chosen)
}
