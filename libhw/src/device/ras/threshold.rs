//! AMD's thresholds: the counters in the banks of its machine-check architecture that raise an interrupt when they are full
//! (`arch/x86/kernel/cpu/mce/amd.c`).
//!
//! ```text
//! /sys/devices/system/machinecheck/machinecheck3/l2_cache/l2_cache/threshold_limit
//! ```
//!
//! A counter is read on its own CPU, which is interrupted for it, so this is only done in a deep look.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::machine_check::MACHINE_CHECK;
use crate::directory::Directory;
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// The counters of one kind of block, on all CPUs that have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdBlock {
    /// The kernel's names of the bank and of the block in it: `umc_0/dram_ecc`.
    pub id: String,
    /// The CPUs that have it.
    #[serde(default)]
    pub cpus: IdSet,
    /// `threshold_limit`: how many errors raise an interrupt; where CPUs differ, the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `interrupt_enable`: whether they do so on every CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<bool>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ThresholdBlockNow,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ThresholdBlockNow {
    /// `error_count`, by CPU, those that are not 0: errors since the counter was last full.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<u32, u32>,
}

/// More than any CPU has, so that a hostile tree ends.
const BANKS_MAX: usize = 128;

/// Every kind of block, by bank.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<ThresholdBlock> {
    if !survey.deep() {
        return Vec::new();
    }
    let mut all = BTreeMap::new();
    for cpu in survey.numbered(MACHINE_CHECK, "machinecheck") {
        let directory = Directory::list(survey, format!("{MACHINE_CHECK}/machinecheck{cpu}"));
        for bank in directory.all_below(is_bank).into_iter().take(BANKS_MAX) {
            for block in bank.all_below(|_| true).into_iter().take(BANKS_MAX) {
                add(cpu, &bank, &block, &mut all);
            }
        }
    }
    all.into_values().collect()
}

/// Reads the counters again where they were read before.
pub(super) fn refresh(thresholds: &mut [ThresholdBlock], survey: &Survey<'_>) {
    for threshold in thresholds {
        let mut errors = BTreeMap::new();
        for cpu in threshold.cpus.iter() {
            let place = format!("{MACHINE_CHECK}/machinecheck{cpu}/{}", threshold.id);
            let count = survey.value(&format!("{place}/error_count"), parse::decimal::<u32>);
            errors.extend(count.filter(|count| *count > 0).map(|count| (cpu, count)));
        }
        threshold.now.errors = errors;
    }
}

/// Settings stand beside the banks; those of an old kernel are files `bankN`.
fn is_bank(name: &str) -> bool {
    const OTHERS: [&str; 3] = ["power", "subsystem", "uevent"];
    let setting = name.ends_with("_interval")
        || name.ends_with("_ce")
        || name.ends_with("_disabled")
        || name.ends_with("_timeout")
        || name.ends_with("tolerant")
        || name.ends_with("trigger");
    let numbered = name
        .strip_prefix("bank")
        .is_some_and(|rest| rest.parse::<u32>().is_ok());
    !setting && !numbered && !OTHERS.contains(&name)
}

fn add(
    cpu: u32,
    bank: &Directory<'_>,
    block: &Directory<'_>,
    all: &mut BTreeMap<String, ThresholdBlock>,
) {
    if !block.has("error_count") && !block.has("threshold_limit") {
        return;
    }
    let id = format!("{}/{}", bank.name(), block.name());
    let threshold = all.entry(id.clone()).or_default();
    threshold.id = id;
    threshold.cpus.insert(cpu);
    let limit = block.value("threshold_limit", parse::decimal::<u32>);
    threshold.limit = [threshold.limit, limit].into_iter().flatten().min();
    let interrupt = block.value("interrupt_enable", parse::switch);
    threshold.interrupt = match (threshold.interrupt, interrupt) {
        (Some(before), Some(here)) => Some(before && here),
        (before, here) => before.or(here),
    };
    let count = block.value("error_count", parse::decimal::<u32>);
    let errors = &mut threshold.now.errors;
    errors.extend(count.filter(|count| *count > 0).map(|count| (cpu, count)));
}
