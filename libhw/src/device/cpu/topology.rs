//! Which CPUs there are, and how they nest.
//!
//! From `Documentation/admin-guide/cputopology.rst` and `Documentation/ABI/stable/sysfs-devices-system-cpu`.
//! A group is the set that the kernel lists, read once from its lowest CPU, without what is offline.

use std::collections::{BTreeMap, BTreeSet};

use super::{CPUS, Group, fitting, of_cpu, set};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// The kernel's sets of CPUs.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// `possible`, where this kernel tells it.
    pub(super) possible: Option<IdSet>,
    /// `present`, or every CPU that has a directory.
    pub(super) present: IdSet,
    /// `online`, or every CPU that its directory doesn't call offline.
    pub(super) online: IdSet,
}

/// The groups, each table by lowest CPU.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) drawers: Vec<Group>,
    pub(super) books: Vec<Group>,
    pub(super) packages: Vec<Group>,
    pub(super) dies: Vec<Group>,
    pub(super) clusters: Vec<Group>,
    pub(super) cores: Vec<Group>,
}

/// A kind of group: the attributes of `cpuN/topology` that list its CPUs, best first, and its number.
struct Level {
    sets: &'static [&'static str],
    id: &'static str,
}

const CORE: Level = Level {
    sets: &[
        "core_cpus",
        "thread_siblings",
        "core_cpus_list",
        "thread_siblings_list",
    ],
    id: "core_id",
};
const CLUSTER: Level = Level {
    sets: &["cluster_cpus", "cluster_cpus_list"],
    id: "cluster_id",
};
const DIE: Level = Level {
    sets: &["die_cpus", "die_cpus_list"],
    id: "die_id",
};
const PACKAGE: Level = Level {
    sets: &[
        "package_cpus",
        "core_siblings",
        "package_cpus_list",
        "core_siblings_list",
    ],
    id: "physical_package_id",
};
const BOOK: Level = Level {
    sets: &["book_siblings", "book_siblings_list"],
    id: "book_id",
};
const DRAWER: Level = Level {
    sets: &["drawer_siblings", "drawer_siblings_list"],
    id: "drawer_id",
};

/// Innermost first: a CPU whose core is known is asked for nothing more.
const LEVELS: [Level; 6] = [CORE, CLUSTER, DIE, PACKAGE, BOOK, DRAWER];

/// Which CPUs there are.
pub(super) fn census(survey: &Survey<'_>) -> Census {
    let told = |name: &str| survey.value(&format!("{CPUS}/{name}"), parse::list);
    let told_any = |name: &str| told(name).filter(|cpus| !cpus.is_empty());
    let (present, online) = (told_any("present"), told_any("online"));
    let listed: IdSet = if present.is_some() && online.is_some() {
        IdSet::new()
    } else {
        survey.numbered(CPUS, "cpu").into_iter().collect()
    };
    let online = online.unwrap_or_else(|| not_offline(survey, &listed));
    Census {
        possible: told("possible"),
        present: present.unwrap_or(listed).union(&online),
        online,
    }
}

/// The CPUs of `listed` that are online, as far as their directories tell: an offline one says so in
/// `online`, or has lost its topology while others have theirs.
fn not_offline(survey: &Survey<'_>, listed: &IdSet) -> IdSet {
    let said = |cpu: &u32| survey.value(&of_cpu(*cpu, "online"), parse::switch) != Some(false);
    let candidates: IdSet = listed.iter().filter(said).collect();
    let has_topology = |cpu: &u32| !survey.names(&of_cpu(*cpu, "topology")).is_empty();
    let placed: IdSet = candidates.iter().filter(has_topology).collect();
    if placed.is_empty() {
        candidates
    } else {
        placed
    }
}

/// How the `online` CPUs nest.
pub(super) fn groups(survey: &Survey<'_>, online: &IdSet) -> Groups {
    let mut topology = Topology {
        survey,
        online,
        names: Vec::new(),
        listed: None,
    };
    let mut tables = LEVELS.map(|_| Table::default());
    for cpu in online.iter() {
        let core = tables.first();
        if core.is_some_and(|cores| cores.placed.contains(cpu)) {
            continue;
        }
        for (level, table) in LEVELS.iter().zip(&mut tables) {
            if !table.closed && !table.placed.contains(cpu) {
                topology.place(cpu, level, table);
            }
        }
    }
    let [mut cores, clusters, dies, mut packages, books, drawers] =
        tables.map(|table| sorted(table.groups));
    if packages.is_empty() && cores.is_empty() && topology.offers(PACKAGE.id) {
        (packages, cores) = by_number(survey, online);
    }
    Groups {
        clusters: telling(clusters, &[&cores, &dies, &packages]),
        dies: telling(dies, &[&packages]),
        packages: named_by_number(packages),
        drawers,
        books,
        cores,
    }
}

/// The memory nodes that have CPUs (`Documentation/ABI/stable/sysfs-devices-node`).
pub(super) fn nodes(survey: &Survey<'_>) -> Vec<(u32, IdSet)> {
    const NODES: &str = "sys/devices/system/node";
    let cpus = |node: u32| {
        let path = |name: &str| format!("{NODES}/node{node}/{name}");
        set(survey, &path("cpulist")).or_else(|| set(survey, &path("cpumap")))
    };
    let nodes = survey.numbered(NODES, "node").into_iter();
    nodes
        .map(|node| (node, cpus(node).unwrap_or_default()))
        .collect()
}

fn attribute(cpu: u32, name: &str) -> String {
    of_cpu(cpu, format_args!("topology/{name}"))
}

/// The groups of one level so far.
#[derive(Debug, Default)]
struct Table {
    groups: Vec<Group>,
    placed: IdSet,
    /// There are no such groups on this architecture.
    closed: bool,
}

/// Reads `cpuN/topology`. A kernel has the same attributes for every CPU, so one CPU's list of them stands
/// for all, until a CPU lacks what it promises.
struct Topology<'a> {
    survey: &'a Survey<'a>,
    online: &'a IdSet,
    names: Vec<String>,
    listed: Option<u32>,
}

impl Topology<'_> {
    fn offers(&self, name: &str) -> bool {
        self.names.iter().any(|offered| offered == name)
    }

    /// Puts the group of `cpu` at a level into its table, where the kernel tells it.
    fn place(&mut self, cpu: u32, level: &Level, table: &mut Table) {
        let Some(cpus) = self.cpus(cpu, level, &table.placed) else {
            return;
        };
        let id = attribute(cpu, level.id);
        let kernel_id = self.survey.value(&id, parse::decimal_or_none).flatten();
        // The kernel's default for an architecture without dies: each CPU is one, with the number -1.
        if level.id == DIE.id && kernel_id.is_none() && cpus.len() == 1 {
            table.closed = true;
            return;
        }
        table.placed = table.placed.union(&cpus);
        table.groups.push(Group {
            id: cpus.first().unwrap_or(cpu),
            kernel_id,
            cpus,
        });
    }

    fn cpus(&mut self, cpu: u32, level: &Level, placed: &IdSet) -> Option<IdSet> {
        if !self.names.is_empty() && !level.sets.iter().any(|name| self.offers(name)) {
            return None;
        }
        self.promised(cpu, level, placed).or_else(|| {
            if self.listed == Some(cpu) {
                return None;
            }
            self.listed = Some(cpu);
            self.names = self.survey.names(&of_cpu(cpu, "topology"));
            self.promised(cpu, level, placed)
        })
    }

    fn promised(&self, cpu: u32, level: &Level, placed: &IdSet) -> Option<IdSet> {
        let offered = level.sets.iter().filter(|name| self.offers(name));
        let sets = offered.filter_map(|name| set(self.survey, &attribute(cpu, name)));
        fitting(sets.map(|cpus| cpus.intersection(self.online)), cpu, placed)
    }
}

fn sorted(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by_key(|group| group.id);
    groups
}

/// Packages and cores of a tree that has numbers but no sets.
fn by_number(survey: &Survey<'_>, online: &IdSet) -> (Vec<Group>, Vec<Group>) {
    let number = |cpu, level: &Level| {
        survey
            .value(&attribute(cpu, level.id), parse::decimal_or_none)
            .flatten()
    };
    let mut packages: BTreeMap<u32, IdSet> = BTreeMap::new();
    let mut cores: BTreeMap<(u32, Option<u32>, u32), IdSet> = BTreeMap::new();
    for cpu in online.iter() {
        let Some(package) = number(cpu, &PACKAGE) else {
            continue;
        };
        packages.entry(package).or_default().insert(cpu);
        if let Some(core) = number(cpu, &CORE) {
            let key = (package, number(cpu, &DIE), core);
            cores.entry(key).or_default().insert(cpu);
        }
    }
    let group = |(kernel_id, cpus): (u32, IdSet)| Group {
        id: cpus.first().unwrap_or_default(),
        kernel_id: Some(kernel_id),
        cpus,
    };
    let cores = cores.into_iter().map(|((_, _, core), cpus)| (core, cpus));
    (
        sorted(packages.into_iter().map(group).collect()),
        sorted(cores.map(group).collect()),
    )
}

/// The groups that are none of the `others`, which already say all that there is to say: where a package has
/// no dies the kernel calls it one, and where cores have no clusters it calls each core one.
fn telling(groups: Vec<Group>, others: &[&[Group]]) -> Vec<Group> {
    let told = |group: &Group| others.iter().any(|others| has_set(others, group));
    groups.into_iter().filter(|group| !told(group)).collect()
}

/// Whether one of `groups`, sorted by lowest CPU, has the same CPUs as `group`.
fn has_set(groups: &[Group], group: &Group) -> bool {
    let same = groups.binary_search_by_key(&group.id, |other| other.id);
    same.is_ok_and(|at| groups.get(at).is_some_and(|other| other.cpus == group.cpus))
}

/// Packages under the kernel's numbers for them, if these tell them apart.
fn named_by_number(mut packages: Vec<Group>) -> Vec<Group> {
    let numbers: Option<BTreeSet<u32>> = packages.iter().map(|package| package.kernel_id).collect();
    if numbers.is_some_and(|numbers| numbers.len() == packages.len()) {
        for package in &mut packages {
            package.id = package.kernel_id.unwrap_or(package.id);
        }
    }
    sorted(packages)
}
