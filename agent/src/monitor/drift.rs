//! The machine against what a person accepted as it: parts that are missing, firmware that is older, and what else differs.

use std::collections::BTreeMap;

use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::monitor::look::{Cost, Look, Monitor, Only, Reading, Row, has, seconds, settings};
use crate::monitor::told::Told;

mod part;

use part::{KINDS, Kind, Part, is_older};

const OLDER: &str = "hw.firmware.older";
const CHANGED: &str = "hw.inventory.changed";

const NAME: &str = "drift";

/// So many differences of a class are told.
const ROWS_MAX: usize = 8;

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "the inventory against the accepted baseline: parts that are missing, added or others, firmware that is older",
    alarms: &[
        "hw.memory.missing",
        "hw.cpu.missing",
        "hw.pcie.missing",
        "hw.storage.missing",
        "hw.nic.missing",
        "hw.gpu.missing",
        "hw.crypto.missing",
        OLDER,
        CHANGED,
    ],
    interval: seconds(300),
    deadline: seconds(30),
    cost: Cost::Medium,
    classes: &[
        Class::System,
        Class::Memory,
        Class::Cpu,
        Class::Pci,
        Class::Storage,
        Class::Nic,
        Class::Gpu,
        Class::Crypto,
    ],
    reading: Reading::Anew,
    blocks: false,
    available: |look| {
        has(
            look.baseline.is_some(),
            "no inventory was accepted as the baseline",
        )
    },
    make: |table, _| Ok(Box::new(Drift(settings(table)?))),
};

struct Drift(Only);

impl Monitor for Drift {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(baseline) = look.baseline else {
            return told.failed("no inventory was accepted as the baseline");
        };
        let mut complete = true;
        for kind in KINDS {
            if !look.lists(kind.from.0, &[kind.from.1]) {
                complete = false;
                continue;
            }
            // Of what was never accepted nothing is missed; of what cannot be seen nobody knows.
            let Some(before) = (kind.parts)(baseline) else {
                continue;
            };
            let Some(now) = (kind.parts)(look.inventory) else {
                complete = false;
                continue;
            };
            let ignored = |part: &Part| self.0.ignore.has(&part.name);
            let kept = |parts: Vec<Part>| parts.into_iter().filter(|part| !ignored(part));
            let before: Vec<Part> = kept(before).collect();
            let now: BTreeMap<String, Part> = kept(now)
                .map(|part| (part.identity.clone(), part))
                .collect();
            compare(kind, &before, &now, &mut told);
        }
        told.end(complete)
    }
}

fn compare(kind: &Kind, before: &[Part], now: &BTreeMap<String, Part>, told: &mut Told) {
    let mut differences = Vec::new();
    for part in before {
        let found = now.get(&part.identity);
        missing(kind, part, found, told);
        let Some(found) = found else { continue };
        firmware(part, found, told, &mut differences);
        if part.serial.is_some() && found.serial.is_some() && part.serial != found.serial {
            differences.push((part.name.clone(), "another of the same kind".to_owned()));
        }
        if let (Some(size), Some(now)) = (part.size, found.size)
            && size != now
        {
            differences.push((part.name.clone(), format!("{size} before, {now} now")));
        }
    }
    let known = |part: &Part| before.iter().any(|other| other.identity == part.identity);
    let added = now.values().filter(|part| !known(part));
    differences.extend(added.map(|part| (part.name.clone(), format!("new: {}", part.what))));
    let entity = told.entity(&[("class", kind.class)]);
    let count = differences.len();
    let saying = told.say(CHANGED, &entity).with("differences", count);
    let rows = differences.iter().take(ROWS_MAX);
    let saying = rows.fold(saying, |saying, (name, difference)| {
        saying.with(name, difference)
    });
    saying.fault(
        count > 0,
        &format!("{}: the hardware is not what was accepted", kind.class),
    );
}

/// Gone, another, or less of it than there was.
fn missing(kind: &Kind, part: &Part, found: Option<&Part>, told: &mut Told) {
    let Some(alarm) = kind.alarm else { return };
    let entity = told.entity(&[(kind.entity, &part.name)]);
    let other = found.is_some_and(|found| found.what != part.what);
    let fewer = found.is_some_and(|found| found.count < part.count);
    told.say(alarm, &entity)
        .with("expected", &part.what)
        .with_some("serial", part.serial.as_ref())
        .with_some("found", found.map(|found| &found.what))
        .with_some(
            "how many",
            found.and_then(|found| Some(format!("{} of {}", found.count?, part.count?))),
        )
        .fault(
            found.is_none() || other || fewer,
            &format!("{} is missing", part.name),
        );
}

fn firmware(part: &Part, found: &Part, told: &mut Told, differences: &mut Vec<(String, String)>) {
    let (Some(before), Some(now)) = (&part.firmware, &found.firmware) else {
        return;
    };
    let older = is_older(now, before);
    let entity = told.entity(&[("component", &part.name)]);
    told.say(OLDER, &entity)
        .with("accepted", before)
        .with("runs", now)
        .fault(
            older,
            &format!(
                "{}: the firmware is older than what was accepted",
                part.name
            ),
        );
    if before != now && !older {
        differences.push((
            part.name.clone(),
            format!("firmware {before} before, {now} now"),
        ));
    }
}

#[cfg(test)]
mod tests;
