//! The kernel's own classes: managers, regions and bridges.

use serde::{Deserialize, Serialize};

use super::{BridgeState, Fpga, ManagerState};
use crate::directory::Directory;
use crate::parse;
use crate::survey::Survey;

/// What loads an image into an FPGA (`Documentation/ABI/testing/sysfs-class-fpga-manager`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manager {
    /// The kernel's name: `fpga0`.
    pub id: String,
    /// `name`: the driver's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The PCI function that it hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The kernel's name of the device behind it: `firmware:zynqmp-firmware:pcap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ManagerNow,
}

/// What changes in a manager without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ManagerNow {
    /// `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ManagerState>,
    /// `status`: what went wrong when an image was loaded: `reconfig CRC error`, ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// `status` of a ZynqMP's device, decoded. It is asked of firmware: only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
}

/// The configuration status of a ZynqMP (`Documentation/ABI/testing/sysfs-driver-zynqmp-fpga`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Configuration {
    /// The register in hexadecimal.
    pub value: String,
    /// The `DONE` pin: configured.
    pub done: bool,
    /// What is wrong: `crc`, `idcode`, `security`, `over_temperature`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// A region that an image is loaded into (`Documentation/ABI/testing/sysfs-class-fpga-region`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Region {
    /// The kernel's name: `region0`.
    pub id: String,
    /// The PCI function that it hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `compat_id`: what an image must fit; few regions have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compat_id: Option<String>,
}

/// What shuts a region off while it is loaded (/sys/class/fpga_bridge).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bridge {
    /// The kernel's name: `br0`.
    pub id: String,
    /// `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The PCI function that it hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: BridgeNow,
}

/// What changes in a bridge without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BridgeNow {
    /// `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BridgeState>,
}

const MANAGERS: &str = "sys/class/fpga_manager";
const REGIONS: &str = "sys/class/fpga_region";
const BRIDGES: &str = "sys/class/fpga_bridge";

/// Faults in a ZynqMP's configuration status, by bit.
const FAULTS: [(u32, &str); 4] = [
    (0, "crc"),
    (15, "idcode"),
    (16, "security"),
    (17, "over_temperature"),
];

/// The bit of the `DONE` pin.
const DONE: u32 = 14;

/// Reads the three classes; returns the directories of regions, some of which are cards.
pub(super) fn discover<'a>(survey: &'a Survey<'a>, fpga: &mut Fpga) -> Vec<Directory<'a>> {
    let all = |class: &str| -> Vec<Directory<'a>> {
        let names = survey.names(class).into_iter();
        names
            .map(|name| Directory::list(survey, format!("{class}/{name}")))
            .collect()
    };
    for directory in all(MANAGERS) {
        fpga.managers.push(manager(&directory, survey.deep()));
    }
    for directory in all(BRIDGES) {
        fpga.bridges.push(Bridge {
            id: directory.name().to_owned(),
            name: directory.text("name"),
            function: directory.function(),
            now: BridgeNow {
                state: directory.text("state").map(BridgeState::from),
            },
        });
    }
    let regions = all(REGIONS);
    for directory in &regions {
        fpga.regions.push(Region {
            id: directory.name().to_owned(),
            function: directory.function(),
            compat_id: directory.text("compat_id"),
        });
    }
    regions
}

/// Adds a manager that is only found below its card, as in a capture without /sys/class/fpga_manager.
pub(super) fn of_engine(engine: &Directory<'_>, deep: bool, fpga: &mut Fpga) {
    let parts = engine.all_below(|name| name.starts_with("dfl-fme-mgr."));
    let places = std::iter::once(engine).chain(&parts);
    for class in places.filter_map(|place| place.below("fpga_manager")) {
        for directory in class.all_below(|name| name.starts_with("fpga")) {
            if !fpga
                .managers
                .iter()
                .any(|known| known.id == directory.name())
            {
                fpga.managers.push(manager(&directory, deep));
            }
        }
    }
}

fn manager(directory: &Directory<'_>, deep: bool) -> Manager {
    let faults = directory.text("status").unwrap_or_default();
    let configuration = || directory.below("device")?.slow_value("status", parse::hex);
    let name = directory.text("name");
    let is_zynqmp = name.as_deref().is_some_and(|name| name.contains("ZynqMP"));
    Manager {
        id: directory.name().to_owned(),
        function: directory.function(),
        device: directory.link_name("device").filter(|name| name != "."),
        now: ManagerNow {
            state: directory.text("state").map(ManagerState::from),
            // Zero is what a driver writes that has no words for it.
            faults: faults
                .lines()
                .map(|line| parse::trim(line).to_owned())
                .filter(|fault| !fault.is_empty() && fault != "0")
                .collect(),
            configuration: (deep && is_zynqmp)
                .then(configuration)
                .flatten()
                .map(decoded),
        },
        name,
    }
}

fn decoded(value: u64) -> Configuration {
    let is_set = |bit: &u32| value >> bit & 1 == 1;
    let faults = FAULTS.iter().filter(|(bit, _)| is_set(bit));
    Configuration {
        value: format!("{value:#x}"),
        done: is_set(&DONE),
        faults: faults.map(|(_, name)| (*name).to_owned()).collect(),
    }
}
