//! The kinds of cores of a hybrid processor.
//!
//! On x86 each kind has a PMU with its CPUs (`Documentation/ABI/testing/sysfs-bus-event_source-devices-...`,
//! `/sys/devices/cpu_core/cpus`). Arm and RISC-V tell each CPU's `cpu_capacity`
//! (`Documentation/ABI/testing/sysfs-devices-system-cpu`). A difference in frequency alone makes no kind:
//! cores of one design have favourites too.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Group, Kind, of_cpu};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// The PMUs of x86, fastest first, and the kind that each stands for.
const PMUS: [(&str, &str); 3] = [
    ("cpu_core", "performance"),
    ("cpu_atom", "efficiency"),
    ("cpu_lowpower", "low_power"),
];

/// The kinds, fastest first; none where all cores are alike.
pub(super) fn read(survey: &Survey<'_>, online: &IdSet, cores: &[Group]) -> Vec<Kind> {
    let mut kinds = by_pmu(survey, online);
    if kinds.is_empty() {
        kinds = by_capacity(survey, online, cores);
    }
    if kinds.len() > 1 { kinds } else { Vec::new() }
}

fn by_pmu(survey: &Survey<'_>, online: &IdSet) -> Vec<Kind> {
    let mut placed = IdSet::new();
    let mut kinds = Vec::new();
    for (pmu, name) in PMUS {
        let cpus = survey.value(&format!("sys/devices/{pmu}/cpus"), parse::list);
        let cpus = cpus
            .unwrap_or_default()
            .intersection(online)
            .difference(&placed);
        let Some(id) = cpus.first() else {
            continue;
        };
        placed = placed.union(&cpus);
        kinds.push(Kind {
            id,
            name: Some(name.to_owned()),
            capacity: None,
            cpus,
        });
    }
    kinds
}

/// All CPUs of a core have its capacity. A kernel that doesn't tell the first CPU's tells none.
fn by_capacity(survey: &Survey<'_>, online: &IdSet, cores: &[Group]) -> Vec<Kind> {
    let mut kinds: BTreeMap<Reverse<u32>, IdSet> = BTreeMap::new();
    let mut placed = IdSet::new();
    for cpu in online.iter() {
        if placed.contains(cpu) {
            continue;
        }
        let capacity = survey.value(&of_cpu(cpu, "cpu_capacity"), parse::decimal);
        if capacity.is_none() && placed.is_empty() {
            return Vec::new();
        }
        let core = cores.binary_search_by_key(&cpu, |core| core.id).ok();
        let core = core.and_then(|at| cores.get(at));
        let cpus = core.map_or_else(|| IdSet::from_iter([cpu]), |core| core.cpus.clone());
        placed = placed.union(&cpus);
        if let Some(capacity) = capacity {
            let kind = kinds.entry(Reverse(capacity)).or_default();
            *kind = kind.union(&cpus);
        }
    }
    let kind = |(Reverse(capacity), cpus): (Reverse<u32>, IdSet)| Kind {
        id: cpus.first().unwrap_or_default(),
        name: None,
        capacity: Some(capacity),
        cpus,
    };
    kinds.into_iter().map(kind).collect()
}
