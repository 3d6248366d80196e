//! Places in numbers: processor, channel of the processor, slot of the channel; as EDAC and as firmware write them.
//!
//! ```text
//! CPU_SrcID#0_MC#1_Chan#0_DIMM#0     label of skx_edac, i10nm_edac (sb_edac: Ha#1)
//! csrow 2 channel 1                  location of a rank: two for each slot
//! P0_Node0_Channel0_Dimm0            bank of a socket
//! P0 CHANNEL A  +  DIMM 0            bank and socket
//! P1-DIMMA1   CPU1_DIMM_A1           socket: processor, channel, slot
//! ```

use super::Basis;
use crate::device::memory::{Device, EdacChannel, EdacDimm, EdacKind, Memory};

/// Where something is, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    processor: u32,
    channel: u32,
    slot: u32,
}

/// How firmware counts, and what the controllers have.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) basis: Basis,
    /// The least numbers that firmware uses.
    first: Written,
    /// Whether firmware counts channels within a controller.
    by_controller: bool,
    processors: u32,
    controllers_per_processor: u32,
    channels_per_controller: u32,
}

/// Numbers as they are written; a channel's letter counts from 0.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    processor: Option<u32>,
    controller: Option<u32>,
    channel: Option<u32>,
    slot: Option<u32>,
    letter: bool,
}

impl Layout {
    /// None where firmware does not name channel and slot of every socket.
    pub(super) fn of(memory: &Memory) -> Option<Self> {
        let all: Option<Vec<Written>> = memory.devices.iter().map(written_of).collect();
        let all = all.filter(|all| !all.is_empty())?;
        let least = |part: fn(&Written) -> Option<u32>| all.iter().filter_map(part).min();
        let processors = distinct(all.iter().filter_map(|one| one.processor)).max(1);
        let controllers = u32::try_from(memory.edac_controllers.len()).ok()?;
        let per_processor = controllers / processors;
        let uneven = controllers == 0 || controllers % processors != 0;
        let channel = |dimm: &EdacDimm| counted(dimm).channel;
        let of_places = memory
            .edac_controllers
            .iter()
            .filter_map(|controller| numbers(controller.location_max.as_deref()?).channel);
        let last = of_places
            .chain(memory.edac_dimms.iter().filter_map(channel))
            .max();
        let letters = all.iter().any(|one| one.letter);
        let told = memory
            .edac_dimms
            .iter()
            .all(|dimm| counted(dimm).processor.is_some());
        let silent = processors > 1 && !told;
        (!uneven).then_some(Self {
            basis: if letters || silent {
                Basis::Order
            } else {
                Basis::Numbers
            },
            first: Written {
                processor: least(|one| one.processor),
                controller: least(|one| one.controller),
                channel: least(|one| one.channel),
                slot: least(|one| one.slot),
                letter: false,
            },
            by_controller: all.iter().all(|one| one.controller.is_some()),
            processors,
            controllers_per_processor: per_processor.max(1),
            channels_per_controller: last.map_or(1, |last| last.saturating_add(1)),
        })
    }

    /// Where a socket is.
    pub(super) fn device(&self, device: &Device) -> Option<Place> {
        let written = written_of(device)?;
        let from = |value: Option<u32>, first: Option<u32>| {
            value.map_or(Some(0), |value| value.checked_sub(first.unwrap_or(0)))
        };
        let controller = from(written.controller, self.first.controller)?;
        let channel = from(written.channel, self.first.channel)?;
        Some(Place {
            processor: from(written.processor, self.first.processor)?,
            channel: if self.by_controller {
                self.channel(controller, channel)
            } else {
                channel
            },
            slot: from(written.slot, self.first.slot)?,
        })
    }

    /// Where EDAC counts.
    pub(super) fn counter(&self, dimm: &EdacDimm, channel: Option<&EdacChannel>) -> Option<Place> {
        let written = counted(dimm);
        let number: u32 = dimm.controller.strip_prefix("mc")?.parse().ok()?;
        let processor = match written.processor {
            Some(processor) => processor,
            None if self.processors == 1 => 0,
            None => number / self.controllers_per_processor,
        };
        let own = written
            .controller
            .unwrap_or(number % self.controllers_per_processor);
        let channel = channel.map_or(written.channel, |channel| Some(channel.id))?;
        Some(Place {
            processor,
            channel: self.channel(own, channel),
            slot: written.slot?,
        })
    }

    const fn channel(&self, controller: u32, channel: u32) -> u32 {
        controller
            .saturating_mul(self.channels_per_controller)
            .saturating_add(channel)
    }
}

fn distinct(numbers: impl Iterator<Item = u32>) -> u32 {
    let numbers: std::collections::BTreeSet<u32> = numbers.collect();
    u32::try_from(numbers.len()).unwrap_or(u32::MAX)
}

/// What EDAC's label says, and where it says nothing of channel and slot, its location.
fn counted(dimm: &EdacDimm) -> Written {
    let label = numbers(dimm.label.as_deref().unwrap_or_default());
    if label.channel.is_some() && label.slot.is_some() && label.processor.is_some() {
        return label;
    }
    let text = dimm.location.as_deref().unwrap_or_default();
    let row = match dimm.kind {
        // A row of old has its number in its name: `mc0/csrow2`.
        EdacKind::Csrow => dimm
            .id
            .rsplit("csrow")
            .next()
            .and_then(|row| row.parse().ok()),
        _ => after(text, "csrow"),
    };
    let location = numbers(text);
    Written {
        // Two rows of chips, its ranks, are one stick.
        slot: location.slot.or_else(|| row.map(|row: u32| row / 2)),
        ..location
    }
}

fn after(text: &str, word: &str) -> Option<u32> {
    let (_, rest) = text.split_once(word)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// What the bank says, where it names channel and slot; else the bank and the socket together.
fn written_of(device: &Device) -> Option<Written> {
    let bank = numbers(device.bank_locator.as_deref().unwrap_or_default());
    let socket = numbers(device.locator.as_deref().unwrap_or_default());
    let whole = |one: &Written| one.channel.is_some() && one.slot.is_some();
    let written = if whole(&bank) {
        bank
    } else if whole(&socket) {
        Written {
            processor: socket.processor.or(bank.processor),
            ..socket
        }
    } else {
        Written {
            processor: bank.processor.or(socket.processor),
            controller: bank.controller.or(socket.controller),
            channel: bank.channel.or(socket.channel),
            slot: socket.slot.or(bank.slot),
            letter: bank.letter || socket.letter,
        }
    };
    whole(&written).then_some(written)
}

/// What the words of a text say: `Channel0`, `CHANNEL A`, `Chan#1`, `DIMM 0`; `DIMMA1` and `DIMM_A1` say two things.
fn numbers(text: &str) -> Written {
    let mut written = Written::default();
    let mut before = String::new();
    for (word, number) in pairs(text) {
        let of_letter = |prefix: &str| word.strip_prefix(prefix).and_then(letter);
        match (word.as_str(), number) {
            ("p" | "cpu" | "proc" | "processor" | "socket" | "skt" | "srcid", Some(_)) => {
                written.processor = number;
            }
            ("mc" | "imc" | "ha" | "controller", Some(_)) => written.controller = number,
            ("ch" | "chan" | "channel", Some(_)) => written.channel = number,
            // `DIMM_D1` is the first slot of channel D, and `D1` alone the slot 1.
            ("d", Some(_)) if before != "dimm" => written.slot = number,
            ("dimm" | "slot", Some(_)) => written.slot = number,
            (letters, _) => {
                let channel = match before.as_str() {
                    "channel" | "dimm" => letter(letters),
                    _ => None,
                };
                let channel = channel.or_else(|| of_letter("channel"));
                let glued = || number.and_then(|_| of_letter("dimm"));
                if let Some(channel) = channel.or_else(glued) {
                    (written.channel, written.letter) = (Some(channel), true);
                    written.slot = number.or(written.slot);
                }
            }
        }
        before = word;
    }
    written
}

/// Runs of letters, in lower case, each with the number that follows before the next letters.
fn pairs(text: &str) -> Vec<(String, Option<u32>)> {
    let mut pairs: Vec<(String, Option<u32>)> = Vec::new();
    let is_letter = |sign: char| sign.is_ascii_alphabetic();
    let runs = text.split_inclusive(|sign: char| !is_letter(sign));
    let mut open = false;
    for run in runs {
        let word: String = run.chars().filter(|sign| is_letter(*sign)).collect();
        if !word.is_empty() {
            pairs.push((word.to_ascii_lowercase(), None));
            open = false;
        }
        let digit = run.chars().last().and_then(|sign| sign.to_digit(10));
        match (pairs.last_mut(), digit) {
            (Some((_, Some(number))), Some(digit)) if open => {
                *number = number.saturating_mul(10).saturating_add(digit);
            }
            (Some((_, number @ None)), Some(digit)) => (*number, open) = (Some(digit), true),
            _ => open = false,
        }
    }
    pairs
}

/// A single letter, from 0.
fn letter(word: &str) -> Option<u32> {
    match *word.as_bytes() {
        [sign @ b'a'..=b'z'] => Some(u32::from(sign - b'a')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_found_however_a_vendor_writes_them() {
        for (text, processor, controller, channel, slot) in [
            (
                "CPU_SrcID#0_MC#1_Chan#2_DIMM#0",
                Some(0),
                Some(1),
                Some(2),
                Some(0),
            ),
            (
                "CPU_SrcID#1_Ha#0_Chan#3_DIMM#1",
                Some(1),
                Some(0),
                Some(3),
                Some(1),
            ),
            ("channel 2 slot 1", None, None, Some(2), Some(1)),
            ("P0_Node0_Channel3_Dimm1", Some(0), None, Some(3), Some(1)),
            ("P1-DIMMB2", Some(1), None, Some(1), Some(2)),
            ("CPU1_DIMM_A1", Some(1), None, Some(0), Some(1)),
            (
                "Controller1-ChannelB-DIMM0",
                None,
                Some(1),
                Some(1),
                Some(0),
            ),
            ("P0 CHANNEL H", Some(0), None, Some(7), None),
            ("DIMM 0", None, None, None, Some(0)),
            ("DIMM_D12", None, None, Some(3), Some(12)),
            ("CPU0_CH1_D0", Some(0), None, Some(1), Some(0)),
            ("A1", None, None, None, None),
            ("NODE 0 CHANNEL 1 DIMM 0", None, None, Some(1), Some(0)),
            ("", None, None, None, None),
        ] {
            let found = numbers(text);
            let found = (found.processor, found.controller, found.channel, found.slot);
            assert_eq!(found, (processor, controller, channel, slot), "{text}");
        }
    }
}
