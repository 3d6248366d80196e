//! Huge-page pools of every size, for the host and for each node, and transparent huge pages.
//!
//! From /sys/kernel/mm/hugepages, /sys/devices/system/node/nodeN/hugepages and
//! `Documentation/admin-guide/mm/hugetlbpage.rst`, `transhuge.rst`.

mod mount;
mod pool;

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// Huge pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Hugepages {
    /// The pools, the host's before the nodes', each by size.
    pub pools: Vec<Pool>,
    /// Transparent huge pages, where the kernel has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transparent: Option<Transparent>,
    /// The mounted hugetlbfs file systems, by path.
    pub mounts: Vec<Mount>,
    /// The size that `MAP_HUGETLB` takes when none is named, `Hugepagesize` of /proc/meminfo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_size_bytes: Option<Bytes>,
}

/// The huge pages of one size, of the whole host or of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pool {
    /// `2048kB` for the host's pool, `node0/2048kB` for a node's: the kernel's names.
    pub id: String,
    /// The node; none is the whole host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// The size of one page.
    pub size_bytes: Bytes,
    /// `nr_hugepages`: pages in the pool, surplus ones counted in. Read again by [`refresh`]: it changes when
    /// somebody resizes the pool, which is worth telling, so it stands here and not in `now`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// `nr_overcommit_hugepages`: how many surplus pages may be made (host only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overcommit: Option<u64>,
    /// What changes without an event.
    #[serde(default)]
    pub now: PoolNow,
}

/// What changes in a pool without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PoolNow {
    /// `free_hugepages`: pages that are not mapped, reserved ones counted in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
    /// `resv_hugepages`: free pages that are promised to a mapping (host only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<u64>,
    /// `surplus_hugepages`: pages above the pool's set size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surplus: Option<u64>,
}

/// Transparent huge pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Transparent {
    /// `enabled`: `always`, `madvise` or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<String>,
    /// `defrag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defrag: Option<String>,
    /// `shmem_enabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shmem_enabled: Option<String>,
    /// `hpage_pmd_size`: the size of the largest such page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `hugepages-*kB`: every size (mTHP, Linux 6.8), by size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<TransparentSize>,
}

/// One size of transparent huge pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TransparentSize {
    /// The size of one page.
    pub size_bytes: Bytes,
    /// `enabled`: `always`, `inherit`, `madvise` or `never`; none when it is for shared memory only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<String>,
    /// `shmem_enabled`: the same for shared memory, and `within_size`, `advise` (Linux 6.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shmem_enabled: Option<String>,
}

/// A mounted hugetlbfs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mount {
    /// Where it is mounted.
    pub id: String,
    /// Option `pagesize`; none is the default size (old kernels never print it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size_bytes: Option<Bytes>,
    /// Option `size`: the most that it may take; a percentage of the pool stays text in `options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// Option `min_size`: what it reserves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size_bytes: Option<Bytes>,
    /// All mount options.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub options: String,
}

const TRANSPARENT: &str = "sys/kernel/mm/transparent_hugepage";

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Hugepages {
    let meminfo = pool::Meminfo::read(survey, None);
    Hugepages {
        pools: pool::discover(survey, &meminfo),
        transparent: transparent(survey),
        mounts: mount::discover(survey),
        default_size_bytes: meminfo.default_size(survey),
    }
}

/// Reads again what changes without an event: the numbers of pages.
pub fn refresh(hugepages: &mut Hugepages, survey: &Survey<'_>) {
    for pool in &mut hugepages.pools {
        pool::refresh(pool, survey);
    }
}

fn transparent(survey: &Survey<'_>) -> Option<Transparent> {
    let names = survey.names(TRANSPARENT);
    if names.is_empty() {
        return None;
    }
    let chosen = |name: &str| survey.value(&format!("{TRANSPARENT}/{name}"), parse::chosen);
    let mut sizes: Vec<TransparentSize> = names
        .iter()
        .filter_map(|name| {
            Some(TransparentSize {
                size_bytes: size_of(name)?,
                enabled: chosen(&format!("{name}/enabled")),
                shmem_enabled: chosen(&format!("{name}/shmem_enabled")),
            })
        })
        .collect();
    sizes.sort_by_key(|size| size.size_bytes);
    let largest = survey.value(&format!("{TRANSPARENT}/hpage_pmd_size"), parse::decimal);
    Some(Transparent {
        enabled: chosen("enabled"),
        defrag: chosen("defrag"),
        shmem_enabled: chosen("shmem_enabled"),
        size_bytes: largest.map(Bytes),
        sizes,
    })
}

/// The size in a directory's name.
///
/// ```text
/// hugepages-2048kB
/// ```
fn size_of(name: &str) -> Option<Bytes> {
    parse::size(name.strip_prefix("hugepages-")?).ok()
}

#[cfg(test)]
mod tests;
