//! Pools, from sysfs, and on kernels before 2.6.32 the one of the default size from meminfo.

use super::{Pool, PoolNow, size_of};
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

const HOST: &str = "sys/kernel/mm/hugepages";
const NODES: &str = "sys/devices/system/node";
const OVERCOMMIT: &str = "proc/sys/vm/nr_overcommit_hugepages";

/// The host's pools and the nodes', each by size.
pub(super) fn discover(survey: &Survey<'_>, host: &Meminfo) -> Vec<Pool> {
    let mut pools = in_directory(survey, None);
    let old = pools.is_empty();
    let default_size = host.default_size(survey);
    if old {
        pools.extend(default_size.and_then(|size| host.pool(survey, None, size)));
    }
    for node in survey.numbered(NODES, "node") {
        let own = in_directory(survey, Some(node));
        if own.is_empty() && old {
            let of_meminfo =
                |size| Meminfo::read(survey, Some(node)).pool(survey, Some(node), size);
            pools.extend(default_size.and_then(of_meminfo));
        }
        pools.extend(own);
    }
    pools
}

/// Reads a pool's numbers again, from where they were read before.
pub(super) fn refresh(pool: &mut Pool, survey: &Survey<'_>) {
    let (node, size) = (pool.node, pool.size_bytes);
    let anew = from_sysfs(survey, node, size);
    let anew = if anew.total.is_none() && anew.now == PoolNow::default() {
        let of_meminfo = Meminfo::read(survey, node).pool(survey, node, size);
        of_meminfo.unwrap_or(anew)
    } else {
        anew
    };
    pool.total = anew.total;
    pool.overcommit = anew.overcommit;
    pool.now = anew.now;
}

fn in_directory(survey: &Survey<'_>, node: Option<u32>) -> Vec<Pool> {
    let names = survey.names(&directory(node));
    let mut sizes: Vec<Bytes> = names.iter().filter_map(|name| size_of(name)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let pool = |size| from_sysfs(survey, node, size);
    sizes.into_iter().map(pool).collect()
}

/// A pool with its numbers; a node has no `resv_hugepages` and no `nr_overcommit_hugepages`.
fn from_sysfs(survey: &Survey<'_>, node: Option<u32>, size: Bytes) -> Pool {
    let directory = format!("{}/hugepages-{}kB", directory(node), size.0 / 1024);
    let count = |name: &str| survey.value(&format!("{directory}/{name}"), parse::decimal::<u64>);
    let of_host = |name: &str| node.is_none().then(|| count(name))?;
    Pool {
        total: count("nr_hugepages"),
        overcommit: of_host("nr_overcommit_hugepages"),
        now: PoolNow {
            free: count("free_hugepages"),
            reserved: of_host("resv_hugepages"),
            surplus: count("surplus_hugepages"),
        },
        ..empty(node, size)
    }
}

fn empty(node: Option<u32>, size: Bytes) -> Pool {
    let name = format!("{}kB", size.0 / 1024);
    Pool {
        id: match node {
            Some(node) => format!("node{node}/{name}"),
            None => name,
        },
        node,
        size_bytes: size,
        ..Pool::default()
    }
}

fn directory(node: Option<u32>) -> String {
    node.map_or_else(
        || HOST.to_owned(),
        |node| format!("{NODES}/node{node}/hugepages"),
    )
}

/// The text of /proc/meminfo, or of a node's `meminfo`, whose keys begin with the node's name.
///
/// ```text
/// HugePages_Total:      16
/// Node 0 HugePages_Free:      4
/// Hugepagesize:       2048 kB
/// ```
#[derive(Debug)]
pub(super) struct Meminfo {
    path: String,
    text: String,
}

impl Meminfo {
    pub(super) fn read(survey: &Survey<'_>, node: Option<u32>) -> Self {
        let path = node.map_or_else(
            || "proc/meminfo".to_owned(),
            |node| format!("{NODES}/node{node}/meminfo"),
        );
        let text = survey.raw(&path).unwrap_or_default();
        Self { path, text }
    }

    /// The size of the pool that meminfo counts.
    pub(super) fn default_size(&self, survey: &Survey<'_>) -> Option<Bytes> {
        self.field(survey, "Hugepagesize", parse::size)
    }

    /// The pool of the default size, where there is one.
    fn pool(&self, survey: &Survey<'_>, node: Option<u32>, size: Bytes) -> Option<Pool> {
        let count = |name: &str| self.field(survey, name, parse::decimal::<u64>);
        let total = count("HugePages_Total")?;
        let overcommit = || survey.value(OVERCOMMIT, parse::decimal);
        Some(Pool {
            total: Some(total),
            overcommit: node.is_none().then(overcommit).flatten(),
            now: PoolNow {
                free: count("HugePages_Free"),
                reserved: count("HugePages_Rsvd"),
                surplus: count("HugePages_Surp"),
            },
            ..empty(node, size)
        })
    }

    fn field<T>(
        &self,
        survey: &Survey<'_>,
        name: &str,
        parse: impl Fn(&str) -> parse::Parsed<T>,
    ) -> Option<T> {
        let mut pairs = parse::key_values(&self.text);
        let (_, value) = pairs.find(|(key, _)| key.split(' ').next_back() == Some(name))?;
        survey.parsed(&self.path, value, parse)
    }
}
