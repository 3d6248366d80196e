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

use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

use device::Device;
use nvml::{Nvml, NvmlLibrary};
use xid::Xid;

mod device;
mod find;
mod nvidia;
pub mod nvml;
mod throttle;
pub mod xid;

pub use nvidia::{Nvidia, NvidiaDriver};
pub use throttle::{ThrottleCause, ThrottleReason};

/// The accelerators of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Gpu {
    /// By PCI address; those that are no PCI function last. Virtual functions are left out unless asked for.
    pub adapters: Vec<Adapter>,
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
    pub memory: Option<Memory>,
    /// The versions of its firmware, by part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firmware: Vec<Firmware>,
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
pub struct Memory {
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
pub struct Firmware {
    /// The part: `smc`, `vcn`, `guc`, `gsp`.
    pub id: String,
    /// Its version as the driver writes it.
    pub version: String,
}

/// What changes in an accelerator without an event. All but `power`, and what the driver knows of memory, is
/// there only when it was asked for: a deep look, or a captured tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AdapterNow {
    /// `power/runtime_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<RuntimePower>,
    /// Why it runs slower than it could; empty where nothing holds it back, absent where it does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<BTreeSet<ThrottleReason>>,
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
    let found = find::devices(survey);
    let mut adapters: Vec<Adapter> = found
        .into_iter()
        .filter_map(|found| adapter(survey, found))
        .collect();
    let nvidia_driver = nvidia::fill(survey, &mut adapters);
    let nvml = nvml::fill(survey, &mut adapters);
    xid::fill(survey, &mut adapters);
    Gpu {
        adapters,
        nvidia_driver,
        nvml,
    }
}

/// Reads again what changes without an event.
pub fn refresh(gpu: &mut Gpu, survey: &Survey<'_>) {
    for adapter in &mut gpu.adapters {
        if let Some(directory) = find::directory(adapter) {
            adapter.now = now(&Device::list(survey, directory));
        }
    }
    xid::fill(survey, &mut gpu.adapters);
}

fn adapter(survey: &Survey<'_>, found: find::Found) -> Option<Adapter> {
    let device = Device::list(survey, found.directory);
    let mut adapter = Adapter {
        id: found.id,
        function: found.function,
        nodes: found.nodes,
        ..device.identity()
    };
    adapter.kind = found.kind.unwrap_or(adapter.kind);
    adapter.node = device.value("numa_node", parse::decimal_or_none).flatten();
    adapter.boot_display = device.value("boot_vga", parse::switch);
    adapter.now = now(&device);
    Some(adapter)
}

fn now(device: &Device<'_>) -> AdapterNow {
    AdapterNow {
        power: device.power(),
        ..AdapterNow::default()
    }
}

#[cfg(test)]
mod tests;
