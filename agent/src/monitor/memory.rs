//! Memory errors: what EDAC counts, for the stick that a person can take out, and pages that the kernel gave up.

use libhw::device::memory::{EdacDimm, EdacKind, Memory};
use libhw::inventory::Class;
use libhw::join::dimm;

use crate::alarm::entity::Entity;
use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const CORRECTED: &str = "hw.memory.corrected";
const UNCORRECTED: &str = "hw.memory.uncorrected";
const POISONED: &str = "hw.memory.poisoned";

const NAME: &str = "memory";
const EDAC: &str = "sys/devices/system/edac/mc";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "errors of memory, corrected and not, by stick; pages that the kernel has given up",
    alarms: &[CORRECTED, UNCORRECTED, POISONED],
    interval: seconds(10),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Memory, Class::Ras],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let memory = look.inventory.memory.as_ref().ok_or(NOT_READ)?;
        let ras = look.inventory.ras.as_ref();
        let counts = !memory.edac_controllers.is_empty()
            || memory.now.hardware_corrupted_bytes.is_some()
            || ras.is_some_and(|ras| !ras.memory_failures.is_empty());
        has(
            counts,
            "neither EDAC nor the kernel counts memory errors here",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(MemoryErrors {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct MemoryErrors {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for MemoryErrors {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(memory) = &look.inventory.memory else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        self.sticks(memory, &mut told);
        self.unmatched(memory, &mut told);
        self.unplaced(memory, &mut told);
        Self::pages(look, memory, &mut told);
        let complete = look.lists(Class::Memory, &[EDAC]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl MemoryErrors {
    fn sticks(&mut self, memory: &Memory, told: &mut Told) {
        for stick in dimm::sticks(memory) {
            let id = &stick.device.id;
            if stick.counters.is_empty() || self.settings.ignore.has(id) {
                continue;
            }
            let rows: Vec<&str> = stick.counters.iter().map(|dimm| dimm.id.as_str()).collect();
            let said = Said {
                entity: told.entity(&[("dimm", id)]),
                called: id.clone(),
                name: format!("dimm {id}"),
                evidence: vec![
                    ("edac", rows.join(", ")),
                    (
                        "matched by",
                        stick
                            .basis
                            .map_or_else(String::new, |basis| format!("{basis:?}").to_lowercase()),
                    ),
                    ("part", stick.device.part_number.clone().unwrap_or_default()),
                    ("serial", stick.device.serial.clone().unwrap_or_default()),
                ],
            };
            self.tell(&said, stick.corrected, stick.uncorrected, told);
        }
        // Nobody knows which stick of such a row it was.
        let shared = |dimm: &&EdacDimm| dimm.kind == EdacKind::Csrow && dimm.channels.len() > 1;
        for row in memory.edac_dimms.iter().filter(shared) {
            self.tell(&of_row(row, told), None, row.now.uncorrected, told);
        }
    }

    fn unmatched(&mut self, memory: &Memory, told: &mut Told) {
        let shared = |dimm: &EdacDimm| dimm.kind == EdacKind::Csrow && dimm.channels.len() > 1;
        for row in dimm::unmatched(memory) {
            let uncorrected = row.now.uncorrected.filter(|_| !shared(row));
            self.tell(&of_row(row, told), row.now.corrected, uncorrected, told);
        }
    }

    /// Errors that a controller cannot place.
    fn unplaced(&mut self, memory: &Memory, told: &mut Told) {
        for controller in &memory.edac_controllers {
            let said = Said {
                entity: told.entity(&[("dimm", &controller.id)]),
                called: controller
                    .name
                    .clone()
                    .unwrap_or_else(|| controller.id.clone()),
                name: format!("edac {}", controller.id),
                evidence: vec![("placed", "no stick is known".to_owned())],
            };
            let now = &controller.now;
            self.tell(
                &said,
                now.corrected_unplaced,
                now.uncorrected_unplaced,
                told,
            );
        }
    }

    fn tell(
        &mut self,
        said: &Said,
        corrected: Option<u64>,
        uncorrected: Option<u64>,
        told: &mut Told,
    ) {
        let counts = [
            (
                CORRECTED,
                First::Begins,
                corrected,
                "corrected memory errors",
            ),
            (
                UNCORRECTED,
                First::Tells,
                uncorrected,
                "memory errors that could not be corrected",
            ),
        ];
        for (alarm, first, count, wrong) in counts {
            let name = format!("{} {alarm}", said.name);
            let grown = self.remembered.growth((Span::Boot, first), &name, count);
            let text = format!("{}: {wrong}", said.called);
            let evidence = said.evidence.iter().filter(|(_, value)| !value.is_empty());
            let saying = told.say(alarm, &said.entity).with_some("count", count);
            let saying = evidence.fold(saying, |saying, (name, value)| saying.with(name, value));
            match grown {
                Some(by) => saying.grew(by, &text),
                None if count.is_none() => {}
                None => saying.unknown("the counter cannot be read", &text),
            }
        }
    }

    fn pages(look: &Look<'_>, memory: &Memory, told: &mut Told) {
        let failures = || {
            look.inventory
                .ras
                .iter()
                .flat_map(|ras| &ras.memory_failures)
        };
        let failed = failures()
            .filter_map(|node| node.now.total)
            .fold(0, u64::saturating_add);
        let corrupted = memory.now.hardware_corrupted_bytes;
        if corrupted.is_none() && failures().next().is_none() {
            return;
        }
        let host = told.host().clone();
        let saying = told
            .say(POISONED, &host)
            .with_some("HardwareCorrupted", corrupted);
        let saying = failures().fold(saying, |saying, node| {
            let now = &node.now;
            let name = format!("node{}", node.id);
            let part = |name: &str, count: Option<u64>| {
                count
                    .filter(|count| *count > 0)
                    .map(|count| format!("{count} {name}"))
            };
            let parts = [
                part("recovered", now.recovered),
                part("ignored", now.ignored),
                part("failed", now.failed),
                part("delayed", now.delayed),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            saying.with_some(&name, (!parts.is_empty()).then(|| parts.join(", ")))
        });
        let is = failed > 0 || corrupted.is_some_and(|bytes| bytes.0 > 0);
        saying.fault(
            is,
            "pages of memory were taken out of use since they are poisoned",
        );
    }
}

/// What is counted for, and how it is told of.
struct Said {
    entity: Entity,
    called: String,
    name: String,
    evidence: Vec<(&'static str, String)>,
}

/// A row of EDAC that belongs to no one stick.
fn of_row(row: &EdacDimm, told: &Told) -> Said {
    let label = row.label.clone().or_else(|| row.location.clone());
    Said {
        entity: told.entity(&[("dimm", &row.id)]),
        called: label.unwrap_or_else(|| row.id.clone()),
        name: format!("edac {}", row.id),
        evidence: vec![
            ("edac", row.id.clone()),
            ("location", row.location.clone().unwrap_or_default()),
        ],
    }
}

#[cfg(test)]
mod tests;
