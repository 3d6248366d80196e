//! Time-sensitive networking: what an interface's hardware can do, as far as the kernel tells, and what it is set to do.
//!
//! A driver takes an offload when it is asked for and not before; the kernel has no question for it. So two things
//! are told apart: what the driver's source accepts for its devices ([`Tsn::driver_accepts`]), and what is offloaded
//! now ([`Tsn::qdiscs`]). Frame preemption is told by the driver itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Interface, MacMerge};
use crate::io::netlink::qdisc;

/// What an interface can do for time-sensitive networking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tsn {
    /// `hw-tc-offload`: whether classifiers and disciplines may be given to the hardware; absent where it never can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hw_tc_offload: Option<bool>,
    /// The MAC Merge layer: frame preemption (`ETHTOOL_MSG_MM_GET`, Linux 6.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_preemption: Option<MacMerge>,
    /// Disciplines that the driver takes for some of its devices (`TC_SETUP_QDISC_*` in its source, Linux 6.12):
    /// `taprio`, `etf`, `cbs`, `mqprio`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub driver_accepts: BTreeSet<String>,
    /// Disciplines that are set up on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub qdiscs: Vec<Qdisc>,
}

/// A discipline that is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Qdisc {
    /// `taprio`, `etf`, `cbs`, `mqprio` or `ets`.
    pub kind: String,
    /// Whether the hardware does it.
    pub offloaded: bool,
}

/// Drivers by the name in `ethtool -i`, and what their `ndo_setup_tc` takes.
const ACCEPTS: &[(&str, &[&str])] = &[
    ("am65-cpsw-nuss", &["mqprio", "taprio"]),
    ("fsl_enetc", &["cbs", "etf", "mqprio", "taprio"]),
    ("hellcreek", &["taprio"]),
    ("icssg-prueth", &["taprio"]),
    ("igb", &["cbs", "etf"]),
    ("igc", &["cbs", "etf", "mqprio", "taprio"]),
    ("lan966x-switch", &["cbs", "ets", "mqprio", "taprio"]),
    ("mscc_felix", &["cbs", "mqprio", "taprio"]),
    ("sja1105", &["cbs", "taprio"]),
    ("st_gmac", &["cbs", "etf", "mqprio", "taprio"]),
    ("stmmaceth", &["cbs", "etf", "mqprio", "taprio"]),
    ("tsnep", &["taprio"]),
];

const OFFLOAD: &str = "hw-tc-offload";

/// What is known of `interface` before its disciplines; `None` where that is nothing.
pub(super) fn of(
    interface: &Interface,
    frame_preemption: Option<MacMerge>,
    features: &BTreeSet<String>,
    hardware: &BTreeSet<String>,
) -> Option<Tsn> {
    if !interface.is_hardware() {
        return None;
    }
    let driver = interface.driver.as_deref().unwrap_or_default();
    let accepts = ACCEPTS.iter().find(|(name, _)| *name == driver);
    let can = hardware.contains(OFFLOAD) || features.contains(OFFLOAD);
    let tsn = Tsn {
        hw_tc_offload: can.then(|| features.contains(OFFLOAD)),
        frame_preemption,
        driver_accepts: accepts
            .map(|(_, kinds)| kinds.iter().map(|kind| (*kind).to_owned()).collect())
            .unwrap_or_default(),
        qdiscs: Vec::new(),
    };
    (tsn != Tsn::default()).then_some(tsn)
}

/// Adds the disciplines that are set up.
pub(super) fn complete(qdiscs: Option<Vec<qdisc::Qdisc>>, interfaces: &mut [Interface]) {
    for qdisc in qdiscs.unwrap_or_default() {
        let mut all = interfaces.iter_mut();
        if let Some(interface) = all.find(|interface| interface.index == Some(qdisc.index)) {
            let known = &mut interface.tsn.get_or_insert_default().qdiscs;
            let qdisc = Qdisc {
                kind: qdisc.kind,
                offloaded: qdisc.offloaded,
            };
            if !known.contains(&qdisc) {
                known.push(qdisc);
                known.sort();
            }
        }
    }
}
