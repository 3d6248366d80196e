//! RDMA devices and their ports (`Documentation/ABI/stable/sysfs-class-infiniband`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::word::words;

const DEVICES: &str = "sys/class/infiniband";

words! {
    /// The logical state of a port.
    RdmaPortState {
        /// Not physically up, or set down.
        Down "down",
        /// Physically up, and not set up by the subnet manager.
        Init "init",
        /// Set up, and not yet told to carry data.
        Armed "armed",
        /// Carries data.
        Active "active",
        /// Active, while its physical link is mended.
        ActiveDefer "active_defer",
        /// Does nothing.
        Nop "nop",
    }
}

/// One RDMA device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rdma {
    /// Its name, `mlx5_0`.
    pub id: String,
    /// The PCI function that it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `fw_ver`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// `hca_type`: the vendor's name of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `board_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// `node_type`: `CA`, `Switch`, `RNIC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_type: Option<String>,
    /// `node_guid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_guid: Option<String>,
    /// Its ports, by number.
    pub ports: Vec<RdmaPort>,
}

/// One port of an RDMA device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RdmaPort {
    /// Its number, from 1.
    pub id: u32,
    /// `link_layer`: `InfiniBand` or `Ethernet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_layer: Option<String>,
    /// Its interfaces, of RoCE: `gid_attrs/ndevs/0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: RdmaPortNow,
}

/// What changes in a port without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RdmaPortNow {
    /// `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RdmaPortState>,
    /// `phys_state`: `LinkUp`, `Polling`, `Disabled`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_state: Option<String>,
    /// The megabits per second of `rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_mbps: Option<u64>,
    /// The lanes and the generation of `rate`, as written: `4X EDR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// `counters` and `hw_counters`, by the kernel's names, zeros left out. `port_xmit_data` and `port_rcv_data` are
    /// in words of four bytes, as the kernel tells them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

/// The devices, by name.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Rdma> {
    survey
        .names(DEVICES)
        .into_iter()
        .filter_map(|name| device(survey, name))
        .collect()
}

/// Reads again how the ports fare.
pub(super) fn refresh(devices: &mut [Rdma], survey: &Survey<'_>) {
    for device in devices {
        for port in &mut device.ports {
            port.now = now(survey, &port_directory(&device.id, port.id));
        }
    }
}

fn device(survey: &Survey<'_>, id: String) -> Option<Rdma> {
    let directory = format!("{DEVICES}/{id}");
    let names = survey.names(&directory);
    if names.is_empty() {
        return None;
    }
    let text = |name: &str| {
        let has = names
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok();
        has.then(|| survey.text(&format!("{directory}/{name}")))?
    };
    let whole = survey.keep(survey.root().link(&directory));
    let device = || survey.keep(survey.root().link(&format!("{directory}/device")));
    let way = whole
        .filter(|way| parse::function_above(way).is_some())
        .or_else(device);
    let node_type = text("node_type").and_then(|text| {
        survey.parsed(&format!("{directory}/node_type"), &text, |text| {
            numbered(text).map(|(_, word)| word.to_owned())
        })
    });
    let ports = survey.numbered(&format!("{directory}/ports"), "");
    Some(Rdma {
        function: way
            .as_deref()
            .and_then(|way| parse::function_above(way.trim_end_matches('/')))
            .map(str::to_owned),
        firmware: text("fw_ver"),
        model: text("hca_type"),
        board: text("board_id"),
        node_type,
        node_guid: text("node_guid"),
        ports: ports
            .into_iter()
            .take(256)
            .map(|number| port(survey, &id, number))
            .collect(),
        id,
    })
}

fn port_directory(device: &str, port: u32) -> String {
    format!("{DEVICES}/{device}/ports/{port}")
}

fn port(survey: &Survey<'_>, device: &str, id: u32) -> RdmaPort {
    let directory = port_directory(device, id);
    let link_layer = survey.text(&format!("{directory}/link_layer"));
    let ethernet = link_layer.as_deref() == Some("Ethernet");
    RdmaPort {
        id,
        interface: ethernet
            .then(|| survey.text(&format!("{directory}/gid_attrs/ndevs/0")))
            .flatten(),
        link_layer,
        now: now(survey, &directory),
    }
}

fn now(survey: &Survey<'_>, directory: &str) -> RdmaPortNow {
    let word = |name: &str| {
        let path = format!("{directory}/{name}");
        let text = survey.text(&path)?;
        survey.parsed(&path, &text, |text| {
            numbered(text).map(|(_, word)| word.to_owned())
        })
    };
    let path = format!("{directory}/rate");
    let rate = survey
        .text(&path)
        .and_then(|text| survey.parsed(&path, &text, rate));
    let (rate_mbps, rate) = rate.unzip();
    RdmaPortNow {
        state: word("state").map(|word| word.to_lowercase().into()),
        physical_state: word("phys_state"),
        rate_mbps,
        rate: rate.flatten(),
        counters: ["counters", "hw_counters"]
            .iter()
            .flat_map(|name| counters(survey, &format!("{directory}/{name}")))
            .collect(),
    }
}

/// A number and what it stands for.
///
/// ```text
/// 4: ACTIVE
/// ```
fn numbered(text: &str) -> Parsed<(u32, &str)> {
    let expected = Expected("a number and a word, such as 4: ACTIVE");
    let (number, word) = text.split_once(':').ok_or(expected)?;
    let number = parse::decimal(number).map_err(|_| expected)?;
    Ok((number, parse::trim(word)))
}

/// Megabits per second, and the lanes and generation behind.
///
/// ```text
/// 2.5 Gb/sec (1X SDR)
/// ```
fn rate(text: &str) -> Parsed<(u64, Option<String>)> {
    let expected = Expected("a rate such as 100 Gb/sec (4X EDR)");
    let (rate, rest) = text.split_once(" Gb/sec").ok_or(expected)?;
    let (whole, tenths) = rate.split_once('.').unwrap_or((rate, "0"));
    let whole: u64 = parse::decimal(whole).map_err(|_| expected)?;
    let tenths: u64 = parse::decimal(tenths)
        .ok()
        .filter(|tenths| *tenths < 10)
        .ok_or(expected)?;
    let mbps = whole
        .checked_mul(1000)
        .and_then(|mbps| mbps.checked_add(tenths * 100));
    let words = rest
        .trim()
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    Ok((mbps.ok_or(expected)?, words.map(str::to_owned)))
}

/// Drivers say `N/A (no PMA)` of a counter that they do not have, and refuse others.
fn counters(survey: &Survey<'_>, directory: &str) -> BTreeMap<String, u64> {
    let count = |name: String| {
        // In milliseconds how long the driver keeps the others: no counter.
        if name == "lifespan" {
            return None;
        }
        let path = format!("{directory}/{name}");
        let text = match survey.root().text(&path) {
            Err(crate::error::Error::Unsupported { .. }) => None,
            Err(crate::error::Error::Read { source, .. })
                if source.raw_os_error() == Some(libc::EINVAL) =>
            {
                None
            }
            answer => survey.keep(answer),
        };
        let text = text.filter(|text| !text.starts_with("N/A"))?;
        let count: u64 = survey.parsed(&path, &text, parse::decimal)?;
        (count > 0).then_some((name, count))
    };
    survey
        .names(directory)
        .into_iter()
        .filter_map(count)
        .collect()
}
