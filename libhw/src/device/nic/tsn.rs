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
    /// Disciplines that the driver takes for some of its devices (`TC_SETUP_QDISC_*` in its source, up to Linux 6.18):
    /// `taprio`, `etf`, `cbs`, `ets`, `mqprio`.
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

/// Drivers that take taprio, etf or cbs, by the name in `ethtool -i`, and all that their `ndo_setup_tc` takes of
/// `KINDS`. Ports of a switch under DSA all say `dsa` there (`net/dsa/user.c`): theirs is the name of the switch's driver,
/// and what its `port_setup_tc` takes.
const ACCEPTS: &[(&str, &[&str])] = &[
    ("am65-cpsw-nuss", &["mqprio", "taprio"]),
    ("cpsw", &["cbs", "mqprio"]),
    ("cpsw-switch", &["cbs", "mqprio"]),
    ("fsl_enetc", &["cbs", "etf", "mqprio", "taprio"]),
    ("hellcreek", &["taprio"]),
    ("ice", &["etf", "mqprio"]),
    ("igb", &["cbs", "etf"]),
    ("igc", &["cbs", "etf", "mqprio", "taprio"]),
    ("ksz-switch", &["cbs", "ets"]),
    ("lan966x-switch", &["cbs", "ets", "mqprio", "taprio"]),
    ("mscc_felix", &["cbs", "mqprio", "taprio"]),
    ("rtase", &["cbs"]),
    ("sja1105", &["cbs", "taprio"]),
    ("st_gmac", &["cbs", "etf", "mqprio", "taprio"]),
    ("st_xgmac", &["cbs", "etf", "mqprio", "taprio"]),
    ("tsnep", &["taprio"]),
];

/// What every port of a switch under DSA says of its driver.
const SWITCH_PORT: &str = "dsa";

const OFFLOAD: &str = "hw-tc-offload";

/// What is known of `interface` before its disciplines; `None` where that is nothing. `of_device` is the driver of the
/// device that it is on.
pub(super) fn of(
    interface: &Interface,
    of_device: Option<&str>,
    frame_preemption: Option<MacMerge>,
    features: &BTreeSet<String>,
    hardware: &BTreeSet<String>,
) -> Option<Tsn> {
    if !interface.is_hardware() {
        return None;
    }
    let accepts = accepts(interface.driver.as_deref().unwrap_or_default(), of_device);
    let can = hardware.contains(OFFLOAD) || features.contains(OFFLOAD);
    let tsn = Tsn {
        hw_tc_offload: can.then(|| features.contains(OFFLOAD)),
        frame_preemption,
        driver_accepts: accepts.iter().map(|kind| (*kind).to_owned()).collect(),
        qdiscs: Vec::new(),
    };
    (tsn != Tsn::default()).then_some(tsn)
}

fn accepts(driver: &str, of_device: Option<&str>) -> &'static [&'static str] {
    let driver = match (driver, of_device) {
        (SWITCH_PORT, Some(switch)) => switch,
        _ => driver,
    };
    let known = ACCEPTS.iter().find(|(name, _)| *name == driver);
    known.map_or(&[], |(_, kinds)| *kinds)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_a_switch_takes_what_the_switchs_driver_takes() {
        assert_eq!(
            accepts("igc", Some("igc")),
            ["cbs", "etf", "mqprio", "taprio"]
        );
        assert_eq!(accepts("dsa", Some("sja1105")), ["cbs", "taprio"]);
        assert_eq!(accepts("dsa", Some("mv88e6085")), [""; 0]);
        assert_eq!(accepts("dsa", None), [""; 0]);
        assert_eq!(accepts("e1000e", Some("sja1105")), [""; 0]);
        assert!(ACCEPTS.is_sorted_by_key(|(name, _)| *name));
    }
}
