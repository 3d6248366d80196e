//! Pluggable modules: their levels against the limits that they bring along (SFF-8472, CMIS), and blocks that forward error
//! correction could not mend.

use std::sync::Arc;

use libhw::device::nic::Interface;
use libhw::device::nic::module::{ModuleNow, Threshold};
use libhw::inventory::Class;

use crate::alarm::observation::{Band, Bands, Report};
use crate::alarm::severity::Severity;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::{Told, number};

const BEYOND: &str = "hw.nic.transceiver";
const FEC: &str = "hw.nic.fec-uncorrectable";

const NAME: &str = "transceivers";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "pluggable modules: light, bias, voltage and temperature against their own limits; blocks beyond error correction",
    alarms: &[BEYOND, FEC],
    interval: seconds(60),
    deadline: seconds(30),
    cost: Cost::High,
    classes: &[Class::Nic],
    reading: Reading::Deep,
    blocks: true,
    available: |look| {
        let nic = look.inventory.nic.as_ref().ok_or(NOT_READ)?;
        has(
            nic.interfaces.iter().any(Interface::is_hardware),
            "no network interface here has hardware behind it",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(Transceivers {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Transceivers {
    settings: Only,
    remembered: Remembered,
}

/// A level: its name, the lane where it is of one, and what it is in the unit of its limits.
type Level = (&'static str, Option<u32>, i64);

/// The level's name in limits, what people call it, and how many of its unit make one of the next.
const LEVELS: &[(&str, &str, f64, &str)] = &[
    ("temperature_millicelsius", "temperature", 1000.0, "°C"),
    ("voltage_microvolts", "voltage", 1_000_000.0, "V"),
    ("bias_microamperes", "laser bias", 1000.0, "mA"),
    ("tx_power_nanowatts", "sent light", 1000.0, "µW"),
    ("rx_power_nanowatts", "received light", 1000.0, "µW"),
];

impl Monitor for Transceivers {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(nic) = &look.inventory.nic else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        for interface in &nic.interfaces {
            if self.settings.ignore.has(&interface.id) {
                continue;
            }
            levels(interface, &mut told);
            self.fec(interface, &mut told);
        }
        let complete = look.lists(Class::Nic, &["sys/class/net"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl Transceivers {
    fn fec(&mut self, interface: &Interface, told: &mut Told) {
        let Some(fec) = &interface.now.fec else {
            return;
        };
        let count = fec.counters.get("uncorrectable_blocks").copied();
        let name = format!("{} fec", interface.id);
        let Some(by) = self
            .remembered
            .growth((Span::Boot, First::Begins), &name, count)
        else {
            return;
        };
        let entity = told.entity(&[("nic", &interface.id)]);
        told.say(FEC, &entity)
            .with_some("mode", fec.active.as_ref())
            .with_some("uncorrectable_blocks", count)
            .with_some("corrected_blocks", fec.counters.get("corrected_blocks"))
            .grew(
                by,
                &format!(
                    "{}: blocks came that error correction could not mend",
                    interface.id
                ),
            );
    }
}

/// Of a port that is switched off, no light is what is wanted.
fn levels(interface: &Interface, told: &mut Told) {
    let (Some(module), Some(now)) = (&interface.module, &interface.now.module) else {
        return;
    };
    for (level, lane, value) in measured(now) {
        let threshold = module
            .thresholds
            .iter()
            .find(|threshold| threshold.id == level);
        let row = LEVELS.iter().find(|(name, ..)| *name == level);
        let (Some(threshold), Some((_, called, factor, unit))) = (threshold, row) else {
            continue;
        };
        let Some(bands) = bands(threshold, *factor) else {
            continue;
        };
        let lane = lane.map_or_else(String::new, |lane| format!(" of lane {lane}"));
        let entity = told.entity(&[
            ("nic", &interface.id),
            ("level", &format!("{called}{lane}")),
        ]);
        let text = format!(
            "{}: the module's {called}{lane} is beyond its limits",
            interface.id
        );
        let value = number(value) / factor;
        let saying = told
            .say(BEYOND, &entity)
            .with(called, format!("{value} {unit}"))
            .with_some("module", module.part.as_ref())
            .with_some("vendor", module.vendor.as_ref())
            .with_some("serial", module.serial.as_ref());
        if interface.enabled == Some(false) {
            saying.with("enabled", false).fault(false, &text);
        } else {
            saying.value(value, Some(bands), &text);
        }
    }
}

fn measured(now: &ModuleNow) -> Vec<Level> {
    let module = [
        (
            "temperature_millicelsius",
            None,
            now.temperature_millicelsius,
        ),
        ("voltage_microvolts", None, now.voltage_microvolts),
    ];
    let lanes = now.lanes.iter().flat_map(|lane| {
        let id = Some(lane.id);
        [
            ("bias_microamperes", id, lane.bias_microamperes),
            ("tx_power_nanowatts", id, lane.tx_power_nanowatts),
            ("rx_power_nanowatts", id, lane.rx_power_nanowatts),
        ]
    });
    let all = module.into_iter().chain(lanes);
    all.filter_map(|(level, lane, value)| Some((level, lane, value?)))
        .collect()
}

/// The module's own limits; `None` where it has none that make sense. A fault ends a hundredth of the range inside.
fn bands(threshold: &Threshold, factor: f64) -> Option<Arc<Bands>> {
    let limits = [
        threshold.low_alarm,
        threshold.low_warning,
        threshold.high_warning,
        threshold.high_alarm,
    ];
    if !limits.is_sorted() || threshold.low_alarm >= threshold.high_alarm {
        return None;
    }
    let inside = (number(threshold.high_alarm) - number(threshold.low_alarm)) / 100.0;
    let rows = [
        (Severity::Major, threshold.high_alarm, -inside),
        (Severity::Minor, threshold.high_warning, -inside),
        (Severity::Major, threshold.low_alarm, inside),
        (Severity::Minor, threshold.low_warning, inside),
    ];
    let band = |(severity, limit, inside): (Severity, i64, f64)| Band {
        severity,
        raise: number(limit) / factor,
        clear: (number(limit) + inside) / factor,
    };
    Bands::new(rows.map(band).to_vec()).ok().map(Arc::new)
}

#[cfg(test)]
mod tests;
