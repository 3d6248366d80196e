//! What a device measures, counts and is limited to while it runs.

use serde::{Deserialize, Serialize};

use crate::units::Hertz;

use super::ThrottleReason;

/// A temperature; each limit where the driver has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TemperatureSensor {
    /// hwmon `tempN_label`, else `tempN`; or the name in amdgpu's `gpu_metrics`: `edge`, `junction`, `mem`,
    /// `vrsoc`, `pkg`, `vram_ch_0`.
    pub id: String,
    /// `tempN_input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_millicelsius: Option<i64>,
    /// `tempN_max`: above it the device slows down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_millicelsius: Option<i64>,
    /// `tempN_crit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_millicelsius: Option<i64>,
    /// `tempN_crit_hyst`: below it the critical state ends. amdgpu says absolute zero where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_hysteresis_millicelsius: Option<i64>,
    /// `tempN_emergency`: at it the device is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_millicelsius: Option<i64>,
}

/// A power that is measured or limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PowerSensor {
    /// hwmon `powerN_label` (or `energyN_label`), else `powerN`; or the name in amdgpu's `gpu_metrics`.
    pub id: String,
    /// `powerN_average`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_microwatts: Option<u64>,
    /// `powerN_input`: at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_microwatts: Option<u64>,
    /// `powerN_cap`: the limit that is set; of Intel the burst limit PL2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_microwatts: Option<u64>,
    /// `powerN_cap_default`: the limit that the board was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_default_microwatts: Option<u64>,
    /// `powerN_cap_min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_min_microwatts: Option<u64>,
    /// `powerN_cap_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_max_microwatts: Option<u64>,
    /// `powerN_max`: Intel's sustained limit PL1; 0 is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_microwatts: Option<u64>,
    /// `powerN_rated_max`: what Intel's board is rated for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rated_max_microwatts: Option<u64>,
    /// `powerN_crit`: Intel's peak limit I1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_microwatts: Option<u64>,
    /// `energyN_input` of the same N: used since the driver was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_microjoules: Option<u64>,
}

/// A fan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FanSensor {
    /// hwmon `fanN_label`, else `fanN`.
    pub id: String,
    /// `fanN_input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_rpm: Option<u64>,
    /// `fanN_min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_rpm: Option<u64>,
    /// `fanN_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rpm: Option<u64>,
    /// `fanN_target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_rpm: Option<u64>,
    /// `pwmN` of the same N: how hard it is driven, 0 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pwm: Option<u64>,
    /// `pwmN_min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pwm_min: Option<u64>,
    /// `pwmN_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pwm_max: Option<u64>,
    /// `pwmN_enable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<FanControl>,
}

/// Who drives a fan (`Documentation/hwmon/sysfs-interface.rst`, `pwmN_enable`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FanControl {
    /// Nobody: it runs at full speed.
    None,
    /// Somebody has set its speed.
    Manual,
    /// The device itself.
    Automatic,
}

/// A voltage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VoltageSensor {
    /// hwmon `inN_label`, else `inN`; or the name in amdgpu's `gpu_metrics`.
    pub id: String,
    /// `inN_input`.
    pub value_millivolts: i64,
}

/// A current that is measured or limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CurrentSensor {
    /// hwmon `currN_label`, else `currN`; or the name in amdgpu's `gpu_metrics`.
    pub id: String,
    /// `currN_input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_milliamperes: Option<i64>,
    /// `currN_crit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_milliamperes: Option<i64>,
}

/// A clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClockDomain {
    /// `sclk` (the shaders), `mclk` (the memory), `socclk`, ... of amdgpu's `pp_dpm_*` and hwmon's `freqN_label`;
    /// i915 and xe have theirs in `gts`.
    pub id: String,
    /// hwmon `freqN_input`, else `gpu_metrics`, else the level that is marked in `pp_dpm_*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_hz: Option<Hertz>,
    /// The levels of `pp_dpm_*` by number. Of a clock without steps the first is the least and the last the most,
    /// and one between them is what it runs at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels_hz: Vec<Hertz>,
    /// The numbers of the levels that are marked as in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active_levels: Vec<usize>,
}

/// How busy a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Busy {
    /// amdgpu `gpu_busy_percent`: its shaders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_percent: Option<u64>,
    /// amdgpu `mem_busy_percent`: its memory's controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_percent: Option<u64>,
    /// amdgpu `vcn_busy_percent`: its video engines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_percent: Option<u64>,
}

/// Errors of one part of a device, counted since the driver was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorCount {
    /// The part: of amdgpu that of `ras/*_err_count`: `umc` (the memory), `gfx`, `sdma`, `xgmi_wafl`, ...
    pub id: String,
    /// `ue`: not to be corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u64>,
    /// `ce`: corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
    /// `de`: found, and harmless until the data is used (poison).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred: Option<u64>,
}

/// Pages of a device's memory that are not to be used any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BadPages {
    /// Taken out of use.
    pub retired: u64,
    /// To be taken out of use, still in use: after a reset they are out.
    pub pending: u64,
    /// That could not be taken out of use.
    pub failed: u64,
}

/// How often a limit held the device back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThrottleResidency {
    /// The limit.
    pub id: ThrottleReason,
    /// A sum that only grows: its growth over that of [`super::AmdNow::accumulation_counter`] is the part of the time.
    pub count: u64,
}

/// What the device itself says of its PCI Express link; the kernel's side of it is the PCI function's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PcieCounters {
    /// Lanes in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// Transfers per second and lane, in millions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_mtps: Option<u64>,
    /// Packets that were sent again: amdgpu `pcie_replay_count`, `gpu_metrics`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replays: Option<u64>,
    /// Times that the count of replays began anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_rollovers: Option<u64>,
    /// Times that the link had to recover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recoveries: Option<u64>,
    /// Times that it refused a packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naks_sent: Option<u64>,
    /// Times that the other end refused a packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naks_received: Option<u64>,
}
