//! Host interfaces that firmware describes: SMBIOS type 42 (DSP0134 3.7 §7.43; DSP0270 1.3 §8).

use serde::{Deserialize, Serialize};

use super::part::Part;
use super::{NetworkDevice, RedfishService, network_device, redfish};
use crate::dmi;
use crate::smbios::Structure;
use crate::word::words;

words! {
    /// What a host interface is (DSP0239, host interface types).
    pub enum HostInterfaceType {
        /// Keyboard controller style.
        Kcs = "kcs",
        /// A serial port.
        Uart8250 = "8250_uart",
        /// A serial port.
        Uart16450 = "16450_uart",
        /// A serial port.
        Uart16550 = "16550_uart",
        /// A serial port.
        Uart16650 = "16650_uart",
        /// A serial port.
        Uart16750 = "16750_uart",
        /// A serial port.
        Uart16850 = "16850_uart",
        /// I2C or SMBus.
        I2c = "i2c",
        /// I3C.
        I3c = "i3c",
        /// PCI vendor-defined messages.
        PciVdm = "pci_vdm",
        /// Memory-mapped registers.
        Mmbi = "mmbi",
        /// A network card.
        Network = "network",
        /// A vendor's own.
        Oem = "oem",
    }

    /// What is spoken over a host interface (DSP0134 §7.43.2).
    pub enum ProtocolType {
        /// IPMI.
        Ipmi = "ipmi",
        /// Management component transport protocol.
        Mctp = "mctp",
        /// Redfish over IP.
        RedfishOverIp = "redfish_over_ip",
        /// A vendor's own.
        Oem = "oem",
    }
}

/// A way to the BMC that firmware describes (SMBIOS type 42).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostInterface {
    /// Its handle: `0x2a00`.
    pub id: String,
    /// What it is.
    pub interface_type: HostInterfaceType,
    /// Whose kind of interface it is, where it is a vendor's own: a private enterprise number of IANA's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oem_vendor: Option<u32>,
    /// The network card that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_device: Option<NetworkDevice>,
    /// What is spoken over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocols: Vec<Protocol>,
}

/// What is spoken over a host interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Protocol {
    /// Its name.
    pub id: ProtocolType,
    /// Where the Redfish service is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redfish: Option<RedfishService>,
}

/// Codes and their words.
const INTERFACES: &[(u8, HostInterfaceType)] = &[
    (0x02, HostInterfaceType::Kcs),
    (0x03, HostInterfaceType::Uart8250),
    (0x04, HostInterfaceType::Uart16450),
    (0x05, HostInterfaceType::Uart16550),
    (0x06, HostInterfaceType::Uart16650),
    (0x07, HostInterfaceType::Uart16750),
    (0x08, HostInterfaceType::Uart16850),
    (0x09, HostInterfaceType::I2c),
    (0x0a, HostInterfaceType::I3c),
    (0x0b, HostInterfaceType::PciVdm),
    (0x0c, HostInterfaceType::Mmbi),
    (0x40, HostInterfaceType::Network),
    (0xf0, HostInterfaceType::Oem),
];

const PROTOCOLS: &[(u8, ProtocolType)] = &[
    (0x02, ProtocolType::Ipmi),
    (0x03, ProtocolType::Mctp),
    (0x04, ProtocolType::RedfishOverIp),
    (0xf0, ProtocolType::Oem),
];

/// Where the data of the interface begins, after its length.
const DATA: usize = 6;

pub(super) fn host_interface(structure: &Structure<'_>) -> HostInterface {
    let interface_type = named(INTERFACES, structure.byte(0x04).unwrap_or_default());
    let length = usize::from(structure.byte(0x05).unwrap_or_default());
    let data = Part::new(structure, DATA, length);
    let oem = interface_type == HostInterfaceType::Oem;
    let network = interface_type == HostInterfaceType::Network;
    HostInterface {
        id: dmi::name_of(structure.handle),
        oem_vendor: data.array(0).filter(|_| oem).map(u32::from_be_bytes),
        network_device: network.then(|| network_device::of(&data)).flatten(),
        protocols: protocols(structure, DATA + length),
        interface_type,
    }
}

/// A count, and so many records: a protocol, a length, and what the protocol needs.
fn protocols(structure: &Structure<'_>, start: usize) -> Vec<Protocol> {
    let mut protocols = Vec::new();
    let mut at = start + 1;
    for _ in 0..structure.byte(start).unwrap_or_default() {
        let Some([code, length]) = structure.array(at) else {
            break;
        };
        let length = usize::from(length);
        let record = Part::new(structure, at + 2, length);
        let id = named(PROTOCOLS, code);
        let is_redfish = id == ProtocolType::RedfishOverIp;
        let redfish = is_redfish.then(|| redfish::service(&record)).flatten();
        protocols.push(Protocol { id, redfish });
        at += 2 + length;
    }
    protocols
}

/// The word of a code; one that has none is written as a number: `0x2a`.
fn named<T: Clone + for<'a> From<&'a str>>(words: &[(u8, T)], code: u8) -> T {
    let known = words.iter().find(|(known, _)| *known == code);
    known.map_or_else(
        || T::from(format!("{code:#04x}").as_str()),
        |(_, word)| word.clone(),
    )
}
