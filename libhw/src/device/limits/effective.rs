//! What is left of the machine when all limits on the way to the root are taken together.

use super::{Bound, Cgroup, Effective, HugetlbBound, Process};
use crate::idset::IdSet;
use crate::units::Bytes;

pub(super) fn of(groups: &[Cgroup], process: &Process) -> Effective {
    let cpuset = |set: fn(&Cgroup) -> &Option<IdSet>| {
        groups
            .iter()
            .find_map(|group| set(group).as_ref())
            .filter(|set| !set.is_empty())
    };
    let within = |own: &Option<IdSet>, set: Option<&IdSet>| match (own, set) {
        (Some(own), Some(set)) => Some(own.intersection(set))
            .filter(|both| !both.is_empty())
            .or_else(|| Some(own.clone())),
        (Some(own), None) => Some(own.clone()),
        (None, set) => set.cloned(),
    };
    let had =
        cpuset(|group| &group.cpuset.cpus_effective).or_else(|| cpuset(|group| &group.cpuset.cpus));
    let cpus = within(&process.cpus, had);
    let had = cpuset(|group| &group.cpuset.nodes_effective)
        .or_else(|| cpuset(|group| &group.cpuset.nodes));
    let nodes = within(&process.nodes, had);
    let cpu = least(groups, |group| group.cpu.limit_millicpus);
    let bytes =
        |of: fn(&Cgroup) -> Option<Bytes>| least(groups, |group| of(group).map(|bytes| bytes.0));
    let online = cpus
        .as_ref()
        .and_then(|cpus| u64::try_from(cpus.len()).ok()?.checked_mul(1000));
    let quota = cpu.as_ref().map(|bound| bound.limit);
    Effective {
        usable_millicpus: [online, quota].into_iter().flatten().min(),
        cpu,
        cpus,
        nodes,
        memory: bytes(|group| group.memory.max_bytes),
        memory_high: bytes(|group| group.memory.high_bytes),
        swap: bytes(|group| group.memory.swap_max_bytes),
        pids: least(groups, |group| group.pids_max),
        hugetlb: hugetlb(groups),
    }
}

/// The smallest; the groups come nearest first, so of several alike the nearest.
fn least(groups: &[Cgroup], limit: impl Fn(&Cgroup) -> Option<u64>) -> Option<Bound> {
    let bounds = groups
        .iter()
        .filter_map(|group| Some((limit(group)?, &group.id)));
    let (limit, cgroup) = bounds.min_by_key(|(limit, _)| *limit)?;
    Some(Bound {
        limit,
        cgroup: cgroup.clone(),
    })
}

fn hugetlb(groups: &[Cgroup]) -> Vec<HugetlbBound> {
    let mut sizes: Vec<Bytes> = groups
        .iter()
        .flat_map(|group| &group.hugetlb)
        .map(|limit| limit.size_bytes)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let bound = |size_bytes: Bytes| {
        let of_size = |group: &Cgroup| {
            let limit = group
                .hugetlb
                .iter()
                .find(|limit| limit.size_bytes == size_bytes)?;
            Some(limit.max_bytes?.0)
        };
        Some(HugetlbBound {
            size_bytes,
            bound: least(groups, of_size)?,
        })
    };
    sizes.into_iter().filter_map(bound).collect()
}
