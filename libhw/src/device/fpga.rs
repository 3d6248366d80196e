//! FPGAs: cards and what is loaded into them, their ports, controllers, memories and sensors.
//!
//! Intel cards by the Device Feature List (`Documentation/fpga/dfl.rst`, /sys/class/fpga_region) and by OPAE's
//! older driver (/sys/class/fpga); AMD's by XRT (the functions of xclmgmt and xocl); the kernel's own managers,
//! regions and bridges of every vendor. What a driver answers from memory or from one register is read each
//! time; what goes over a serial bus to a card's controller, or through its firmware, only in a deep look.

use serde::{Deserialize, Serialize};

use crate::directory::Identity;
use crate::survey::Survey;
use crate::word::words;

mod bitstream;
mod card;
mod class;
mod controller;
mod errors;
mod memory;
mod model;
mod port;
mod sensor;
mod xrt;

pub use card::{Bitstream, Card, CardNow, Image};
pub use class::{Bridge, BridgeNow, Configuration, Manager, ManagerNow, Region};
pub use controller::{Controller, ControllerNow, Key, Retimer};
pub use errors::ErrorRegister;
pub use memory::{Memory, MemoryNow};
pub use port::{Feature, Port, PortNow};
pub use sensor::{Reading, Sensor, SensorNow};
pub use xrt::Shell;

/// The FPGAs of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Fpga {
    /// Cards, and functions of FPGA makers that no driver has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
    /// The ports of cards, each with the accelerator (AFU) behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// The private features of cards (`dfl_dev.N`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// The board management controllers of cards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<Controller>,
    /// The key slots that a card's images are signed for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
    /// Ethernet retimers on cards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retimers: Vec<Retimer>,
    /// Memory interfaces of cards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub memories: Vec<Memory>,
    /// Sensors of cards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<Sensor>,
    /// What loads an image (/sys/class/fpga_manager).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<Manager>,
    /// What an image is loaded into (/sys/class/fpga_region).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// What shuts a region off while it is loaded (/sys/class/fpga_bridge).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bridges: Vec<Bridge>,
}

words! {
    /// Who drives a card.
    pub enum Framework {
        /// The kernel's Device Feature List.
        Dfl = "dfl",
        /// The driver of OPAE, from before the kernel had one.
        Opae = "opae",
        /// The management function of an AMD card (XRT's xclmgmt).
        XrtManagement = "xrt_management",
        /// The user function of an AMD card (XRT's xocl).
        XrtUser = "xrt_user",
        /// None of these.
        None = "none",
    }

    /// Which of its images a card has booted.
    pub enum Boot {
        /// One that its owner has loaded.
        User = "user",
        /// The factory's, also called golden: a fallback, or a card that was never loaded.
        Factory = "factory",
    }

    /// `state` of a manager (`Documentation/ABI/testing/sysfs-class-fpga-manager`).
    pub enum ManagerState {
        /// It cannot tell.
        Unknown = "unknown",
        /// Without power.
        PowerOff = "power_off",
        /// With power.
        PowerUp = "power_up",
        /// Held in reset.
        Reset = "reset",
        /// An image is asked for.
        FirmwareRequest = "firmware_request",
        /// No image came.
        FirmwareRequestError = "firmware_request_error",
        /// The image's head is read.
        ParseHeader = "parse_header",
        /// The image's head is wrong.
        ParseHeaderError = "parse_header_error",
        /// About to be loaded.
        WriteInit = "write_init",
        /// Could not be made ready.
        WriteInitError = "write_init_error",
        /// Being loaded.
        Write = "write",
        /// Loading went wrong.
        WriteError = "write_error",
        /// Loaded, being started.
        WriteComplete = "write_complete",
        /// Loaded, and did not start.
        WriteCompleteError = "write_complete_error",
        /// Loaded and running.
        Operating = "operating",
    }

    /// How far a port's accelerator is throttled.
    pub enum PowerState {
        /// Not at all.
        Normal = "normal",
        /// By half.
        Ap1 = "ap1",
        /// By nine tenths.
        Ap2 = "ap2",
        /// Wholly.
        Ap6 = "ap6",
    }

    /// Whether a bridge lets through.
    pub enum BridgeState {
        /// It does.
        Enabled = "enabled",
        /// It does not.
        Disabled = "disabled",
    }

    /// How a retimer is set up (`Documentation/ABI/testing/sysfs-bus-dfl-devices-n3000-nios`).
    pub enum RetimerMode {
        /// In reset.
        Reset = "reset",
        /// Four links of 10 Gb/s.
        Four10 = "4x10g",
        /// Four links of 25 Gb/s.
        Four25 = "4x25g",
        /// Two links of 25 Gb/s.
        Two25 = "2x25g",
        /// Two links of 25 Gb/s and two of 10 Gb/s.
        Two25Two10 = "2x25g_2x10g",
        /// One link of 25 Gb/s.
        One25 = "1x25g",
    }
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Fpga {
    let mut fpga = Fpga::default();
    let regions = class::discover(survey, &mut fpga);
    card::discover(survey, &regions, &mut fpga);
    fpga
}

/// Reads again what changes without an event. What takes a deep look stays as the last one had it.
pub fn refresh(fpga: &mut Fpga, survey: &Survey<'_>) {
    let fresh = discover(survey);
    macro_rules! take {
        ($table:ident, $row:ident, $new:ident, $how:expr) => {
            for $row in &mut fpga.$table {
                if let Some($new) = fresh.$table.iter().find(|new| new.id == $row.id) {
                    $how;
                }
            }
        };
    }
    let deep = survey.deep();
    take!(ports, row, new, row.now.clone_from(&new.now));
    take!(bridges, row, new, row.now.clone_from(&new.now));
    take!(cards, row, new, row.now.renew(&new.now, deep));
    take!(memories, row, new, row.now.renew(&new.now, deep));
    take!(managers, row, new, row.now.renew(&new.now, deep));
    if deep {
        take!(controllers, row, new, row.now.clone_from(&new.now));
    }
    take!(sensors, row, new, {
        if deep || new.now.reading.is_some() {
            row.now.clone_from(&new.now);
        }
    });
}

impl CardNow {
    fn renew(&mut self, new: &Self, deep: bool) {
        let before = std::mem::replace(self, new.clone());
        if !deep {
            self.firewall_level = before.firewall_level;
            self.firewall = before.firewall;
        }
    }
}

impl MemoryNow {
    const fn renew(&mut self, new: &Self, deep: bool) {
        self.calibrated = new.calibrated;
        self.failed = new.failed;
        if deep {
            self.corrected = new.corrected;
            self.uncorrected = new.uncorrected;
        }
    }
}

impl ManagerNow {
    fn renew(&mut self, new: &Self, deep: bool) {
        let before = std::mem::replace(self, new.clone());
        if !deep {
            self.configuration = before.configuration;
        }
    }
}

/// Whether a PCI function may have a row here by itself. That of a card that a driver has, whatever it is, comes and goes
/// with the driver's own devices.
pub(crate) fn may_have(function: &Identity) -> bool {
    model::is_card(function)
}

#[cfg(test)]
mod tests;
