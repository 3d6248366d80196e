//! PCI functions as they hang off a node: short names, and like functions folded into one.

use std::collections::{BTreeMap, BTreeSet};

use libhw::device::pci::Function;
use libhw::inventory::Inventory;

use super::words::{clean, count};
use crate::view::rows::Rows;

/// Devices that are drawn one by one, of all nodes together.
const SHOWN: usize = 1024;
/// Devices of a node from which on like ones of different slots are folded too.
const CROWD: usize = 24;
/// Addresses that a folded device lists.
const ADDRESSES: usize = 32;

/// Names of what hangs off a device that are shown.
const NAMES: usize = 4;

/// What a device is for: its colour in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Accelerator,
    Network,
    Storage,
    Other,
}

/// One or more PCI functions that look alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) role: Role,
    /// `NIC`, `NVMe`, ...: at most five letters.
    pub(super) class: &'static str,
    /// `0000:3b:00.0`, `0000:3b:00.0-3`, `0000:3b:00.0 +7`.
    pub(super) address: String,
    /// Vendor and device as a person would say it.
    pub(super) name: String,
    /// What the kernel calls what hangs off it: `eth0 ptp0`.
    pub(super) known_as: Option<String>,
    pub(super) driver: Option<String>,
    /// `16 GT/s ×8`, or `8 of 16 GT/s ×8` where the link runs below what it can.
    pub(super) link: Option<String>,
    /// Whether the link runs below what the function can.
    pub(super) downgraded: bool,
    /// `8 VFs`.
    pub(super) virtual_functions: Option<String>,
    /// All that there is to say, in lines.
    pub(super) details: String,
}

/// Base class, subclass (none is any other), letters, role: the first row that fits.
const CLASSES: [(u8, Option<u8>, &str, Role); 26] = [
    (0x01, Some(0x00), "SCSI", Role::Storage),
    (0x01, Some(0x04), "RAID", Role::Storage),
    (0x01, Some(0x06), "SATA", Role::Storage),
    (0x01, Some(0x07), "SAS", Role::Storage),
    (0x01, Some(0x08), "NVMe", Role::Storage),
    (0x01, None, "DISK", Role::Storage),
    (0x02, Some(0x07), "IB", Role::Network),
    (0x02, None, "NIC", Role::Network),
    (0x03, None, "GPU", Role::Accelerator),
    (0x04, None, "MEDIA", Role::Other),
    (0x05, Some(0x02), "CXL", Role::Other),
    (0x05, None, "MEM", Role::Other),
    (0x07, None, "COM", Role::Other),
    (0x08, Some(0x06), "IOMMU", Role::Other),
    (0x08, None, "SYS", Role::Other),
    (0x09, None, "INPUT", Role::Other),
    (0x0b, None, "COPR", Role::Accelerator),
    (0x0c, Some(0x03), "USB", Role::Other),
    (0x0c, Some(0x05), "SMBUS", Role::Other),
    (0x0c, Some(0x06), "IB", Role::Network),
    (0x0c, None, "BUS", Role::Other),
    (0x0d, None, "RADIO", Role::Network),
    (0x10, None, "CRYPT", Role::Accelerator),
    (0x11, None, "DSP", Role::Other),
    (0x12, None, "ACCEL", Role::Accelerator),
    (0x13, None, "INSTR", Role::Other),
];

/// The devices by node, most telling first; those without a node, or of a node that `known` denies, under `None`.
/// Bridges, and virtual functions beside their physical function, are left out.
pub(super) fn by_node(
    inventory: &Inventory,
    known: impl Fn(u32) -> bool,
) -> BTreeMap<Option<u32>, Vec<Device>> {
    let functions = || inventory.pci.iter().flat_map(|pci| &pci.functions);
    let rows = Rows::of(inventory);
    let ids: BTreeSet<&str> = functions().map(|function| function.id.as_str()).collect();
    let mut nodes: BTreeMap<Option<u32>, Vec<&Function>> = BTreeMap::new();
    for function in functions() {
        let of = function.physical_function.as_deref();
        if !function.is_bridge() && !of.is_some_and(|physical| ids.contains(physical)) {
            let node = function.node.filter(|node| known(*node));
            nodes.entry(node).or_default().push(function);
        }
    }
    let shown = (SHOWN / nodes.len().max(1)).max(4);
    let fold = |(node, functions): (_, Vec<&Function>)| (node, fold(&functions, &rows, shown));
    nodes.into_iter().map(fold).collect()
}

/// What makes functions look alike; for the devices that people care for, also the slot.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'a> {
    role: Role,
    class_id: u32,
    slot: &'a str,
    vendor_id: u16,
    device_id: u16,
    driver: Option<&'a str>,
    link: Option<String>,
    virtual_functions: u32,
}

fn fold(functions: &[&Function], rows: &Rows, shown: usize) -> Vec<Device> {
    let by_slot = alike(functions, |role| role != Role::Other);
    let groups = if by_slot.len() > CROWD {
        alike(functions, |_| false)
    } else {
        by_slot
    };
    let mut devices: Vec<Device> = groups
        .values()
        .filter_map(|group| device(group, rows))
        .collect();
    let hidden = devices.len().saturating_sub(shown);
    if hidden > 1 {
        devices.truncate(shown);
        devices.push(Device::more(hidden));
    }
    devices
}

/// Like functions together; those of different slots apart where `by_slot` says so.
fn alike<'a>(
    functions: &[&'a Function],
    by_slot: impl Fn(Role) -> bool,
) -> BTreeMap<Likeness<'a>, Vec<&'a Function>> {
    let mut groups: BTreeMap<Likeness<'a>, Vec<&'a Function>> = BTreeMap::new();
    for function in functions {
        let (_, role) = class(function.class_id);
        let likeness = Likeness {
            role,
            class_id: function.class_id,
            slot: if by_slot(role) {
                slot(&function.id)
            } else {
                ""
            },
            vendor_id: function.vendor_id,
            device_id: function.device_id,
            driver: function.driver.as_deref(),
            link: link(function).0,
            virtual_functions: function.sriov.as_ref().map_or(0, |sriov| sriov.vfs),
        };
        groups.entry(likeness).or_default().push(function);
    }
    groups
}

fn device(group: &[&Function], rows: &Rows) -> Option<Device> {
    let (first, rest) = group.split_first()?;
    let (class, role) = class(first.class_id);
    let (link, downgraded) = link(first);
    let sriov = first.sriov.as_ref().filter(|sriov| sriov.vfs > 0);
    let driver = first.driver.as_deref().map(clean);
    let virtual_functions = sriov.map(|sriov| format!("{} VFs", sriov.vfs));
    let mut details = format!(
        "{} {:04x}:{:04x}",
        full_name(first),
        first.vendor_id,
        first.device_id
    );
    let facts = [
        first.class.as_deref().map(clean),
        driver.as_deref().map(|driver| format!("driver {driver}")),
        link.as_deref().map(|link| format!("link {link}")),
        first
            .sriov
            .as_ref()
            .map(|sriov| format!("{} of {} VFs", sriov.vfs, sriov.vfs_total)),
        first
            .iommu_group
            .filter(|_| rest.is_empty())
            .map(|group| format!("IOMMU group {group}")),
        first
            .label
            .as_deref()
            .filter(|_| rest.is_empty())
            .map(clean),
    ];
    for line in facts.into_iter().flatten() {
        details.push('\n');
        details.push_str(&line);
    }
    for function in group.iter().take(ADDRESSES) {
        details.push('\n');
        details.push_str(&clean(&function.id));
    }
    Some(Device {
        role,
        class,
        address: address(first, rest),
        name: short_name(first),
        known_as: known_as(group, rows),
        driver,
        link,
        downgraded,
        virtual_functions,
        details,
    })
}

/// The names of what hangs off the functions, each once, as many as a card has room for.
fn known_as(group: &[&Function], rows: &Rows) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for function in group {
        for row in rows.of_function(&function.id) {
            let name = clean(row.id());
            if !name.is_empty() && name != function.id && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    if more > 0 {
        names.push(format!("+{more}"));
    }
    Some(names.join(" ")).filter(|names| !names.is_empty())
}

/// `0000:3b:00.0` alone, `0000:3b:00.0-3` for functions in a row of one slot, else `0000:3b:00.0 +3`.
fn address(first: &Function, rest: &[&Function]) -> String {
    let id = clean(&first.id);
    let number = |function: &Function| function.id.rsplit_once('.')?.1.parse::<u32>().ok();
    let row = rest.iter().zip(1..).all(|(function, step)| {
        slot(&function.id) == slot(&first.id)
            && number(first).is_some_and(|from| number(function) == Some(from.saturating_add(step)))
    });
    match (rest.last().and_then(|last| number(last)), row) {
        (None, _) if rest.is_empty() => id,
        (Some(last), true) => format!("{id}-{last}"),
        _ => format!("{id} +{}", rest.len()),
    }
}

fn slot(id: &str) -> &str {
    id.rsplit_once('.').map_or(id, |(slot, _)| slot)
}

fn class(class_id: u32) -> (&'static str, Role) {
    let [_, base, sub, _] = class_id.to_be_bytes();
    CLASSES
        .iter()
        .find(|(of, only, ..)| *of == base && only.is_none_or(|only| only == sub))
        .map_or(("DEV", Role::Other), |(_, _, letters, role)| {
            (*letters, *role)
        })
}

/// The link as it runs, beside what it can where that is more, and whether it is.
fn link(function: &Function) -> (Option<String>, bool) {
    let now = function.now.link.unwrap_or_default();
    let max = function.link_max.unwrap_or_default();
    let below = |now: Option<u32>, max: Option<u32>| matches!((now, max), (Some(now), Some(max)) if 0 < now && now < max);
    let (slow, narrow) = (
        below(now.speed_mtps, max.speed_mtps),
        below(now.width, max.width),
    );
    let speed = now
        .speed_mtps
        .filter(|speed| *speed > 0)
        .map(|speed| match max.speed_mtps {
            Some(max) if slow => format!("{} of {} GT/s", gigatransfers(speed), gigatransfers(max)),
            _ => format!("{} GT/s", gigatransfers(speed)),
        });
    let width = now
        .width
        .filter(|width| *width > 0)
        .map(|width| match max.width {
            Some(max) if narrow => format!("×{width} of ×{max}"),
            _ => format!("×{width}"),
        });
    let parts: Vec<String> = speed.into_iter().chain(width).collect();
    ((!parts.is_empty()).then(|| parts.join(" ")), slow || narrow)
}

fn gigatransfers(mtps: u32) -> String {
    match mtps % 1000 {
        0 => (mtps / 1000).to_string(),
        rest => format!("{}.{}", mtps / 1000, rest / 100),
    }
}

fn full_name(function: &Function) -> String {
    let parts = [&function.vendor, &function.device];
    let names: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|name| clean(name))
        .collect();
    if names.is_empty() {
        short_name(function)
    } else {
        names.join(" ")
    }
}

fn short_name(function: &Function) -> String {
    let vendor = function
        .vendor
        .as_deref()
        .map(clean)
        .map(|name| short_vendor(&name));
    let device = function.device.as_deref().map(clean);
    let class = function.class.as_deref().map(clean);
    let device = device.map(|name| short_device(&name, class.as_deref()));
    let known = function.vendor_id != 0 || function.device_id != 0;
    let ids = known.then(|| format!("{:04x}:{:04x}", function.vendor_id, function.device_id));
    match (vendor, device) {
        (Some(vendor), Some(device)) if device.starts_with(&vendor) => device,
        (Some(vendor), Some(device)) => format!("{vendor} {device}"),
        (vendor, _) => [vendor, ids, class]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// `Advanced Micro Devices, Inc. [AMD]` is `AMD`, `Intel Corporation` is `Intel`.
fn short_vendor(name: &str) -> String {
    const LEGAL: [&str; 14] = [
        "Corporation",
        "Corp.",
        "Corp",
        "Inc",
        "Inc.",
        "Ltd",
        "Ltd.",
        "Co.",
        "Limited",
        "LLC",
        "Technologies",
        "Technology",
        "Electronics",
        "Semiconductor",
    ];
    if let Some(inner) = bracketed(name) {
        return inner.split('/').next().unwrap_or(inner).to_owned();
    }
    let words = name.split([' ', ',']).filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .take_while(|word| !LEGAL.contains(word))
        .take(3)
        .collect();
    if words.is_empty() {
        name.to_owned()
    } else {
        words.join(" ")
    }
}

/// `GA100 [A100 PCIe 40GB]` is `A100 PCIe 40GB`, `Ethernet Controller E810-C for QSFP` is `E810-C for QSFP`.
fn short_device(name: &str, class: Option<&str>) -> String {
    if let Some(inner) =
        bracketed(name).filter(|inner| inner.len() > 3 && !inner.ends_with(" mode"))
    {
        return inner.to_owned();
    }
    let rest = [
        class,
        Some("Ethernet Controller"),
        Some("Ethernet Connection"),
    ]
    .into_iter()
    .flatten()
    .find_map(|class| {
        let head = name.get(..class.len())?;
        head.eq_ignore_ascii_case(class)
            .then(|| name.get(class.len()..))?
    })
    .map(str::trim)
    .filter(|rest| rest.len() > 2);
    rest.unwrap_or(name).to_owned()
}

fn bracketed(name: &str) -> Option<&str> {
    let (_, inner) = name.strip_suffix(']')?.rsplit_once('[')?;
    Some(inner.trim()).filter(|inner| !inner.is_empty())
}

impl Device {
    /// Stands for those that are not drawn.
    fn more(number: usize) -> Self {
        Self {
            role: Role::Other,
            class: "…",
            address: format!("{number} more kinds"),
            name: "not drawn".to_owned(),
            known_as: None,
            driver: None,
            link: None,
            downgraded: false,
            virtual_functions: None,
            details: format!("{number} more kinds of devices"),
        }
    }

    /// Names, driver, link and virtual functions in one line.
    pub(super) fn facts(&self) -> String {
        let mark = if self.downgraded { "▼" } else { "" };
        let link = self.link.as_ref().map(|link| format!("{mark}{link}"));
        let parts = [
            self.known_as.clone(),
            self.driver.clone(),
            link,
            self.virtual_functions.clone(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// How many functions that are no bridges there are, as words.
pub(super) fn total(inventory: &Inventory) -> Option<String> {
    let functions = inventory.pci.iter().flat_map(|pci| &pci.functions);
    let number = functions.filter(|function| !function.is_bridge()).count();
    (number > 0).then(|| {
        count(
            number,
            if number == 1 {
                "PCI function"
            } else {
                "PCI functions"
            },
        )
    })
}

#[cfg(test)]
mod tests;
