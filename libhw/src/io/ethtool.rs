//! What ethtool tells about one interface, over its netlink family and, where a kernel has none (before 5.6) or
//! for what is not in it, over `SIOCETHTOOL` (`Documentation/networking/ethtool-netlink.rst`).
//!
//! The kernel gives modes, filters and features by name, so these are its words, also those of newer kernels.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};

use crate::io::netlink::attribute::Request;
use crate::io::netlink::generic::Family;
use crate::io::netlink::offered;
use crate::io::sys;

mod bitset;
mod counters;
mod eeprom;
mod settings;
mod timestamping;

pub use counters::{Counters, parse as parse_counters};
pub use eeprom::{Eeprom, Page};
pub use settings::parse;

/// Commands (`ETHTOOL_MSG_*_GET`) and the header that names the interface.
mod command {
    pub(super) const LINKINFO: u8 = 2;
    pub(super) const LINKMODES: u8 = 4;
    pub(super) const FEATURES: u8 = 11;
    pub(super) const RINGS: u8 = 15;
    pub(super) const CHANNELS: u8 = 17;
    pub(super) const COALESCE: u8 = 19;
    pub(super) const PAUSE: u8 = 21;
    pub(super) const TSINFO: u8 = 25;
    pub(super) const FEC: u8 = 29;
    pub(super) const MODULE_EEPROM: u8 = 31;
    pub(super) const STATS: u8 = 32;
    pub(super) const PHC_VCLOCKS: u8 = 33;
    pub(super) const MM: u8 = 42;
    pub(super) const TSCONFIG: u8 = 46;
}

const HEADER_DEV_NAME: u16 = 2;
const HEADER_FLAGS: u16 = 3;
/// `ETHTOOL_FLAG_STATS`.
const WITH_COUNTERS: u32 = 4;

/// The settings of one interface; what its driver does not offer is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `ETHTOOL_GDRVINFO`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// Megabits per second; none while there is no link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_mbps: Option<u32>,
    /// `half` or `full`; none while there is no link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplex: Option<String>,
    /// Whether it agrees on speed with the other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoneg: Option<bool>,
    /// Lanes in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lanes: Option<u32>,
    /// Which side of a BASE-T1 or 1000BASE-T link leads: `master`, `slave`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_slave: Option<String>,
    /// `tp`, `fibre`, `da`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// `internal` or `external`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transceiver: Option<String>,
    /// What the link can do.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub supported: BTreeSet<String>,
    /// What it offers to the other end.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub advertised: BTreeSet<String>,
    /// What the other end offers.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub peer: BTreeSet<String>,
    /// The features that are on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub features: BTreeSet<String>,
    /// The features that the hardware has and that may be switched.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hardware_features: BTreeSet<String>,
    /// Descriptor rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rings: Option<Rings>,
    /// Queues by kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// When it interrupts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<Coalesce>,
    /// Flow control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// The MAC Merge layer: frame preemption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_merge: Option<MacMerge>,
    /// Timestamps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamping: Option<Timestamping>,
    /// The virtual clocks of its PHC (`ETHTOOL_MSG_PHC_VCLOCKS_GET`).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub virtual_clocks: BTreeSet<u32>,
}

/// The driver, as `ethtool -i` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// Its name.
    pub name: String,
    /// Its version: the kernel's own for most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The device's firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// The device's expansion ROM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expansion_rom: Option<String>,
    /// The device on its bus: a PCI address, most often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
}

/// Descriptors in the rings, and the most that there can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Rings {
    /// `ETHTOOL_A_RINGS_RX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx: Option<u32>,
    /// `ETHTOOL_A_RINGS_RX_MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_max: Option<u32>,
    /// `ETHTOOL_A_RINGS_TX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx: Option<u32>,
    /// `ETHTOOL_A_RINGS_TX_MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_max: Option<u32>,
}

/// Queues, by what they are for, and the most that there can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Channels {
    /// For both directions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<u32>,
    /// The most of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined_max: Option<u32>,
    /// For receiving alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx: Option<u32>,
    /// The most of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_max: Option<u32>,
    /// For sending alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx: Option<u32>,
    /// The most of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_max: Option<u32>,
    /// For link events and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<u32>,
}

/// How long it gathers frames before it interrupts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Coalesce {
    /// `rx-usecs`: microseconds after a frame came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_us: Option<u32>,
    /// `rx-frames`: so many frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_frames: Option<u32>,
    /// `tx-usecs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_us: Option<u32>,
    /// `tx-frames`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_frames: Option<u32>,
    /// Whether the driver sets them by the load: bad for steady latency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive_rx: Option<bool>,
    /// The same for sending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive_tx: Option<bool>,
}

/// Flow control by PAUSE frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Pause {
    /// Whether both ends agree on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoneg: Option<bool>,
    /// Whether it obeys them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx: Option<bool>,
    /// Whether it sends them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx: Option<bool>,
}

/// The MAC Merge layer of IEEE 802.3 clause 99, by which express frames preempt others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MacMerge {
    /// Whether it receives preemptable frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pmac_enabled: Option<bool>,
    /// Whether it may send them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_enabled: Option<bool>,
    /// Whether it does: the other end has been verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_active: Option<bool>,
    /// The least size of a fragment but the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_min_fragment_bytes: Option<u32>,
    /// `initial`, `verifying`, `succeeded`, `failed`, `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_status: Option<String>,
}

/// What it can do with timestamps, as `ethtool -T` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timestamping {
    /// `SOF_TIMESTAMPING_*`.
    pub modes: BTreeSet<String>,
    /// `HWTSTAMP_TX_*`.
    pub tx_types: BTreeSet<String>,
    /// `HWTSTAMP_FILTER_*`.
    pub rx_filters: BTreeSet<String>,
    /// N of `ptpN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phc: Option<u32>,
    /// The clock and the place that stamps, since Linux 6.14.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// All of these, where there is more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Provider>,
    /// How it is set: tx type (`ETHTOOL_MSG_TSCONFIG_GET`, Linux 6.14).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_type: Option<String>,
    /// How it is set: rx filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_filter: Option<String>,
}

/// Who stamps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provider {
    /// N of `ptpN`.
    pub phc: u32,
    /// `precise` (at the wire) or `approx` (at the DMA).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
    /// `netdev` (the MAC, or both in one) or `phylib` (a PHY).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Forward error correction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Fec {
    /// The modes that are asked for: `RS`, `BASER`, `LLRS`, `None`.
    pub configured: BTreeSet<String>,
    /// Whether the module says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<bool>,
    /// The one in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<String>,
    /// `corrected_blocks`, `uncorrectable_blocks` and `corrected_bits`, of all lanes together.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

/// What reaches the device: only in a deep look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deep {
    /// `ETHTOOL_MSG_FEC_GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fec: Option<Fec>,
    /// `ETHTOOL_MSG_STATS_GET`.
    #[serde(skip_serializing_if = "Counters::is_empty")]
    pub counters: Counters,
}

const FAMILY: &str = "ethtool";

/// The settings of the interface called `name`; `None` where the kernel offers nothing.
///
/// # Errors
/// When the kernel cannot be asked.
pub(in crate::io) fn ask(name: &str) -> io::Result<Option<Settings>> {
    let mut settings = Settings {
        driver: sys::network::ethtool_driver(name)?.map(driver),
        ..Settings::default()
    };
    if let Some(mut family) = Family::find(FAMILY)? {
        for command in settings::COMMANDS {
            if let Some(answer) = offered(family.get(*command, &header(name, 1, 0)))? {
                parse(*command, &answer, &mut settings);
            }
        }
        timestamping::complete(&mut family, name, &mut settings)?;
    }
    if settings.timestamping.is_none() {
        settings.timestamping =
            sys::network::ethtool_timestamping(name)?.map(timestamping::of_masks);
    }
    Ok((settings != Settings::default()).then_some(settings))
}

/// What of it reaches the device.
///
/// # Errors
/// As of [`ask`].
pub(in crate::io) fn ask_deep(name: &str) -> io::Result<Option<Deep>> {
    let Some(mut family) = Family::find(FAMILY)? else {
        return Ok(None);
    };
    let fec = offered(family.get(command::FEC, &header(name, 1, WITH_COUNTERS)))?;
    let counters = offered(family.get(command::STATS, &counters::request(name)))?;
    Ok(Some(Deep {
        fec: fec.and_then(|answer| settings::fec(&answer)),
        counters: counters
            .map(|answer| counters::parse(&answer))
            .unwrap_or_default(),
    }))
}

/// The memory of the module in it; `None` where there is none.
///
/// # Errors
/// As of [`ask`].
pub(in crate::io) fn ask_module(name: &str) -> io::Result<Option<Eeprom>> {
    match Family::find(FAMILY)? {
        Some(mut family) => eeprom::ask(&mut family, name),
        None => Ok(None),
    }
}

/// The request's header in an attribute of type `kind`.
fn header(name: &str, kind: u16, flags: u32) -> Request {
    let named = Request::default().with_text(HEADER_DEV_NAME, name);
    let header = if flags == 0 {
        named
    } else {
        named.with_u32(HEADER_FLAGS, flags)
    };
    Request::default().with_nested(kind, &header)
}

fn driver(answer: sys::network::DriverAnswer) -> Driver {
    let known = |text: String| Some(text).filter(|text| !text.is_empty() && text != "N/A");
    Driver {
        name: answer.name,
        version: known(answer.version),
        firmware: known(answer.firmware),
        expansion_rom: known(answer.expansion_rom),
        bus: known(answer.bus),
    }
}

#[cfg(test)]
mod tests;
