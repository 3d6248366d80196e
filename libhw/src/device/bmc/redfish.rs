//! Where the Redfish service of a host interface is (DSP0270 1.3 §8.3, Redfish over IP).

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::part::Part;
use crate::parse;
use crate::word::words;

words! {
    /// Where an address comes from.
    pub enum AddressOrigin {
        /// Firmware does not know.
        Unknown = "unknown",
        /// It is set.
        Static = "static",
        /// By DHCP.
        Dhcp = "dhcp",
        /// Made by the device itself (link-local or SLAAC).
        AutoConfigure = "auto_configure",
        /// The machine's own software chooses it.
        HostSelected = "host_selected",
    }
}

/// The Redfish service of a host interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RedfishService {
    /// The service's UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Where the address of the machine's end comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_origin: Option<AddressOrigin>,
    /// The address of the machine's end: `169.254.1.2`; absent where it is not known beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_address: Option<String>,
    /// Its mask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_mask: Option<String>,
    /// Where the service's address comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_origin: Option<AddressOrigin>,
    /// The service's address: `169.254.1.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_address: Option<String>,
    /// Its mask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_mask: Option<String>,
    /// The service's port: 443.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_port: Option<u16>,
    /// The VLAN that the service is in; absent where it is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_vlan: Option<u32>,
    /// The service's host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_hostname: Option<String>,
}

/// A record that ends early tells what it has.
pub(super) fn service(record: &Part<'_>) -> Option<RedfishService> {
    let service = RedfishService {
        uuid: record.array(0).and_then(uuid),
        host_origin: record.byte(16).map(origin),
        host_address: address(record, 17, 18),
        host_mask: address(record, 17, 34),
        service_origin: record.byte(50).map(origin),
        service_address: address(record, 51, 52),
        service_mask: address(record, 51, 68),
        service_port: record.word(84).filter(|port| *port != 0),
        service_vlan: record.dword(86).filter(|vlan| *vlan != 0),
        service_hostname: hostname(record),
    };
    (service != RedfishService::default()).then_some(service)
}

fn origin(code: u8) -> AddressOrigin {
    match code {
        0 => AddressOrigin::Unknown,
        1 => AddressOrigin::Static,
        2 => AddressOrigin::Dhcp,
        3 => AddressOrigin::AutoConfigure,
        4 => AddressOrigin::HostSelected,
        code => AddressOrigin::Other(format!("{code:#04x}")),
    }
}

/// The first three fields stand with their last byte first (DSP0134 §7.2.1).
fn uuid(bytes: [u8; 16]) -> Option<String> {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let (clock, node) = rest.split_at_checked(2)?;
    let fields = [
        hex(&[d, c, b, a]),
        hex(&[f, e]),
        hex(&[h, g]),
        hex(clock),
        hex(node),
    ];
    (bytes != [0; 16] && bytes != [0xff; 16]).then(|| fields.join("-"))
}

/// An address or a mask of 16 bytes, of which IPv4 takes four; its format stands elsewhere. All zeros is none.
fn address(record: &Part<'_>, format: usize, at: usize) -> Option<String> {
    let bytes: [u8; 16] = record.array(at)?;
    let [a, b, c, d, ..] = bytes;
    match record.byte(format)? {
        1 => Some(Ipv4Addr::new(a, b, c, d))
            .filter(|address| !address.is_unspecified())
            .map(|address| address.to_string()),
        2 => Some(Ipv6Addr::from(bytes))
            .filter(|address| !address.is_unspecified())
            .map(|address| address.to_string()),
        _ => None,
    }
}

fn hostname(record: &Part<'_>) -> Option<String> {
    let length = usize::from(record.byte(90)?);
    parse::nonempty(&String::from_utf8_lossy(&record.bytes(91, length)))
}
