//! Who is at the other end, by IEEE 802.1AB: the frames that systemd-networkd heard and keeps in
//! /run/systemd/netif/lldp, a file for each interface's number.
//!
//! ```text
//! length of a frame, 64 bits little-endian · the frame · length · frame · ...
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::io::netlink::link::address;
use crate::survey::Survey;

const PLACE: &str = "run/systemd/netif/lldp";

/// systemd-networkd keeps 128 for each interface.
const FRAMES_MAX: usize = 128;

/// Destination, source and type of an Ethernet frame.
const HEADER: usize = 14;

/// Who was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Neighbour {
    /// The system: a MAC address, a name or another text, as its kind wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chassis_address: Option<String>,
    /// The port there: a name such as `Ethernet1/7`, or an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The port's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_description: Option<String>,
    /// The system's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_hostname: Option<String>,
    /// The system's description: make, model and software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_description: Option<String>,
    /// What it is in use as: `bridge`, `router`, `wlan`, `station`, ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// For how many seconds this holds from when it was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u16>,
    /// The VLAN of its untagged frames (IEEE 802.1Q annex D).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
}

/// The neighbours by the number of the interface on which they were heard.
pub(super) fn discover(survey: &Survey<'_>) -> BTreeMap<u32, Vec<Neighbour>> {
    let heard = |index: u32| {
        let path = format!("{PLACE}/{index}");
        let bytes = survey.keep(survey.root().bytes(&path))?;
        let (neighbours, whole) = parse(&bytes);
        if !whole {
            let text = String::from_utf8_lossy(&bytes);
            survey.report(Error::malformed(
                &format!("/{path}"),
                "LLDP frames, each after its length",
                &text,
            ));
        }
        Some((index, neighbours))
    };
    survey
        .numbered(PLACE, "")
        .into_iter()
        .filter_map(heard)
        .collect()
}

/// The neighbours in a file of systemd-networkd's, and whether it was understood to its end.
#[must_use]
pub fn parse(mut bytes: &[u8]) -> (Vec<Neighbour>, bool) {
    let mut neighbours = Vec::new();
    while !bytes.is_empty() && neighbours.len() < FRAMES_MAX {
        let Some((frame, rest)) = frame(bytes) else {
            return (neighbours, false);
        };
        bytes = rest;
        let Some(neighbour) = frame.get(HEADER..).and_then(neighbour) else {
            return (neighbours, false);
        };
        neighbours.push(neighbour);
    }
    (neighbours, true)
}

fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// What a frame tells; `None` when one of its parts is cut short.
fn neighbour(mut bytes: &[u8]) -> Option<Neighbour> {
    let mut neighbour = Neighbour::default();
    while let Some((head, rest)) = bytes.split_first_chunk::<2>() {
        let head = u16::from_be_bytes(*head);
        let (kind, length) = (head >> 9, usize::from(head & 0x1ff));
        let (value, rest) = rest.split_at_checked(length)?;
        if kind == 0 {
            break;
        }
        bytes = rest;
        take(&mut neighbour, kind, value);
    }
    Some(neighbour)
}

fn take(neighbour: &mut Neighbour, kind: u16, value: &[u8]) {
    match (kind, value) {
        (1, [4, rest @ ..]) => neighbour.chassis_address = address(rest),
        (1, [5, 1, rest @ ..]) | (2, [4, 1, rest @ ..]) if rest.len() == 4 => {
            let parts: Vec<String> = rest.iter().map(u8::to_string).collect();
            let place = if kind == 1 {
                &mut neighbour.chassis_address
            } else {
                &mut neighbour.port
            };
            *place = Some(parts.join("."));
        }
        (1, [_, rest @ ..]) => neighbour.chassis_address = text(rest),
        (2, [3, rest @ ..]) => neighbour.port = address(rest),
        (2, [_, rest @ ..]) => neighbour.port = text(rest),
        (3, [high, low]) => neighbour.ttl_s = Some(u16::from_be_bytes([*high, *low])),
        (4, rest) => neighbour.port_description = text(rest),
        (5, rest) => neighbour.system_hostname = text(rest),
        (6, rest) => neighbour.system_description = text(rest),
        (7, [_, _, high, low]) => {
            neighbour.capabilities = capabilities(u16::from_be_bytes([*high, *low]));
        }
        // IEEE 802.1's own: subtype 1 is the port's VLAN.
        (127, [0x00, 0x80, 0xc2, 1, high, low]) => {
            neighbour.vlan = Some(u16::from_be_bytes([*high, *low])).filter(|vlan| *vlan > 0);
        }
        _ => {}
    }
}

/// IEEE 802.1AB table 8-4.
fn capabilities(bits: u16) -> Vec<String> {
    let words = [
        "other",
        "repeater",
        "bridge",
        "wlan",
        "router",
        "telephone",
        "docsis",
        "station",
        "cvlan",
        "svlan",
        "relay",
    ];
    let set = words
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0);
    set.map(|(_, word)| (*word).to_owned()).collect()
}

fn text(bytes: &[u8]) -> Option<String> {
    crate::parse::nonempty(&String::from_utf8_lossy(bytes))
}
