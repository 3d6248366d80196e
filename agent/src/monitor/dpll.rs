//! Clock circuits of network cards (Documentation/driver-api/dpll.rst): a source that was followed and is lost.

use libhw::device::nic::{Dpll, LockStatus, Nic, PinState};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::alarm::severity::Severity;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{Remembered, Span};
use crate::monitor::told::Told;

const LOST: &str = "ptp.synce-lost";

const NAME: &str = "dpll";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "clock circuits: Synchronous Ethernet, 1 PPS or another source that was followed and is lost",
    alarms: &[LOST],
    interval: seconds(30),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Nic],
    reading: Reading::Anew,
    blocks: false,
    available: |look| {
        let nic = look.inventory.nic.as_ref().ok_or(NOT_READ)?;
        has(
            !nic.dplls.is_empty(),
            "the kernel tells of no clock circuit here",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(Dplls {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Dplls {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for Dplls {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(nic) = &look.inventory.nic else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        for dpll in &nic.dplls {
            self.tell(nic, dpll, &mut told);
        }
        // The circuits are told by netlink alone: no directory says that there are no others.
        let complete = look.lists(Class::Nic, &["dpll"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl Dplls {
    fn tell(&mut self, nic: &Nic, dpll: &Dpll, told: &mut Told) {
        let name = name(nic, dpll);
        if self.settings.ignore.has(&name) {
            return;
        }
        let entity = told.entity(&[("dpll", &name)]);
        let text = format!("{name}: the clock circuit lost its source");
        let Some(status) = &dpll.lock_status else {
            return told
                .say(LOST, &entity)
                .unknown("the circuit tells no lock status", &text);
        };
        let locked = matches!(status, LockStatus::Locked | LockStatus::LockedHoAcq);
        // One that never followed anything is perhaps not meant to.
        let was = self
            .remembered
            .ever(Span::Life, &format!("{name} locked"), locked);
        let severity = match status {
            LockStatus::Holdover => Some(Severity::Major),
            LockStatus::Unlocked if was => Some(Severity::Critical),
            _ => None,
        };
        told.say(LOST, &entity)
            .with("lock status", status)
            .with_some("lock error", dpll.lock_error.as_ref())
            .with_some("kind", dpll.kind.as_ref())
            .with_some("source", source(nic, dpll))
            .graded(severity, &text);
    }
}

/// The kernel's numbers are others after a boot: the chip, and what it makes.
fn name(nic: &Nic, dpll: &Dpll) -> String {
    let kind = dpll.kind.as_deref().unwrap_or("dpll");
    let same = |other: &&Dpll| other.clock_mac == dpll.clock_mac && other.kind == dpll.kind;
    match &dpll.clock_mac {
        Some(chip) if nic.dplls.iter().filter(same).count() == 1 => format!("{kind} {chip}"),
        _ => format!("{kind} {}", dpll.id),
    }
}

/// The pin that it follows.
fn source<'a>(nic: &'a Nic, dpll: &Dpll) -> Option<&'a str> {
    let follows = |parent: &libhw::device::nic::PinParent| {
        parent.dpll == Some(dpll.id)
            && parent.direction.as_deref() == Some("input")
            && parent.state == Some(PinState::Connected)
    };
    let pin = nic
        .pins
        .iter()
        .find(|pin| pin.parents.iter().any(follows))?;
    pin.label.as_deref()
}

#[cfg(test)]
mod tests;
