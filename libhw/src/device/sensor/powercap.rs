//! Power zones: what a part of the machine takes, and how much it may (`Documentation/power/powercap/powercap.rst`).
//!
//! ```text
//! intel-rapl:0      a zone of the control type intel-rapl
//! intel-rapl:0:1    a zone in it
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::reader::Reader;
use crate::parse;
use crate::survey::Survey;

/// A part of the machine whose energy is counted and whose power can be limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PowerZone {
    /// The kernel's name, `intel-rapl:0:1`.
    pub id: String,
    /// What counts and limits, `intel-rapl`.
    pub control_type: String,
    /// The zone that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `name`: which part, `package-0`, `dram`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `enabled`: whether its limits hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `max_energy_range_uj`: where the counter starts again at 0, in millionths of a joule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_energy_range_microjoules: Option<u64>,
    /// `max_power_range_uw`: the range of the power counter, in millionths of a watt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_power_range_microwatts: Option<u64>,
    /// The limits, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// What changes without an event.
    #[serde(default)]
    pub now: PowerZoneNow,
}

/// What changes in a power zone without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PowerZoneNow {
    /// `energy_uj`: energy used since the counter was 0, in millionths of a joule. Only root may read it: how it
    /// grows tells secrets (CVE-2020-8694).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_microjoules: Option<u64>,
    /// `power_uw`: what is taken, in millionths of a watt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_microwatts: Option<u64>,
}

/// One limit of a power zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Constraint {
    /// The N of `constraint_N_*`.
    pub id: u32,
    /// `_name`: `long_term`, `short_term`, `peak_power`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `_power_limit_uw`: the average over the window stays below it, in millionths of a watt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_limit_microwatts: Option<u64>,
    /// `_time_window_us`, in millionths of a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_window_microseconds: Option<u64>,
    /// `_max_power_uw`: the most that can be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_power_microwatts: Option<u64>,
    /// `_min_power_uw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_power_microwatts: Option<u64>,
    /// `_max_time_window_us`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_time_window_microseconds: Option<u64>,
    /// `_min_time_window_us`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_time_window_microseconds: Option<u64>,
}

const POWERCAP: &str = "sys/class/powercap";

/// The zones, by name.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<PowerZone> {
    let names = survey.names(POWERCAP);
    let zone = |id: &String| {
        let (control_type, _) = id.split_once(':')?;
        Some(zone(survey, id, control_type))
    };
    names.iter().filter_map(zone).collect()
}

/// Reads the counters again.
pub(super) fn refresh(zones: &mut [PowerZone], survey: &Survey<'_>) {
    for zone in zones {
        let slow = is_slow(&zone.control_type);
        if slow && zone.now == PowerZoneNow::default() {
            continue;
        }
        let place = Place::new(survey, &zone.id, slow);
        zone.now = place.now();
    }
}

/// RAPL answers from a register of the CPU, and the dynamic thermal power model reckons; what else there is
/// (SCMI) asks a system controller.
fn is_slow(control_type: &str) -> bool {
    !control_type.starts_with("intel-rapl") && control_type != "dtpm"
}

fn zone(survey: &Survey<'_>, id: &str, control_type: &str) -> PowerZone {
    let slow = is_slow(control_type);
    let place = Place::new(survey, id, slow);
    let parent = id.rsplit_once(':').map(|(parent, _)| parent);
    let mut zone = PowerZone {
        id: id.to_owned(),
        control_type: control_type.to_owned(),
        parent: parent
            .filter(|parent| parent.contains(':'))
            .map(str::to_owned),
        name: place.text("name"),
        enabled: place.value("enabled", parse::switch),
        ..PowerZone::default()
    };
    if slow && !survey.deep() {
        return zone;
    }
    zone.max_energy_range_microjoules = place.value("max_energy_range_uj", parse::decimal);
    zone.max_power_range_microwatts = place.value("max_power_range_uw", parse::decimal);
    zone.constraints = place.constraints();
    zone.now = place.now();
    zone
}

struct Place<'a> {
    names: Vec<String>,
    reader: Reader<'a>,
}

impl<'a> Place<'a> {
    fn new(survey: &'a Survey<'a>, id: &str, slow: bool) -> Self {
        let base = format!("{POWERCAP}/{id}");
        Self {
            names: survey.names(&base),
            reader: Reader::new(survey, base, slow),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.has(name).then(|| self.reader.text(name))?
    }

    fn value<T>(&self, name: &str, parse: impl Fn(&str) -> parse::Parsed<T>) -> Option<T> {
        self.has(name).then(|| self.reader.value(name, parse))?
    }

    fn now(&self) -> PowerZoneNow {
        PowerZoneNow {
            energy_microjoules: self.value("energy_uj", parse::decimal),
            power_microwatts: self.value("power_uw", parse::decimal),
        }
    }

    fn constraints(&self) -> Vec<Constraint> {
        let number = |name: &String| {
            let (number, _) = name.strip_prefix("constraint_")?.split_once('_')?;
            parse::decimal(number).ok()
        };
        let numbers: BTreeSet<u32> = self.names.iter().filter_map(number).collect();
        let constraint = |id| {
            let value = |what: &str| self.value(&format!("constraint_{id}_{what}"), parse::decimal);
            Constraint {
                id,
                name: self.text(&format!("constraint_{id}_name")),
                power_limit_microwatts: value("power_limit_uw"),
                time_window_microseconds: value("time_window_us"),
                max_power_microwatts: value("max_power_uw"),
                min_power_microwatts: value("min_power_uw"),
                max_time_window_microseconds: value("max_time_window_us"),
                min_time_window_microseconds: value("min_time_window_us"),
            }
        };
        numbers.into_iter().map(constraint).collect()
    }
}
