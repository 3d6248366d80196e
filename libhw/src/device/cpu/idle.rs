//! Idle states (C-states), `Documentation/admin-guide/pm/cpuidle.rst`, `Documentation/ABI/testing/sysfs-devices-system-cpu`.
//!
//! What a state is made of is the same on all cores of a kind, so it is read from one CPU of each; how often it was entered is
//! every CPU's own, so that is read where asked to look closely.

use serde::{Deserialize, Serialize};

use super::{CPUS, Kind, of_cpu};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// How idle CPUs save power.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Idle {
    /// `cpuidle/current_driver`: `intel_idle`, `acpi_idle`, `psci_idle`; none where the kernel says `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `cpuidle/current_governor`, which chooses the state: `menu`, `teo`, `haltpoll`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// `cpuidle/available_governors`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub available_governors: Vec<String>,
    /// The states, shallowest first, of each kind of core.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<IdleState>,
}

/// An idle state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IdleState {
    /// The lowest CPU of its kind and the N of `stateN`: `0/2`.
    pub id: String,
    /// The kind of core, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u32>,
    /// `name`: `C6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `desc`: `MWAIT 0x20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `latency`: how long it takes to wake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// `residency`: how long it must last to be worth it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residency_us: Option<u64>,
    /// `power`, in milliwatts, where the driver knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_mw: Option<u64>,
    /// `default_status`: whether the driver offers it from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_by_default: Option<bool>,
    /// `disable`: the CPUs on which it was switched off. Without `--deep` only the CPU in the `id` is looked at.
    #[serde(default, skip_serializing_if = "IdSet::is_empty")]
    pub disabled_cpus: IdSet,
    /// What changes without an event, with `--deep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<IdleStateNow>,
}

/// How often all CPUs of the kind together were in a state since they were started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct IdleStateNow {
    /// `usage`: how often it was entered.
    pub entered: u64,
    /// `time`: how long that lasted.
    pub time_us: u64,
    /// `rejected`: how often it was asked for in vain.
    pub rejected: u64,
    /// `above`: how often a shallower one would have been right.
    pub too_deep: u64,
    /// `below`: how often a deeper one would have been right.
    pub too_shallow: u64,
}

/// Reads the states; none where this kernel has no cpuidle.
pub(super) fn discover(survey: &Survey<'_>, online: &IdSet, kinds: &[Kind]) -> Option<Idle> {
    let directory = format!("{CPUS}/cpuidle");
    let names = survey.names(&directory);
    let text = |name: &str| {
        let there = names.iter().any(|known| known == name);
        there.then(|| survey.text(&format!("{directory}/{name}")))?
    };
    let governors = text("available_governors").unwrap_or_default();
    let idle = Idle {
        driver: text("current_driver").filter(|driver| driver != "none"),
        governor: text("current_governor").or_else(|| text("current_governor_ro")),
        available_governors: governors.split_whitespace().map(str::to_owned).collect(),
        states: states(survey, online, kinds),
    };
    (idle != Idle::default()).then_some(idle)
}

/// Reads again what was read.
pub(super) fn refresh(idle: &mut Idle, survey: &Survey<'_>, online: &IdSet, kinds: &[Kind]) {
    for state in idle.states.iter_mut().filter(|state| state.now.is_some()) {
        let cpus = cpus_of(state.kind, online, kinds);
        if let Some(number) = number(&state.id) {
            state.now = Some(counted(survey, &cpus, number));
        }
    }
}

fn states(survey: &Survey<'_>, online: &IdSet, kinds: &[Kind]) -> Vec<IdleState> {
    let mut kinds_of: Vec<Option<u32>> = kinds.iter().map(|kind| Some(kind.id)).collect();
    if kinds_of.is_empty() {
        kinds_of.push(None);
    }
    let mut states = Vec::new();
    for kind in kinds_of {
        let cpus = cpus_of(kind, online, kinds);
        let Some(first) = cpus.first() else {
            continue;
        };
        for number in survey.numbered(&of_cpu(first, "cpuidle"), "state") {
            let state = state(survey, first, number);
            states.push(if survey.deep() {
                IdleState {
                    kind,
                    disabled_cpus: cpus
                        .iter()
                        .filter(|cpu| is_disabled(survey, *cpu, number))
                        .collect(),
                    now: Some(counted(survey, &cpus, number)),
                    ..state
                }
            } else {
                IdleState { kind, ..state }
            });
        }
    }
    states
}

fn state(survey: &Survey<'_>, cpu: u32, number: u32) -> IdleState {
    let directory = of_state(cpu, number);
    let names = survey.names(&directory);
    let path = |name: &str| {
        let there = names.iter().any(|known| known == name);
        there.then(|| format!("{directory}/{name}"))
    };
    let text = |name| survey.text(&path(name)?);
    let value = |name| survey.value(&path(name)?, parse::decimal::<u64>);
    let disabled = value("disable").is_some_and(|disable| disable != 0);
    IdleState {
        id: format!("{cpu}/{number}"),
        name: text("name"),
        description: text("desc").filter(|words| words != "<null>"),
        latency_us: value("latency"),
        residency_us: value("residency"),
        // Drivers that don't know it say 0, and old ones what -1 is without its sign.
        power_mw: value("power").filter(|power| (1..u64::from(u32::MAX)).contains(power)),
        enabled_by_default: text("default_status").and_then(|word| match word.as_str() {
            "enabled" => Some(true),
            "disabled" => Some(false),
            _ => None,
        }),
        disabled_cpus: disabled.then_some(cpu).into_iter().collect(),
        ..IdleState::default()
    }
}

/// Bit 0 is the user's switch; a driver's own is bit 1.
fn is_disabled(survey: &Survey<'_>, cpu: u32, number: u32) -> bool {
    let path = format!("{}/disable", of_state(cpu, number));
    survey
        .value(&path, parse::decimal::<u64>)
        .is_some_and(|disable| disable != 0)
}

fn counted(survey: &Survey<'_>, cpus: &IdSet, number: u32) -> IdleStateNow {
    let mut now = IdleStateNow::default();
    for cpu in cpus.iter() {
        let directory = of_state(cpu, number);
        let count = |name: &str| {
            survey
                .value(&format!("{directory}/{name}"), parse::decimal::<u64>)
                .unwrap_or_default()
        };
        now.entered = now.entered.saturating_add(count("usage"));
        now.time_us = now.time_us.saturating_add(count("time"));
        now.rejected = now.rejected.saturating_add(count("rejected"));
        now.too_deep = now.too_deep.saturating_add(count("above"));
        now.too_shallow = now.too_shallow.saturating_add(count("below"));
    }
    now
}

fn of_state(cpu: u32, number: u32) -> String {
    of_cpu(cpu, format_args!("cpuidle/state{number}"))
}

fn number(id: &str) -> Option<u32> {
    parse::decimal(id.rsplit_once('/')?.1).ok()
}

/// The online CPUs of a kind; all where there are no kinds.
fn cpus_of(kind: Option<u32>, online: &IdSet, kinds: &[Kind]) -> IdSet {
    let found = kind.and_then(|id| kinds.iter().find(|kind| kind.id == id));
    found.map_or_else(|| online.clone(), |kind| kind.cpus.intersection(online))
}
