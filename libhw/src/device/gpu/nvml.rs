//! What NVIDIA's management library (NVML) tells of a device: asked in a deep look by a program of its own,
//! `gnomon-nvml`, since the library hangs with the driver and no static program can load it.
//!
//! The names of functions and constants are those of NVIDIA's `nvml.h`. What the library refuses is told apart in
//! [`Nvml::unavailable`] and, where it ought to have answered, in a problem.

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Hertz};

use super::ThrottleReason;

mod answer;
mod link;
mod memory;
mod refusal;
mod row;

pub(super) use answer::fill;
pub use answer::{NvmlDevice, NvmlLine};
pub use link::{NvLink, NvLinkEnd, NvLinkNow, NvmlPath, NvmlPeer};
pub use memory::{MigInstance, NvmlEccCount, NvmlMemoryNow, NvmlRemappedRows, NvmlRetiredPages};
pub use refusal::{NvmlError, NvmlRefusal};

/// NVIDIA's management library.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmlLibrary {
    /// `nvmlSystemGetDriverVersion`: `550.54.15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_version: Option<String>,
    /// `nvmlSystemGetNVMLVersion`: `12.550.54.15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvml_version: Option<String>,
    /// `nvmlSystemGetCudaDriverVersion_v2`: the latest CUDA that the driver runs, `12.4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuda_version: Option<String>,
    /// What it refused to tell of itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<NvmlRefusal>,
}

/// What the library tells of one device, in its own terms. What every maker's devices have in common stands in the
/// adapter's own row as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Nvml {
    /// Whether the device answers.
    pub state: NvmlState,
    /// `nvmlDeviceGetBoardPartNumber`: `699-2G520-0200-000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board_part_number: Option<String>,
    /// `nvmlDeviceGetArchitecture`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<NvmlArchitecture>,
    /// `nvmlDeviceGetCudaComputeCapability`: `9.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_capability: Option<String>,
    /// `nvmlDeviceGetNumGpuCores`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// `nvmlDeviceGetInforomImageVersion`: the version of the board's configuration as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inforom_image: Option<String>,
    /// `nvmlDeviceGetInforomVersion` of its ECC object; one that is missing or damaged has no counters to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inforom_ecc: Option<String>,
    /// `nvmlDeviceGetInforomVersion` of its power object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inforom_power: Option<String>,
    /// `nvmlDeviceGetMemoryInfo_v2`, `total`: with what the driver keeps for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<Bytes>,
    /// `nvmlDeviceGetMemoryInfo_v2`, `reserved`: what the driver and the firmware keep for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reserved_bytes: Option<Bytes>,
    /// `nvmlDeviceGetMemoryBusWidth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bus_width_bits: Option<u32>,
    /// `nvmlDeviceGetBAR1MemoryInfo`: the window through which others reach the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar1_bytes: Option<Bytes>,
    /// `nvmlDeviceGetEccMode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecc: Option<NvmlMode>,
    /// `nvmlDeviceGetMigMode`: whether it is cut into instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mig: Option<NvmlMode>,
    /// `nvmlDeviceGetPersistenceMode`: whether the driver keeps it awake without a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<bool>,
    /// `nvmlDeviceGetComputeMode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_mode: Option<NvmlComputeMode>,
    /// What it may draw.
    #[serde(default)]
    pub power: NvmlPower,
    /// How hot it may be.
    #[serde(default)]
    pub temperature: NvmlTemperature,
    /// `nvmlDeviceGetMaxClockInfo`.
    #[serde(default)]
    pub clocks_max: NvmlClocks,
    /// `nvmlDeviceGetMaxPcieLinkGeneration` and `…Width`: the most that it and its slot agree on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_max: Option<NvmlLink>,
    /// Its instances, while it is cut into some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<MigInstance>,
    /// Its NVLinks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nvlinks: Vec<NvLink>,
    /// How it reaches the other devices: its row of the topology matrix.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<NvmlPeer>,
    /// What the library did not tell, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<NvmlRefusal>,
    /// What changes without an event, as it was in the last deep look.
    #[serde(default)]
    pub now: NvmlNow,
}

/// Whether a device answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NvmlState {
    /// It does.
    #[default]
    Answers,
    /// `NVML_ERROR_GPU_IS_LOST`: it fell off the bus, or cannot be reached otherwise.
    Lost,
    /// `NVML_ERROR_RESET_REQUIRED`: it must be reset before it can be used again.
    ResetRequired,
    /// A state that a newer version wrote.
    #[serde(other)]
    Unknown,
}

/// A mode that takes effect at the next reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmlMode {
    /// Whether it is in effect.
    pub current: bool,
    /// Whether it will be after the next reset.
    pub pending: bool,
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// The library's number for what this version does not know.
            #[serde(untagged)]
            Other(u32),
        }

        impl From<u32> for $name {
            fn from(number: u32) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    other => Self::Other(other),
                }
            }
        }
    };
}
use numbered;

numbered! {
    /// A generation of devices (`NVML_DEVICE_ARCH_*`).
    NvmlArchitecture {
        /// Kepler.
        Kepler = 2,
        /// Maxwell.
        Maxwell = 3,
        /// Pascal.
        Pascal = 4,
        /// Volta.
        Volta = 5,
        /// Turing.
        Turing = 6,
        /// Ampere.
        Ampere = 7,
        /// Ada.
        Ada = 8,
        /// Hopper.
        Hopper = 9,
        /// Blackwell.
        Blackwell = 10,
        /// Rubin.
        Rubin = 13,
    }
}

numbered! {
    /// Who may compute on a device (`nvmlComputeMode_t`).
    NvmlComputeMode {
        /// Many contexts at a time.
        Default = 0,
        /// One context, of one thread; of old drivers.
        ExclusiveThread = 1,
        /// None.
        Prohibited = 2,
        /// One context, of one process.
        ExclusiveProcess = 3,
    }
}

/// What a device may draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmlPower {
    /// `nvmlDeviceGetEnforcedPowerLimit`: the least of all limits, which holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforced_milliwatts: Option<u32>,
    /// `nvmlDeviceGetPowerManagementLimit`: what somebody set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_milliwatts: Option<u32>,
    /// `nvmlDeviceGetPowerManagementDefaultLimit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_milliwatts: Option<u32>,
    /// `nvmlDeviceGetPowerManagementLimitConstraints`: the least that can be set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_milliwatts: Option<u32>,
    /// `nvmlDeviceGetPowerManagementLimitConstraints`: the most that can be set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_milliwatts: Option<u32>,
}

/// How hot a device may be (`nvmlDeviceGetTemperatureThreshold`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmlTemperature {
    /// At it the device switches itself off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown_celsius: Option<u32>,
    /// At it the hardware slows down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowdown_celsius: Option<u32>,
    /// Of the memory: at it the driver slows the device down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_max_celsius: Option<u32>,
    /// At it the device may run below its base clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_celsius: Option<u32>,
}

/// Clocks of a device (`nvmlClockType_t`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmlClocks {
    /// Of the graphics engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graphics_hz: Option<Hertz>,
    /// Of the multiprocessors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sm_hz: Option<Hertz>,
    /// Of the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_hz: Option<Hertz>,
    /// Of the video engines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_hz: Option<Hertz>,
}

/// A PCI Express link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmlLink {
    /// Its generation: 5 is 32 GT/s a lane.
    pub generation: u32,
    /// Its lanes.
    pub width: u32,
}

/// A fan (`nvmlDeviceGetFanSpeed_v2`, `nvmlDeviceGetFanSpeedRPM`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmlFan {
    /// Its number in the device.
    pub id: u32,
    /// How fast it is meant to run, in percent of its most; more than 100 is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_percent: Option<u32>,
    /// How fast it is meant to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_rpm: Option<u32>,
}

/// What changes in a device without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmlNow {
    /// `nvmlDeviceGetPerformanceState`: 0 is the fastest, 15 the slowest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_state: Option<u32>,
    /// `nvmlDeviceGetCurrentClocksEventReasons`: why it runs slower than it could; empty where nothing holds it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Vec<ThrottleReason>>,
    /// `nvmlDeviceGetClockInfo`.
    pub clocks: NvmlClocks,
    /// `nvmlDeviceGetTemperature`: the die.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<u32>,
    /// `NVML_FI_DEV_MEMORY_TEMP`: the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_temperature_celsius: Option<u32>,
    /// `nvmlDeviceGetPowerUsage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_milliwatts: Option<u32>,
    /// `nvmlDeviceGetTotalEnergyConsumption`: since the driver was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_millijoules: Option<u64>,
    /// `nvmlDeviceGetUtilizationRates`: how much of the last sampling period something computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_percent: Option<u32>,
    /// `nvmlDeviceGetUtilizationRates`: how much of it something read or wrote its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_percent: Option<u32>,
    /// `nvmlDeviceGetEncoderUtilization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder_percent: Option<u32>,
    /// `nvmlDeviceGetDecoderUtilization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_percent: Option<u32>,
    /// Its fans; data-centre boards have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fans: Vec<NvmlFan>,
    /// `nvmlDeviceGetCurrPcieLinkGeneration` and `…Width`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<NvmlLink>,
    /// `nvmlDeviceGetPcieReplayCounter`: packets that were sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_replays: Option<u32>,
    /// How its memory fares.
    pub memory: NvmlMemoryNow,
}

#[cfg(test)]
mod tests;
