//! Shares of caches and memory bandwidth: resctrl (Intel RDT, AMD QoS, Arm MPAM), `Documentation/filesystems/resctrl.rst`.

use serde::{Deserialize, Serialize};

use crate::idset::IdSet;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// resctrl, where it is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Resctrl {
    /// `info`: what can be shared out, and what can be monitored, by name.
    pub resources: Vec<ResctrlResource>,
    /// The groups: the one that everything is in at first, then the others, each before those that only monitor in it.
    pub groups: Vec<ResctrlGroup>,
}

/// Something that can be shared out or monitored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ResctrlResource {
    /// `L3`, `L2`, `L3CODE`, `L3DATA`, `MB`, `SMBA`; `L3_MON` for monitoring.
    pub id: String,
    /// `num_closids`: how many groups there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_max: Option<u32>,
    /// `cbm_mask`: the parts of the cache, a bit each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// `min_cbm_bits`: the fewest parts that a group can have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_bits_min: Option<u32>,
    /// `shareable_bits`: parts that devices use too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shareable_mask: Option<String>,
    /// `sparse_masks`: whether a group's parts may have gaps between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sparse_masks: Option<bool>,
    /// `min_bandwidth`: the least share, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_min: Option<u32>,
    /// `bandwidth_gran`: the steps between shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_step: Option<u32>,
    /// `delay_linear`: whether a share slows down as much as it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linear: Option<bool>,
    /// `thread_throttle_mode`: `max` or `per-thread`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle_mode: Option<String>,
    /// `num_rmids`: how many groups can be monitored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitors_max: Option<u32>,
    /// `mon_features`: what can be monitored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

/// A group of tasks or CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ResctrlGroup {
    /// Its path: `/`, `/guests`, `/guests/mon_groups/one`.
    pub id: String,
    /// Whether it only monitors.
    pub monitors_only: bool,
    /// `mode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ResctrlMode>,
    /// `cpus_list`: the CPUs whose tasks are in it if they are in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<IdSet>,
    /// `schemata`: its share of each instance of each resource.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<ResctrlShare>,
    /// `mon_data`, with `--deep`: a CPU of each domain has to be asked. It changes without an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<ResctrlNow>,
}

/// How a group shares with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ResctrlMode {
    /// Its parts may be another's too.
    Shareable,
    /// Its parts are its alone.
    Exclusive,
    /// It is being set up to be locked.
    PseudoLocksetup,
    /// Its parts hold what was put there.
    PseudoLocked,
    /// What this version does not know.
    #[serde(untagged)]
    Unknown(String),
}

/// A group's share of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResctrlShare {
    /// Resource and domain: `L3:0`.
    pub id: String,
    /// The parts of the cache as a mask, or the bandwidth.
    pub value: String,
}

/// What a group uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResctrlNow {
    /// The counters, by domain and event.
    pub counters: Vec<ResctrlCounter>,
}

/// One counter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResctrlCounter {
    /// Domain and event: `mon_L3_00/llc_occupancy`.
    pub id: String,
    /// Bytes; none where the kernel says `Unavailable` or `Error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

const RESCTRL: &str = "sys/fs/resctrl";

/// Directories that are no groups.
const OWN: [&str; 3] = ["info", "mon_data", "mon_groups"];

/// No processor has so many groups.
const GROUPS_MAX: usize = 4096;

/// Whether it is mounted.
pub(super) fn is_mounted(survey: &Survey<'_>) -> bool {
    has_info(&survey.names(RESCTRL))
}

fn has_info(names: &[String]) -> bool {
    names.iter().any(|name| name == "info")
}

/// Reads it; none where it isn't mounted.
pub(super) fn discover(survey: &Survey<'_>) -> Option<Resctrl> {
    let names = survey.names(RESCTRL);
    if !has_info(&names) {
        return None;
    }
    let info = survey.names(&format!("{RESCTRL}/info"));
    let mut groups = with_monitors(survey, "", &names);
    for name in names.iter().filter(|name| !OWN.contains(&name.as_str())) {
        let path = format!("/{name}");
        let names = survey.names(&format!("{RESCTRL}{path}"));
        if names.iter().any(|name| name == "schemata") && groups.len() < GROUPS_MAX {
            groups.extend(with_monitors(survey, &path, &names));
        }
    }
    Some(Resctrl {
        resources: info
            .into_iter()
            .filter_map(|id| resource(survey, id))
            .collect(),
        groups,
    })
}

/// Reads again what was read.
pub(super) fn refresh(resctrl: &mut Resctrl, survey: &Survey<'_>) {
    for group in resctrl
        .groups
        .iter_mut()
        .filter(|group| group.now.is_some())
    {
        group.now = Some(now(survey, group.id.trim_end_matches('/')));
    }
}

/// The last command's status stands beside the resources.
fn resource(survey: &Survey<'_>, id: String) -> Option<ResctrlResource> {
    let directory = format!("{RESCTRL}/info/{id}");
    let names = survey.names(&directory);
    if names.is_empty() {
        return None;
    }
    let path = |name: &str| {
        let there = names.iter().any(|known| known == name);
        there.then(|| format!("{directory}/{name}"))
    };
    let number = |name: &str| survey.value(&path(name)?, parse::decimal::<u32>);
    let text = |name: &str| survey.text(&path(name)?);
    let switch = |name: &str| survey.value(&path(name)?, parse::switch);
    Some(ResctrlResource {
        groups_max: number("num_closids"),
        mask: text("cbm_mask"),
        mask_bits_min: number("min_cbm_bits"),
        shareable_mask: text("shareable_bits"),
        sparse_masks: switch("sparse_masks"),
        bandwidth_min: number("min_bandwidth"),
        bandwidth_step: number("bandwidth_gran"),
        linear: switch("delay_linear"),
        throttle_mode: text("thread_throttle_mode"),
        monitors_max: number("num_rmids"),
        features: text("mon_features")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        id,
    })
}

/// A group, and those that monitor in it.
fn with_monitors(survey: &Survey<'_>, path: &str, names: &[String]) -> Vec<ResctrlGroup> {
    let has = |name: &str| names.iter().any(|known| known == name);
    let mut groups = vec![group(survey, path, false)];
    if has("mon_groups") {
        for name in survey
            .names(&format!("{RESCTRL}{path}/mon_groups"))
            .into_iter()
            .take(GROUPS_MAX)
        {
            groups.push(group(survey, &format!("{path}/mon_groups/{name}"), true));
        }
    }
    groups
}

fn group(survey: &Survey<'_>, path: &str, monitors_only: bool) -> ResctrlGroup {
    let of = |name: &str| format!("{RESCTRL}{path}/{name}");
    let shares = |text: &str| schemata(text);
    ResctrlGroup {
        id: if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        },
        monitors_only,
        mode: (!monitors_only)
            .then(|| survey.text(&of("mode")))
            .flatten()
            .map(mode),
        cpus: survey.value(&of("cpus_list"), parse::list),
        shares: if monitors_only {
            Vec::new()
        } else {
            survey.value(&of("schemata"), shares).unwrap_or_default()
        },
        now: survey.deep().then(|| now(survey, path)),
    }
}

fn mode(word: String) -> ResctrlMode {
    match word.as_str() {
        "shareable" => ResctrlMode::Shareable,
        "exclusive" => ResctrlMode::Exclusive,
        "pseudo-locksetup" => ResctrlMode::PseudoLocksetup,
        "pseudo-locked" => ResctrlMode::PseudoLocked,
        _ => ResctrlMode::Unknown(word),
    }
}

/// ```text
///     MB:0=100;1=100
///     L3:0=fff;1=fff
/// ```
fn schemata(text: &str) -> Parsed<Vec<ResctrlShare>> {
    const EXPECTED: Expected = Expected("lines such as `L3:0=fff;1=fff`");
    let mut shares = Vec::new();
    for line in text
        .lines()
        .map(parse::trim)
        .filter(|line| !line.is_empty())
    {
        let (resource, domains) = line.split_once(':').ok_or(EXPECTED)?;
        for domain in domains.split(';') {
            let (domain, value) = domain.split_once('=').ok_or(EXPECTED)?;
            shares.push(ResctrlShare {
                id: format!("{}:{}", parse::trim(resource), parse::trim(domain)),
                value: parse::trim(value).to_owned(),
            });
        }
    }
    Ok(shares)
}

fn now(survey: &Survey<'_>, path: &str) -> ResctrlNow {
    let data = format!("{RESCTRL}{path}/mon_data");
    let mut counters = Vec::new();
    for domain in survey.names(&data) {
        for event in survey.names(&format!("{data}/{domain}")) {
            let text = survey.text(&format!("{data}/{domain}/{event}"));
            counters.push(ResctrlCounter {
                bytes: text.and_then(|text| parse::decimal(&text).ok()),
                id: format!("{domain}/{event}"),
            });
        }
    }
    ResctrlNow { counters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_domain_of_a_resource_has_its_own_share() {
        let told = |text| {
            schemata(text).map(|shares| {
                shares
                    .into_iter()
                    .map(|share| format!("{}={}", share.id, share.value))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            told("    MB:0=100;1= 50\n    L3:0=fff\n"),
            Ok(vec!["MB:0=100".into(), "MB:1=50".into(), "L3:0=fff".into()])
        );
        assert_eq!(told(""), Ok(Vec::new()));
        for text in ["L3", "L3:0", "L3:0=1;1", ":"] {
            assert!(told(text).is_err(), "{text:?}");
        }
    }
}
