//! What stands beside the machine: how far its nodes are apart, and what colours and marks mean.

use std::collections::{BTreeMap, BTreeSet};

use libhw::idset::IdSet;
use libhw::inventory::{Class, Inventory};

use super::caption::{self, Marks};
use super::device::Role;
use super::tree::{Kind, Tree};
use super::words::{clean, list};
use crate::view;

/// Nodes up to which distances are a matrix.
pub(super) const MATRIX: usize = 24;
/// Lines of distances beyond which the rest is not told.
const DISTANCE_LINES: usize = 24;

/// How far nodes are apart; 10 is the node itself (ACPI SLIT).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Distances {
    pub(super) nodes: Vec<u32>,
    /// A row for each node, from it to each.
    pub(super) rows: Vec<Vec<Option<u32>>>,
}

/// What a colour or a mark of the picture means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Box(Kind),
    MemoryOnly,
    Cpu,
    Isolated,
    NohzFull,
    Offline,
    /// A kind of cores, by its number.
    CoreKind(usize),
    Device(Role),
    Downgraded,
}

/// The matrix, where there are two nodes or more and no more than a matrix holds.
pub(super) fn distances(inventory: &Inventory) -> Option<Distances> {
    let nodes = || {
        inventory
            .numa
            .iter()
            .flat_map(|numa| &numa.nodes)
            .filter(|node| !node.distances.is_empty())
    };
    let ids: Vec<u32> = nodes().map(|node| node.id).take(MATRIX + 1).collect();
    if !(2..=MATRIX).contains(&ids.len()) {
        return None;
    }
    let rows = nodes().map(|node| {
        ids.iter()
            .map(|to| node.distances.get(to).copied())
            .collect()
    });
    Some(Distances {
        rows: rows.collect(),
        nodes: ids,
    })
}

/// The same in words, for any number of nodes: `node 0: 10 to 0, 16 to 1-3, 32 to 4-7`.
pub(super) fn distance_lines(inventory: &Inventory) -> Vec<String> {
    let nodes = || {
        inventory
            .numa
            .iter()
            .flat_map(|numa| &numa.nodes)
            .filter(|node| !node.distances.is_empty())
    };
    let number = nodes().count();
    if number < 2 {
        return Vec::new();
    }
    let mut lines: Vec<String> = nodes()
        .take(DISTANCE_LINES)
        .map(|node| {
            let mut by: BTreeMap<u32, IdSet> = BTreeMap::new();
            for (to, distance) in &node.distances {
                by.entry(*distance).or_default().insert(*to);
            }
            let parts: Vec<String> = by
                .iter()
                .take(12)
                .map(|(distance, to)| format!("{distance} to {}", list(to)))
                .collect();
            format!("node {}: {}", node.id, parts.join(", "))
        })
        .collect();
    if number > DISTANCE_LINES {
        lines.push(format!("and {} more nodes", number - DISTANCE_LINES));
    }
    lines
}

/// A line for each class that the picture does not draw.
pub(super) fn also(inventory: &Inventory) -> Vec<String> {
    const DRAWN: [Class; 5] = [
        Class::System,
        Class::Cpu,
        Class::Numa,
        Class::Hugepages,
        Class::Pci,
    ];
    let summaries = view::summaries(inventory).filter(|(class, _)| !DRAWN.contains(class));
    summaries
        .map(|(class, words)| clean(&format!("{class}: {words}")))
        .collect()
}

/// What the picture of `tree` uses, in the order of the legend.
pub(super) fn legend(tree: &Tree<'_>, marks: &Marks) -> Vec<(Sign, String)> {
    let kinds: BTreeSet<Kind> = tree.blocks.iter().map(|block| block.kind).collect();
    let mut signs: Vec<(Sign, String)> = kinds
        .into_iter()
        .filter(|kind| !matches!(kind, Kind::Machine | Kind::Core | Kind::Apart))
        .map(|kind| {
            (
                Sign::Box(kind),
                if kind == Kind::Node {
                    "memory node"
                } else {
                    caption::word(kind)
                }
                .to_owned(),
            )
        })
        .collect();
    if tree.of(Kind::Node).any(|block| block.cpus.is_empty()) {
        signs.push((Sign::MemoryOnly, "node without CPUs".to_owned()));
    }
    let cores = tree.of(Kind::Core).next().is_some();
    if cores && marks.kinds.is_empty() {
        signs.push((Sign::Box(Kind::Core), "core".to_owned()));
    }
    for (index, (letter, words, _)) in marks.kinds.iter().enumerate().filter(|_| cores) {
        signs.push((Sign::CoreKind(index), format!("{letter}: {words}")));
    }
    if !tree.folded && tree.blocks.iter().any(|block| !block.threads.is_empty()) {
        signs.push((Sign::Cpu, "CPU (hardware thread)".to_owned()));
    }
    let sets = [
        (Sign::Isolated, &marks.isolated, "isolated"),
        (Sign::NohzFull, &marks.nohz_full, "nohz_full"),
        (Sign::Offline, &marks.offline, "offline"),
    ];
    for (sign, set, words) in sets {
        if !set.is_empty() {
            signs.push((sign, format!("{words}: CPUs {}", list(set))));
        }
    }
    let devices = || tree.blocks.iter().flat_map(|block| &block.devices);
    let roles: BTreeSet<Role> = devices().map(|device| device.role).collect();
    signs.extend(
        roles
            .into_iter()
            .map(|role| (Sign::Device(role), role_word(role).to_owned())),
    );
    if devices().any(|device| device.downgraded) {
        signs.push((
            Sign::Downgraded,
            "link below what the device can".to_owned(),
        ));
    }
    signs
}

const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Accelerator => "GPU, accelerator",
        Role::Network => "network",
        Role::Storage => "storage",
        Role::Other => "other device",
    }
}
