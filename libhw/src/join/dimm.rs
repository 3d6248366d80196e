//! Which stick a counter of memory errors belongs to.
//!
//! EDAC counts for what the memory controller sees: channels, slots, ranks, rows. SMBIOS names what a person sees: the
//! words that are printed beside a socket. Nothing ties the two together on all machines, so a match says what it
//! rests on. One that would contradict the sizes of the sticks is not made at all.

use crate::device::memory::{Device, EdacChannel, EdacDimm, Memory, Population};

use place::{Layout, Place};

mod place;

/// A socket with the counters of its stick.
#[derive(Clone, Debug)]
pub struct Stick<'a> {
    /// The socket.
    pub device: &'a Device,
    /// What EDAC counts for it: one row, or one for each rank. Of a row over several channels, it has a part.
    pub counters: Vec<&'a EdacDimm>,
    /// What the match rests on; none without counters.
    pub basis: Option<Basis>,
    /// Corrected errors; `None` where nothing counts.
    pub corrected: Option<u64>,
    /// Uncorrected ones; `None` where nothing counts, and where a row counts them for several sticks.
    pub uncorrected: Option<u64>,
}

/// What the match of a stick and its counters rests on, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The counter's label is the socket's name: firmware or `edac-ctl --register-labels` gave it.
    Label,
    /// There is no other stick.
    Only,
    /// Both count sockets, controllers, channels and slots in numbers, and all numbers and sizes agree.
    Numbers,
    /// The board calls its channels by letters, or says nothing of the socket: the usual order is taken, and all
    /// sizes agree with it. Boards differ, so the true stick may be another one.
    Order,
}

/// How far a match can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It says so itself, or nothing else is possible.
    Certain,
    /// Everything agrees.
    Likely,
    /// Nothing speaks against it.
    Guess,
}

impl Basis {
    /// How far it can be relied on.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::Label | Self::Only => Confidence::Certain,
            Self::Numbers => Confidence::Likely,
            Self::Order => Confidence::Guess,
        }
    }
}

/// Every socket, with the counters of its stick as far as they can be told.
#[must_use]
pub fn sticks(memory: &Memory) -> Vec<Stick<'_>> {
    let matches = matches(memory);
    let devices = memory.devices.iter().enumerate();
    devices
        .map(|(number, device)| {
            let own = matches.iter().filter(|one| one.device == Some(number));
            let own: Vec<&Match<'_>> = own.collect();
            let sum = |count: fn(&Counter<'_>) -> Option<u64>| {
                let counts: Option<Vec<u64>> = own.iter().map(|one| count(&one.counter)).collect();
                let counts = counts.filter(|counts| !counts.is_empty())?;
                Some(counts.into_iter().fold(0, u64::saturating_add))
            };
            Stick {
                device,
                counters: own.iter().map(|one| one.counter.dimm).collect(),
                basis: own.iter().filter_map(|one| one.basis).max(),
                corrected: sum(|counter| counter.corrected()),
                uncorrected: sum(|counter| counter.uncorrected()),
            }
        })
        .collect()
}

/// The counters that belong to no stick that is known.
#[must_use]
pub fn unmatched(memory: &Memory) -> Vec<&EdacDimm> {
    let matches = matches(memory);
    let dimms = memory.edac_dimms.iter();
    let matched = |dimm: &&EdacDimm| {
        let mut own = matches
            .iter()
            .filter(|one| std::ptr::eq(one.counter.dimm, *dimm));
        own.any(|one| one.device.is_some())
    };
    dimms.filter(|dimm| !matched(dimm)).collect()
}

/// A counter, and the number of the device that it was matched with.
struct Match<'a> {
    counter: Counter<'a>,
    device: Option<usize>,
    basis: Option<Basis>,
}

/// A stick, a rank, or a row's part on one channel.
#[derive(Clone, Copy)]
struct Counter<'a> {
    dimm: &'a EdacDimm,
    channel: Option<&'a EdacChannel>,
}

impl Counter<'_> {
    fn label(&self) -> Option<&str> {
        match self.channel {
            Some(channel) => channel.label.as_deref(),
            None => self.dimm.label.as_deref(),
        }
    }

    /// A row's size is that of all its channels.
    fn size(&self) -> Option<u64> {
        let parts = u64::try_from(self.dimm.channels.len().max(1)).ok()?;
        Some(self.dimm.size_bytes?.0 / parts)
    }

    fn corrected(&self) -> Option<u64> {
        match self.channel {
            Some(channel) => channel.now.corrected,
            None => self.dimm.now.corrected,
        }
    }

    /// Of one row and several channels nobody knows which one it was.
    const fn uncorrected(&self) -> Option<u64> {
        match self.dimm.channels.len() {
            0 | 1 => self.dimm.now.uncorrected,
            _ => None,
        }
    }
}

fn matches(memory: &Memory) -> Vec<Match<'_>> {
    let mut matches: Vec<Match<'_>> = counters(memory)
        .map(|counter| Match {
            counter,
            device: None,
            basis: None,
        })
        .collect();
    let sticks: Vec<(usize, &Device)> = memory
        .devices
        .iter()
        .enumerate()
        .filter(|(_, device)| is_stick(device))
        .collect();
    for one in &mut matches {
        if let Some(device) = labelled(&one.counter, &sticks) {
            (one.device, one.basis) = (Some(device), Some(Basis::Label));
        }
    }
    if matches.iter().any(|one| one.device.is_some()) {
        return matches;
    }
    if let [(only, _)] = *sticks {
        for one in &mut matches {
            (one.device, one.basis) = (Some(only), Some(Basis::Only));
        }
        return matches;
    }
    placed(memory, &sticks, &mut matches);
    matches
}

fn counters(memory: &Memory) -> impl Iterator<Item = Counter<'_>> {
    memory.edac_dimms.iter().flat_map(|dimm| {
        let whole = dimm.channels.is_empty().then_some(Counter {
            dimm,
            channel: None,
        });
        let part = |channel| Counter {
            dimm,
            channel: Some(channel),
        };
        whole.into_iter().chain(dimm.channels.iter().map(part))
    })
}

/// Flash that firmware lists among the devices is none.
fn is_stick(device: &Device) -> bool {
    let flash = device.memory_type.as_deref() == Some("Flash");
    device.population == Population::Populated && !flash
}

/// The one stick that a label names: by the socket, or by bank and socket as GHES writes them.
fn labelled(counter: &Counter<'_>, sticks: &[(usize, &Device)]) -> Option<usize> {
    let label = signs(counter.label()?);
    let named = |(_, device): &&(usize, &Device)| {
        let locator = signs(device.locator.as_deref().unwrap_or_default());
        let bank = signs(device.bank_locator.as_deref().unwrap_or_default());
        !locator.is_empty()
            && (label == locator
                || label == format!("{bank}{locator}")
                || label == format!("{locator}{bank}"))
    };
    let mut named = sticks.iter().filter(named);
    match (named.next(), named.next()) {
        (Some((number, _)), None) => Some(*number),
        _ => None,
    }
}

/// Letters and digits alone, in lower case.
fn signs(text: &str) -> String {
    let signs = text.chars().filter(char::is_ascii_alphanumeric);
    signs.map(|sign| sign.to_ascii_lowercase()).collect()
}

/// Matches all counters by their places, or none: one that has no stick or another size than its stick shows that
/// the board counts in another way.
fn placed(memory: &Memory, sticks: &[(usize, &Device)], matches: &mut [Match<'_>]) {
    let Some(layout) = Layout::of(memory) else {
        return;
    };
    let place = |one: &Match<'_>| layout.counter(one.counter.dimm, one.counter.channel);
    let places: Option<Vec<Place>> = matches.iter().map(place).collect();
    let Some(places) = places else { return };
    let mut counted: Vec<u64> = vec![0; sticks.len()];
    let mut found = Vec::new();
    for (one, place) in matches.iter().zip(&places) {
        let same = |(_, device): &&(usize, &Device)| layout.device(device) == Some(*place);
        let mut same = sticks.iter().enumerate().filter(|(_, stick)| same(stick));
        let (Some((index, (number, _))), None) = (same.next(), same.next()) else {
            return;
        };
        let (Some(sum), Some(size)) = (counted.get_mut(index), one.counter.size()) else {
            return;
        };
        *sum = sum.saturating_add(size);
        found.push(*number);
    }
    let sizes = sticks
        .iter()
        .map(|(_, device)| device.size_bytes.map(|size| size.0));
    if !sizes.eq(counted.into_iter().map(Some)) {
        return;
    }
    for (one, number) in matches.iter_mut().zip(found) {
        (one.device, one.basis) = (Some(number), Some(layout.basis));
    }
}

#[cfg(test)]
mod tests;
