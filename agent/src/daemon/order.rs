//! In which order classes are read again, and which event explains what.

use std::collections::{BTreeMap, BTreeSet};

use libhw::diff::Change;
use libhw::inventory::Class;
use libhw::watch::Uevent;

use crate::event::{Cause, Event};

/// Classes that are read last, since they take long, or since a driver that meets its device may hold whoever asks.
const LAST: &[Class] = &[
    Class::Numa,
    Class::Hugepages,
    Class::Storage,
    Class::Nic,
    Class::PtpClock,
    Class::Sensor,
    Class::Software,
    Class::Crypto,
];

/// The class to read first: one that is quickly read; for the second time, when what came is told already, it can wait.
pub(super) fn next(due: &BTreeSet<Class>, read: &BTreeMap<Class, usize>) -> Option<Class> {
    let place = |class: &&Class| match LAST.iter().position(|last| last == *class) {
        Some(place) => place + 1,
        None if read.contains_key(*class) => LAST.len() + 1,
        None => 0,
    };
    due.iter().min_by_key(place).copied()
}

/// The uevents that concern a class; `None` where something else concerns it too.
pub(super) fn uevents<'a>(class: Class, events: &'a [Event]) -> Option<Vec<&'a Uevent>> {
    let concerns = |event: &&Event| event.classes().contains(&class);
    let uevent = |event: &'a Event| match event {
        Event::Uevent(event) => Some(event),
        Event::Notice(_) => None,
    };
    events.iter().filter(concerns).map(uevent).collect()
}

/// The event that tells of a change: that of the device itself, else the first that concerns its class.
pub(super) fn cause(change: &Change, events: &[Event]) -> Option<Cause> {
    let concerns = |event: &&Event| {
        event
            .classes()
            .iter()
            .any(|class| class.name() == change.class)
    };
    let of_device = |event: &&Event| {
        let name = event.device();
        let (prefix, number) =
            name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len());
        name == change.id || (number == change.id && matches!(prefix, "cpu" | "node" | "policy"))
    };
    let concerned = || events.iter().filter(concerns);
    let event = concerned().find(of_device).or_else(|| concerned().next())?;
    Some(event.cause())
}
