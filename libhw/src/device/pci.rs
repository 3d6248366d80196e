//! PCI functions: what they are, where they sit, how they are linked and who drives them.
//!
//! From /sys/bus/pci/devices and `Documentation/ABI/testing/sysfs-bus-pci`. Identity comes from the small
//! attributes; config space is read only where a deep look is asked for, since each read of it reaches the
//! device, costs milliseconds on a VM and wakes a sleeping device on metal.

use serde::{Deserialize, Serialize};

use crate::idset::IdSet;
use crate::survey::Survey;
use crate::units::Bytes;

/// The PCI functions of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Pci {
    /// By address. Virtual functions are folded into their physical function's [`Sriov`] unless asked for.
    pub functions: Vec<Function>,
}

/// One PCI function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Function {
    /// Its address as the kernel writes it, `0000:3b:00.1`; the domain may be wider than four digits.
    pub id: String,
    /// `class`: base class, subclass and programming interface, 24 bits.
    pub class_id: u32,
    /// `vendor`.
    pub vendor_id: u16,
    /// `device`.
    pub device_id: u16,
    /// `subsystem_vendor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_vendor_id: Option<u16>,
    /// `subsystem_device`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_device_id: Option<u16>,
    /// `revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u8>,
    /// The class's name in pci.ids: `Ethernet controller`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The vendor's name in pci.ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The device's name in pci.ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The name of the bound driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `driver_override`, when one is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_override: Option<String>,
    /// The bridge that it sits behind; none on a root bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `numa_node`; absent where firmware does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// `local_cpulist`: the CPUs near to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_cpus: Option<IdSet>,
    /// The number of its IOMMU group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iommu_group: Option<u32>,
    /// `label` or `acpi_index` as firmware names it (`Slot 3`), where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The most that its PCI Express link can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_max: Option<Link>,
    /// Its SR-IOV side, when it is a physical function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sriov: Option<Sriov>,
    /// The physical function, when it is a virtual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_function: Option<String>,
    /// Its memory and I/O regions (`resource`), by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bars: Vec<Bar>,
    /// What config space tells; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deep: Option<Deep>,
    /// What changes without an event.
    #[serde(default)]
    pub now: FunctionNow,
}

/// Speed and width of a PCI Express link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Link {
    /// Transfers per second and lane, in millions: 2500, 5000, 8000, 16000, 32000, 64000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mtps: Option<u32>,
    /// Lanes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
}

/// The SR-IOV side of a physical function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sriov {
    /// `sriov_totalvfs`: the most virtual functions.
    pub vfs_total: u32,
    /// `sriov_numvfs`: how many there are.
    #[serde(default)]
    pub vfs: u32,
    /// `sriov_drivers_autoprobe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoprobe: Option<bool>,
    /// `sriov_vf_device`: the device id of the virtual functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vf_device_id: Option<u16>,
    /// The addresses of the virtual functions (`virtfnN`), by N.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vf_ids: Vec<String>,
}

/// A memory or I/O region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bar {
    /// 0 to 5; 6 is the expansion ROM; 7 to 12 are those of the virtual functions.
    pub id: u32,
    /// Where it starts on the bus.
    pub start: u64,
    /// How large it is.
    pub size_bytes: Bytes,
    /// Whether it is an I/O region; else memory.
    #[serde(default)]
    pub io: bool,
    /// Whether it is prefetchable.
    #[serde(default)]
    pub prefetchable: bool,
    /// Whether its address is 64 bits wide.
    #[serde(default)]
    pub wide: bool,
}

/// What config space tells (PCI Express Base Specification, chapter 7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Deep {
    /// `endpoint`, `root_port`, `upstream_port`, `downstream_port`, ... of the PCI Express capability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_type: Option<String>,
    /// The capabilities by name, in the order of the list: `power_management`, `msi`, `msi_x`, `pci_express`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// The extended capabilities by name: `advanced_error_reporting`, `sr_iov`, `precision_time_measurement`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extended_capabilities: Vec<String>,
    /// The device serial number capability, `00-11-22-ff-ff-33-44-55`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

/// What changes in a function without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FunctionNow {
    /// `power_state`: `D0`, `D3hot`, `D3cold`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_state: Option<String>,
    /// The link as it runs; not read while the device sleeps, since that would wake it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Advanced Error Reporting counters, where the device has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aer: Option<Aer>,
}

/// Errors counted since the driver core saw the device (`aer_dev_*`), by the kernel's names, zeros left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Aer {
    /// `aer_dev_correctable`.
    pub correctable: std::collections::BTreeMap<String, u64>,
    /// `aer_dev_nonfatal`.
    pub nonfatal: std::collections::BTreeMap<String, u64>,
    /// `aer_dev_fatal`.
    pub fatal: std::collections::BTreeMap<String, u64>,
}

impl Function {
    /// Whether it is a bridge (base class 06h): part of the tree, no device of its own.
    #[must_use]
    pub const fn is_bridge(&self) -> bool {
        self.class_id >> 16 == 0x06
    }
}

/// Reads the class.
#[must_use]
pub fn discover(_survey: &Survey<'_>) -> Pci {
    Pci::default()
}

/// Reads again what changes without an event.
pub fn refresh(_pci: &mut Pci, _survey: &Survey<'_>) {}
