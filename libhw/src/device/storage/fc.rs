//! Fibre Channel: the ports of this machine (`/sys/class/fc_host`, `drivers/scsi/scsi_transport_fc.c`).
//!
//! What is read always the driver has in memory. The counters it asks its firmware for, so they are read in a deep look.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::word::words;

words! {
    /// How a port of Fibre Channel fares.
    pub enum FcPortState {
        /// It is connected.
        Online = "online",
        /// It has no link.
        Linkdown = "linkdown",
        /// It was taken out of use.
        Offline = "offline",
        /// Commands wait, while the far end is looked for.
        Blocked = "blocked",
        /// A loop goes past it.
        Bypassed = "bypassed",
        /// It tests itself.
        Diagnostics = "diagnostics",
        /// It failed.
        Error = "error",
        /// It is connected to itself.
        Loopback = "loopback",
        /// It loses frames, so other ways come first.
        Marginal = "marginal",
        /// There is none.
        NotPresent = "not_present",
        /// It is going away.
        Deleted = "deleted",
        /// The driver does not know.
        Unknown = "unknown",
    }
}

/// A port of Fibre Channel of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FcHost {
    /// Its SCSI host, `host0`.
    pub id: String,
    /// The PCI function that it hangs off, as `pci.functions[].id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `node_name`: the world-wide name of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// `port_name`: the world-wide name of the port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_name: Option<String>,
    /// `symbolic_name`: card, firmware and driver in the driver's words, and the host's name in some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbolic_name: Option<String>,
    /// `supported_speeds`, in Mbit/s.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supported_speeds_mbps: Vec<u32>,
    /// `supported_classes`: classes of service, `Class 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_classes: Option<String>,
    /// `dev_loss_tmo`: seconds after which a far end that is gone is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_loss_seconds: Option<u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: FcHostNow,
}

/// How a port fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FcHostNow {
    /// `port_state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<FcPortState>,
    /// `port_type`: how it is connected, in the kernel's words: `NPort (fabric via point-to-point)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_type: Option<String>,
    /// `port_id`: its address in the fabric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_id: Option<String>,
    /// `fabric_name`: the world-wide name of the fabric; 0 is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fabric_name: Option<String>,
    /// `speed`, in Mbit/s; none without a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_mbps: Option<u32>,
    /// `statistics`, by the kernel's names, those that are not 0; only of a deep look.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

const CLASS: &str = "sys/class/fc_host";

/// What writes and is never read.
const RESET: &str = "reset_statistics";

/// What a counter says that the driver does not have.
const UNKNOWN: u64 = u64::MAX;

/// No counter is longer: `0x` and sixteen digits.
const COUNTER_MAX: usize = 32;

/// The ports, by number.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<FcHost> {
    let numbers = survey.numbered(CLASS, "host").into_iter();
    numbers
        .map(|number| {
            host(
                &Directory::list(survey, format!("{CLASS}/host{number}")),
                survey.deep(),
            )
        })
        .collect()
}

/// Reads the state again, and the counters where they were read before.
pub(super) fn refresh(hosts: &mut [FcHost], survey: &Survey<'_>) {
    for host in hosts {
        let directory = Directory::list(survey, format!("{CLASS}/{}", host.id));
        host.now = now(&directory, !host.now.counters.is_empty());
    }
}

fn host(directory: &Directory<'_>, deep: bool) -> FcHost {
    FcHost {
        id: directory.name().to_owned(),
        function: directory.function(),
        node_name: directory.text("node_name"),
        port_name: directory.text("port_name"),
        symbolic_name: directory.text("symbolic_name"),
        supported_speeds_mbps: directory
            .value("supported_speeds", speeds)
            .unwrap_or_default(),
        supported_classes: directory.text("supported_classes"),
        device_loss_seconds: directory.value("dev_loss_tmo", parse::decimal),
        now: now(directory, deep),
    }
}

fn now(directory: &Directory<'_>, deep: bool) -> FcHostNow {
    let fabric = directory.text("fabric_name");
    FcHostNow {
        state: directory.text("port_state").map(Into::into),
        port_type: directory.text("port_type"),
        port_id: directory.text("port_id"),
        fabric_name: fabric.filter(|name| parse::hex(name) != Ok(0)),
        speed_mbps: directory.value("speed", speed).flatten(),
        counters: if deep {
            counters(directory)
        } else {
            BTreeMap::new()
        },
    }
}

fn counters(directory: &Directory<'_>) -> BTreeMap<String, u64> {
    let Some(statistics) = directory.below("statistics") else {
        return BTreeMap::new();
    };
    let names = statistics.names().filter(|name| *name != RESET);
    let count = |name: &str| statistics.slow_value_of(name, COUNTER_MAX, parse::hex);
    let counts = names.filter_map(|name| Some((name.to_owned(), count(name)?)));
    counts
        .filter(|(_, count)| *count > 0 && *count != UNKNOWN)
        .collect()
}

/// ```text
/// 4 Gbit, 8 Gbit, 16 Gbit
/// ```
fn speeds(text: &str) -> Parsed<Vec<u32>> {
    let words = parse::trim(text).split(", ");
    let speeds: Parsed<Vec<_>> = words.map(speed).collect();
    Ok(speeds?.into_iter().flatten().collect())
}

/// `16 Gbit`; none for words that say that there is none (`Unknown`, `Not Negotiated`).
fn speed(text: &str) -> Parsed<Option<u32>> {
    let text = parse::trim(text);
    let Some(number) = text.strip_suffix(" Gbit") else {
        let words = text
            .bytes()
            .all(|sign| sign.is_ascii_alphabetic() || sign == b' ');
        return if words {
            Ok(None)
        } else {
            Err(Expected("a speed such as 16 Gbit"))
        };
    };
    let gigabits: u32 = parse::decimal(number)?;
    let megabits = gigabits.checked_mul(1000);
    megabits
        .map(Some)
        .ok_or(Expected("a speed such as 16 Gbit"))
}
