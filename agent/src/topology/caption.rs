//! The words of the picture: what stands in a box, and what is said once for all boxes.

use std::collections::BTreeMap;

use libhw::device::cpu::{Cache, CacheKind};
use libhw::device::hugepages::Pool;
use libhw::device::numa::Node;
use libhw::idset::IdSet;
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use super::device;
use super::tree::{Block, Kind, Tree};
use super::words::{clean, count, list};

/// Ways in which cores differ in their caches that are told in words, instead of in each core's box.
const CORE_WORDS: usize = 3;

/// CPUs that differ from the others.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) isolated: IdSet,
    pub(super) nohz_full: IdSet,
    pub(super) offline: IdSet,
    /// The kinds of cores: a letter, words, CPUs.
    pub(super) kinds: Vec<(char, String, IdSet)>,
}

impl Marks {
    pub(super) fn new(inventory: &Inventory) -> Self {
        let Some(cpu) = &inventory.cpu else {
            return Self::default();
        };
        let offline = cpu.cpus.iter().filter(|thread| !thread.online);
        let kinds = cpu.kinds.iter().zip('A'..='Z').map(|(kind, letter)| {
            let name = kind.name.as_deref().map(clean);
            let (letter, mut words) = match name.as_deref() {
                Some("performance") => ('P', "performance core".to_owned()),
                Some("efficiency") => ('E', "efficiency core".to_owned()),
                Some("low_power") => ('L', "low-power core".to_owned()),
                Some(name) => (letter, name.to_owned()),
                None => (letter, format!("core of kind {letter}")),
            };
            if let Some(capacity) = kind.capacity {
                words.push_str(&format!(", capacity {capacity}"));
            }
            (letter, words, kind.cpus.clone())
        });
        Self {
            isolated: cpu.isolated.clone().unwrap_or_default(),
            nohz_full: cpu.nohz_full.clone().unwrap_or_default(),
            offline: offline.map(|thread| thread.id).collect(),
            kinds: kinds.collect(),
        }
    }

    /// Which kind of core a CPU belongs to.
    pub(super) fn kind(&self, cpu: u32) -> Option<usize> {
        self.kinds
            .iter()
            .position(|(_, _, cpus)| cpus.contains(cpu))
    }

    /// What there is to say of a CPU, in words.
    pub(super) fn words(&self, cpu: u32) -> String {
        let sets = [
            (&self.isolated, "isolated"),
            (&self.nohz_full, "nohz_full"),
            (&self.offline, "offline"),
        ];
        let said = sets
            .into_iter()
            .filter(|(set, _)| set.contains(cpu))
            .map(|(_, word)| format!(", {word}"));
        format!("CPU {cpu}{}", said.collect::<String>())
    }
}

/// The machine's name, and a few lines about it.
pub(super) fn heading(
    inventory: &Inventory,
    tree: &Tree<'_>,
    marks: &Marks,
) -> (String, Vec<String>) {
    let system = inventory.system.as_ref();
    let product = system.and_then(|system| system.product.as_ref());
    let product = product.and_then(|unit| joined([&unit.vendor, &unit.name]));
    let model = system.and_then(|system| system.devicetree_model.as_deref().map(clean));
    let hostname = system.and_then(|system| system.hostname.as_deref().map(clean));
    let title = hostname
        .clone()
        .or_else(|| product.clone())
        .or_else(|| model.clone());
    let kernel = system.and_then(|system| system.kernel_release.as_deref().map(clean));
    let guest = system.and_then(|system| system.hypervisor.as_ref());
    let machine = [
        product
            .or(model)
            .filter(|name| title.as_ref() != Some(name)),
        guest.map(|guest| match guest.vendor.as_str() {
            "unknown" => "virtual machine".to_owned(),
            vendor => format!("guest of {}", clean(vendor)),
        }),
        kernel.map(|kernel| format!("Linux {kernel}")),
        system.and_then(|system| system.architecture.as_deref().map(clean)),
    ];
    let counts = [
        models(inventory),
        counts(inventory, marks),
        memory(inventory),
        device::total(inventory),
    ];
    let mut facts = vec![line(machine), line(counts)];
    facts.extend(core_caches(tree, marks).0);
    facts.retain(|fact| !fact.is_empty());
    if facts.is_empty() {
        facts.push("nothing is known of it".to_owned());
    }
    (title.unwrap_or_else(|| "This machine".to_owned()), facts)
}

/// What a box is called: `package 0`, `node 3`, `L3 8 MiB`, `cluster 4 · L2 1 MiB`.
pub(super) fn title(block: &Block<'_>) -> String {
    let mut parts = match block.kind {
        Kind::Machine => vec!["machine".to_owned()],
        Kind::Cache => Vec::new(),
        Kind::Apart if block.devices.is_empty() => vec!["CPUs offline or in no group".to_owned()],
        Kind::Apart => vec!["devices without a memory node".to_owned()],
        Kind::Node if block.node.is_some_and(|node| node.made_up) => vec!["memory".to_owned()],
        kind => vec![format!("{} {}", word(kind), block.id)],
    };
    parts.extend(block.die.map(|die| format!("die {die}")));
    if block.kind != Kind::Core {
        parts.extend(caches(&block.caches));
    }
    if block.partial() {
        parts.push("in part".to_owned());
    }
    parts.join(" · ")
}

/// What kind of group it is.
pub(super) const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Machine => "machine",
        Kind::Drawer => "drawer",
        Kind::Book => "book",
        Kind::Package => "package",
        Kind::Node => "node",
        Kind::Die => "die",
        Kind::Cluster => "cluster",
        Kind::Core => "core",
        Kind::Cache => "cache",
        Kind::Apart => "apart",
    }
}

/// Caches that share their CPUs, nearest first, like ones counted: `L1d 32 KiB`, `2 × L2 1 MiB`.
pub(super) fn caches(caches: &[&Cache]) -> Vec<String> {
    let mut alike: BTreeMap<(u32, CacheKind, Option<Bytes>), usize> = BTreeMap::new();
    for cache in caches {
        *alike
            .entry((cache.level, cache.kind, cache.size_bytes))
            .or_default() += 1;
    }
    let name = |((level, kind, size), number): ((u32, CacheKind, Option<Bytes>), usize)| {
        let kind = match kind {
            CacheKind::Data => "d",
            CacheKind::Instruction => "i",
            CacheKind::Unified => "",
        };
        let size = size.map(|size| format!(" {size}")).unwrap_or_default();
        let number = if number > 1 {
            format!("{number} × ")
        } else {
            String::new()
        };
        format!("{number}L{level}{kind}{size}")
    };
    alike.into_iter().map(name).collect()
}

/// What each core has of its own, in words; `true` where the cores differ too much for words, so that
/// each must say it itself.
pub(super) fn core_caches(tree: &Tree<'_>, marks: &Marks) -> (Vec<String>, bool) {
    if tree.folded {
        let alike: Vec<String> = caches(&tree.inner_caches)
            .into_iter()
            .map(|cache| {
                cache
                    .split_once(" × ")
                    .map_or(cache.clone(), |(_, one)| one.to_owned())
            })
            .collect();
        let told = (1..=4).contains(&alike.len());
        return (
            told.then(|| format!("each core: {}", alike.join(", ")))
                .into_iter()
                .collect(),
            false,
        );
    }
    let mut alike: BTreeMap<Vec<String>, IdSet> = BTreeMap::new();
    for core in tree.of(Kind::Core) {
        let cpus = alike.entry(caches(&core.caches)).or_default();
        for cpu in core.cpus.iter() {
            cpus.insert(cpu);
        }
    }
    if alike.len() > CORE_WORDS {
        return (Vec::new(), true);
    }
    let single = alike.len() == 1;
    let whose = |cpus: &IdSet| match marks.kinds.iter().find(|(_, _, of)| of == cpus) {
        _ if single => "each core".to_owned(),
        Some((_, words, _)) => format!("each {words}"),
        None if cpus.len() == 1 => format!("core {cpus}"),
        None => format!("each core of CPUs {}", list(cpus)),
    };
    let lines = alike.iter().filter(|(caches, _)| !caches.is_empty());
    let lines = lines.map(|(caches, cpus)| {
        (
            cpus.first(),
            format!("{}: {}", whose(cpus), caches.join(", ")),
        )
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    (lines.into_iter().map(|(_, line)| line).collect(), false)
}

/// `31.4 GiB`, `no memory`.
pub(super) fn node_memory(node: &Node) -> String {
    match node.memory_total_bytes {
        Some(Bytes(0)) => "no memory".to_owned(),
        Some(bytes) => bytes.to_string(),
        None => "memory unknown".to_owned(),
    }
}

/// `tier 4`, where there are several.
pub(super) fn node_tier(inventory: &Inventory, node: &Node) -> Option<String> {
    let tier = node.tier.filter(|_| tiered(inventory));
    tier.map(|tier| format!("tier {tier}"))
}

fn tiered(inventory: &Inventory) -> bool {
    inventory
        .numa
        .as_ref()
        .is_some_and(|numa| numa.tiers.len() > 1)
}

/// The lines below a node's name: huge pages, memory-side caches, how it is reached.
pub(super) fn node_lines(inventory: &Inventory, node: &Node) -> Vec<String> {
    let pools = inventory.hugepages.iter().flat_map(|class| &class.pools);
    let of = (!node.made_up).then_some(node.id);
    let mut lines: Vec<String> = pools
        .filter(|pool| pool.node == of && pool.total.is_some_and(|total| total > 0))
        .map(pages)
        .collect();
    for cache in &node.memory_side_caches {
        let size = cache
            .size_bytes
            .map(|size| format!(" {size}"))
            .unwrap_or_default();
        lines.push(format!("memory-side cache L{}{size}", cache.level));
    }
    if let Some(access) = node.access.iter().max_by_key(|access| access.class) {
        let read = [
            access
                .read_bandwidth_bytes_per_second
                .map(|bandwidth| bandwidth.to_string()),
            access.read_latency_ns.map(|latency| latency.to_string()),
        ];
        let read = line(read);
        if !read.is_empty() {
            lines.push(format!("read {read}"));
        }
    }
    lines
}

/// `512 × 2 MiB huge pages, 100 free`.
fn pages(pool: &Pool) -> String {
    let total = pool.total.unwrap_or_default();
    let free = match pool.now.free {
        Some(free) if free == total => ", all free".to_owned(),
        Some(free) => format!(", {free} free"),
        None => String::new(),
    };
    format!("{total} × {} huge pages{free}", pool.size_bytes)
}

/// What is said once for the whole machine: huge pages, tiers, what is not drawn and why.
pub(super) fn notes(inventory: &Inventory, tree: &Tree<'_>) -> Vec<String> {
    let mut notes = huge_page_notes(inventory, tree);
    let tiers = inventory.numa.iter().flat_map(|numa| &numa.tiers);
    for tier in tiers.filter(|_| tiered(inventory)) {
        notes.push(format!(
            "memory tier {}: nodes {}",
            tier.id,
            list(&tier.nodes)
        ));
    }
    if !tree.empty_nodes.is_empty() {
        notes.push(format!(
            "nodes without CPUs and memory: {}",
            list(&tree.empty_nodes)
        ));
    }
    let partial: Vec<String> = tree
        .blocks
        .iter()
        .filter(|block| block.partial())
        .take(8)
        .map(title)
        .collect();
    if !partial.is_empty() {
        notes.push(format!(
            "drawn in part, as their CPUs overlap other groups: {}",
            partial.join("; ")
        ));
    }
    if tree.left_out > 0 {
        notes.push(format!("not drawn: {} more groups", tree.left_out));
    }
    if !inventory.problems.is_empty() {
        notes.push(format!(
            "{} values could not be read: see the inventory",
            inventory.problems.len()
        ));
    }
    notes
}

fn huge_page_notes(inventory: &Inventory, tree: &Tree<'_>) -> Vec<String> {
    let Some(class) = &inventory.hugepages else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    let told = tree
        .blocks
        .iter()
        .filter_map(|block| block.node)
        .any(|node| {
            let of = (!node.made_up).then_some(node.id);
            class.pools.iter().any(|pool| pool.node == of)
        });
    let of_host = || class.pools.iter().filter(|pool| pool.node.is_none());
    let mut idle = Vec::new();
    for pool in of_host() {
        if pool.total.unwrap_or_default() == 0 {
            idle.push(pool.size_bytes.to_string());
        } else if !told {
            notes.push(pages(pool));
        }
    }
    if !idle.is_empty() {
        notes.push(format!("huge pages of {}: none reserved", idle.join(", ")));
    }
    if let Some(enabled) = class
        .transparent
        .as_ref()
        .and_then(|transparent| transparent.enabled.as_deref())
    {
        notes.push(format!("transparent huge pages: {}", clean(enabled)));
    }
    notes
}

/// The model of a group's first CPU, unless it is named once for all.
pub(super) fn model_of(inventory: &Inventory, tree: &Tree<'_>, cpus: &IdSet) -> Option<String> {
    let first = cpus.first().filter(|_| !tree.one_model)?;
    let models = &inventory.cpu.as_ref()?.models;
    let model = models.iter().find(|model| model.cpus.contains(first))?;
    model
        .name
        .as_deref()
        .or(model.model.as_deref())
        .map(short_model)
}

/// `24 cores, 48 threads` of a group.
pub(super) fn shares(tree: &Tree<'_>, cpus: &IdSet) -> String {
    match tree.cores_of(cpus) {
        0 => count(cpus.len(), "CPU"),
        cores => format!("{}, {}", count(cores, "core"), count(cpus.len(), "thread")),
    }
}

fn models(inventory: &Inventory) -> Option<String> {
    let models = &inventory.cpu.as_ref()?.models;
    let mut names: Vec<String> = models
        .iter()
        .filter_map(|model| model.name.as_deref().map(short_model))
        .collect();
    names.dedup();
    names.truncate(3);
    (!names.is_empty()).then(|| names.join(" + "))
}

fn counts(inventory: &Inventory, marks: &Marks) -> Option<String> {
    let cpu = inventory.cpu.as_ref()?;
    let tables = [
        (cpu.drawers.len(), "drawer"),
        (cpu.books.len(), "book"),
        (cpu.packages.len(), "package"),
        (cpu.cores.len(), "core"),
        (cpu.cpus.len(), "CPU"),
        (
            inventory.numa.as_ref().map_or(0, |numa| {
                numa.nodes.iter().filter(|node| !node.made_up).count()
            }),
            "node",
        ),
    ];
    let mut parts: Vec<String> = tables
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, thing)| count(*number, thing))
        .collect();
    if !marks.offline.is_empty() {
        parts.push(format!("{} offline", marks.offline.len()));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn memory(inventory: &Inventory) -> Option<String> {
    let nodes = inventory.numa.iter().flat_map(|numa| &numa.nodes);
    let total = nodes
        .filter_map(|node| node.memory_total_bytes)
        .fold(0_u64, |sum, bytes| sum.saturating_add(bytes.0));
    (total > 0).then(|| format!("{} of memory", Bytes(total)))
}

/// A model's name without what says nothing: `Intel Xeon Gold 6338 @ 2.00GHz`.
fn short_model(name: &str) -> String {
    let name = clean(name);
    let name = ["(R)", "(TM)", "(r)", "(tm)", "®", "™", " CPU", " Processor"]
        .iter()
        .fold(name, |name, noise| name.replace(noise, ""));
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn joined<const N: usize>(parts: [&Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|part| clean(part))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn line<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
