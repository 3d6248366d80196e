//! Names of classes, vendors and devices, from lists in the format of pci.ids.
//!
//! ```text
//! 8086  Intel Corporation
//!     159b  Ethernet Controller E810-XXV for SFP
//! C 02  Network controller
//!     00  Ethernet controller
//! ```
//!
//! A tab begins the lines below another. Ids are sorted, so a vendor is found by bisection and its devices
//! in one pass behind it, in a few pieces of the file. In a list that is not sorted names are not found, and
//! no more happens. The system's list goes first; a list of our own (pci.ids in this folder) has what it
//! lacks and stands in where there is none.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};

use memchr::{memchr, memchr_iter};

use crate::device::pci::Function;
use crate::io::pci_ids::PciIds;

/// Names what the system's list can name, or our own.
pub(super) fn fill(functions: &mut [Function]) {
    if functions.is_empty() {
        return;
    }
    let file = PciIds::open();
    let read = |at, buffer: &mut [u8]| file.as_ref().map_or(0, |file| file.read_at(at, buffer));
    let length = file.as_ref().map_or(0, PciIds::length);
    fill_from(functions, &List::new(length, &read));
}

/// As [`fill`], from a list in memory in the place of the system's.
pub(super) fn fill_from_bytes(functions: &mut [Function], list: &[u8]) {
    let read = |at, buffer: &mut [u8]| copy(list, at, buffer);
    fill_from(functions, &List::new(list.len() as u64, &read));
}

fn fill_from(functions: &mut [Function], list: &List<'_>) {
    let read_own = |at, buffer: &mut [u8]| copy(OWN, at, buffer);
    let own = List::new(OWN.len() as u64, &read_own);
    let mut entries = wanted(functions);
    for (id, entry) in &mut entries {
        if *id < CLASSES {
            list.fill(*id, entry);
            own.fill(*id, entry);
        } else {
            // Our own classes are complete, so the larger list is asked only for what is newer.
            own.fill(*id, entry);
            if entry.name.is_none() {
                list.fill(*id, entry);
            }
        }
    }
    for function in functions {
        let class = entries.get(&base_of(function));
        let subclass = class.and_then(|entry| entry.below.get(&subclass_of(function))?.clone());
        function.class = subclass.or_else(|| class?.name.clone());
        let vendor = entries.get(&u32::from(function.vendor_id));
        function.vendor = vendor.and_then(|entry| entry.name.clone());
        let device = u32::from(function.device_id);
        function.device = vendor.and_then(|entry| entry.below.get(&device)?.clone());
    }
}

/// A line of the first rank, and those below it, that are asked for.
#[derive(Debug, Default)]
struct Entry {
    name: Option<String>,
    below: BTreeMap<u32, Option<String>>,
}

/// What to ask for, by id; a base class's is behind all vendors', as in the list.
fn wanted(functions: &[Function]) -> BTreeMap<u32, Entry> {
    let mut entries: BTreeMap<u32, Entry> = BTreeMap::new();
    for function in functions {
        let (vendor, device) = (function.vendor_id.into(), function.device_id.into());
        let class = (base_of(function), subclass_of(function));
        for (id, below) in [(vendor, device), class] {
            entries.entry(id).or_default().below.insert(below, None);
        }
    }
    entries
}

fn base_of(function: &Function) -> u32 {
    CLASSES + (function.class_id >> 16 & 0xff)
}

fn subclass_of(function: &Function) -> u32 {
    function.class_id >> 8 & 0xff
}

/// Fills `buffer` with what stands at `at` and says how far.
fn copy(list: &[u8], at: u64, buffer: &mut [u8]) -> usize {
    let rest = usize::try_from(at).ok().and_then(|at| list.get(at..));
    let rest = rest.unwrap_or_default();
    let length = rest.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
        to.copy_from_slice(from);
    }
    length
}

/// A list in pieces: its length, and what fills a buffer from an offset on.
struct List<'a> {
    length: u64,
    read: &'a dyn Fn(u64, &mut [u8]) -> usize,
    /// Stretches that were looked through: from where to the start of the first line of the first rank. A
    /// single vendor fills a third of the file, and every bisection begins in the same places.
    gaps: RefCell<Vec<(u64, u64, u32)>>,
}

impl<'a> List<'a> {
    const fn new(length: u64, read: &'a dyn Fn(u64, &mut [u8]) -> usize) -> Self {
        Self {
            length,
            read,
            gaps: RefCell::new(Vec::new()),
        }
    }

    /// Adds the names that `entry` still lacks.
    fn fill(&self, id: u32, entry: &mut Entry) {
        let lacking = entry.below.iter().filter(|(_, name)| name.is_none());
        let last = lacking.map(|(id, _)| *id).max();
        if last.is_none() && entry.name.is_some() {
            return;
        }
        let Some(start) = self.find(id) else {
            return;
        };
        if entry.name.is_none() {
            entry.name = self.name(start);
        }
        let digits = if id < CLASSES { 4 } else { 2 };
        self.lines(start + 1, |at, line| {
            let below = line.strip_prefix(b"\t");
            let id = below.and_then(|line| hex(line, digits));
            if id > last || top_id(line).is_some() {
                return Break(());
            }
            let slot = id.and_then(|id| entry.below.get_mut(&id));
            if let Some(slot) = slot.filter(|slot| slot.is_none()) {
                *slot = self.name(at);
            }
            Continue(())
        });
    }

    /// Where the line of a vendor or a base class starts.
    fn find(&self, id: u32) -> Option<u64> {
        let found = self.bisect(0, self.length, id);
        found.filter(|(_, top)| *top == id).map(|(at, _)| at)
    }

    /// The first line of the first rank, of those that start in `low..high`, with this id or a higher one.
    fn bisect(&self, mut low: u64, mut high: u64, id: u32) -> Option<(u64, u32)> {
        let mut found = None;
        while high - low > SHORT {
            let middle = low + (high - low) / 2;
            let near = high.min(middle + NEAR);
            let next = match self.top_from(middle, near) {
                // The middle lies in a vendor that fills much of the file. Most often what is sought stands before it,
                // or is it; only else it has to be looked through.
                None if near < high => match self.bisect(low, middle, id) {
                    Some(before) => return Some(before),
                    None => self.top_from(middle, high),
                },
                next => next,
            };
            match next {
                Some((at, top)) if top < id => low = at,
                next => (found, high) = (next.or(found), middle),
            }
        }
        // The last few lines go faster one by one.
        self.lines(low, |at, line| match top_id(line) {
            _ if at >= high => Break(()),
            Some(top) if top >= id => {
                found = Some((at, top));
                Break(())
            }
            _ => Continue(()),
        });
        found
    }

    /// The first line of the first rank that starts in `from..until`.
    fn top_from(&self, from: u64, until: u64) -> Option<(u64, u32)> {
        let mut gaps = self.gaps.borrow_mut();
        let mut known = gaps
            .iter()
            .filter(|(start, at, _)| (*start..=*at).contains(&from));
        if let Some((_, at, top)) = known.next() {
            return (*at < until).then_some((*at, *top));
        }
        let mut next = None;
        self.lines(from, |at, line| {
            if at < until {
                next = top_id(line).map(|top| (at, top));
            }
            if at < until && next.is_none() {
                Continue(())
            } else {
                Break(())
            }
        });
        gaps.extend(next.map(|(at, top)| (from, at, top)));
        next
    }

    /// Shows `visit` the lines that start at `from` or behind it: where each starts, and its first bytes.
    fn lines(&self, from: u64, mut visit: impl FnMut(u64, &[u8]) -> ControlFlow<()>) {
        // Most looks end within the first few lines, so the first piece is a short one.
        let mut short = [0; PIECE_FIRST];
        let mut long = Vec::new();
        // A line starts behind a line's end, so the byte before `from` is looked at too.
        let mut at = from.saturating_sub(1);
        let mut first = from == 0;
        while at < self.length {
            let buffer = if long.is_empty() {
                &mut short[..]
            } else {
                &mut long
            };
            let length = (self.read)(at, buffer);
            let last = length < buffer.len();
            let piece = buffer.get(..length).unwrap_or_default();
            // A line's id that the end of the piece cuts is seen whole in the next.
            let whole = if last { length } else { length - ID_MAX };
            let ends = memchr_iter(b'\n', piece.get(..whole).unwrap_or_default());
            let starts = std::mem::take(&mut first).then_some(0).into_iter();
            for start in starts.chain(ends.map(|end| end + 1)) {
                let line = piece.get(start..).unwrap_or_default();
                if visit(at + start as u64, line).is_break() {
                    return;
                }
            }
            if last {
                return;
            }
            at += whole as u64;
            long.resize(PIECE, 0);
        }
    }

    /// What follows the id of the line at `start`, fit to print.
    fn name(&self, start: u64) -> Option<String> {
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
    // Nearly every line of the list is a device's, and is seen so by its first byte.
    if line.first() == Some(&b'\t') {
        return None;
    }
    match line.strip_prefix(b"C ") {
        Some(class) => Some(CLASSES + hex(class, 2)?),
        None => hex(line, 4),
    }
}

/// So many hexadecimal digits and the two spaces behind them.
fn hex(line: &[u8], digits: usize) -> Option<u32> {
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
const PIECE: usize = 32 << 10;
const PIECE_FIRST: usize = 4 << 10;
const SHORT: u64 = 2 << 10;
/// Nearly every vendor has fewer bytes.
const NEAR: u64 = 4 << 10;
const NAME_MAX: usize = 256;
/// `C 02  ` and `\t159b  ` are no longer.
const ID_MAX: usize = 8;

#[cfg(test)]
mod tests;
