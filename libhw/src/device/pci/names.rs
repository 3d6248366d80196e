//! Names of classes, vendors and devices, from lists in the format of pci.ids.
//!
//! ```text
//! 8086  Intel Corporation
//!     159b  Ethernet Controller E810-XXV for SFP
//! C 02  Network controller
//!     00  Ethernet controller
//! ```
//!
//! (before a line of the second rank stands a tab). The lines are sorted by id, so a name is found by bisection, in a few pieces of the file. In a list that
//! is not sorted names are not found, and no more happens. The system's list goes first; a list of our own
//! (pci.ids in this folder) has what it lacks and stands in where there is none.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::device::pci::Function;
use crate::io::pci_ids::PciIds;

/// Names what can be named.
pub(super) fn fill(functions: &mut [Function]) {
    if functions.is_empty() {
        return;
    }
    let file = PciIds::open();
    let read = |at, buffer: &mut [u8]| file.as_ref().map_or(0, |file| file.read_at(at, buffer));
    let system = file.as_ref().map(|file| {
        Names::new(List {
            length: file.length(),
            read: &read,
        })
    });
    let own = Names::new(List {
        length: u64::try_from(OWN.len()).unwrap_or(0),
        read: &read_own,
    });
    let mut lists: Vec<Names<'_>> = system.into_iter().chain([own]).collect();
    for function in functions {
        let (vendor, device) = (function.vendor_id, function.device_id);
        // Our own classes are complete, so asking the larger list first would only cost.
        function.class = lists
            .iter_mut()
            .rev()
            .find_map(|list| list.class(function.class_id));
        function.vendor = lists.iter_mut().find_map(|list| list.vendor(vendor));
        function.device = lists
            .iter_mut()
            .find_map(|list| list.device(vendor, device));
    }
}

fn read_own(at: u64, buffer: &mut [u8]) -> usize {
    let rest = usize::try_from(at).ok().and_then(|at| OWN.get(at..));
    let mut filled = 0;
    for (to, from) in buffer.iter_mut().zip(rest.unwrap_or_default()) {
        *to = *from;
        filled += 1;
    }
    filled
}

/// The names of one list that were asked for so far.
struct Names<'a> {
    list: List<'a>,
    blocks: BTreeMap<u32, Option<Block>>,
    devices: BTreeMap<(u16, u16), Option<String>>,
    classes: BTreeMap<u32, Option<String>>,
}

/// A line of the first rank, and where the lines below it stand.
#[derive(Clone)]
struct Block {
    name: String,
    below: Range<u64>,
}

impl<'a> Names<'a> {
    fn new(list: List<'a>) -> Self {
        Self {
            list,
            blocks: BTreeMap::new(),
            devices: BTreeMap::new(),
            classes: BTreeMap::new(),
        }
    }

    fn vendor(&mut self, vendor: u16) -> Option<String> {
        self.block(u32::from(vendor)).map(|block| block.name)
    }

    fn device(&mut self, vendor: u16, device: u16) -> Option<String> {
        if let Some(known) = self.devices.get(&(vendor, device)) {
            return known.clone();
        }
        let block = self.block(u32::from(vendor));
        let name = block.and_then(|block| self.list.below(&block, u32::from(device), device_id));
        self.devices.insert((vendor, device), name.clone());
        name
    }

    /// The subclass by name, or else the base class.
    fn class(&mut self, class: u32) -> Option<String> {
        let (base, sub) = (class >> 16 & 0xff, class >> 8 & 0xff);
        if let Some(known) = self.classes.get(&(class >> 8)) {
            return known.clone();
        }
        let block = self.block(CLASSES + base);
        let name = block.map(|block| self.list.below(&block, sub, class_id).unwrap_or(block.name));
        self.classes.insert(class >> 8, name.clone());
        name
    }

    fn block(&mut self, id: u32) -> Option<Block> {
        let list = self.list;
        self.blocks
            .entry(id)
            .or_insert_with(|| list.block(id))
            .clone()
    }
}

/// A list in pieces: its length, and what fills a buffer from an offset on.
#[derive(Clone, Copy)]
struct List<'a> {
    length: u64,
    read: &'a dyn Fn(u64, &mut [u8]) -> usize,
}

/// The id of the line that starts here, when it is of the rank that is looked for.
type Rank = fn(&[u8]) -> Option<u32>;

impl List<'_> {
    fn block(self, id: u32) -> Option<Block> {
        let all = 0..self.length;
        let (start, _) = self
            .first_from(all.clone(), id, top_id)
            .filter(|(_, found)| *found == id)?;
        let next = self.first_from(start..self.length, id + 1, top_id);
        Some(Block {
            name: self.name(start)?,
            below: start..next.map_or(all.end, |(next, _)| next),
        })
    }

    fn below(self, block: &Block, id: u32, rank: Rank) -> Option<String> {
        let found = self.first_from(block.below.clone(), id, rank);
        let (start, _) = found.filter(|(_, found)| *found == id)?;
        self.name(start)
    }

    /// The first line in `range` whose id is not below `id`, by bisection.
    fn first_from(self, range: Range<u64>, id: u32, rank: Rank) -> Option<(u64, u32)> {
        let (mut low, mut high, mut best) = (range.start, range.end, None);
        while high.saturating_sub(low) > PIECE as u64 {
            let middle = low + (high - low) / 2;
            match self.next(middle..high, 0, rank) {
                Some((at, found)) if found < id => low = at,
                found => {
                    best = found.or(best);
                    high = middle;
                }
            }
        }
        self.next(low..high, id, rank).or(best)
    }

    /// The first line of a rank that starts in `range` and whose id is not below `least`.
    fn next(self, range: Range<u64>, least: u32, rank: Rank) -> Option<(u64, u32)> {
        let rank = |line: &[u8]| rank(line).filter(|id| *id >= least);
        let mut piece = [0; PIECE];
        // The line at the very start has no end of a line before it.
        let mut at = range.start.saturating_sub(1);
        if range.start == 0 {
            let length = (self.read)(0, &mut piece);
            if let Some(id) = rank(piece.get(..length)?) {
                return Some((0, id));
            }
        }
        while at < range.end {
            let length = (self.read)(at, &mut piece);
            let piece = piece.get(..length)?;
            for end in memchr_iter(b'\n', piece) {
                let start = at + end as u64 + 1;
                if start >= range.end {
                    return None;
                }
                if let Some(id) = piece.get(end + 1..).and_then(rank) {
                    return Some((start, id));
                }
            }
            if length < PIECE {
                return None;
            }
            // An id that the end of the piece cuts is seen whole in the next.
            at += (PIECE - ID_MAX) as u64;
        }
        None
    }

    /// What follows the id of the line at `start`, fit to print.
    fn name(self, start: u64) -> Option<String> {
        let mut line = [0; NAME_MAX];
        let length = (self.read)(start, &mut line);
        let line = line.get(..length)?;
        let line = line.get(..memchr(b'\n', line).unwrap_or(length))?;
        let text = String::from_utf8_lossy(line);
        let (_, name) = text.split_once("  ")?;
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        crate::parse::nonempty(&name)
    }
}

/// `8086  `, or `C 02  `, which stands behind all vendors.
fn top_id(line: &[u8]) -> Option<u32> {
    match line.strip_prefix(b"C ") {
        Some(class) => Some(CLASSES + id(class, 2)?),
        None => id(line, 4),
    }
}

/// `\t159b  `
fn device_id(line: &[u8]) -> Option<u32> {
    id(line.strip_prefix(b"\t")?, 4)
}

/// `\t00  `
fn class_id(line: &[u8]) -> Option<u32> {
    id(line.strip_prefix(b"\t")?, 2)
}

fn id(line: &[u8], digits: usize) -> Option<u32> {
    let (id, rest) = line.split_at_checked(digits)?;
    if !rest.starts_with(b"  ") {
        return None;
    }
    id.iter().try_fold(0, |id, digit| {
        Some(id << 4 | char::from(*digit).to_digit(16)?)
    })
}

const OWN: &[u8] = include_bytes!("pci.ids");
const CLASSES: u32 = 0x1_0000;
const PIECE: usize = 4096;
const NAME_MAX: usize = 256;
/// `C 02  ` and `\t159b  ` are no longer.
const ID_MAX: usize = 8;

#[cfg(test)]
mod tests;
