//! The nodes of /sys/devices/system/node, or the one that a kernel without NUMA would have.

use std::collections::BTreeMap;

use super::{Node, NodeNow, Numa, access};
use crate::error::Error;
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

const NODES: &str = "sys/devices/system/node";
const CPUS: &str = "sys/devices/system/cpu";

/// A node's or the host's memory.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) total: Option<Bytes>,
    pub(super) free: Option<Bytes>,
}

/// The node sets and every online node; a kernel without NUMA gets a node that is made up.
pub(super) fn discover(survey: &Survey<'_>) -> Numa {
    match survey.root().names(NODES) {
        Ok(names) if names.iter().any(|name| node_number(name).is_some()) => {
            discover_nodes(survey, &names)
        }
        Ok(_) => Numa {
            nodes: made_up(survey).into_iter().collect(),
            ..Numa::default()
        },
        Err(error) => {
            survey.report(error);
            Numa::default()
        }
    }
}

fn discover_nodes(survey: &Survey<'_>, names: &[String]) -> Numa {
    // Which sets there are depends on the kernel: only those that are listed are asked for.
    let set = |name: &str| {
        let listed = names.iter().any(|listed| listed == name);
        listed.then(|| survey.value(&format!("{NODES}/{name}"), parse::list))?
    };
    let mut numa = Numa {
        possible: set("possible"),
        online: set("online"),
        has_cpu: set("has_cpu"),
        has_memory: set("has_memory"),
        has_generic_initiator: set("has_generic_initiator"),
        ..Numa::default()
    };
    let present: IdSet = names.iter().filter_map(|name| node_number(name)).collect();
    // A node that went offline may leave its directory behind in a captured tree.
    let online = numa.online.as_ref().filter(|online| !online.is_empty());
    let online = online.cloned().unwrap_or_else(|| present.clone());
    let nodes = present.intersection(&online);
    numa.nodes = nodes.iter().map(|id| node(survey, id, &online)).collect();
    if let Some(online) = online_cpus(survey) {
        for node in &mut numa.nodes {
            // Older kernels also count CPUs that are offline.
            node.cpus = node.cpus.intersection(&online);
        }
    }
    numa
}

/// The N of `nodeN`.
pub(super) fn node_number(name: &str) -> Option<u32> {
    parse::decimal(name.strip_prefix("node")?).ok()
}

fn node(survey: &Survey<'_>, id: u32, online: &IdSet) -> Node {
    let directory = format!("{NODES}/node{id}");
    let memory = memory(survey, &format!("{directory}/meminfo"));
    Node {
        id,
        cpus: cpus(survey, &directory),
        memory_total_bytes: memory.total,
        distances: distances(survey, &format!("{directory}/distance"), online),
        access: access::classes(survey, &directory),
        memory_side_caches: access::memory_side_caches(survey, &directory),
        now: NodeNow {
            memory_free_bytes: memory.free,
        },
        ..Node::default()
    }
}

/// The CPUs that are online; kernels before 2.6.26 only tell it CPU by CPU, and nothing of those that cannot go
/// offline. `None` when the tree knows no CPU.
fn online_cpus(survey: &Survey<'_>) -> Option<IdSet> {
    let all = survey.value(&format!("{CPUS}/online"), parse::list);
    all.or_else(|| {
        let online = |id: &u32| {
            let switch = survey.value(&format!("{CPUS}/cpu{id}/online"), parse::switch);
            switch != Some(false)
        };
        let cpus = survey.numbered(CPUS, "cpu").into_iter();
        let cpus: IdSet = cpus.filter(online).collect();
        (!cpus.is_empty()).then_some(cpus)
    })
}

/// What stands in for nodes when the kernel has none: one with every online CPU and all memory. `None` when
/// the tree knows neither.
fn made_up(survey: &Survey<'_>) -> Option<Node> {
    let mut node = Node {
        cpus: online_cpus(survey).unwrap_or_default(),
        made_up: true,
        ..Node::default()
    };
    let memory = memory(survey, &meminfo(&node));
    node.memory_total_bytes = memory.total;
    node.now.memory_free_bytes = memory.free;
    (!node.cpus.is_empty() || memory.total.is_some()).then_some(node)
}

/// The file with a node's memory.
pub(super) fn meminfo(node: &Node) -> String {
    if node.made_up {
        "proc/meminfo".to_owned()
    } else {
        format!("{NODES}/node{}/meminfo", node.id)
    }
}

/// Memory as both meminfo files tell it; a node's has its name in front of each key.
///
/// ```text
/// MemTotal:        2053992 kB
/// Node 0 MemTotal:       32542668 kB
/// ```
pub(super) fn memory(survey: &Survey<'_>, path: &str) -> Memory {
    let text = survey.raw(path).unwrap_or_default();
    let field = |name: &str| {
        let mut pairs = parse::key_values(&text);
        let (_, value) = pairs.find(|(key, _)| key.split(' ').next_back() == Some(name))?;
        survey.parsed(path, value, parse::size)
    };
    Memory {
        total: field("MemTotal"),
        free: field("MemFree"),
    }
}

/// `cpulist`, which is as old as Linux 2.6.26; before, and where it cannot be read, `cpumap`.
fn cpus(survey: &Survey<'_>, directory: &str) -> IdSet {
    survey
        .value(&format!("{directory}/cpulist"), parse::list)
        .or_else(|| survey.value(&format!("{directory}/cpumap"), parse::bitmap))
        .unwrap_or_default()
}

/// One number for each online node, lowest node first.
///
/// ```text
/// 10 21 11 21
/// ```
fn distances(survey: &Survey<'_>, path: &str, online: &IdSet) -> BTreeMap<u32, u32> {
    let Some(text) = survey.text(path) else {
        return BTreeMap::new();
    };
    let numbers: parse::Parsed<Vec<u32>> = text.split_whitespace().map(parse::decimal).collect();
    match numbers {
        Ok(numbers) if numbers.len() == online.len() => online.iter().zip(numbers).collect(),
        _ => {
            let expected = "a distance for each online node";
            survey.report(Error::malformed(&format!("/{path}"), expected, &text));
            BTreeMap::new()
        }
    }
}
