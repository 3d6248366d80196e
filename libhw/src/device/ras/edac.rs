//! What EDAC counts beside memory controllers (`drivers/edac/edac_device_sysfs.c`, `edac_pci_sysfs.c`), and the devices
//! that take orders to scrub and to repair (`Documentation/ABI/testing/sysfs-edac-scrub`, `sysfs-edac-ecs`,
//! `sysfs-edac-memory-repair`).

use serde::{Deserialize, Serialize};

use super::listed;
use crate::parse;
use crate::survey::Survey;

/// An instance of a device that EDAC watches: `/sys/devices/system/edac/NAME/INSTANCE`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdacDevice {
    /// `NAME/INSTANCE`: `cpu_cache/cpu_cache0`.
    pub id: String,
    /// Its blocks, whose errors are in its own count too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<EdacBlock>,
    /// What changes without an event.
    #[serde(default)]
    pub now: EdacCount,
}

/// A block of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdacBlock {
    /// Its name: `L2`.
    pub id: String,
    /// What changes without an event.
    #[serde(default)]
    pub now: EdacCount,
}

/// Errors since the driver was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct EdacCount {
    /// `ce_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
    /// `ue_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u64>,
}

/// PCI parity errors (`/sys/devices/system/edac/pci`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct EdacPci {
    /// `check_pci_errors`: whether the kernel looks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<bool>,
    /// The controllers that have counters of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<EdacPciController>,
    /// What changes without an event: `pci_parity_count`, `pci_nonparity_count`.
    pub now: PciCount,
}

/// A PCI controller that EDAC watches (`pciN`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdacPciController {
    /// The kernel's name: `pci0`.
    pub id: String,
    /// What changes without an event: `pe_count`, `npe_count`.
    #[serde(default)]
    pub now: PciCount,
}

/// Errors on PCI buses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PciCount {
    /// Parity errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parity: Option<u64>,
    /// Others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<u64>,
}

/// A device that takes orders about its own reliability (`/sys/bus/edac/devices/NAME`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdacFeatures {
    /// Its name: `cxl_mem0`.
    pub id: String,
    /// What it can: `scrub0`, `ecs_fru0`, `mem_repair0`. What they are set to, only the device knows.
    pub features: Vec<String>,
}

const EDAC: &str = "sys/devices/system/edac";
const BUS: &str = "sys/bus/edac/devices";

/// What stands beside the devices in `/sys/devices/system/edac`.
const NO_DEVICES: &[&str] = &["mc", "pci", "power", "subsystem", "uevent"];

/// What stands beside the instances in a device, and beside the blocks in an instance.
const NO_INSTANCES: &[&str] = &[
    "ce_count",
    "device",
    "log_ce",
    "log_ue",
    "panic_on_ue",
    "poll_msec",
    "power",
    "subsystem",
    "ue_count",
    "uevent",
];

const FEATURES: [&str; 3] = ["scrub", "ecs_fru", "mem_repair"];

/// No machine has more instances or blocks of one kind.
const COUNT_MAX: usize = 1 << 12;

pub(super) fn devices(survey: &Survey<'_>) -> Vec<EdacDevice> {
    let mut devices = Vec::new();
    for name in others(survey.names(EDAC), NO_DEVICES) {
        for instance in others(survey.names(&format!("{EDAC}/{name}")), NO_INSTANCES) {
            devices.extend(device(survey, format!("{name}/{instance}")));
        }
    }
    devices
}

pub(super) fn refresh_devices(devices: &mut [EdacDevice], survey: &Survey<'_>) {
    for device in devices {
        device.now = counted(survey, &format!("{EDAC}/{}", device.id));
        for block in &mut device.blocks {
            block.now = counted(survey, &format!("{EDAC}/{}/{}", device.id, block.id));
        }
    }
}

fn device(survey: &Survey<'_>, id: String) -> Option<EdacDevice> {
    let directory = format!("{EDAC}/{id}");
    let names = survey.names(&directory);
    if !names
        .iter()
        .any(|name| name == "ce_count" || name == "ue_count")
    {
        return None;
    }
    let block = |name: String| {
        let now = counted(survey, &format!("{directory}/{name}"));
        (now != EdacCount::default()).then_some(EdacBlock { id: name, now })
    };
    Some(EdacDevice {
        now: counted(survey, &directory),
        blocks: others(names, NO_INSTANCES).filter_map(block).collect(),
        id,
    })
}

fn counted(survey: &Survey<'_>, directory: &str) -> EdacCount {
    let count = |name: &str| survey.value(&format!("{directory}/{name}"), parse::decimal);
    EdacCount {
        corrected: count("ce_count"),
        uncorrected: count("ue_count"),
    }
}

fn others(names: Vec<String>, known: &'static [&'static str]) -> impl Iterator<Item = String> {
    let other = move |name: &String| !known.contains(&name.as_str());
    names.into_iter().filter(other).take(COUNT_MAX)
}

pub(super) fn pci(survey: &Survey<'_>) -> Option<EdacPci> {
    let directory = format!("{EDAC}/pci");
    let names = survey.names(&directory);
    if names.is_empty() {
        return None;
    }
    let mut pci = EdacPci {
        checked: listed(
            survey,
            (&directory, &names),
            "check_pci_errors",
            parse::switch,
        ),
        ..EdacPci::default()
    };
    for number in survey.numbered(&directory, "pci") {
        pci.controllers.push(EdacPciController {
            id: format!("pci{number}"),
            now: PciCount::default(),
        });
    }
    refresh_pci(&mut pci, survey);
    Some(pci)
}

pub(super) fn refresh_pci(pci: &mut EdacPci, survey: &Survey<'_>) {
    let count = |path: String| survey.value(&format!("{EDAC}/pci/{path}"), parse::decimal);
    pci.now = PciCount {
        parity: count("pci_parity_count".to_owned()),
        other: count("pci_nonparity_count".to_owned()),
    };
    for controller in &mut pci.controllers {
        controller.now = PciCount {
            parity: count(format!("{}/pe_count", controller.id)),
            other: count(format!("{}/npe_count", controller.id)),
        };
    }
}

/// Memory controllers are on the same bus and have none of these.
pub(super) fn features(survey: &Survey<'_>) -> Vec<EdacFeatures> {
    let controller = |name: &String| {
        let number = name.strip_prefix("mc");
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let names = survey.names(BUS).into_iter();
    let of = |id: String| {
        let names = survey.names(&format!("{BUS}/{id}")).into_iter();
        let is_feature = |name: &String| {
            let number = FEATURES.iter().find_map(|kind| name.strip_prefix(kind));
            number.is_some_and(|number| parse::decimal::<u32>(number).is_ok())
        };
        let features: Vec<String> = names.filter(is_feature).collect();
        (!features.is_empty()).then_some(EdacFeatures { id, features })
    };
    let others = names.filter(|name| !controller(name)).take(COUNT_MAX);
    others.filter_map(of).collect()
}
