//! The network card of a host interface (DSP0270 1.3 §8.2, device descriptors).

use serde::{Deserialize, Serialize};

use super::part::Part;
use crate::parse;
use crate::word::words;

words! {
    /// Where the network card of a host interface is.
    pub enum DeviceType {
        /// On USB.
        Usb = "usb",
        /// On PCI.
        Pci = "pci",
        /// A vendor's own.
        Oem = "oem",
    }
}

/// The network card of a host interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NetworkDevice {
    /// Where it is.
    pub device_type: DeviceType,
    /// The maker, by the number of USB or PCI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<u16>,
    /// The product, in the maker's counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u16>,
    /// The maker of the card, of one on PCI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_vendor: Option<u16>,
    /// The card, of one on PCI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_device: Option<u16>,
    /// The serial number of one on USB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The Ethernet address of the machine's end: `02:00:5e:10:00:01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// The PCI function: `0000:81:00.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

/// A descriptor begins with its type; those of version 2 then have their length. Of one that is not known nothing more
/// is read.
pub(super) fn of(data: &Part<'_>) -> Option<NetworkDevice> {
    let code = data.byte(0)?;
    let first = match code {
        0x02 | 0x03 => Some(1),
        0x04 | 0x05 => Some(2),
        _ => None,
    };
    let word = |at: usize| data.word(first? + at);
    let on_pci = |at: usize| matches!(code, 0x03 | 0x05).then(|| word(at)).flatten();
    let mac = match code {
        0x04 => data.array(7),
        0x05 => data.array(10),
        _ => None,
    };
    Some(NetworkDevice {
        device_type: match code {
            0x02 | 0x04 => DeviceType::Usb,
            0x03 | 0x05 => DeviceType::Pci,
            0x80..=0xff => DeviceType::Oem,
            _ => DeviceType::Other(format!("{code:#04x}")),
        },
        vendor: word(0),
        device: word(2),
        subsystem_vendor: on_pci(4),
        subsystem_device: on_pci(6),
        serial: match code {
            0x02 => usb_string(data),
            0x04 => data.string(6),
            _ => None,
        },
        mac_address: mac.and_then(mac_address),
        function: (code == 0x05).then(|| function(data)).flatten(),
    })
}

/// As USB has it: a length with its own two bytes, a type, and UTF-16 (USB 2.0 §9.6.7).
fn usb_string(data: &Part<'_>) -> Option<String> {
    let length = usize::from(data.byte(5)?.checked_sub(2)?);
    let units: Vec<u16> = data
        .bytes(7, length)
        .chunks_exact(2)
        .filter_map(|pair| pair.first_chunk().copied().map(u16::from_le_bytes))
        .collect();
    parse::nonempty(&String::from_utf16_lossy(&units))
}

fn mac_address(bytes: [u8; 6]) -> Option<String> {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    (bytes != [0; 6] && bytes != [0xff; 6]).then(|| digits.join(":"))
}

/// Segment, bus, and device with function; firmware that does not know leaves ones.
fn function(data: &Part<'_>) -> Option<String> {
    let segment = data.word(16)?;
    let [bus, device] = data.array(18)?;
    let known = bus != 0xff || device != 0xff;
    known.then(|| format!("{segment:04x}:{bus:02x}:{:02x}.{}", device >> 3, device & 7))
}
