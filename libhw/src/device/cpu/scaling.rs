//! What steers the frequency beyond cpufreq's policies: `intel_pstate`, `amd_pstate` and the uncore.
//!
//! `Documentation/admin-guide/pm/{intel_pstate,amd-pstate,intel_uncore_frequency_scaling}.rst`.

use serde::{Deserialize, Serialize};

use super::{CPUS, Policy};
use crate::parse;
use crate::survey::Survey;
use crate::units::Hertz;

/// The settings that all CPUs share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Scaling {
    /// `intel_pstate` or `amd_pstate`, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `status`: who chooses the frequency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ScalingStatus>,
    /// `max_perf_pct`: the most of what the processor can (`intel_pstate`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<u32>,
    /// `min_perf_pct`: the least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_percent: Option<u32>,
    /// `turbo_pct`: how much of its range is turbo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turbo_percent: Option<u32>,
    /// `num_pstates`: how many steps there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// `hwp_dynamic_boost`: faster for a while after waiting for a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_boost: Option<bool>,
    /// `prefcore`: whether the scheduler is told which cores are best (`amd_pstate`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_cores: Option<bool>,
    /// `scaling_available_governors` of the first policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub available_governors: Vec<String>,
    /// `energy_performance_available_preferences` of the first policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub available_energy_preferences: Vec<String>,
}

/// Who chooses the frequency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScalingStatus {
    /// The driver or the processor itself.
    Active,
    /// cpufreq's governor.
    Passive,
    /// The processor, between limits that the governor gives it.
    Guided,
    /// Not this driver: `off`, `disable`.
    Off,
    /// What this version does not know.
    #[serde(untagged)]
    Unknown(String),
}

/// The clock of what the cores of a die share: mesh, caches, memory controllers (Intel).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Uncore {
    /// The kernel's name: `package_00_die_00`, `uncore02`.
    pub id: String,
    /// `package_id`, or the package in the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<u32>,
    /// The kernel's number of the die in the package, in the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub die: Option<u32>,
    /// `initial_min_freq_khz`: the least that the hardware can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_min_hz: Option<Hertz>,
    /// `initial_max_freq_khz`: the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_max_hz: Option<Hertz>,
    /// `min_freq_khz`: the least that it is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_min_hz: Option<Hertz>,
    /// `max_freq_khz`: the most that it is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_max_hz: Option<Hertz>,
    /// What changes without an event.
    #[serde(default)]
    pub now: UncoreNow,
}

/// What changes in an uncore without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UncoreNow {
    /// `current_freq_khz`, with `--deep`: a CPU of the die has to be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_hz: Option<Hertz>,
}

const DRIVERS: [&str; 2] = ["intel_pstate", "amd_pstate"];
const UNCORE: &str = "sys/devices/system/cpu/intel_uncore_frequency";

/// The shared settings; none where nothing steers the frequency.
pub(super) fn discover(survey: &Survey<'_>, policies: &[Policy]) -> Option<Scaling> {
    let mut scaling = Scaling::default();
    if let Some(policy) = policies.first() {
        let words = |name: &str| {
            let text = survey.text(&format!("{CPUS}/cpufreq/policy{}/{name}", policy.id));
            text.unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect()
        };
        scaling.available_governors = words("scaling_available_governors");
        if policy.energy_preference.is_some() {
            scaling.available_energy_preferences =
                words("energy_performance_available_preferences");
        }
    }
    for driver in DRIVERS {
        let directory = format!("{CPUS}/{driver}");
        let names = survey.names(&directory);
        if !names.is_empty() {
            of_driver(survey, &directory, &names, &mut scaling);
            scaling.driver = Some(driver.to_owned());
            break;
        }
    }
    (scaling != Scaling::default()).then_some(scaling)
}

fn of_driver(survey: &Survey<'_>, directory: &str, names: &[String], scaling: &mut Scaling) {
    let path = |name: &str| {
        let there = names.iter().any(|known| known == name);
        there.then(|| format!("{directory}/{name}"))
    };
    let number = |name: &str| survey.value(&path(name)?, parse::decimal);
    scaling.status = path("status")
        .and_then(|path| survey.text(&path))
        .map(status);
    scaling.max_percent = number("max_perf_pct");
    scaling.min_percent = number("min_perf_pct");
    scaling.turbo_percent = number("turbo_pct");
    scaling.steps = number("num_pstates");
    scaling.dynamic_boost =
        path("hwp_dynamic_boost").and_then(|path| survey.value(&path, parse::switch));
    let preferred = path("prefcore").and_then(|path| survey.text(&path));
    scaling.preferred_cores = preferred.map(|word| word == "enabled");
}

fn status(word: String) -> ScalingStatus {
    match word.as_str() {
        "active" => ScalingStatus::Active,
        "passive" => ScalingStatus::Passive,
        "guided" => ScalingStatus::Guided,
        "off" | "disable" => ScalingStatus::Off,
        _ => ScalingStatus::Unknown(word),
    }
}

/// The uncores, by name.
pub(super) fn uncores(survey: &Survey<'_>) -> Vec<Uncore> {
    let names = survey.names(UNCORE).into_iter();
    let named = names.filter(|name| name.starts_with("package_") || name.starts_with("uncore"));
    named.map(|id| uncore(survey, id)).collect()
}

/// Reads again what was read.
pub(super) fn refresh(uncores: &mut [Uncore], survey: &Survey<'_>) {
    for uncore in uncores
        .iter_mut()
        .filter(|uncore| uncore.now.frequency_hz.is_some())
    {
        uncore.now = now(survey, &uncore.id);
    }
}

fn uncore(survey: &Survey<'_>, id: String) -> Uncore {
    let khz = |name: &str| survey.value(&format!("{UNCORE}/{id}/{name}"), parse::khz);
    let (package, die) = match id
        .strip_prefix("package_")
        .and_then(|rest| rest.split_once("_die_"))
    {
        Some((package, die)) => (parse::decimal(package).ok(), parse::decimal(die).ok()),
        None => (
            survey.value(&format!("{UNCORE}/{id}/package_id"), parse::decimal),
            None,
        ),
    };
    Uncore {
        package,
        die,
        hardware_min_hz: khz("initial_min_freq_khz"),
        hardware_max_hz: khz("initial_max_freq_khz"),
        allowed_min_hz: khz("min_freq_khz"),
        allowed_max_hz: khz("max_freq_khz"),
        now: if survey.deep() {
            now(survey, &id)
        } else {
            UncoreNow::default()
        },
        id,
    }
}

fn now(survey: &Survey<'_>, id: &str) -> UncoreNow {
    UncoreNow {
        frequency_hz: survey.value(&format!("{UNCORE}/{id}/current_freq_khz"), parse::khz),
    }
}
