//! The parts of a machine that a person would miss, by what is printed on them.

use std::cmp::Ordering;

use libhw::device::memory::Population;
use libhw::device::nic::InterfaceKind;
use libhw::inventory::{Class, Inventory};
use libhw::units::Bytes;

use crate::monitor::name;

/// A sort of part: where it stands in the inventory, and what is said when one is missing.
pub(super) struct Kind {
    pub(super) class: &'static str,
    pub(super) entity: &'static str,
    pub(super) alarm: Option<&'static str>,
    /// The class, and the place that has to be readable before anything is taken for gone.
    pub(super) from: (Class, &'static str),
    /// All of them; `None` where the class was not read.
    pub(super) parts: fn(&Inventory) -> Option<Vec<Part>>,
}

/// A part.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// What it is called in an entity.
    pub(super) name: String,
    /// What it is found again by.
    pub(super) identity: String,
    /// What it is: a part that is something else is another one.
    pub(super) what: String,
    pub(super) serial: Option<String>,
    pub(super) size: Option<Bytes>,
    /// How many it has of what it consists of.
    pub(super) count: Option<usize>,
    pub(super) firmware: Option<String>,
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        class: "system",
        entity: "component",
        alarm: None,
        from: (Class::System, "sys/class/dmi/id"),
        parts: machine,
    },
    Kind {
        class: "memory",
        entity: "dimm",
        alarm: Some("hw.memory.missing"),
        from: (Class::Memory, "sys/firmware/dmi/tables/DMI"),
        parts: sticks,
    },
    Kind {
        class: "cpu",
        entity: "cpu",
        alarm: Some("hw.cpu.missing"),
        from: (Class::Cpu, "sys/devices/system/cpu"),
        parts: processors,
    },
    Kind {
        class: "pci",
        entity: "pci",
        alarm: Some("hw.pcie.missing"),
        from: (Class::Pci, "sys/bus/pci/devices"),
        parts: functions,
    },
    Kind {
        class: "storage",
        entity: "disk",
        alarm: Some("hw.storage.missing"),
        from: (Class::Storage, "sys/block"),
        parts: drives,
    },
    Kind {
        class: "nic",
        entity: "nic",
        alarm: Some("hw.nic.missing"),
        from: (Class::Nic, "sys/class/net"),
        parts: interfaces,
    },
    Kind {
        class: "gpu",
        entity: "pci",
        alarm: Some("hw.gpu.missing"),
        from: (Class::Gpu, "sys/bus/pci/devices"),
        parts: adapters,
    },
    Kind {
        class: "crypto",
        entity: "pci",
        alarm: Some("hw.crypto.missing"),
        from: (Class::Crypto, "sys/bus/pci/devices"),
        parts: accelerators,
    },
];

fn words(words: &[Option<&String>]) -> String {
    let words: Vec<&str> = words.iter().flatten().map(|word| word.as_str()).collect();
    words.join(" ")
}

fn machine(inventory: &Inventory) -> Option<Vec<Part>> {
    let system = inventory.system.as_ref()?;
    let firmware = Part {
        name: "firmware".to_owned(),
        identity: "firmware".to_owned(),
        firmware: system
            .firmware
            .as_ref()
            .and_then(|firmware| firmware.version.clone()),
        ..Part::default()
    };
    Some(vec![firmware])
}

fn sticks(inventory: &Inventory) -> Option<Vec<Part>> {
    // Without SMBIOS nobody knows of a socket, full or empty.
    let memory = inventory
        .memory
        .as_ref()
        .filter(|memory| !memory.devices.is_empty())?;
    let there = memory
        .devices
        .iter()
        .filter(|device| device.population != Population::Empty);
    let part = |device: &libhw::device::memory::Device| Part {
        name: device.id.clone(),
        identity: device.id.clone(),
        what: words(&[device.memory_type.as_ref(), device.form_factor.as_ref()]),
        serial: device.serial.clone(),
        size: device.size_bytes,
        ..Part::default()
    };
    Some(there.map(part).collect())
}

/// Each package with how many of its CPUs are there, online or not: one that somebody took offline is no missing one.
fn processors(inventory: &Inventory) -> Option<Vec<Part>> {
    let cpu = inventory.cpu.as_ref().filter(|cpu| !cpu.cpus.is_empty())?;
    let microcode = cpu.models.first().and_then(|model| model.microcode.clone());
    let packages = cpu.packages.iter().map(|package| Part {
        name: format!("package{}", package.id),
        identity: format!("package{}", package.id),
        ..Part::default()
    });
    let all = Part {
        name: "all".to_owned(),
        identity: "all".to_owned(),
        what: words(&[cpu.models.first().and_then(|model| model.name.as_ref())]),
        count: Some(
            cpu.present
                .as_ref()
                .map_or(cpu.cpus.len(), libhw::idset::IdSet::len),
        ),
        firmware: microcode,
        ..Part::default()
    };
    Some(packages.chain([all]).collect())
}

/// Virtual functions come and go by a number that somebody writes.
fn functions(inventory: &Inventory) -> Option<Vec<Part>> {
    let pci = inventory.pci.as_ref()?;
    let own = pci
        .functions
        .iter()
        .filter(|function| function.physical_function.is_none());
    let part = |function: &libhw::device::pci::Function| Part {
        name: function.id.clone(),
        identity: function.id.clone(),
        what: format!("{:04x}:{:04x}", function.vendor_id, function.device_id),
        ..Part::default()
    };
    Some(own.map(part).collect())
}

/// Drives with hardware behind them that stay where they are.
fn drives(inventory: &Inventory) -> Option<Vec<Part>> {
    let storage = inventory.storage.as_ref()?;
    let fixed = storage.disks.iter().filter(|disk| {
        disk.transport.is_some() && disk.removable != Some(true) && disk.hidden != Some(true)
    });
    let part = |disk: &libhw::device::storage::Disk| {
        // A drive with several namespaces is several disks with one serial number.
        let name = name::of_disk(disk);
        let several = storage
            .disks
            .iter()
            .filter(|other| name::of_disk(other) == name)
            .count()
            > 1;
        let name = if several {
            format!("{name} {}", disk.id)
        } else {
            name.to_owned()
        };
        Part {
            identity: name.clone(),
            name,
            what: words(&[disk.vendor.as_ref(), disk.model.as_ref()]),
            size: disk.size_bytes,
            firmware: disk.firmware.clone(),
            ..Part::default()
        }
    };
    Some(fixed.map(part).collect())
}

fn interfaces(inventory: &Inventory) -> Option<Vec<Part>> {
    let nic = inventory.nic.as_ref()?;
    let ports = nic
        .interfaces
        .iter()
        .filter(|interface| interface.kind == Some(InterfaceKind::Physical));
    let part = |interface: &libhw::device::nic::Interface| Part {
        name: interface.id.clone(),
        identity: interface
            .permanent_mac
            .clone()
            .unwrap_or_else(|| interface.id.clone()),
        what: words(&[interface.driver.as_ref()]),
        firmware: interface.firmware.clone(),
        ..Part::default()
    };
    Some(ports.map(part).collect())
}

fn adapters(inventory: &Inventory) -> Option<Vec<Part>> {
    let gpu = inventory.gpu.as_ref()?;
    let part = |adapter: &libhw::device::gpu::Adapter| {
        let id = adapter.function.as_ref().unwrap_or(&adapter.id);
        Part {
            name: id.clone(),
            identity: id.clone(),
            what: format!(
                "{:04x}:{:04x}",
                adapter.vendor_id.unwrap_or(0),
                adapter.device_id.unwrap_or(0)
            ),
            serial: adapter.serial.clone().or_else(|| adapter.unique_id.clone()),
            size: adapter.memory.as_ref().and_then(|memory| memory.vram_bytes),
            firmware: adapter.vbios.clone(),
            ..Part::default()
        }
    };
    Some(gpu.adapters.iter().map(part).collect())
}

fn accelerators(inventory: &Inventory) -> Option<Vec<Part>> {
    let crypto = inventory.crypto.as_ref()?;
    let part = |accelerator: &libhw::device::crypto::Accelerator| {
        let id = accelerator.function.as_ref().unwrap_or(&accelerator.id);
        Part {
            name: id.clone(),
            identity: id.clone(),
            what: words(&[accelerator.model.as_ref()]),
            count: accelerator.vfs.and_then(|vfs| usize::try_from(vfs).ok()),
            ..Part::default()
        }
    };
    Some(crypto.accelerators.iter().map(part).collect())
}

/// Whether version `one` sorts before `other`: numbers by their value, all else by its letters. `1.10` is after `1.9`.
pub(super) fn is_older(one: &str, other: &str) -> bool {
    let hexadecimal = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    if let (Some(one), Some(other)) = (hexadecimal(one), hexadecimal(other)) {
        return one < other;
    }
    let pieces = |text: &str| {
        let mut pieces: Vec<String> = Vec::new();
        for c in text.chars() {
            match pieces.last_mut() {
                Some(last)
                    if last.ends_with(|end: char| end.is_ascii_digit()) == c.is_ascii_digit() =>
                {
                    last.push(c);
                }
                _ => pieces.push(c.to_string()),
            }
        }
        pieces
    };
    let (one, other) = (pieces(one), pieces(other));
    let order = one
        .iter()
        .zip(&other)
        .map(|(a, b)| by_piece(a, b))
        .find(|order| order.is_ne());
    order.unwrap_or_else(|| one.len().cmp(&other.len())).is_lt()
}

fn by_piece(one: &str, other: &str) -> Ordering {
    let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if digits(one) && digits(other) {
        let plain = |text: &str| text.trim_start_matches('0').to_owned();
        let (one, other) = (plain(one), plain(other));
        return one.len().cmp(&other.len()).then_with(|| one.cmp(&other));
    }
    one.cmp(other)
}
