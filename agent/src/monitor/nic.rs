//! Network interfaces: links that were lost, that come and go, that run slower than both ends can, that garble frames; bonds
//! that lost a member; what devlink's health reporters say.

use std::collections::BTreeSet;

use libhw::device::nic::{Duplex, Health, Interface, InterfaceKind, LinkModes, Nic};
use libhw::inventory::Class;

use crate::alarm::entity::Entity;
use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const DOWN: &str = "hw.nic.link-down";
const FLAPS: &str = "hw.nic.link-flaps";
const SLOW: &str = "hw.nic.speed-degraded";
const ERRORS: &str = "hw.nic.errors";
const DROPS: &str = "hw.nic.drops";
const BOND: &str = "hw.nic.bond-degraded";
const HEALTH: &str = "hw.nic.health";

const NAME: &str = "nic";
const NET: &str = "sys/class/net";

/// Frames that came garbled or could not be sent, by the kernel's names (Documentation/ABI/testing/sysfs-class-net-statistics).
/// Their parts are in them.
const BAD: &[&str] = &["rx_errors", "tx_errors"];

/// Frames that came and found no room. `rx_dropped` also counts those that nobody asked for.
const NO_ROOM: &[&str] = &["rx_missed_errors", "rx_fifo_errors", "rx_over_errors"];

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "network interfaces: lost links, links that flap or run slow, errors, bonds that lack a member, firmware health",
    alarms: &[DOWN, FLAPS, SLOW, ERRORS, DROPS, BOND, HEALTH],
    interval: seconds(10),
    deadline: seconds(5),
    cost: Cost::Medium,
    classes: &[Class::Nic],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let nic = look.inventory.nic.as_ref().ok_or(NOT_READ)?;
        let any = nic.interfaces.iter().any(is_port) || !nic.devlinks.is_empty();
        has(any, "no network interface here has hardware behind it")
    },
    make: |table, remembered| {
        Ok(Box::new(Nics {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Nics {
    settings: Only,
    remembered: Remembered,
}

/// An interface whose link is its own: virtual functions and representors share that of a port.
fn is_port(interface: &Interface) -> bool {
    matches!(interface.kind, Some(InterfaceKind::Physical))
}

fn is_bundle(interface: &Interface) -> bool {
    matches!(
        interface.kind,
        Some(InterfaceKind::Bond | InterfaceKind::Team)
    )
}

impl Monitor for Nics {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(nic) = &look.inventory.nic else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        let watched = |one: &&Interface| {
            (is_port(one) || is_bundle(one)) && !self.settings.ignore.has(&one.id)
        };
        let interfaces: Vec<&Interface> = nic.interfaces.iter().filter(watched).collect();
        for interface in interfaces {
            let entity = told.entity(&[("nic", &interface.id)]);
            self.link(interface, &entity, &mut told);
            if is_bundle(interface) {
                self.bundle(nic, interface, &entity, &mut told);
            } else {
                self.speed(interface, &entity, &mut told);
                self.counters(interface, &entity, &mut told);
            }
        }
        health(nic, &mut told);
        let complete = look.lists(Class::Nic, &[NET]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl Nics {
    /// A link that is wanted and never was is a port without a cable; one that was, is lost.
    fn link(&mut self, interface: &Interface, entity: &Entity, told: &mut Told) {
        let id = &interface.id;
        if let Some(carrier) = interface.carrier {
            let name = format!("{} was up", named(interface));
            // What is no loss was a gain: the link was up in this boot before anybody looked.
            let gained = interface.now.carrier_changes > interface.now.carrier_down_count;
            let gained = gained && interface.now.carrier_down_count.is_some();
            let was = self.remembered.ever(Span::Life, &name, carrier || gained);
            told.say(DOWN, entity)
                .with("carrier", carrier)
                .with_some("operstate", interface.operstate.as_ref())
                .with_some("carrier changes", interface.now.carrier_changes)
                .with_some("function", interface.function.as_ref())
                .fault(
                    was && !carrier && interface.enabled == Some(true),
                    &format!("{id}: the link is down"),
                );
        } else if interface.enabled == Some(false) {
            // Somebody took it down, and so does not miss it.
            self.remembered
                .ever(Span::Life, &format!("{} was up", named(interface)), false);
            told.say(DOWN, entity)
                .with("enabled", false)
                .fault(false, &format!("{id}: the link is down"));
        }
        let lost = interface
            .now
            .carrier_down_count
            .or(interface.now.carrier_changes.map(|changes| changes / 2));
        let name = format!("{} carrier", named(interface));
        if let Some(by) =
            self.remembered
                .growth((Span::Boot, First::Begins), &name, lost.map(u64::from))
        {
            let saying = told.say(FLAPS, entity).with_some("times lost", lost);
            saying.grew(by, &format!("{id}: the link comes and goes"));
        }
    }

    fn speed(&mut self, interface: &Interface, entity: &Entity, told: &mut Told) {
        let name = format!("{} speed", named(interface));
        let speed = interface
            .speed_mbps
            .filter(|_| interface.carrier == Some(true));
        let best = self
            .remembered
            .most(Span::Boot, &name, speed.map(u64::from));
        let Some(speed) = speed else { return };
        let agreed = interface.link_modes.as_ref().and_then(best_of_both);
        let half = interface.duplex == Some(Duplex::Half);
        let slower = agreed.is_some_and(|agreed| speed < agreed) || best > Some(u64::from(speed));
        told.say(SLOW, entity)
            .with("speed", format!("{speed} Mbit/s"))
            .with_some(
                "both ends can",
                agreed.map(|speed| format!("{speed} Mbit/s")),
            )
            .with_some(
                "best in this boot",
                best.map(|speed| format!("{speed} Mbit/s")),
            )
            .with_some("duplex", interface.duplex.as_ref())
            .fault(
                slower || half,
                &format!("{}: the link is slower than both ends can", interface.id),
            );
    }

    fn counters(&mut self, interface: &Interface, entity: &Entity, told: &mut Told) {
        let counters = &interface.now.counters;
        // Zeros are left out of them, so none at all is an interface that could not be read.
        if counters.is_empty() && interface.now.carrier_changes.is_none() {
            return;
        }
        let id = &interface.id;
        let sums = [
            (
                ERRORS,
                BAD,
                format!("{id}: frames are garbled or cannot be sent"),
            ),
            (
                DROPS,
                NO_ROOM,
                format!("{id}: frames are lost for want of room"),
            ),
        ];
        for (alarm, names, text) in sums {
            let counts = names
                .iter()
                .filter_map(|name| Some((*name, *counters.get(*name)?)));
            // Some drivers count one loss under several names.
            let sum = match alarm {
                DROPS => counts.clone().map(|(_, count)| count).max().unwrap_or(0),
                _ => counts
                    .clone()
                    .fold(0, |sum: u64, (_, count)| sum.saturating_add(count)),
            };
            let name = format!("{} {alarm}", named(interface));
            if let Some(by) = self
                .remembered
                .growth((Span::Boot, First::Begins), &name, Some(sum))
            {
                let crc = counters.get("rx_crc_errors");
                let saying = counts.fold(told.say(alarm, entity), |saying, (name, count)| {
                    saying.with(name, count)
                });
                saying
                    .with_some("rx_crc_errors", crc.filter(|_| alarm == ERRORS))
                    .grew(by, &text);
            }
        }
    }

    /// A bond runs on with what is left of it, and so hides that a member is lost.
    fn bundle(&mut self, nic: &Nic, bond: &Interface, entity: &Entity, told: &mut Told) {
        let members = nic
            .interfaces
            .iter()
            .filter(|one| one.master.as_deref() == Some(&bond.id));
        let (up, down): (Vec<&Interface>, Vec<&Interface>) =
            members.partition(|one| one.carrier == Some(true));
        let all = u64::try_from(up.len() + down.len()).ok();
        let most = self
            .remembered
            .most(Span::Boot, &format!("{} members", named(bond)), all)
            .unwrap_or_default();
        let ids = |members: &[&Interface]| {
            members
                .iter()
                .map(|one| one.id.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let lost = u64::try_from(up.len()).is_ok_and(|up| up < most);
        told.say(BOND, entity)
            .with("up", ids(&up))
            .with("down", ids(&down))
            .with("members before", most)
            .with_some("active", bond.bond_active.as_ref())
            .fault(
                lost && bond.enabled == Some(true),
                &format!("{}: the bond lacks a member", bond.id),
            );
    }
}

/// An interface, by the card that it is on.
fn named(interface: &Interface) -> String {
    let mac = interface.permanent_mac.as_deref().unwrap_or_default();
    format!("{} {mac}", interface.id)
}

/// The fastest mode, in Mbit/s, that both ends offer; `None` where the other end says nothing.
fn best_of_both(modes: &LinkModes) -> Option<u32> {
    let both: BTreeSet<&String> = modes.advertised.intersection(&modes.peer).collect();
    both.into_iter().filter_map(|mode| speed_of(mode)).max()
}

/// The megabits of a mode of the kernel's: `10000baseT/Full`.
fn speed_of(mode: &str) -> Option<u32> {
    let (speed, _) = mode.split_once("base")?;
    speed.parse().ok()
}

fn health(nic: &Nic, told: &mut Told) {
    for devlink in &nic.devlinks {
        for reporter in &devlink.reporters {
            let Some(state) = &reporter.now.state else {
                continue;
            };
            let name = format!("{} {}", devlink.id, reporter.id);
            let entity = told.entity(&[("nic", &name)]);
            told.say(HEALTH, &entity)
                .with("state", state)
                .with_some("errors", reporter.now.errors)
                .with_some("recoveries", reporter.now.recoveries)
                .fault(
                    *state == Health::Error,
                    &format!("{name}: the health reporter tells of an error"),
                );
        }
        let entity = told.entity(&[("nic", &format!("{} reload", devlink.id))]);
        told.say(HEALTH, &entity).fault(
            devlink.reload_failed,
            &format!("{}: its driver could not start again", devlink.id),
        );
    }
}

#[cfg(test)]
mod tests;
