//! The memory interfaces of Intel cards; those of AMD's stand with XRT.

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::parse;

/// A memory interface of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Memory {
    /// Its card and its number or name: `region0/memory0`.
    pub id: String,
    /// Its card.
    pub card: String,
    /// What changes without an event.
    #[serde(default)]
    pub now: MemoryNow,
}

/// What changes in a memory interface without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryNow {
    /// `infN_init_done` (`Documentation/ABI/testing/sysfs-bus-dfl-devices-emif`), `emif_mgmt/complete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibrated: Option<bool>,
    /// `infN_cal_fail`, `emif_mgmt/calibration_failure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<bool>,
    /// `ecc_ce_cnt` of XRT: corrected errors. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
    /// `ecc_ue_cnt` of XRT: errors that could not be corrected. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u64>,
}

/// More interfaces than any card has.
const MEMORIES_MAX: u32 = 16;

/// Those of a management engine by the older driver: two sets of bits, one for each interface.
pub(super) fn of_engine(card: &str, engine: &Directory<'_>) -> Vec<Memory> {
    let Some(directory) = engine.below("emif_mgmt") else {
        return Vec::new();
    };
    let complete = directory.value("complete", parse::hex).unwrap_or(0);
    let failed = directory
        .value("calibration_failure", parse::hex)
        .unwrap_or(0);
    let is_set = |bits: u64, number: u32| bits >> number & 1 == 1;
    let there = (0..MEMORIES_MAX).filter(|number| is_set(complete | failed, *number));
    there
        .map(|number| {
            let now = MemoryNow {
                calibrated: Some(is_set(complete, number)),
                failed: Some(is_set(failed, number)),
                ..MemoryNow::default()
            };
            memory(card, &format!("memory{number}"), now)
        })
        .collect()
}

/// Those of a feature by the kernel's driver: `inf0_init_done`, `inf0_cal_fail`, ...
pub(super) fn of_feature(card: &str, feature: &Directory<'_>) -> Vec<Memory> {
    let number = |name: &str| -> Option<u32> {
        let number = name.strip_prefix("inf")?.strip_suffix("_init_done")?;
        parse::decimal(number).ok()
    };
    let mut numbers: Vec<u32> = feature.names().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let read = |number: &u32| {
        let now = MemoryNow {
            calibrated: feature.value(&format!("inf{number}_init_done"), parse::switch),
            failed: feature.value(&format!("inf{number}_cal_fail"), parse::switch),
            ..MemoryNow::default()
        };
        memory(card, &format!("{}/memory{number}", feature.name()), now)
    };
    numbers.iter().map(read).collect()
}

pub(super) fn memory(card: &str, name: &str, now: MemoryNow) -> Memory {
    Memory {
        id: format!("{card}/{name}"),
        card: card.to_owned(),
        now,
    }
}
