//! The kernel's detectors of CPUs that no longer schedule (soft) or take interrupts (hard).

use serde::{Deserialize, Serialize};

use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// `Documentation/admin-guide/lockup-watchdogs.rst`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LockupDetector {
    /// `/proc/sys/kernel/soft_watchdog`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft: Option<bool>,
    /// `/proc/sys/kernel/nmi_watchdog`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard: Option<bool>,
    /// `/proc/sys/kernel/watchdog_thresh`: after so long it is a hard lockup, after twice that a soft one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_seconds: Option<u32>,
    /// `/proc/sys/kernel/watchdog_cpumask`: the CPUs that are watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<IdSet>,
}

const SETTINGS: &str = "proc/sys/kernel";

pub(super) fn discover(survey: &Survey<'_>) -> Option<LockupDetector> {
    let path = |name: &str| format!("{SETTINGS}/{name}");
    // A kernel without detectors has none of these.
    let threshold = survey.value(&path("watchdog_thresh"), parse::decimal)?;
    Some(LockupDetector {
        soft: survey.value(&path("soft_watchdog"), parse::switch),
        hard: survey.value(&path("nmi_watchdog"), parse::switch),
        threshold_seconds: Some(threshold),
        cpus: survey.value(&path("watchdog_cpumask"), parse::list),
    })
}
