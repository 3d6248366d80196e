//! How often cores and packages were slowed down for heat (x86),
//! `Documentation/ABI/testing/sysfs-devices-system-cpu` (`thermal_throttle`).
//!
//! Each CPU of a package tells the package's counters, and each thread of a core the core's, so one of each is asked. A package's
//! are always read; of cores there may be a hundred, so theirs are read where asked to look closely.

use serde::{Deserialize, Serialize};

use super::{Group, of_cpu};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// The counters of a core or a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Throttle {
    /// `package0`, `core12`: what is slowed down, with its `id`.
    pub id: String,
    /// The package, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<u32>,
    /// The core, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ThrottleNow,
    /// The CPU that tells them: its lowest.
    pub cpu: u32,
}

/// How often and how long, since the kernel was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ThrottleNow {
    /// `*_throttle_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// `*_throttle_max_time_ms`: the longest (Linux 5.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_ms: Option<u64>,
    /// `*_throttle_total_time_ms` (Linux 5.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<u64>,
}

const DIRECTORY: &str = "thermal_throttle";

/// Reads the counters, packages first; none where the processor doesn't count.
pub(super) fn discover(
    survey: &Survey<'_>,
    online: &IdSet,
    packages: &[Group],
    cores: &[Group],
) -> Vec<Throttle> {
    // All CPUs have them or none has.
    let Some(first) = online.first() else {
        return Vec::new();
    };
    if survey.names(&of_cpu(first, DIRECTORY)).is_empty() {
        return Vec::new();
    }
    let rows = |groups: &[Group], word: &str| {
        let row = |group: &Group| {
            let id = Some(group.id);
            let mut row = Throttle {
                id: format!("{word}{}", group.id),
                package: id.filter(|_| word == "package"),
                core: id.filter(|_| word == "core"),
                cpu: group.cpus.first()?,
                now: ThrottleNow::default(),
            };
            row.now = now(survey, &row);
            // A package may have the counters of its cores alone.
            (row.now != ThrottleNow::default()).then_some(row)
        };
        groups.iter().filter_map(row).collect::<Vec<_>>()
    };
    let mut all = rows(packages, "package");
    if survey.deep() {
        all.extend(rows(cores, "core"));
    }
    all
}

/// Reads the counters again.
pub(super) fn refresh(rows: &mut [Throttle], survey: &Survey<'_>) {
    for row in rows {
        row.now = now(survey, row);
    }
}

fn now(survey: &Survey<'_>, row: &Throttle) -> ThrottleNow {
    let word = if row.package.is_some() {
        "package"
    } else {
        "core"
    };
    let value = |name: &str| {
        let path = of_cpu(row.cpu, format_args!("{DIRECTORY}/{word}_throttle_{name}"));
        survey.value(&path, parse::decimal)
    };
    ThrottleNow {
        count: value("count"),
        longest_ms: value("max_time_ms"),
        total_ms: value("total_time_ms"),
    }
}
