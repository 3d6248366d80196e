//! What holds what: every group of CPUs as a block within the smallest other that holds all of it.
//!
//! Groups are taken largest first. `innermost` tells for each CPU the smallest block so far; a group whose CPUs
//! all have the same one nests in it. One whose CPUs have several overlaps: it is drawn within the block that
//! most of them have, around these, and says so. So each group costs its number of CPUs, and nothing recurs.

use std::collections::{BTreeMap, BTreeSet};

use libhw::device::cpu::{Cache, Group};
use libhw::device::numa::Node;
use libhw::idset::IdSet;
use libhw::inventory::Inventory;

use super::device::{self, Device};

/// The index of the block that is the whole machine.
pub(super) const MACHINE: usize = 0;
/// CPUs from which on they are listed, not drawn one by one.
const CPUS_DRAWN: usize = 1024;
/// Blocks that are drawn.
const BLOCKS_DRAWN: usize = 3000;
/// Packages up to which each names its model.
const MODELS_TOLD: usize = 4;
/// How deep blocks nest at most.
const DEPTH_DRAWN: usize = 12;

/// What a block is. Of blocks with the same CPUs the earlier one is the outer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Machine,
    Drawer,
    Book,
    Package,
    Node,
    Die,
    Cluster,
    Core,
    Cache,
    /// What has no place: CPUs in no group, devices of no node.
    Apart,
}

/// A box of the picture.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) kind: Kind,
    pub(super) id: u32,
    /// All CPUs of the group.
    pub(super) cpus: IdSet,
    /// How many of them it is drawn around.
    held: usize,
    pub(super) parent: usize,
    depth: usize,
    /// The blocks in it, by index: larger ones than its own.
    pub(super) children: Vec<usize>,
    /// Nodes without CPUs that are nearest to it.
    pub(super) memory: Vec<usize>,
    /// What has no place in it or elsewhere; of the machine only.
    pub(super) apart: Vec<usize>,
    /// CPUs that no child holds.
    pub(super) threads: Vec<u32>,
    /// Caches of just these CPUs; of a core also those of its single threads.
    pub(super) caches: Vec<&'a Cache>,
    pub(super) node: Option<&'a Node>,
    /// A die of just these CPUs.
    pub(super) die: Option<u32>,
    pub(super) devices: Vec<Device>,
}

/// All boxes; a parent stands before its children.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) blocks: Vec<Block<'a>>,
    /// Nodes that have nothing: no CPU, no memory, no device.
    pub(super) empty_nodes: IdSet,
    /// Groups that were left out: too many, or too deep.
    pub(super) left_out: usize,
    /// Whether there are so many packages of one model that it is named once for all.
    pub(super) one_model: bool,
    /// Whether there are so many CPUs that they are listed, not drawn.
    pub(super) folded: bool,
    /// When folded: the caches within cores, which are not drawn either.
    pub(super) inner_caches: Vec<&'a Cache>,
    /// The first CPU of each core.
    core_heads: IdSet,
    /// The block of each CPU.
    innermost: Vec<usize>,
}

/// A group before it has its place.
struct Candidate<'a> {
    kind: Kind,
    id: u32,
    cpus: &'a IdSet,
    cache: Option<&'a Cache>,
    node: Option<&'a Node>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(inventory: &'a Inventory) -> Self {
        let mut candidates = candidates(inventory);
        let all = everyone(inventory, &candidates);
        let size = all.iter().last().map_or(0, |last| last as usize + 1);
        let mut tree = Self {
            folded: all.len() > CPUS_DRAWN,
            core_heads: heads(&candidates),
            innermost: vec![MACHINE; size],
            blocks: vec![Block::new(Kind::Machine, 0, IdSet::new())],
            empty_nodes: IdSet::new(),
            one_model: one_model(inventory),
            left_out: 0,
            inner_caches: Vec::new(),
        };
        if tree.folded {
            tree.inner_caches = fold_cores(&mut candidates);
        }
        candidates.sort_by_cached_key(|group| {
            let len = std::cmp::Reverse(group.cpus.len());
            (len, group.cpus.first(), group.kind, group.id)
        });
        for candidate in &candidates {
            tree.nest(candidate);
        }
        tree.hang(inventory);
        tree.place_threads(&all);
        tree.set_apart();
        tree.sort_children();
        tree
    }

    /// The blocks of a kind.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Block<'a>> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }

    /// How many cores a group has.
    pub(super) fn cores_of(&self, cpus: &IdSet) -> usize {
        self.core_heads.intersection(cpus).len()
    }

    fn nest(&mut self, group: &Candidate<'a>) {
        let parent = self.holder(group.cpus);
        let own: Vec<u32> = group
            .cpus
            .iter()
            .filter(|cpu| self.block_of(*cpu) == parent)
            .collect();
        let Some(outer) = self.blocks.get_mut(parent) else {
            return;
        };
        let same = outer.held == own.len();
        match (group.kind, outer.kind) {
            (Kind::Cache, Kind::Core) => outer.caches.extend(group.cache),
            (Kind::Cache, Kind::Cluster | Kind::Cache) if same => outer.caches.extend(group.cache),
            (Kind::Core, Kind::Cluster) if same => {
                outer.kind = Kind::Core;
                outer.id = group.id;
            }
            (Kind::Die, Kind::Node) if same => outer.die = Some(group.id),
            (Kind::Die | Kind::Cluster, _) if same => {}
            // A node that has no place here gets one among those without CPUs.
            (Kind::Node, Kind::Core) => {}
            (_, Kind::Core) => self.left_out += 1,
            _ => self.add(group, parent, &own),
        }
    }

    /// The block that most of `cpus` stand in; of several the outer one.
    fn holder(&self, cpus: &IdSet) -> usize {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for cpu in cpus.iter() {
            *counts.entry(self.block_of(cpu)).or_default() += 1;
        }
        let most = counts
            .into_iter()
            .max_by_key(|(block, count)| (*count, std::cmp::Reverse(*block)));
        most.map_or(MACHINE, |(block, _)| block)
    }

    fn add(&mut self, group: &Candidate<'a>, parent: usize, own: &[u32]) {
        let depth = self.blocks.get(parent).map_or(0, |block| block.depth) + 1;
        if depth > DEPTH_DRAWN || self.blocks.len() > BLOCKS_DRAWN {
            self.left_out += 1;
            return;
        }
        let index = self.blocks.len();
        for cpu in own {
            if let Some(slot) = self.innermost.get_mut(*cpu as usize) {
                *slot = index;
            }
        }
        let mut block = Block::new(group.kind, group.id, group.cpus.clone());
        block.held = own.len();
        block.parent = parent;
        block.depth = depth;
        block.node = group.node;
        block.caches.extend(group.cache);
        self.push(block);
    }

    fn push(&mut self, block: Block<'a>) {
        let (index, apart) = (self.blocks.len(), block.cpus.is_empty());
        if let Some(parent) = self.blocks.get_mut(block.parent) {
            if apart {
                parent.memory.push(index);
            } else {
                parent.children.push(index);
            }
        }
        self.blocks.push(block);
    }

    /// Gives nodes without CPUs a place beside the node that is nearest to them, and devices their node.
    fn hang(&mut self, inventory: &'a Inventory) {
        let nodes = || inventory.numa.iter().flat_map(|numa| &numa.nodes);
        let known: BTreeSet<u32> = nodes().map(|node| node.id).collect();
        let mut devices = device::by_node(inventory, |node| known.contains(&node));
        let mut places: BTreeMap<u32, usize> = (0..)
            .zip(&self.blocks)
            .filter_map(|(index, block)| block.node.map(|node| (node.id, index)))
            .collect();
        for node in nodes()
            .filter(|node| !places.contains_key(&node.id))
            .collect::<Vec<_>>()
        {
            let bare = node.memory_total_bytes.is_none_or(|bytes| bytes.0 == 0);
            if bare && node.cpus.is_empty() && !devices.contains_key(&Some(node.id)) {
                self.empty_nodes.insert(node.id);
                continue;
            }
            if self.blocks.len() > BLOCKS_DRAWN {
                self.left_out += 1;
                continue;
            }
            let near = nearest(node, |id| self.node_with_cpus(&places, id));
            let near = near.into_iter().reduce(|a, b| self.common(a, b));
            let mut block = Block::new(Kind::Node, node.id, IdSet::new());
            block.parent = near.unwrap_or(MACHINE);
            block.node = Some(node);
            places.insert(node.id, self.blocks.len());
            self.push(block);
        }
        for (node, devices) in std::mem::take(&mut devices) {
            let place = node
                .and_then(|node| places.get(&node).copied())
                .unwrap_or(MACHINE);
            if let Some(block) = self.blocks.get_mut(place) {
                block.devices.extend(devices);
            }
        }
    }

    /// The smallest block that holds both.
    fn common(&self, mut a: usize, mut b: usize) -> usize {
        let up = |index: usize| self.blocks.get(index).map_or(MACHINE, |block| block.parent);
        while a != b {
            // A parent stands before its children, so the later one lies deeper, or aside.
            (a, b) = if a > b { (up(a), b) } else { (a, up(b)) };
        }
        a
    }

    fn node_with_cpus(&self, places: &BTreeMap<u32, usize>, id: u32) -> Option<usize> {
        let index = *places.get(&id)?;
        let block = self.blocks.get(index)?;
        (!block.cpus.is_empty()).then_some(index)
    }

    fn place_threads(&mut self, all: &IdSet) {
        for cpu in all.iter() {
            let index = self.block_of(cpu);
            if let Some(block) = self.blocks.get_mut(index) {
                block.threads.push(cpu);
            }
        }
    }

    /// Gives what would stand in the machine's own block a block each: beside the only other one, else below all.
    fn set_apart(&mut self) {
        let Some(machine) = self.blocks.first_mut() else {
            return;
        };
        let beside = machine.children.len() + machine.memory.len() <= 1;
        let mut cpus = Block::new(Kind::Apart, 0, IdSet::new());
        cpus.threads = std::mem::take(&mut machine.threads);
        let mut devices = Block::new(Kind::Apart, 1, IdSet::new());
        devices.devices = std::mem::take(&mut machine.devices);
        for block in [cpus, devices] {
            if block.threads.is_empty() && block.devices.is_empty() {
                continue;
            }
            let index = self.blocks.len();
            if let Some(machine) = self.blocks.first_mut() {
                let list = if beside {
                    &mut machine.children
                } else {
                    &mut machine.apart
                };
                list.push(index);
            }
            self.blocks.push(block);
        }
    }

    fn sort_children(&mut self) {
        let keys: Vec<(Kind, u32)> = self
            .blocks
            .iter()
            .map(|block| (block.kind, block.id))
            .collect();
        for block in &mut self.blocks {
            block
                .children
                .sort_by_key(|index| keys.get(*index).copied());
        }
    }

    fn block_of(&self, cpu: u32) -> usize {
        self.innermost.get(cpu as usize).copied().unwrap_or(MACHINE)
    }
}

impl Block<'_> {
    const fn new(kind: Kind, id: u32, cpus: IdSet) -> Self {
        Self {
            kind,
            id,
            cpus,
            held: 0,
            parent: MACHINE,
            depth: 0,
            children: Vec::new(),
            memory: Vec::new(),
            apart: Vec::new(),
            threads: Vec::new(),
            caches: Vec::new(),
            node: None,
            die: None,
            devices: Vec::new(),
        }
    }

    /// Whether it is drawn around some of its CPUs only, because others lie in groups that overlap it.
    pub(super) fn partial(&self) -> bool {
        self.held < self.cpus.len()
    }
}

/// The places of the nodes with CPUs that are nearest: the best initiators, else the least distance.
fn nearest(node: &Node, place: impl Fn(u32) -> Option<usize>) -> Vec<usize> {
    let access = node.access.iter().max_by_key(|access| access.class);
    let initiators = access.iter().flat_map(|access| access.initiators.iter());
    let initiators: Vec<usize> = initiators.filter_map(&place).collect();
    if !initiators.is_empty() {
        return initiators;
    }
    let others = || {
        let all = node.distances.iter();
        all.filter_map(|(id, distance)| Some((place(*id)?, *distance)))
    };
    let least = others().map(|(_, distance)| distance).min();
    let closest = others().filter(|(_, distance)| Some(*distance) == least);
    closest.map(|(place, _)| place).collect()
}

/// Every group that has CPUs.
fn candidates(inventory: &Inventory) -> Vec<Candidate<'_>> {
    let mut all = Vec::new();
    if let Some(cpu) = &inventory.cpu {
        let tables: [(Kind, &[Group]); 6] = [
            (Kind::Drawer, &cpu.drawers),
            (Kind::Book, &cpu.books),
            (Kind::Package, &cpu.packages),
            (Kind::Die, &cpu.dies),
            (Kind::Cluster, &cpu.clusters),
            (Kind::Core, &cpu.cores),
        ];
        for (kind, groups) in tables {
            all.extend(
                groups
                    .iter()
                    .map(|group| Candidate::new(kind, group.id, &group.cpus)),
            );
        }
        all.extend(cpu.caches.iter().map(|cache| Candidate {
            cache: Some(cache),
            ..Candidate::new(Kind::Cache, cache.cpus.first().unwrap_or(0), &cache.cpus)
        }));
    }
    let nodes = inventory.numa.iter().flat_map(|numa| &numa.nodes);
    all.extend(nodes.map(|node| Candidate {
        node: Some(node),
        ..Candidate::new(Kind::Node, node.id, &node.cpus)
    }));
    all.retain(|group| !group.cpus.is_empty());
    all
}

fn one_model(inventory: &Inventory) -> bool {
    inventory.cpu.as_ref().is_some_and(|cpu| {
        let mut names = cpu.models.iter().map(|model| &model.name);
        let first = names.next();
        cpu.packages.len() > MODELS_TOLD && names.all(|name| Some(name) == first)
    })
}

fn heads(candidates: &[Candidate<'_>]) -> IdSet {
    let cores = candidates.iter().filter(|group| group.kind == Kind::Core);
    cores.filter_map(|core| core.cpus.first()).collect()
}

/// Takes the cores and the caches within one out; returns these caches.
fn fold_cores<'a>(candidates: &mut Vec<Candidate<'a>>) -> Vec<&'a Cache> {
    let cores = candidates.iter().filter(|group| group.kind == Kind::Core);
    let widest = cores.map(|core| core.cpus.len()).max().unwrap_or(1);
    let mut caches = Vec::new();
    candidates.retain(|group| match (group.kind, group.cache) {
        (Kind::Core, _) => false,
        (_, Some(cache)) if cache.cpus.len() <= widest => {
            caches.push(cache);
            false
        }
        _ => true,
    });
    caches
}

impl<'a> Candidate<'a> {
    const fn new(kind: Kind, id: u32, cpus: &'a IdSet) -> Self {
        Self {
            kind,
            id,
            cpus,
            cache: None,
            node: None,
        }
    }
}

/// Every CPU that is there or that a group names.
fn everyone(inventory: &Inventory, groups: &[Candidate<'_>]) -> IdSet {
    let class = inventory.cpu.as_ref();
    let mut all: IdSet = class
        .iter()
        .flat_map(|cpu| &cpu.cpus)
        .map(|cpu| cpu.id)
        .collect();
    let sets = class
        .iter()
        .flat_map(|cpu| [&cpu.online, &cpu.offline])
        .flatten();
    for set in sets.chain(groups.iter().map(|group| group.cpus)) {
        if !set.is_subset(&all) {
            all = all.union(set);
        }
    }
    all
}

#[cfg(test)]
mod tests;
