//! PCI functions: what they are, where they sit, how they are linked and who drives them.
//!
//! From /sys/bus/pci/devices and `Documentation/ABI/testing/sysfs-bus-pci`. Identity comes from the small
//! attributes; config space is read only where a deep look is asked for, since each read of it reaches the
//! device, costs milliseconds on a VM and wakes a sleeping device on metal.

use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::idset::IdSet;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

use attributes::Attributes;

mod address;
mod aer;
mod attributes;
mod bars;
mod config;
mod identity;
mod link;
mod names;
mod slots;
mod sriov;
mod update;

pub use address::{Address, NotAnAddress};
pub(crate) use update::update;

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
    /// `vendor`; 0, which is nobody's, where it could not be had.
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
    /// `driver_override`, when one is set: the only driver that may bind. Reading it waits for the device's
    /// lock, which a driver that probes for long or hangs holds; so on a live host the function must be
    /// bound to a driver that binds by it (vfio, stubs), or the look a deep one. Of one without a driver it is not
    /// read: one that was just plugged is about to be met by its driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_override: Option<String>,
    /// The bridge that it sits behind; none on a root bus. Behind a function that opens a domain of its own
    /// (Intel VMD), that function.
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
    /// `label`: firmware's name of an onboard device (`Embedded NIC 1`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `acpi_index`, or `index` of SMBIOS: firmware's number of an onboard device, the N of `enoN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// The slot that it is plugged into (`/sys/bus/pci/slots`), as it is named on the chassis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// The most that its PCI Express link can do (`max_link_speed`, `max_link_width`); not read while the
    /// device sleeps, since that would wake it.
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
    /// How many there are, as `sriov_numvfs` says.
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
    /// 0 to 5; 6 is the expansion ROM; 7 to 12 are those of all virtual functions together.
    pub id: u32,
    /// Where it starts, as the CPU sees it; 0 where it was given no place.
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
    pub correctable: BTreeMap<String, u64>,
    /// `aer_dev_nonfatal`.
    pub nonfatal: BTreeMap<String, u64>,
    /// `aer_dev_fatal`.
    pub fatal: BTreeMap<String, u64>,
    /// Only of root ports: the messages that came from below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<AerReceived>,
}

/// Error messages that a root port received from the devices below it (`aer_rootport_total_err_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AerReceived {
    /// `aer_rootport_total_err_cor`.
    pub correctable: u64,
    /// `aer_rootport_total_err_nonfatal`.
    pub nonfatal: u64,
    /// `aer_rootport_total_err_fatal`.
    pub fatal: u64,
}

impl Function {
    /// Whether it is a bridge (base class 06h): part of the tree, no device of its own.
    #[must_use]
    pub const fn is_bridge(&self) -> bool {
        self.class_id >> 16 == 0x06
    }

    /// Its address; `None` when [`Function::id`] was set by hand and is none.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.id.parse().ok()
    }
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Pci {
    let known = addresses(survey);
    let slots = slots::read(survey);
    let mut virtuals = BTreeSet::new();
    let mut functions = BTreeMap::new();
    for address in &known {
        // Of a virtual function nothing is opened, once its physical function has named it.
        if !survey.virtual_functions() && virtuals.contains(address) {
            continue;
        }
        let attributes = Attributes::list(survey, *address);
        if !survey.virtual_functions() && attributes.has("physfn") {
            continue;
        }
        let Some(function) = function(&attributes, &known) else {
            continue;
        };
        let vf_ids = function.sriov.iter().flat_map(|sriov| &sriov.vf_ids);
        virtuals.extend(vf_ids.filter_map(|id| id.parse::<Address>().ok()));
        let slot = slots::of(&slots, *address);
        functions.insert(*address, Function { slot, ..function });
    }
    let mut functions: Vec<_> = functions.into_values().collect();
    names::fill(&mut functions);
    Pci { functions }
}

/// Names all functions from `list`, a text in the format of pci.ids, and where it lacks a name from our own.
///
/// For a list that is newer than this host's, or that comes with a capture.
pub fn name(pci: &mut Pci, list: &[u8]) {
    names::fill_from_bytes(&mut pci.functions, list);
}

/// Reads again what changes without an event.
pub fn refresh(pci: &mut Pci, survey: &Survey<'_>) {
    for function in &mut pci.functions {
        let Some(address) = function.address() else {
            continue;
        };
        let attributes = Attributes::unlisted(survey, address);
        let before = &function.now;
        let power_state = before
            .power_state
            .as_ref()
            .and_then(|_| power_state(&attributes));
        // A link that was not read, since the function slept, may be there all the same.
        let slept = before
            .power_state
            .as_deref()
            .is_some_and(|state| state != "D0");
        let linked = slept || function.link_max.is_some() || before.link.is_some();
        let counted = before.aer.is_some();
        function.now = FunctionNow {
            link: linked
                .then(|| link_now(&attributes, power_state.as_deref()))
                .flatten(),
            aer: counted.then(|| aer::read(&attributes)).flatten(),
            power_state,
        };
    }
}

/// The functions that are there, by address.
fn addresses(survey: &Survey<'_>) -> BTreeSet<Address> {
    let mut addresses = BTreeSet::new();
    for name in survey.names(attributes::DEVICES) {
        let address = |text: &str| {
            let expected = Expected("an address such as 0000:3b:00.1");
            text.parse::<Address>().map_err(|_| expected)
        };
        if addresses.len() < FUNCTIONS_MAX {
            addresses.extend(survey.parsed(attributes::DEVICES, &name, address));
        }
    }
    addresses
}

fn function(attributes: &Attributes<'_>, known: &BTreeSet<Address>) -> Option<Function> {
    let survey = attributes.survey;
    let directory = format!("{}/{}", attributes::DEVICES, attributes.address);
    let place = survey.keep(survey.root().link(&directory));
    if attributes.is_empty() {
        // Without the link it has gone since it was listed, and an event tells so.
        if let Some(target) = place {
            let expected = "a link to the directory of a PCI function";
            survey.report(Error::malformed(
                &format!("/{directory}"),
                expected,
                &target,
            ));
        }
        return None;
    }
    let identity = identity::read(attributes)?;
    let driver = attributes.link_name("driver");
    let power_state = power_state(attributes);
    let awake = wakeful(attributes, power_state.as_deref());
    let bridge = identity.class >> 16 == 0x06;
    Some(Function {
        id: attributes.address.to_string(),
        class_id: identity.class,
        vendor_id: identity.vendor,
        device_id: identity.device,
        subsystem_vendor_id: identity.subsystem_vendor,
        subsystem_device_id: identity.subsystem_device,
        revision: attributes.value("revision", revision),
        driver_override: driver_override(attributes, driver.as_deref()),
        driver,
        parent: place.as_deref().and_then(parent),
        node: attributes
            .value("numa_node", parse::decimal_or_none)
            .flatten(),
        local_cpus: local_cpus(attributes),
        iommu_group: iommu_group(attributes),
        label: attributes.text("label"),
        index: firmware_index(attributes),
        link_max: awake.then(|| link::read_max(attributes)).flatten(),
        sriov: sriov::read(attributes, known),
        physical_function: sriov::linked(attributes, "physfn").map(|address| address.to_string()),
        bars: attributes
            .value("resource", |text| bars::parse(text, bridge))
            .unwrap_or_default(),
        deep: survey.deep().then(|| config::read(attributes)).flatten(),
        now: FunctionNow {
            link: awake.then(|| link::read_now(attributes)).flatten(),
            aer: aer::read(attributes),
            power_state,
        },
        ..Function::default()
    })
}

/// The nearest function on the way to it.
///
/// ```text
/// ../../../devices/pci0000:00/0000:00:03.0/0000:01:00.0
/// ```
fn parent(target: &str) -> Option<String> {
    let mut above = target.rsplit('/').skip(1);
    let parent = above.find_map(|part| part.parse::<Address>().ok())?;
    Some(parent.to_string())
}

/// Whether the link can be read without waking a device; without a link there is nothing to read.
fn wakeful(attributes: &Attributes<'_>, power_state: Option<&str>) -> bool {
    let linked = attributes.has("max_link_speed") || attributes.has("current_link_speed");
    linked && (attributes.survey.deep() || !link::sleeps(attributes, power_state))
}

fn power_state(attributes: &Attributes<'_>) -> Option<String> {
    attributes
        .text("power_state")
        .filter(|state| state != "unknown")
}

fn link_now(attributes: &Attributes<'_>, power_state: Option<&str>) -> Option<Link> {
    wakeful(attributes, power_state)
        .then(|| link::read_now(attributes))
        .flatten()
}

fn revision(text: &str) -> Parsed<u8> {
    let expected = Expected("a hexadecimal number of at most 8 bits");
    u8::try_from(parse::hex(text)?).map_err(|_| expected)
}

fn driver_override(attributes: &Attributes<'_>, driver: Option<&str>) -> Option<String> {
    let survey = attributes.survey;
    let stands_in = |driver: &str| OVERRIDING.iter().any(|word| driver.contains(word));
    if !survey.root().is_live() || survey.deep() || driver.is_some_and(stands_in) {
        return attributes
            .text("driver_override")
            .filter(|name| name != "(null)");
    }
    None
}

/// `local_cpulist`, or `local_cpus` of kernels that have no list yet.
fn local_cpus(attributes: &Attributes<'_>) -> Option<IdSet> {
    attributes
        .value("local_cpulist", parse::list)
        .or_else(|| attributes.value("local_cpus", parse::bitmap))
}

fn iommu_group(attributes: &Attributes<'_>) -> Option<u32> {
    let number = attributes.link_name("iommu_group")?;
    let path = attributes.path("iommu_group");
    attributes.survey.parsed(&path, &number, parse::decimal)
}

fn firmware_index(attributes: &Attributes<'_>) -> Option<u32> {
    attributes
        .value("acpi_index", parse::decimal)
        .or_else(|| attributes.value("index", parse::decimal))
}

/// More than any machine has, so that a hostile tree cannot take all memory.
const FUNCTIONS_MAX: usize = 1 << 16;

/// Words in the names of drivers that match no device by themselves, only by `driver_override`.
const OVERRIDING: &[&str] = &["vfio", "stub", "uio_pci_generic", "pciback"];

#[cfg(test)]
mod tests;
