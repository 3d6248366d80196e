//! Graphics and processing accelerators: what they are, what memory and firmware they have, how they fare.
//!
//! A row is a PCI function of base class 03h (display) or 12h (processing accelerator), with or without a driver,
//! or any other device that has a DRM or accel node: a platform GPU, a virtio-gpu. From /sys/bus/pci/devices,
//! /sys/class/drm, /sys/class/accel, and what each vendor's driver adds.
//!
//! What the driver knows by itself is always read. What it has to ask the device or its firmware for (sensors,
//! clocks, error counters) is read of a live machine only in a deep look, each file with a deadline, since that
//! wakes a device that sleeps and hangs with one that is stuck. A captured tree is asked for all of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::directory::Identity;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

use device::Device;
use nvml::{Nvml, NvmlLibrary};
use xid::Xid;

mod amd;
mod connector;
mod device;
mod find;
mod hwmon;
mod intel;
mod kfd;
mod nvidia;
pub mod nvml;
mod reading;
mod throttle;
pub mod xid;

pub use amd::{Amd, AmdNow, PcieLevel, Xgmi, XgmiLink};
pub use connector::{Connector, ConnectorStatus};
pub use intel::{Gt, GtNow, Intel, IntelNow, SchedulingProfile, Survivability, Tile};
pub use kfd::{ComputeLink, ComputeLinkKind, ComputeNode};
pub use nvidia::{Nvidia, NvidiaDriver};
pub use reading::{
    BadPages, Busy, ClockDomain, CurrentSensor, ErrorCount, FanControl, FanSensor, PcieCounters,
    PowerSensor, TemperatureSensor, ThrottleResidency, VoltageSensor,
};
pub use throttle::{ThrottleCause, ThrottleReason};

/// The accelerators of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Gpu {
    /// By PCI address; those that are no PCI function last. Virtual functions are left out unless asked for.
    pub adapters: Vec<Adapter>,
    /// AMD's compute nodes: a row for each device that computes, for each partition where one is cut into several,
    /// and for the CPUs that they are joined to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compute_nodes: Vec<ComputeNode>,
    /// What joins AMD's compute nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compute_links: Vec<ComputeLink>,
    /// NVIDIA's own driver, where it is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvidia_driver: Option<NvidiaDriver>,
    /// NVIDIA's management library, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvml: Option<NvmlLibrary>,
}

/// One accelerator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Adapter {
    /// The kernel's name of the device: a PCI address, else its name on its bus (`ff9a0000.gpu`), else its node's.
    pub id: String,
    /// The PCI function that it is, or hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub kind: AdapterKind,
    /// The makers that this class knows more of.
    #[serde(default)]
    pub vendor: AdapterVendor,
    /// `vendor` of a PCI function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<u16>,
    /// `device` of a PCI function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<u16>,
    /// `subsystem_vendor`: who made the board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_vendor_id: Option<u16>,
    /// `subsystem_device`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_device_id: Option<u16>,
    /// `OF_COMPATIBLE_N` in `uevent`: what the devicetree calls a platform device, the closest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compatible: Vec<String>,
    /// The name of the bound driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `numa_node`; absent where firmware does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// `boot_vga`: whether firmware showed its screen on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_display: Option<bool>,
    /// Its nodes below /sys/class/drm and /sys/class/accel: `card0`, `renderD128`, `accel0`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The product's name, where the driver tells it (amdgpu `product_name`, NVIDIA `Model`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The version of its video BIOS (amdgpu `vbios_version`, NVIDIA `Video BIOS`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vbios: Option<String>,
    /// The board's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// What tells this device from all others: amdgpu `unique_id`, NVIDIA's UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_id: Option<String>,
    /// The memory that it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<AdapterMemory>,
    /// The versions of its firmware, by part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firmware: Vec<FirmwarePart>,
    /// The plugs for screens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connectors: Vec<Connector>,
    /// Dumps that the driver left when the device failed, and that nobody has taken away yet
    /// (/sys/class/devcoredump): `devcd1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub core_dumps: Vec<String>,
    /// What amdgpu adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amd: Option<Amd>,
    /// What i915 and xe add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intel: Option<Intel>,
    /// What NVIDIA's driver adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nvidia: Option<Nvidia>,
    /// What NVIDIA's management library adds; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nvml: Option<Box<Nvml>>,
    /// What changes without an event.
    #[serde(default)]
    pub now: AdapterNow,
}

/// What an accelerator is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AdapterKind {
    /// PCI class 0300h, or 0301h: shows a picture from power-on; also what a BMC shows.
    Vga,
    /// PCI class 0302h: renders or computes, and has no screen of its own. Data-centre GPUs.
    ThreeD,
    /// PCI class 0380h: any other display controller.
    Display,
    /// PCI class 1200h, or any device with an accel node: computes, and draws nothing.
    Accelerator,
    /// No PCI function, with a DRM node: part of a system on a chip.
    Platform,
    /// Of a hypervisor or of the kernel itself: no hardware behind it (virtio-gpu, vkms).
    Virtual,
    /// A kind that a newer version wrote.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The makers whose drivers tell more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AdapterVendor {
    /// Advanced Micro Devices.
    Amd,
    /// Intel.
    Intel,
    /// NVIDIA.
    Nvidia,
    /// Any other.
    #[default]
    #[serde(other)]
    Other,
}

/// The memory of an accelerator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AdapterMemory {
    /// Its own: amdgpu `mem_info_vram_total`, xe `tileN/physical_vram_size_bytes` together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vram_bytes: Option<Bytes>,
    /// What of it the CPU reaches: amdgpu `mem_info_vis_vram_total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vram_visible_bytes: Option<Bytes>,
    /// What it may use of the host's: amdgpu `mem_info_gtt_total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtt_bytes: Option<Bytes>,
    /// Who made it: amdgpu `mem_info_vram_vendor`, `samsung`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vram_vendor: Option<String>,
}

/// A part's firmware.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FirmwarePart {
    /// The part: `smc`, `vcn`, `guc`, `gsp`.
    pub id: String,
    /// Its version as the driver writes it; empty where it did not get as far as to have one.
    #[serde(default)]
    pub version: String,
    /// Whether it runs, where the driver tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FirmwareState>,
}

/// What became of a part's firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FirmwareState {
    /// It runs.
    Running,
    /// It could not be found, loaded or started.
    Failed,
    /// It is switched off, or the device has no such part.
    Disabled,
    /// The driver's word for another state.
    #[serde(untagged)]
    Other(String),
}

impl FirmwareState {
    /// Of the words of i915 and xe (`intel_uc_fw_status_repr`, `xe_uc_fw_status_repr`).
    fn of(word: &str) -> Self {
        match word {
            "RUNNING" | "TRANSFERRED" => Self::Running,
            "MISSING" | "ERROR" | "LOAD FAIL" | "INIT FAIL" | "FAIL" => Self::Failed,
            "DISABLED" | "N/A" => Self::Disabled,
            other => Self::Other(other.to_lowercase()),
        }
    }
}

/// What changes in an accelerator without an event. All but `power`, and what the driver knows of memory, is
/// there only when it was asked for: in a deep look, or of a captured tree in which the device was awake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AdapterNow {
    /// `power/runtime_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<RuntimePower>,
    /// amdgpu `mem_info_vram_used`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vram_used_bytes: Option<Bytes>,
    /// amdgpu `mem_info_vis_vram_used`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vram_visible_used_bytes: Option<Bytes>,
    /// amdgpu `mem_info_gtt_used`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtt_used_bytes: Option<Bytes>,
    /// How busy it is.
    #[serde(skip_serializing_if = "is_default")]
    pub busy: Busy,
    /// Its temperatures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub temperatures: Vec<TemperatureSensor>,
    /// Its powers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub powers: Vec<PowerSensor>,
    /// Its fans.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fans: Vec<FanSensor>,
    /// Its voltages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub voltages: Vec<VoltageSensor>,
    /// Its currents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub currents: Vec<CurrentSensor>,
    /// Its clocks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockDomain>,
    /// Why it runs slower than it could; empty where nothing holds it back, absent where it does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<BTreeSet<ThrottleReason>>,
    /// Its errors, by part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorCount>,
    /// What it says of its PCI Express link itself.
    #[serde(skip_serializing_if = "is_default")]
    pub pcie: PcieCounters,
    /// Errors that NVIDIA's driver wrote to the kernel's log, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub xids: Vec<Xid>,
}

/// Where runtime power management has a device (`Documentation/ABI/testing/sysfs-devices-power`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RuntimePower {
    /// It runs.
    Active,
    /// It sleeps.
    Suspended,
    /// It is about to sleep.
    Suspending,
    /// It is about to run.
    Resuming,
    /// Suspending or resuming it failed.
    Error,
    /// It is never suspended.
    Unsupported,
    /// The kernel's word for a state that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl RuntimePower {
    /// Whether asking the device something would wake it.
    #[must_use]
    pub const fn sleeps(&self) -> bool {
        matches!(self, Self::Suspended | Self::Suspending)
    }
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Gpu {
    let mut found = find::devices(survey);
    let (compute_nodes, compute_links) = kfd::read(survey);
    find::join_partitions(&mut found, &compute_nodes);
    let mut adapters: Vec<Adapter> = found
        .into_iter()
        .map(|found| adapter(survey, found))
        .collect();
    connector::fill(survey, &mut adapters);
    find::core_dumps(survey, &mut adapters);
    let nvidia_driver = nvidia::fill(survey, &mut adapters);
    let nvml = nvml::fill(survey, &mut adapters);
    xid::fill(survey, &mut adapters);
    Gpu {
        adapters,
        compute_nodes,
        compute_links,
        nvidia_driver,
        nvml,
    }
}

/// Reads again what changes without an event.
pub fn refresh(gpu: &mut Gpu, survey: &Survey<'_>) {
    for adapter in &mut gpu.adapters {
        let device = find::open(survey, adapter.function.as_deref(), &adapter.nodes);
        read_now(&device, adapter);
    }
    xid::fill(survey, &mut gpu.adapters);
}

/// Whether a PCI function may have a row here by itself. That of another with a DRM or accel node comes and goes with the
/// node.
pub(crate) fn may_have(function: &Identity) -> bool {
    device::kind_of(function.class.into()).is_some()
}

fn adapter(survey: &Survey<'_>, found: find::Found) -> Adapter {
    let device = find::open(survey, found.function.as_deref(), &found.nodes);
    let mut adapter = Adapter {
        id: found.id,
        function: found.function,
        nodes: found.nodes,
        ..device.identity()
    };
    if let Some(node) = adapter.nodes.first().filter(|_| found.indirect) {
        adapter.driver = find::driver(survey, node).or(adapter.driver);
    }
    adapter.kind = device::kind(&adapter, found.kind);
    adapter.node = device.value("numa_node", parse::decimal_or_none).flatten();
    adapter.boot_display = device.value("boot_vga", parse::switch);
    match adapter.driver.as_deref() {
        Some("amdgpu") => amd::fill(&device, &mut adapter),
        Some("i915" | "xe") => intel::fill(&device, &mut adapter),
        _ => {}
    }
    read_now(&device, &mut adapter);
    adapter
}

fn read_now(device: &Device<'_>, adapter: &mut Adapter) {
    let mut now = AdapterNow {
        power: device.power().cloned(),
        ..AdapterNow::default()
    };
    if device.may_ask() {
        hwmon::read(device, &mut now);
    }
    if let Some(amd) = &mut adapter.amd {
        amd::read_now(device, amd, &mut now);
    }
    if let Some(intel) = &mut adapter.intel {
        let card = adapter.nodes.iter().find(|node| node.starts_with("card"));
        intel::read_now(device, card.map(String::as_str), intel, &mut now);
    }
    adapter.now = now;
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
