//! Processors: CPUs that went offline, slowing down for heat, and microcode that differs between equal processors.

use std::collections::{BTreeMap, BTreeSet};

use libhw::device::cpu::{Cpu, Model};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const OFFLINE: &str = "hw.cpu.offline";
const THROTTLED: &str = "hw.cpu.throttled";
const MICROCODE: &str = "hw.cpu.microcode-mismatch";

const NAME: &str = "cpu";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "processors: CPUs that went offline, slowing down for heat, equal processors with different microcode",
    alarms: &[OFFLINE, THROTTLED, MICROCODE],
    interval: seconds(30),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Cpu],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let cpu = look.inventory.cpu.as_ref().ok_or(NOT_READ)?;
        has(!cpu.cpus.is_empty(), "the kernel tells of no CPU here")
    },
    make: |table, remembered| {
        Ok(Box::new(Cpus {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Cpus {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for Cpus {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(cpu) = &look.inventory.cpu else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        self.online(cpu, &mut told);
        self.throttles(cpu, &mut told);
        microcode(cpu, &mut told);
        let complete = look.lists(Class::Cpu, &["sys/devices/system/cpu"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl Cpus {
    /// A CPU that was online in this boot. Where threads were switched off on purpose (`smt/control`), those are not meant.
    fn online(&mut self, cpu: &Cpu, told: &mut Told) {
        let threads_off = matches!(cpu.smt_control.as_deref(), Some("off" | "forceoff"));
        for thread in &cpu.cpus {
            let id = thread.id.to_string();
            if self.settings.ignore.has(&id) {
                continue;
            }
            let was = self
                .remembered
                .ever(Span::Boot, &format!("cpu{id} online"), thread.online);
            let entity = told.entity(&[("cpu", &id)]);
            told.say(OFFLINE, &entity)
                .with_some("smt control", cpu.smt_control.as_ref())
                .fault(
                    was && !thread.online && !threads_off,
                    &format!("CPU {id} went offline"),
                );
        }
    }

    fn throttles(&mut self, cpu: &Cpu, told: &mut Told) {
        for throttle in cpu
            .throttles
            .iter()
            .filter(|throttle| throttle.package.is_some())
        {
            let name = format!("{} throttled", throttle.id);
            let Some(by) =
                self.remembered
                    .growth((Span::Boot, First::Begins), &name, throttle.now.count)
            else {
                continue;
            };
            let entity = told.entity(&[("cpu", &throttle.id)]);
            told.say(THROTTLED, &entity)
                .with_some("times", throttle.now.count)
                .with_some(
                    "longest",
                    throttle.now.longest_ms.map(|time| format!("{time} ms")),
                )
                .with_some(
                    "in all",
                    throttle.now.total_ms.map(|time| format!("{time} ms")),
                )
                .grew(
                    by,
                    &format!("{}: the processor slows down for heat", throttle.id),
                );
        }
    }
}

/// Equal processors of one machine have to run the same microcode (Intel SDM vol. 3 §11.11.3).
fn microcode(cpu: &Cpu, told: &mut Told) {
    let mut versions: BTreeMap<[Option<&str>; 4], BTreeSet<&str>> = BTreeMap::new();
    for model in &cpu.models {
        if let Some(version) = &model.microcode {
            versions.entry(same(model)).or_default().insert(version);
        }
    }
    if versions.is_empty() {
        return;
    }
    let differing = versions.values().find(|versions| versions.len() > 1);
    let words = differing.or_else(|| versions.values().next());
    let words: Vec<&str> = words.into_iter().flatten().copied().collect();
    let entity = told.entity(&[("cpu", "all")]);
    told.say(MICROCODE, &entity)
        .with("microcode", words.join(", "))
        .fault(
            differing.is_some(),
            "equal processors run different microcode",
        );
}

fn same(model: &Model) -> [Option<&str>; 4] {
    [&model.vendor, &model.family, &model.model, &model.stepping].map(|part| part.as_deref())
}

#[cfg(test)]
mod tests;
