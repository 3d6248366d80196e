//! Thermal zones against their trip points (Documentation/driver-api/thermal/sysfs-api.rst).

use std::collections::BTreeMap;
use std::sync::Arc;

use libhw::device::sensor::{Sensor, ThermalZone, Trip, TripKind};
use libhw::inventory::Class;

use crate::alarm::observation::{Band, Bands, Report};
use crate::alarm::severity::Severity;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::told::{Told, number};

const TEMPERATURE: &str = "hw.sensor.temperature";

const NAME: &str = "thermal";
const THERMAL: &str = "sys/class/thermal";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "thermal zones against the points where the machine is told to cool down, and shuts down",
    alarms: &[TEMPERATURE],
    interval: seconds(10),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Sensor],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let sensor = look.inventory.sensor.as_ref().ok_or(NOT_READ)?;
        let any = sensor
            .thermal_zones
            .iter()
            .any(|zone| bands(zone).is_some());
        has(any, "no thermal zone here says where it is too hot")
    },
    make: |table, _| Ok(Box::new(Thermal(settings(table)?))),
};

struct Thermal(Only);

/// A zone this far below the point where the machine shuts down is told of, where no point before says so.
const NEAR_MILLICELSIUS: i64 = 5000;

impl Monitor for Thermal {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(sensor) = &look.inventory.sensor else {
            return told.failed(NOT_READ);
        };
        let names = names(sensor);
        for zone in &sensor.thermal_zones {
            let name = names
                .get(zone.id.as_str())
                .map_or(zone.id.as_str(), String::as_str);
            let Some(bands) = bands(zone).filter(|_| !self.0.ignore.has(name)) else {
                continue;
            };
            let entity = told.entity(&[("sensor", &format!("thermal/{name}"))]);
            let text = format!("{name}: near or beyond the point where it is too hot");
            let saying = told.say(TEMPERATURE, &entity).with("zone", &zone.id);
            match zone.now.temperature_millicelsius {
                Some(value) => {
                    let value = number(value) / 1000.0;
                    saying.with("temperature", format!("{value} °C")).value(
                        value,
                        Some(bands),
                        &text,
                    );
                }
                None if zone.slow => {}
                None => {
                    let path = format!("{THERMAL}/{}/temp", zone.id);
                    let problem = look.problem(Class::Sensor, &path);
                    let reason = problem
                        .map_or_else(|| "it tells no temperature".to_owned(), ToString::to_string);
                    saying.unknown(&reason, &text);
                }
            }
        }
        told.end(look.lists(Class::Sensor, &[THERMAL]))
    }
}

/// The trip points that mean harm. Where fans start or clocks slow down, the machine does what it is made for.
fn bands(zone: &ThermalZone) -> Option<Arc<Bands>> {
    let set = |trip: &&Trip| {
        trip.temperature_millicelsius
            .is_some_and(|at| (1..200_000).contains(&at))
    };
    let least = |kind: &TripKind| {
        let own = zone
            .trips
            .iter()
            .filter(set)
            .filter(|trip| trip.kind.as_ref() == Some(kind));
        own.min_by_key(|trip| trip.temperature_millicelsius)
    };
    let mut bands = Vec::new();
    let mut band = |severity, at: i64, hysteresis: i64| {
        let raise = number(at) / 1000.0;
        let clear = number(at - hysteresis.clamp(2000, 20_000)) / 1000.0;
        bands.push(Band {
            severity,
            raise,
            clear,
        });
    };
    let critical = least(&TripKind::Critical);
    let at = |trip: &Trip| {
        Some((
            trip.temperature_millicelsius?,
            trip.hysteresis_millicelsius.unwrap_or(0),
        ))
    };
    let critical = critical.and_then(at);
    if let Some((critical, hysteresis)) = critical {
        band(Severity::Critical, critical, hysteresis);
    }
    let hot = least(&TripKind::Hot).and_then(at);
    let hot = hot.filter(|hot| critical.is_none_or(|critical| hot.0 < critical.0));
    let near = critical.map(|(at, hysteresis)| (at - NEAR_MILLICELSIUS, hysteresis));
    if let Some((at, hysteresis)) = hot.or(near) {
        band(Severity::Major, at, hysteresis);
    }
    let bands = Bands::new(bands).ok()?;
    (!bands.rows().is_empty()).then(|| Arc::new(bands))
}

/// What to call each zone: its kind, with its number where several are of one kind.
fn names(sensor: &Sensor) -> BTreeMap<&str, String> {
    let zones = &sensor.thermal_zones;
    let alike =
        |zone: &ThermalZone| zones.iter().filter(|other| other.kind == zone.kind).count() > 1;
    let name = |zone: &ThermalZone| match &zone.kind {
        Some(kind) if alike(zone) => {
            format!("{kind}-{}", zone.id.trim_start_matches("thermal_zone"))
        }
        Some(kind) => kind.clone(),
        None => zone.id.clone(),
    };
    zones
        .iter()
        .map(|zone| (zone.id.as_str(), name(zone)))
        .collect()
}

#[cfg(test)]
mod tests;
