//! Thermal zones with their trip points, and what cools them (`Documentation/ABI/testing/sysfs-class-thermal`).

use serde::{Deserialize, Serialize};

use super::reader::Reader;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// A thermal zone: one temperature, and what the kernel does when it rises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThermalZone {
    /// The kernel's name, `thermal_zone0`.
    pub id: String,
    /// `type`: what it is the temperature of, `acpitz`, `x86_pkg_temp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `policy`: the governor, `step_wise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// `mode`: whether the kernel acts on it; a disabled one cooks in silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether reading the temperature goes through firmware or a bus: then it is read only in a deep look.
    #[serde(default)]
    pub slow: bool,
    /// The trip points, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trips: Vec<Trip>,
    /// The cooling devices that it uses (`cdevN`), by N.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cooling: Vec<Binding>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ThermalZoneNow,
}

/// What changes in a zone without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ThermalZoneNow {
    /// `temp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_millicelsius: Option<i64>,
}

/// Whether the kernel acts on a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does.
    Enabled,
    /// It does not.
    Disabled,
    /// A word that no kernel had when this was written.
    #[serde(untagged)]
    Other(String),
}

/// A temperature at which something happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trip {
    /// The N of `trip_point_N_*`.
    pub id: u32,
    /// `_type`: what happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TripKind>,
    /// `_temp`; absent where firmware has set none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_millicelsius: Option<i64>,
    /// `_hyst`: how far it must fall below until it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hysteresis_millicelsius: Option<i64>,
}

/// What happens at a trip point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TripKind {
    /// Fans start.
    Active,
    /// The zone's consumers are slowed down.
    Passive,
    /// User space is told.
    Hot,
    /// The machine shuts down.
    Critical,
    /// A word that no kernel had when this was written.
    #[serde(untagged)]
    Other(String),
}

/// A cooling device in a zone's service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Binding {
    /// The N of `cdevN`.
    pub id: u32,
    /// The cooling device's id.
    pub cooling_device: String,
    /// `cdevN_trip_point`: the trip point that it serves; none is no certain one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trip: Option<u32>,
    /// `cdevN_weight`: how much it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

/// What can cool: a fan, a throttled processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CoolingDevice {
    /// The kernel's name, `cooling_device0`.
    pub id: String,
    /// `type`: `Processor`, `Fan`, `intel_powerclamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `max_state`: how many steps it has above off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_state: Option<u64>,
    /// Whether reading the state goes through firmware or a bus: then it is read only in a deep look.
    #[serde(default)]
    pub slow: bool,
    /// What changes without an event.
    #[serde(default)]
    pub now: CoolingDeviceNow,
}

/// What changes in a cooling device without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CoolingDeviceNow {
    /// `cur_state`: how much it cools, 0 is not at all; absent where the driver says -1, that it is not in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<u32>,
}

const THERMAL: &str = "sys/class/thermal";

/// Zones whose temperature is a register of the CPU or its platform controller hub.
const REGISTER_ZONES: &[&str] = &["x86_pkg_temp", "pch_"];

/// Cooling devices whose state is a variable of the kernel.
const SOFTWARE_COOLING: &[&str] = &["Processor", "intel_powerclamp", "cpufreq-", "cpuidle-"];

/// The zones and the cooling devices.
pub(super) fn discover(survey: &Survey<'_>) -> (Vec<ThermalZone>, Vec<CoolingDevice>) {
    let names = survey.names(THERMAL);
    let numbered = |prefix: &'static str| {
        let number = |name: &String| parse::decimal::<u32>(name.strip_prefix(prefix)?).ok();
        let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers.into_iter().map(move |n| format!("{prefix}{n}"))
    };
    (
        numbered("thermal_zone")
            .map(|id| zone(survey, id))
            .collect(),
        numbered("cooling_device")
            .map(|id| cooling_device(survey, id))
            .collect(),
    )
}

/// Reads temperatures and states again.
pub(super) fn refresh(
    zones: &mut [ThermalZone],
    devices: &mut [CoolingDevice],
    survey: &Survey<'_>,
) {
    for zone in zones {
        if !zone.slow || zone.now.temperature_millicelsius.is_some() {
            zone.now = zone_now(&reader(survey, &zone.id, zone.slow));
        }
    }
    for device in devices {
        if !device.slow || device.now.state.is_some() {
            device.now = device_now(&reader(survey, &device.id, device.slow));
        }
    }
}

fn zone(survey: &Survey<'_>, id: String) -> ThermalZone {
    let names = survey.names(&format!("{THERMAL}/{id}"));
    let has = |name: &str| names.iter().any(|known| known == name);
    let text = |name: &str| {
        let path = format!("{THERMAL}/{id}/{name}");
        has(name).then(|| survey.text(&path))?
    };
    let kind = text("type");
    let slow = !starts_with(kind.as_deref(), REGISTER_ZONES);
    // A trip point is a field of the kernel's own, but one that the lock guards which is held while firmware is asked.
    let reader = reader(survey, &id, slow);
    let now = if has("temp") && (!slow || survey.deep()) {
        zone_now(&reader)
    } else {
        ThermalZoneNow::default()
    };
    ThermalZone {
        policy: text("policy"),
        mode: text("mode").map(|word| match word.as_str() {
            "enabled" => Mode::Enabled,
            "disabled" => Mode::Disabled,
            _ => Mode::Other(word),
        }),
        trips: numbers_in(&names, "trip_point_", "_type")
            .map(|number| trip(&reader, &names, number))
            .collect(),
        cooling: numbers_in(&names, "cdev", "")
            .filter_map(|number| binding(survey, &id, &names, number))
            .collect(),
        kind,
        slow,
        now,
        id,
    }
}

fn trip(reader: &Reader<'_>, names: &[String], id: u32) -> Trip {
    let value = |what: &str| {
        let name = format!("trip_point_{id}_{what}");
        let there = names.contains(&name);
        there.then(|| reader.value(&name, parse::signed))?
    };
    Trip {
        id,
        kind: reader
            .text(&format!("trip_point_{id}_type"))
            .map(|word| match word.as_str() {
                "active" => TripKind::Active,
                "passive" => TripKind::Passive,
                "hot" => TripKind::Hot,
                "critical" => TripKind::Critical,
                _ => TripKind::Other(word),
            }),
        temperature_millicelsius: value("temp").filter(|value| *value > ABSOLUTE_ZERO),
        hysteresis_millicelsius: value("hyst"),
    }
}

fn binding(survey: &Survey<'_>, zone: &str, names: &[String], id: u32) -> Option<Binding> {
    let path = |what: &str| format!("{THERMAL}/{zone}/cdev{id}{what}");
    let has = |what: &str| names.contains(&format!("cdev{id}{what}"));
    let trip = has("_trip_point").then(|| survey.value(&path("_trip_point"), decimal_or_none));
    let weight = has("_weight").then(|| survey.value(&path("_weight"), parse::signed));
    Some(Binding {
        id,
        cooling_device: survey.link_name(&path(""))?,
        trip: trip.flatten().flatten(),
        weight: weight.flatten(),
    })
}

fn cooling_device(survey: &Survey<'_>, id: String) -> CoolingDevice {
    let names = survey.names(&format!("{THERMAL}/{id}"));
    let has = |name: &str| names.iter().any(|known| known == name);
    let kind = survey.text(&format!("{THERMAL}/{id}/type"));
    let slow = !starts_with(kind.as_deref(), SOFTWARE_COOLING);
    let reader = reader(survey, &id, slow);
    let max_state = has("max_state").then(|| reader.value("max_state", parse::decimal));
    let now = if has("cur_state") && (!slow || survey.deep()) {
        device_now(&reader)
    } else {
        CoolingDeviceNow::default()
    };
    CoolingDevice {
        kind,
        max_state: max_state.flatten(),
        slow,
        now,
        id,
    }
}

fn zone_now(reader: &Reader<'_>) -> ThermalZoneNow {
    ThermalZoneNow {
        temperature_millicelsius: reader.value("temp", parse::signed),
    }
}

fn device_now(reader: &Reader<'_>) -> CoolingDeviceNow {
    CoolingDeviceNow {
        state: reader.value("cur_state", decimal_or_none).flatten(),
    }
}

fn reader<'a>(survey: &'a Survey<'a>, id: &str, slow: bool) -> Reader<'a> {
    Reader::new(survey, format!("{THERMAL}/{id}"), slow)
}

/// Below it no temperature is: `THERMAL_TEMP_INVALID` of `include/linux/thermal.h` is -274000.
const ABSOLUTE_ZERO: i64 = -273_150;

fn decimal_or_none(text: &str) -> Parsed<Option<u32>> {
    parse::decimal_or_none(text).map_err(|_| Expected("a decimal number, or -1 for none"))
}

fn starts_with(kind: Option<&str>, known: &[&str]) -> bool {
    kind.is_some_and(|kind| known.iter().any(|prefix| kind.starts_with(prefix)))
}

/// The numbers N of names `prefixNsuffix`, in order.
fn numbers_in(names: &[String], prefix: &str, suffix: &str) -> impl Iterator<Item = u32> {
    let number = |name: &String| {
        let digits = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
        parse::decimal(digits).ok()
    };
    let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.into_iter()
}
