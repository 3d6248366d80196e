//! Pages that the kernel took out of use since their memory failed (`Documentation/ABI/stable/sysfs-devices-node`,
//! `Documentation/admin-guide/sysctl/vm.rst`).

use serde::{Deserialize, Serialize};

use super::listed;
use crate::parse;
use crate::survey::Survey;

/// The pages of a node that failed (`nodeN/memory_failure`, Linux 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryFailure {
    /// The node.
    pub id: u32,
    /// What changes without an event.
    #[serde(default)]
    pub now: MemoryFailureNow,
}

/// How many pages failed, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryFailureNow {
    /// `total`: poisoned pages that were handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// `recovered`: nothing was lost that anybody needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<u64>,
    /// `ignored`: the kernel cannot deal with such pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<u64>,
    /// `failed`: the kernel tried and could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// `delayed`: it is dealt with when the page is touched next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delayed: Option<u64>,
}

/// What the kernel does about a page that fails (`/proc/sys/vm`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryFailurePolicy {
    /// `memory_failure_recovery`: it goes on; else it panics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<bool>,
    /// `memory_failure_early_kill`: it kills who has the page at once; else when the page is touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_kill: Option<bool>,
    /// `enable_soft_offline`: it takes pages with many corrected errors out of use (Linux 6.11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_offline: Option<bool>,
}

const NODES: &str = "sys/devices/system/node";
const SETTINGS: &str = "proc/sys/vm";

pub(super) fn discover(survey: &Survey<'_>) -> Vec<MemoryFailure> {
    let of = |id: u32| {
        let now = counted(survey, id);
        (now != MemoryFailureNow::default()).then_some(MemoryFailure { id, now })
    };
    let nodes = survey.numbered(NODES, "node").into_iter();
    nodes.filter_map(of).collect()
}

pub(super) fn refresh(failures: &mut MemoryFailure, survey: &Survey<'_>) {
    failures.now = counted(survey, failures.id);
}

fn counted(survey: &Survey<'_>, node: u32) -> MemoryFailureNow {
    let directory = format!("{NODES}/node{node}/memory_failure");
    let names = survey.names(&directory);
    let count = |name: &str| listed(survey, (&directory, &names), name, parse::decimal);
    MemoryFailureNow {
        total: count("total"),
        recovered: count("recovered"),
        ignored: count("ignored"),
        failed: count("failed"),
        delayed: count("delayed"),
    }
}

/// None where the kernel was built without memory failure handling.
pub(super) fn policy(survey: &Survey<'_>) -> Option<MemoryFailurePolicy> {
    let switch = |name: &str| survey.value(&format!("{SETTINGS}/{name}"), parse::switch);
    let recovery = switch("memory_failure_recovery")?;
    Some(MemoryFailurePolicy {
        recovery: Some(recovery),
        early_kill: switch("memory_failure_early_kill"),
        soft_offline: switch("enable_soft_offline"),
    })
}
