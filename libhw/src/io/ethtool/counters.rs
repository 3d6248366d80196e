//! The standard counters of ports (`ETHTOOL_MSG_STATS_GET`; `Documentation/networking/statistics.rst`).

use std::collections::BTreeMap;

use super::header;
use crate::io::netlink::attribute::{Attribute, Attributes, Request};

/// Groups (`eth-phy`, `eth-mac`, `eth-ctrl`, `rmon`), and in each the counters by the standards' names.
pub type Counters = BTreeMap<String, BTreeMap<String, u64>>;

const HEADER: u16 = 2;
const GROUPS: u16 = 3;
const GROUP: u16 = 4;
const GROUP_ID: u16 = 2;
const GROUP_STAT: u16 = 4;
const HISTOGRAM_RX: u16 = 5;
const HISTOGRAM_TX: u16 = 6;

/// `ETHTOOL_STATS_*` and the names of `net/ethtool/stats.c`, which are those of IEEE 802.3 clause 30 and RFC 2819.
const NAMES: [(&str, &[&str]); 4] = [
    ("eth-phy", &["SymbolErrorDuringCarrier"]),
    (
        "eth-mac",
        &[
            "FramesTransmittedOK",
            "SingleCollisionFrames",
            "MultipleCollisionFrames",
            "FramesReceivedOK",
            "FrameCheckSequenceErrors",
            "AlignmentErrors",
            "OctetsTransmittedOK",
            "FramesWithDeferredXmissions",
            "LateCollisions",
            "FramesAbortedDueToXSColls",
            "FramesLostDueToIntMACXmitError",
            "CarrierSenseErrors",
            "OctetsReceivedOK",
            "FramesLostDueToIntMACRcvError",
            "MulticastFramesXmittedOK",
            "BroadcastFramesXmittedOK",
            "FramesWithExcessiveDeferral",
            "MulticastFramesReceivedOK",
            "BroadcastFramesReceivedOK",
            "InRangeLengthErrors",
            "OutOfRangeLengthField",
            "FrameTooLongErrors",
        ],
    ),
    (
        "eth-ctrl",
        &[
            "MACControlFramesTransmitted",
            "MACControlFramesReceived",
            "UnsupportedOpcodesReceived",
        ],
    ),
    (
        "rmon",
        &[
            "etherStatsUndersizePkts",
            "etherStatsOversizePkts",
            "etherStatsFragments",
            "etherStatsJabbers",
        ],
    ),
];

/// A question for all groups.
pub(super) fn request(name: &str) -> Request {
    let all: u32 = (1 << NAMES.len()) - 1;
    let groups = Request::default()
        .with(1, &[])
        .with_u32(2, 32)
        .with(4, &all.to_ne_bytes());
    header(name, HEADER, 0).with_nested(GROUPS, &groups)
}

/// The counters of an answer, those that the driver has.
#[must_use]
pub fn parse(answer: &[u8]) -> Counters {
    let mut counters = Counters::new();
    for group in Attributes::of(answer).filter(|part| part.kind == GROUP) {
        let id = group.nested().find(|part| part.kind == GROUP_ID);
        let id = id.and_then(|id| usize::try_from(id.number()?).ok());
        let Some((name, names)) = id.and_then(|id| NAMES.get(id)) else {
            continue;
        };
        let known = counters.entry((*name).to_owned()).or_default();
        for part in group.nested() {
            match part.kind {
                GROUP_STAT => known.extend(part.nested().filter_map(|count| counter(names, count))),
                HISTOGRAM_RX => known.extend(bucket("rx", part)),
                HISTOGRAM_TX => known.extend(bucket("tx", part)),
                _ => {}
            }
        }
    }
    counters.retain(|_, known| !known.is_empty());
    counters
}

fn counter(names: &[&str], count: Attribute<'_>) -> Option<(String, u64)> {
    let name = names.get(usize::from(count.kind))?;
    Some(((*name).to_owned(), count.number()?))
}

/// Frames of a range of sizes: `rx-etherStatsPkts64to64Octets`, as `ethtool` calls it.
fn bucket(direction: &str, part: Attribute<'_>) -> Option<(String, u64)> {
    let find = |kind| part.nested().find(|part| part.kind == kind)?.number();
    let low = find(7)?;
    let high = find(8)
        .filter(|high| *high > 0)
        .map_or_else(|| "Max".to_owned(), |high| high.to_string());
    Some((
        format!("{direction}-etherStatsPkts{low}to{high}Octets"),
        find(9)?,
    ))
}
