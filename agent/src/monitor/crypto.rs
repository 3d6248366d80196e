//! Accelerators for cryptography and compression: those that went down, and errors that they count.

use libhw::device::crypto::{Accelerator, Crypto, State};
use libhw::inventory::Class;

use crate::alarm::entity::Entity;
use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const DOWN: &str = "hw.crypto.device-down";
const ERROR: &str = "hw.crypto.error";
const CORRECTED: &str = "hw.crypto.corrected";

const NAME: &str = "crypto";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "accelerators for cryptography and compression: those that went down or do not answer, and their errors",
    alarms: &[DOWN, ERROR, CORRECTED],
    interval: seconds(30),
    deadline: seconds(10),
    cost: Cost::Medium,
    classes: &[Class::Crypto],
    // Whether a device answers is asked in a deep look alone.
    reading: Reading::Deep,
    blocks: true,
    available: |look| {
        let crypto = look.inventory.crypto.as_ref().ok_or(NOT_READ)?;
        has(
            !crypto.accelerators.is_empty(),
            "there is no such accelerator here",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(Accelerators {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Accelerators {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for Accelerators {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(crypto) = &look.inventory.crypto else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        for accelerator in &crypto.accelerators {
            if self.settings.ignore.has(&accelerator.id) {
                continue;
            }
            let entity = told.entity(&[("pci", place(crypto, &accelerator.id))]);
            self.state(accelerator, &entity, &mut told);
        }
        self.errors(crypto, &mut told);
        let complete = look.lists(Class::Crypto, &["sys/bus/pci/devices"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

/// Where an accelerator is: its PCI function, else its own name.
fn place<'a>(crypto: &'a Crypto, id: &'a str) -> &'a str {
    let mut accelerators = crypto.accelerators.iter();
    let found = accelerators.find(|one| one.id == id);
    found.and_then(|one| one.function.as_deref()).unwrap_or(id)
}

impl Accelerators {
    /// One that nobody started, or that somebody stopped before, is no fault; one that ran and does not any more is.
    fn state(&mut self, accelerator: &Accelerator, entity: &Entity, told: &mut Told) {
        let Some(state) = &accelerator.now.state else {
            return;
        };
        let was_up = self.remembered.ever(
            Span::Boot,
            &format!("{} up", accelerator.id),
            *state == State::Up,
        );
        let broken = matches!(
            state,
            State::Halted
                | State::Failed
                | State::NeedsReset
                | State::Isolated
                | State::Checkstopped
                | State::Unresponsive
        );
        let stopped = was_up && matches!(state, State::Down | State::Offline);
        told.say(DOWN, entity)
            .with("state", state)
            .with_some("model", accelerator.model.as_ref())
            .with_some("driver", accelerator.driver.as_ref())
            .fault(
                broken || stopped,
                &format!("{}: the accelerator is down", accelerator.id),
            );
    }

    fn errors(&mut self, crypto: &Crypto, told: &mut Told) {
        for qat in crypto
            .qat
            .iter()
            .filter(|qat| !self.settings.ignore.has(&qat.id))
        {
            let now = &qat.now;
            let sum = match (now.nonfatal, now.fatal) {
                (None, None) => None,
                (nonfatal, fatal) => Some(nonfatal.unwrap_or(0).saturating_add(fatal.unwrap_or(0))),
            };
            let counts = [
                (
                    CORRECTED,
                    First::Begins,
                    now.correctable,
                    "the accelerator had errors that it corrected",
                ),
                (ERROR, First::Tells, sum, "the accelerator had errors"),
            ];
            let entity = told.entity(&[("pci", &qat.id)]);
            for (alarm, first, count, wrong) in counts {
                let name = format!("{} {alarm}", qat.id);
                if let Some(by) = self.remembered.growth((Span::Boot, first), &name, count) {
                    told.say(alarm, &entity)
                        .with_some("correctable", now.correctable)
                        .with_some("nonfatal", now.nonfatal)
                        .with_some("fatal", now.fatal)
                        .grew(by, &format!("{}: {wrong}", qat.id));
                }
            }
        }
        for dsa in crypto
            .dsa
            .iter()
            .filter(|dsa| !self.settings.ignore.has(&dsa.id))
        {
            let error = dsa.now.error.as_ref();
            let entity = told.entity(&[("pci", place(crypto, &dsa.id)), ("device", &dsa.id)]);
            told.say(ERROR, &entity)
                .with_some("code", error.map(|error| format!("{:#x}", error.code)))
                .with_some("work queue", error.and_then(|error| error.work_queue))
                .with_some("more", error.map(|error| error.overflow))
                .fault(
                    error.is_some(),
                    &format!(
                        "{}: the accelerator had an error that no request could tell",
                        dsa.id
                    ),
                );
        }
    }
}

#[cfg(test)]
mod tests;
