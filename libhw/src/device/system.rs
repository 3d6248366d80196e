//! The machine as a whole: kernel, identity, firmware, board, and what it runs on.
//!
//! From /proc/sys/kernel, /etc-free ids and `Documentation/ABI/testing/sysfs-class-dmi`.

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

/// The machine as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct System {
    /// `/proc/sys/kernel/hostname`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The architecture in uname's words: `x86_64`, `aarch64`, `ppc64`, `s390x`, `riscv64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// `/proc/sys/kernel/osrelease`: `6.12.9-amd64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_release: Option<String>,
    /// `/proc/sys/kernel/version`: `#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_version: Option<String>,
    /// `/proc/sys/kernel/random/boot_id`, new at every boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// `/etc/machine-id`, constant over boots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
    /// What the machine runs on, when it is a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<Hypervisor>,
    /// The firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Firmware>,
    /// The whole product (SMBIOS type 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Unit>,
    /// The main board (SMBIOS type 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<Unit>,
    /// The chassis (SMBIOS type 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chassis: Option<Unit>,
    /// `/proc/device-tree/model`, on machines that have a device tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devicetree_model: Option<String>,
    /// `/proc/device-tree/compatible`, most specific first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devicetree_compatible: Vec<String>,
}

/// What a guest runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hypervisor {
    /// `kvm`, `xen`, `vmware`, `hyper-v`, `z/vm`, `powervm`, ... or the words it has for itself.
    pub vendor: String,
    /// How the guest is run.
    pub kind: HypervisorKind,
}

/// How a guest is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HypervisorKind {
    /// The guest sees a whole machine.
    Full,
    /// The guest's kernel knows its hypervisor and calls it.
    Para,
    /// The guest is a partition of the machine (LPAR).
    Partition,
}

/// The firmware that started the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Firmware {
    /// `uefi`, `bios` or `devicetree`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// `dmi/id/bios_vendor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// `dmi/id/bios_version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `dmi/id/bios_date`, as the vendor writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `dmi/id/bios_release`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// `dmi/id/ec_firmware_release`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec_release: Option<String>,
}

/// A product, board or chassis, by its label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Unit {
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The product's family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its stock-keeping unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Its serial number; only root may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its UUID; only root may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The owner's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_tag: Option<String>,
    /// The chassis's type in SMBIOS's words: `Rack Mount Chassis`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chassis_type: Option<String>,
}

/// Reads the class.
#[must_use]
pub fn discover(_survey: &Survey<'_>) -> System {
    System::default()
}

/// Reads again what changes without an event: nothing here does.
pub const fn refresh(_system: &mut System, _survey: &Survey<'_>) {}
