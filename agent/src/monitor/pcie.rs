//! PCI Express: errors that functions report (AER), and links that run below what both ends can.
//!
//! A link is judged by its upper end, since many a device has a switch inside whose link to its own die is always at full
//! speed; and only while the device is awake. A graphics device or accelerator slows its link down when it has nothing to
//! do, so of those the width alone is judged.

use std::collections::{BTreeMap, HashMap};

use libhw::device::pci::{Function, Link};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::alarm::severity::Severity;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const CORRECTABLE: &str = "hw.pcie.corrected";
const NONFATAL: &str = "hw.pcie.uncorrected";
const FATAL: &str = "hw.pcie.fatal";
const DEGRADED: &str = "hw.pcie.link-degraded";
const LOST: &str = "hw.pcie.unresponsive";

const NAME: &str = "pcie";
const FUNCTIONS: &str = "sys/bus/pci/devices";

/// More bridges are above no function: a tree that claims so is a ring.
const DEPTH_MAX: usize = 256;

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "PCI Express: errors of each function, links below what both ends can, functions that do not answer",
    alarms: &[CORRECTABLE, NONFATAL, FATAL, DEGRADED, LOST],
    interval: seconds(30),
    deadline: seconds(10),
    cost: Cost::Medium,
    classes: &[Class::Pci],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let pci = look.inventory.pci.as_ref().ok_or(NOT_READ)?;
        let told = |function: &Function| function.now.aer.is_some() || function.link_max.is_some();
        has(
            pci.functions.iter().any(told),
            "no function here counts errors or tells its link",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(Pcie {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Pcie {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for Pcie {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(pci) = &look.inventory.pci else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        let watched = |function: &&Function| !self.settings.ignore.has(&function.id);
        let functions: Vec<&Function> = pci.functions.iter().filter(watched).collect();
        for function in &functions {
            self.errors(function, &mut told);
            answers(function, &mut told);
        }
        for (lower, upper) in links(&functions) {
            self.link(lower, upper, &mut told);
        }
        let complete = look.lists(Class::Pci, &[FUNCTIONS]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl Pcie {
    fn errors(&mut self, function: &Function, told: &mut Told) {
        let Some(aer) = &function.now.aer else { return };
        let counts = [
            (
                CORRECTABLE,
                First::Begins,
                &aer.correctable,
                "corrected PCI Express errors",
            ),
            (
                NONFATAL,
                First::Tells,
                &aer.nonfatal,
                "PCI Express errors that lost a transaction",
            ),
            (
                FATAL,
                First::Tells,
                &aer.fatal,
                "PCI Express errors that lost the link",
            ),
        ];
        let entity = told.entity(&[("pci", &function.id)]);
        for (alarm, first, counters, wrong) in counts {
            let sum = counters.values().copied().fold(0, u64::saturating_add);
            let name = format!("{} {alarm}", named(function));
            let Some(by) = self
                .remembered
                .growth((Span::Boot, first), &name, Some(sum))
            else {
                continue;
            };
            let saying = told
                .say(alarm, &entity)
                .with_some("driver", function.driver.as_ref());
            let saying = counters
                .iter()
                .fold(saying, |saying, (name, count)| saying.with(name, count));
            saying.grew(by, &format!("{}: {wrong}", called(function)));
        }
    }

    fn link(&mut self, lower: &Function, upper: &Function, told: &mut Told) {
        let able = both(lower.link_max, upper.link_max);
        if able == Link::default() {
            return;
        }
        let entity = told.entity(&[("pci", &lower.id)]);
        let text = format!("{}: its link runs below what both ends can", called(lower));
        let awake = |function: &Function| {
            function
                .now
                .power_state
                .as_deref()
                .is_none_or(|state| state == "D0")
        };
        let now = upper
            .now
            .link
            .or(lower.now.link)
            .filter(|_| awake(lower) && awake(upper));
        let name = format!("{} {}", named(lower), named(upper));
        // What it once reached is what the slot is wired for.
        let width = self.remembered.most(
            Span::Life,
            &format!("{name} width"),
            now.and_then(|now| now.width).map(u64::from),
        );
        let speed = self.remembered.most(
            Span::Life,
            &format!("{name} speed"),
            now.and_then(|now| now.speed_mtps).map(u64::from),
        );
        let saying = told
            .say(DEGRADED, &entity)
            .with("port above", &upper.id)
            .with("both can", words(&able))
            .with_some(
                "best seen",
                width
                    .zip(speed)
                    .map(|(width, speed)| format!("x{width} at {speed} MT/s")),
            );
        let Some(now) = now else {
            return saying.unknown("the device sleeps, or its link tells nothing", &text);
        };
        let narrowed = less(now.width, able.width);
        let slowed = less(now.speed_mtps, able.speed_mtps) && !rests(lower);
        let was_better = (narrowed && width > now.width.map(u64::from))
            || (slowed && speed > now.speed_mtps.map(u64::from));
        let saying = saying.with("runs", words(&now));
        match narrowed || slowed {
            // It never was better: perhaps the board is wired so.
            true if !was_better => saying.graded(Some(Severity::Warning), &text),
            is => saying.fault(is, &text),
        }
    }
}

/// Whether a function answers. The kernel says `error` of one that does not.
fn answers(function: &Function, told: &mut Told) {
    let Some(state) = &function.now.power_state else {
        return;
    };
    let entity = told.entity(&[("pci", &function.id)]);
    told.say(LOST, &entity).with("power_state", state).fault(
        state == "error",
        &format!("{}: does not answer", called(function)),
    );
}

/// The links: the first function below each port that leads away from the processor.
///
/// Below a root port there is a link, below the upstream port of a switch its own bus, below its downstream ports links again.
fn links<'a>(functions: &[&'a Function]) -> Vec<(&'a Function, &'a Function)> {
    let by_id: HashMap<&str, &Function> = functions
        .iter()
        .map(|one| (one.id.as_str(), *one))
        .collect();
    let parent = |function: &Function| {
        by_id
            .get(function.parent.as_deref()?)
            .copied()
            .filter(|one| one.is_bridge())
    };
    let mut links: BTreeMap<&str, (&Function, &Function)> = BTreeMap::new();
    for lower in functions {
        let Some(upper) = parent(lower) else { continue };
        let above = std::iter::successors(Some(upper), |port| parent(port))
            .take(DEPTH_MAX)
            .count();
        if above % 2 == 1 && upper.link_max.is_some() {
            links.entry(&upper.id).or_insert((lower, upper));
        }
    }
    links.into_values().collect()
}

/// Whether it slows its link down when it has nothing to do: displays, and processing accelerators.
const fn rests(function: &Function) -> bool {
    matches!(function.class_id >> 16, 0x03 | 0x12)
}

fn less(now: Option<u32>, able: Option<u32>) -> bool {
    now.zip(able).is_some_and(|(now, able)| now < able)
}

/// The most that both ends can do.
fn both(lower: Option<Link>, upper: Option<Link>) -> Link {
    let least = |of: fn(Link) -> Option<u32>| {
        let ends = [lower.and_then(of), upper.and_then(of)];
        ends.into_iter().flatten().min()
    };
    Link {
        speed_mtps: least(|link| link.speed_mtps),
        width: least(|link| link.width),
    }
}

fn words(link: &Link) -> String {
    let width = link.width.map(|width| format!("x{width}"));
    let speed = link.speed_mtps.map(|speed| format!("{speed} MT/s"));
    let words: Vec<String> = [width, speed].into_iter().flatten().collect();
    words.join(" at ")
}

/// A function and what it is: another card in the same slot is another one.
fn named(function: &Function) -> String {
    format!(
        "{} {:04x}:{:04x}",
        function.id, function.vendor_id, function.device_id
    )
}

fn called(function: &Function) -> String {
    match (&function.label, &function.slot) {
        (Some(label), _) => format!("{} ({label})", function.id),
        (None, Some(slot)) => format!("{} (slot {slot})", function.id),
        _ => function.id.clone(),
    }
}

#[cfg(test)]
mod tests;
