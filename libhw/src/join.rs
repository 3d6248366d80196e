//! Relations across classes: who is near whom. Functions of an [`Inventory`], nothing is read.

pub mod time;

use std::collections::{BTreeMap, HashMap};

use crate::device::cpu::{Cache, CacheKind, Cpu};
use crate::device::numa::{Node, Numa};
use crate::device::pci::Function;
use crate::idset::IdSet;
use crate::inventory::Inventory;

pub mod accelerator;
pub mod dimm;
pub mod gpu;
pub mod ras;
pub mod storage;
pub mod tee;

/// The online CPUs of a memory node; empty for memory alone, `None` when there is no such node.
#[must_use]
pub fn cpus_of_node(inventory: &Inventory, node: u32) -> Option<&IdSet> {
    Some(&node_called(inventory.numa.as_ref()?, node)?.cpus)
}

/// The online CPUs that reach a node's memory best: its own; of a node without CPUs those of its best
/// initiators (HMAT), or of the nodes at the least distance. Empty when nothing tells.
#[must_use]
pub fn cpus_near_node(inventory: &Inventory, node: u32) -> IdSet {
    let Some(numa) = &inventory.numa else {
        return IdSet::new();
    };
    let Some(node) = node_called(numa, node) else {
        return IdSet::new();
    };
    if !node.cpus.is_empty() {
        return node.cpus.clone();
    }
    let with_cpus = || numa.nodes.iter().filter(|other| !other.cpus.is_empty());
    let distance = |other: &Node| node.distances.get(&other.id).copied();
    let least = with_cpus().filter_map(distance).min();
    // Access class 1 counts CPUs alone, class 0 also devices that start transfers themselves.
    let mut access: Vec<_> = node.access.iter().collect();
    access.sort_by_key(|access| std::cmp::Reverse(access.class));
    let initiators = access.into_iter().map(|access| {
        let initiates = |other: &&Node| access.initiators.contains(other.id);
        cpus_of_all(with_cpus().filter(initiates))
    });
    let nearest =
        cpus_of_all(with_cpus().filter(|other| least.is_some() && distance(other) == least));
    initiators
        .chain([nearest])
        .find(|cpus| !cpus.is_empty())
        .unwrap_or_default()
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

/// The memory node that a PCI function is near to: its own, or that of the nearest bridge above that has one.
#[must_use]
pub fn node_of_function(inventory: &Inventory, function: &Function) -> Option<u32> {
    let functions = Functions::searched(inventory);
    functions
        .upwards(function)
        .find_map(|function| function.node)
}

/// The PCI functions, bridges left out, by the node that they are near to; `None` where nothing tells it.
#[must_use]
pub fn functions_by_node(inventory: &Inventory) -> BTreeMap<Option<u32>, Vec<&Function>> {
    let functions = Functions::indexed(inventory);
    let mut nodes: BTreeMap<Option<u32>, Vec<&Function>> = BTreeMap::new();
    for function in functions.devices() {
        let node = functions.upwards(function).find_map(|above| above.node);
        nodes.entry(node).or_default().push(function);
    }
    nodes
}

/// The online CPUs near to a PCI function: those of its node; without one those that the kernel calls local,
/// where that is fewer than all; else the same of the bridges above it, nearest first; else all.
#[must_use]
pub fn cpus_near_function(inventory: &Inventory, function: &Function) -> IdSet {
    Functions::searched(inventory).near(function)
}

/// The PCI functions near to a CPU, that is, those for which it is one of [`cpus_near_function`]; bridges left out.
#[must_use]
pub fn functions_near_cpu(inventory: &Inventory, cpu: u32) -> Vec<&Function> {
    let functions = Functions::indexed(inventory);
    let near = |function: &&Function| functions.near(function).contains(cpu);
    functions.devices().filter(near).collect()
}

/// The smallest set of `count` CPUs near to a PCI function: of as few last-level caches as can be, and in
/// these whole cores first, so that at most one core that is not wanted whole is split. Isolated CPUs are
/// left out unless `isolated` asks for these alone. `None` when there are not so many.
#[must_use]
pub fn cpus_for_function(
    inventory: &Inventory,
    function: &Function,
    count: usize,
    isolated: bool,
) -> Option<IdSet> {
    let cpu = inventory.cpu.as_ref()?;
    let near = cpus_near_function(inventory, function);
    let apart = cpu.isolated.clone().unwrap_or_default();
    let allowed = if isolated {
        near.intersection(&apart)
    } else {
        near.difference(&apart)
    };
    let mut domains = domains(cpu, &allowed);
    let mut chosen = IdSet::new();
    while chosen.len() < count {
        let missing = count - chosen.len();
        let best = domains
            .iter()
            .enumerate()
            .map(|(at, domain)| (domain.fitness(missing), at))
            .min()?;
        chosen = chosen.union(&domains.swap_remove(best.1).pick(missing));
    }
    Some(chosen)
}

/// CPUs that share a last-level cache, by core.
#[derive(Default)]
struct Domain {
    /// Cores all of whose CPUs may be taken.
    whole: Vec<IdSet>,
    /// What may be taken of other cores.
    parts: Vec<IdSet>,
}

impl Domain {
    /// How well it serves a need for `missing` CPUs, the least is best: one that is large enough, with the
    /// fewest split cores, and with the fewest CPUs to spare; else the largest, so that few are touched.
    fn fitness(&self, missing: usize) -> (bool, usize, usize, Option<u32>) {
        let size = self.cpus().len();
        let first = self.cpus().first();
        if size < missing {
            return (true, usize::MAX - size, 0, first);
        }
        let taken = self.pick(missing);
        let split = self.whole.iter().filter(|core| {
            let taken = core.intersection(&taken).len();
            taken > 0 && taken < core.len()
        });
        (false, split.count(), size, first)
    }

    fn cpus(&self) -> IdSet {
        let cores = self.whole.iter().chain(&self.parts);
        cores.flat_map(IdSet::iter).collect()
    }

    /// `count` CPUs, or all where there are fewer: whole cores that still fit, then cores that are split
    /// already, and last a core that must be split.
    fn pick(&self, count: usize) -> IdSet {
        let mut chosen = IdSet::new();
        for core in &self.whole {
            if chosen.len() + core.len() <= count {
                chosen = chosen.union(core);
            }
        }
        let rest = self.parts.iter().chain(&self.whole).flat_map(IdSet::iter);
        for cpu in rest {
            if chosen.len() >= count {
                break;
            }
            chosen.insert(cpu);
        }
        chosen
    }
}

/// The `allowed` CPUs by the last-level cache of each, which on a hybrid processor is not of the same level
/// for all. CPUs of which no cache is known are together.
fn domains(cpu: &Cpu, allowed: &IdSet) -> Vec<Domain> {
    let mut caches: Vec<&Cache> = cpu.caches.iter().collect();
    caches.retain(|cache| cache.kind != CacheKind::Instruction);
    caches.sort_by_key(|cache| std::cmp::Reverse(cache.level));
    let mut domain_of: HashMap<u32, usize> = HashMap::new();
    let (mut left, mut count) = (allowed.clone(), 0);
    for cache in caches {
        let shared = cache.cpus.intersection(&left);
        if !shared.is_empty() {
            domain_of.extend(shared.iter().map(|cpu| (cpu, count)));
            left = left.difference(&shared);
            count += 1;
        }
    }
    domain_of.extend(left.iter().map(|cpu| (cpu, count)));
    let mut domains: Vec<Domain> = Vec::new();
    domains.resize_with(count + 1, Domain::default);
    for core in cores(cpu, allowed) {
        let taken = core.intersection(allowed);
        let mut of: BTreeMap<usize, IdSet> = BTreeMap::new();
        for cpu in taken.iter() {
            of.entry(domain_of.get(&cpu).copied().unwrap_or(count))
                .or_default()
                .insert(cpu);
        }
        for (domain, cpus) in of {
            let Some(domain) = domains.get_mut(domain) else {
                continue;
            };
            if cpus == core {
                domain.whole.push(cpus);
            } else {
                domain.parts.push(cpus);
            }
        }
    }
    domains.retain(|domain| !domain.whole.is_empty() || !domain.parts.is_empty());
    domains
}

/// The cores that have some of `allowed`; a CPU of which no core is known is one by itself.
fn cores(cpu: &Cpu, allowed: &IdSet) -> Vec<IdSet> {
    let touched = cpu.cores.iter().map(|core| &core.cpus);
    let mut cores: Vec<IdSet> = touched
        .filter(|cpus| cpus.intersects(allowed))
        .cloned()
        .collect();
    let known: IdSet = cores.iter().flat_map(IdSet::iter).collect();
    let alone = allowed.difference(&known);
    cores.extend(alone.iter().map(|cpu| IdSet::from_iter([cpu])));
    cores
}

/// The PCI functions of an inventory, and how to find one by its id.
struct Functions<'a> {
    inventory: &'a Inventory,
    /// Worth making where many are asked for.
    index: Option<HashMap<&'a str, &'a Function>>,
}

impl<'a> Functions<'a> {
    const fn searched(inventory: &'a Inventory) -> Self {
        Self {
            inventory,
            index: None,
        }
    }

    fn indexed(inventory: &'a Inventory) -> Self {
        let all = Self::searched(inventory);
        let index = all
            .all()
            .map(|function| (function.id.as_str(), function))
            .collect();
        Self {
            index: Some(index),
            ..all
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a Function> + use<'a> {
        self.inventory.pci.iter().flat_map(|pci| &pci.functions)
    }

    fn devices(&self) -> impl Iterator<Item = &'a Function> + use<'a> {
        self.all().filter(|function| !function.is_bridge())
    }

    fn called(&self, id: &str) -> Option<&'a Function> {
        match &self.index {
            Some(index) => index.get(id).copied(),
            None => self.all().find(|function| function.id == id),
        }
    }

    /// A function and what it sits behind, up to the root bus.
    fn upwards<'b>(&'b self, function: &'b Function) -> impl Iterator<Item = &'b Function> {
        let above = |function: &&'b Function| self.called(function.parent.as_deref()?);
        // A captured inventory may name parents in a circle; no tree is deeper than it has buses.
        std::iter::successors(Some(function), above).take(256)
    }

    fn near(&self, function: &Function) -> IdSet {
        let online = self
            .inventory
            .cpu
            .as_ref()
            .and_then(|cpu| cpu.online.as_ref());
        let fewer = |cpus: &IdSet| online.is_none_or(|online| !online.is_subset(cpus));
        let near = self.upwards(function).find_map(|function| {
            let node = function
                .node
                .map(|node| cpus_near_node(self.inventory, node));
            let local = || function.local_cpus.clone().filter(fewer);
            node.filter(|cpus| !cpus.is_empty())
                .or_else(local)
                .map(|cpus| online.map_or(cpus.clone(), |online| cpus.intersection(online)))
                .filter(|cpus| !cpus.is_empty())
        });
        near.or_else(|| online.cloned()).unwrap_or_default()
    }
}

fn node_called(numa: &Numa, id: u32) -> Option<&Node> {
    numa.nodes.iter().find(|node| node.id == id)
}

fn cpus_of_all<'a>(nodes: impl Iterator<Item = &'a Node>) -> IdSet {
    nodes.flat_map(|node| node.cpus.iter()).collect()
}

#[cfg(test)]
mod tests;
