//! What goes where, in pixels: sizes from the inside out, places from the outside in.
//!
//! A block is a heading above its sections, each a grid of like cells: its own CPUs, its cores, the other blocks in
//! it, memory beside it, its devices. What is best for one block need not be best for the page, so
//! the whole is laid out to a few tastes, and the best page is taken.

mod shape;

use libhw::inventory::Inventory;

use self::shape::{Manner, Part, Section, Shape, machine, shapes};
use super::caption::Marks;
use super::heading::{self, Line};
use super::tree::{Block, Kind, MACHINE, Tree};

/// Height of a heading's line.
pub(super) const LINE: u32 = 16;
/// A device's card.
pub(super) const CARD: Size = Size { w: 226, h: 50 };
/// How far packages and nodes are stretched, in percent of their usual shape.
const TASTES: [u64; 7] = [50, 70, 85, 100, 130, 170, 240];
/// The width that a page's height of 100 should have.
const PAGE_ASPECT: u64 = 150;
/// About how much of a page's height is not the machine.
const AROUND: u32 = 330;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) w: u32,
    pub(super) h: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

/// Where everything is.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The size of the machine's block.
    pub(super) size: Size,
    /// The place of each block.
    pub(super) boxes: Vec<Rect>,
    /// The heading of each block.
    pub(super) headings: Vec<Vec<Line>>,
    /// The place of each CPU, and the block it stands in.
    pub(super) chips: Vec<(usize, u32, Rect)>,
    /// The place of each device, by block and number in it.
    pub(super) cards: Vec<(usize, usize, Rect)>,
}

/// Lays `tree` out, at least `least` wide.
pub(super) fn plan(inventory: &Inventory, tree: &Tree<'_>, marks: &Marks, least: u32) -> Plan {
    let chip = chip(tree);
    let headings = heading::headings(inventory, tree, marks);
    let tried = TASTES.map(|taste| (taste, shapes(tree, &headings, chip, taste)));
    let area = |size: Size| u64::from(size.w.max(1)) * u64::from(size.h.max(1));
    let smallest = tried
        .iter()
        .map(|(_, shapes)| area(machine(shapes).0))
        .min()
        .unwrap_or(1);
    let [first, ..] = &tried;
    let best = tried.iter().min_by_key(|(taste, shapes)| {
        let (size, badness) = machine(shapes);
        (badness + area(size) * 100 / smallest, taste.abs_diff(100))
    });
    let (taste, shapes) = best.unwrap_or(first);
    let (size, _) = machine(shapes);
    let size = Size {
        w: size.w.max(least),
        ..size
    };
    let mut plan = Plan {
        size,
        boxes: vec![Rect::default(); tree.blocks.len()],
        headings,
        ..Plan::default()
    };
    if let Some(machine) = plan.boxes.get_mut(MACHINE) {
        *machine = Rect {
            x: 0,
            y: 0,
            w: size.w,
            h: size.h,
        };
    }
    for (index, (block, shape)) in tree.blocks.iter().zip(shapes).enumerate() {
        let sections = Section::of(tree, block, chip, shapes);
        plan.place(index, Manner::new(tree, index, *taste), shape, &sections);
    }
    plan
}

/// Space between a box's border and its words.
pub(super) const fn pad(block: &Block<'_>) -> u32 {
    match block.kind {
        Kind::Core => 4,
        Kind::Cache | Kind::Cluster => 6,
        Kind::Node | Kind::Die => 8,
        _ => 10,
    }
}

pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX >> 12)
}

impl Plan {
    fn place(&mut self, index: usize, manner: Manner, shape: &Shape, sections: &[Section]) {
        let Some(own) = self.boxes.get(index).copied() else {
            return;
        };
        let inner = own.w.saturating_sub(2 * manner.pad);
        let lines = self.headings.get(index).map_or(0, Vec::len);
        let mut y = own.y + manner.pad + heading_height(lines);
        for (section, columns) in sections.iter().zip(&shape.columns) {
            let columns = (*columns).max(1);
            let cells = section.cells(inner, columns, manner.gap);
            let rows = section
                .items
                .chunks(columns)
                .zip(section.ids.chunks(columns));
            for (items, ids) in rows {
                let h = items.iter().map(|item| item.h).max().unwrap_or(0);
                for (id, (x, w)) in ids.iter().zip(&cells) {
                    let x = own.x + manner.pad + x;
                    self.put(index, section.part, *id, Rect { x, y, w: *w, h });
                }
                y += h + manner.gap;
            }
        }
    }

    fn put(&mut self, block: usize, part: Part, id: usize, rect: Rect) {
        match part {
            Part::Threads => self.chips.push((block, small(id), rect)),
            Part::Devices => self.cards.push((block, id, rect)),
            Part::Cores | Part::Blocks | Part::Memory | Part::Apart => {
                if let Some(slot) = self.boxes.get_mut(id) {
                    *slot = rect;
                }
            }
        }
    }
}

/// All chips are as large as the longest CPU number asks for.
fn chip(tree: &Tree<'_>) -> Size {
    let last = tree
        .blocks
        .iter()
        .flat_map(|block| block.threads.iter())
        .max();
    let digits = last.map_or(1, |cpu| cpu.to_string().len());
    Size {
        w: small(digits.max(2)) * 8 + 8,
        h: 20,
    }
}

fn heading_height(lines: usize) -> u32 {
    if lines == 0 {
        0
    } else {
        small(lines) * LINE + 4
    }
}
