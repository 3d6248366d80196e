//! The BMC as the machine's own software reaches it: over the IPMI system interfaces that the kernel drives, and over
//! the network (Redfish) that firmware describes.
//!
//! From `Documentation/ABI/testing/sysfs-devices-platform-ipmi` and `Documentation/driver-api/ipmi.rst`; IPMI 2.0; SMBIOS
//! types 38 and 42 (DSP0134 3.7 §7.39, §7.43) and DSP0270 1.3 for Redfish. What the BMC says of itself is kept by the
//! kernel for ten seconds, and then asked for again, which takes as long as the BMC likes: without a deep look there is
//! only what the kernel and firmware's tables tell.

use serde::{Deserialize, Serialize};

use crate::dmi;
use crate::survey::Survey;
use crate::word::words;

mod address;
mod controller;
mod firmware;
mod host_interface;
mod interface;
mod network_device;
mod part;
mod redfish;

pub use address::{Address, AddressSpace};
pub use controller::{Controller, DeviceId, DeviceSupport};
pub use firmware::{FirmwareInterface, Interrupt};
pub use host_interface::{HostInterface, HostInterfaceType, Protocol, ProtocolType};
pub use interface::{Interface, InterfaceNow};
pub use network_device::{DeviceType, NetworkDevice};
pub use redfish::{AddressOrigin, RedfishService};

/// The ways to the BMC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Bmc {
    /// The IPMI system interfaces that a driver has, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// The BMCs behind them, by the kernel's name: one may have several interfaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<Controller>,
    /// The system interfaces that firmware describes (SMBIOS type 38), with or without a driver.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub firmware_interfaces: Vec<FirmwareInterface>,
    /// The other ways that firmware describes (SMBIOS type 42), such as a network card of the BMC's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_interfaces: Vec<HostInterface>,
}

words! {
    /// A system interface's kind (IPMI 2.0 §8).
    pub enum InterfaceType {
        /// Keyboard controller style: one byte after the other.
        Kcs = "kcs",
        /// Server management interface chip.
        Smic = "smic",
        /// Block transfer.
        Bt = "bt",
        /// SMBus system interface.
        Ssif = "ssif",
    }
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Bmc {
    let mut firmware_interfaces = Vec::new();
    let mut host_interfaces = Vec::new();
    dmi::walk(survey, |structure| match structure.kind {
        38 => firmware_interfaces.push(firmware::interface(structure)),
        42 => host_interfaces.push(host_interface::host_interface(structure)),
        _ => {}
    });
    let places = controller::places(survey);
    let mut interfaces = interface::discover(survey, &places);
    firmware::join(&mut interfaces, &firmware_interfaces);
    Bmc {
        controllers: controller::discover(survey, &places, &interfaces),
        interfaces,
        firmware_interfaces,
        host_interfaces,
    }
}

/// Reads again what changes without an event: what the drivers count.
pub fn refresh(bmc: &mut Bmc, survey: &Survey<'_>) {
    let places = controller::places(survey);
    for interface in &mut bmc.interfaces {
        interface::refresh(interface, survey, &places);
    }
}

#[cfg(test)]
mod tests;
