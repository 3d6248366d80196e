//! How a device's memory fares, and what it is cut into.

use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// How a device's memory fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmlMemoryNow {
    /// `nvmlDeviceGetMemoryInfo_v2`, `used`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<Bytes>,
    /// `nvmlDeviceGetMemoryInfo_v2`, `free`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<Bytes>,
    /// `nvmlDeviceGetBAR1MemoryInfo`, `bar1Used`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar1_used_bytes: Option<Bytes>,
    /// `nvmlDeviceGetBAR1MemoryInfo`, `bar1Free`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar1_free_bytes: Option<Bytes>,
    /// ECC errors by where they were met, and in `total` all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ecc: Vec<NvmlEccCount>,
    /// Pages that are not used any more: devices before Ampere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_pages: Option<NvmlRetiredPages>,
    /// Rows that others stand in for: Ampere and later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remapped_rows: Option<NvmlRemappedRows>,
}

/// ECC errors of one place (`nvmlDeviceGetMemoryErrorCounter`, `nvmlDeviceGetTotalEccErrors`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmlEccCount {
    /// The place: `l1_cache`, `l2_cache`, `dram`, `register_file`, `texture_memory`, `texture_shm`, `cbu`, `sram`; or
    /// `total`.
    pub id: String,
    /// Corrected since the driver was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_volatile: Option<u64>,
    /// Not corrected since the driver was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncorrected_volatile: Option<u64>,
    /// Corrected in the device's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_aggregate: Option<u64>,
    /// Not corrected in the device's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncorrected_aggregate: Option<u64>,
}

/// Pages that are not used any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmlRetiredPages {
    /// `nvmlDeviceGetRetiredPages`: for several corrected errors in one page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u32>,
    /// `nvmlDeviceGetRetiredPages`: for one that was not corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u32>,
    /// `nvmlDeviceGetRetiredPagesPendingStatus`: whether more are to go at the next reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
}

/// Rows that others stand in for (`nvmlDeviceGetRemappedRows`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmlRemappedRows {
    /// For corrected errors.
    pub corrected: u32,
    /// For errors that were not corrected.
    pub uncorrected: u32,
    /// More are to be remapped at the next reset.
    pub pending: bool,
    /// A row could not be remapped: the device is to be replaced.
    pub failed: bool,
    /// `nvmlDeviceGetRowRemapperHistogram`: banks with no spare row left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banks_exhausted: Option<u32>,
    /// `nvmlDeviceGetRowRemapperHistogram`: banks with all their spare rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banks_untouched: Option<u32>,
}

/// An instance of a device that is cut into some (MIG).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MigInstance {
    /// `nvmlDeviceGetUUID`: `MIG-…`.
    pub id: String,
    /// The last part of `nvmlDeviceGetName`: `1g.10gb`, `1c.3g.40gb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// `nvmlDeviceGetGpuInstanceId`: the share of memory that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_instance: Option<u32>,
    /// `nvmlDeviceGetComputeInstanceId`: its share of that one's multiprocessors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_instance: Option<u32>,
    /// `nvmlDeviceGetMemoryInfo`, `total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<Bytes>,
    /// `nvmlDeviceGetAttributes_v2`, `gpuInstanceSliceCount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<u32>,
    /// `nvmlDeviceGetAttributes_v2`, `multiprocessorCount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiprocessors: Option<u32>,
}
