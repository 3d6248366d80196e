//! Why the machine was started last: watchdogs, what earlier kernels left when they crashed, what firmware kept.

use libhw::device::ras::{Ras, RecordKind, Severity as Gravity};
use libhw::device::watchdog::{Flag, Watchdog};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::alarm::severity::Severity;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const FIRED: &str = "hw.watchdog.fired";
const CRASHED: &str = "host.reboot.crash-record";
const FIRMWARE: &str = "hw.firmware.error";
const STARVED: &str = "hw.watchdog.warning";

const NAME: &str = "last-boot";

/// What a watchdog saw before it was started, or sees now, beside its own doing.
const WARNINGS: &[(Flag, &str)] = &[
    (Flag::Overheat, "the machine was too hot"),
    (Flag::FanFault, "a fan failed"),
    (Flag::PowerUnder, "the power supply was too weak"),
    (Flag::PowerOver, "the power supply was too strong"),
];

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "why the machine was started last: a watchdog, a crash that left a record, an error that firmware kept",
    alarms: &[FIRED, CRASHED, FIRMWARE, STARVED],
    interval: seconds(300),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Watchdog, Class::Ras],
    reading: Reading::Anew,
    blocks: false,
    available: |look| {
        let (watchdog, ras) = (
            look.inventory.watchdog.as_ref(),
            look.inventory.ras.as_ref(),
        );
        let (watchdog, ras) = (watchdog.ok_or(NOT_READ)?, ras.ok_or(NOT_READ)?);
        let any = !watchdog.timers.is_empty() || ras.pstore.is_some() || ras.boot_error.is_some();
        has(
            any,
            "no watchdog, no store of crashes and no firmware tells of the last boot here",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(LastBoot {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct LastBoot {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for LastBoot {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let (Some(watchdog), Some(ras)) = (&look.inventory.watchdog, &look.inventory.ras) else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        self.watchdogs(watchdog, &mut told);
        self.crashes(ras, &mut told);
        firmware(ras, &mut told);
        let complete = look.lists(Class::Watchdog, &["sys/class/watchdog"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl LastBoot {
    fn watchdogs(&self, watchdog: &Watchdog, told: &mut Told) {
        for timer in watchdog
            .timers
            .iter()
            .filter(|timer| !self.settings.ignore.has(&timer.id))
        {
            let called = timer.identity.as_ref().unwrap_or(&timer.id);
            let entity = told.entity(&[("watchdog", &timer.id)]);
            let flags = |flags: &[Flag]| format!("{flags:?}");
            told.say(FIRED, &entity)
                .with("bootstatus", flags(&timer.boot_status))
                .fault(
                    timer.boot_status.contains(&Flag::CardReset),
                    &format!("{called}: the watchdog restarted the machine"),
                );
            let both = || timer.boot_status.iter().chain(&timer.now.status);
            let seen = WARNINGS
                .iter()
                .find(|(flag, _)| both().any(|own| own == flag));
            let text = seen.map_or("the watchdog saw the machine in trouble", |(_, text)| text);
            told.say(STARVED, &entity)
                .with("bootstatus", flags(&timer.boot_status))
                .with("status", flags(&timer.now.status))
                .fault(seen.is_some(), &format!("{called}: {text}"));
        }
    }

    /// Records that are still in the store, and those that systemd took out of it since the last look.
    fn crashes(&mut self, ras: &Ras, told: &mut Told) {
        let Some(pstore) = &ras.pstore else { return };
        let told_of = |kind: &RecordKind| matches!(kind, RecordKind::Dmesg | RecordKind::Mce);
        let records = pstore.records.iter().filter(|record| told_of(&record.kind));
        let records: Vec<&str> = records.map(|record| record.id.as_str()).collect();
        let entity = told.entity(&[("store", "pstore")]);
        told.say(CRASHED, &entity)
            .with_some("backend", pstore.backend.as_ref())
            .with("records", records.join(", "))
            .fault(
                !records.is_empty(),
                "an earlier kernel left a record when it crashed",
            );
        let archived = u64::try_from(pstore.archived.len()).ok();
        let how = (Span::Life, First::Begins);
        if let Some(by) = self
            .remembered
            .growth(how, "archived", archived)
            .filter(|_| archived > Some(0))
        {
            let entity = told.entity(&[("store", "/var/lib/systemd/pstore")]);
            told.say(CRASHED, &entity)
                .with_some("records", archived)
                .with_some("last", pstore.archived.last())
                .grew(by, "an earlier kernel left a record when it crashed");
        }
    }
}

/// The error that stopped the machine before this start, as firmware kept it (BERT).
fn firmware(ras: &Ras, told: &mut Told) {
    let Some(error) = &ras.boot_error else { return };
    let severity = match error.severity {
        Gravity::Fatal => Some(Severity::Major),
        Gravity::Recoverable | Gravity::Other(_) => Some(Severity::Minor),
        Gravity::Corrected => Some(Severity::Warning),
        Gravity::Informational => None,
    };
    let severity = severity.filter(|_| error.record_count > 0);
    let entity = told.entity(&[("section", "boot error record")]);
    told.say(FIRMWARE, &entity)
        .with("severity", format!("{:?}", error.severity))
        .with("records", error.record_count)
        .graded(severity, "firmware kept an error of before this boot");
}

#[cfg(test)]
mod tests;
