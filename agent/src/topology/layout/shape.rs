//! How large a block is: sections of like cells below each other, in the width that gives it a good shape.

use super::{AROUND, CARD, PAGE_ASPECT, Size, heading_height, small};
use crate::topology::heading::Line;
use crate::topology::tree::{Block, Kind, MACHINE, Tree};

/// The widest that words make a box.
const WORDS_WIDTH: u32 = 330;
/// Grids have at most so many columns.
const COLUMNS: usize = 48;
/// From this width on a picture is too wide for a page.
const PAGE: u32 = 1640;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Threads,
    Cores,
    Blocks,
    Memory,
    Apart,
    Devices,
}

/// A grid of cells.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) part: Part,
    /// Of a block its index, of a device its number in its block, of a CPU itself.
    pub(super) ids: Vec<usize>,
    pub(super) items: Vec<Size>,
    /// The widest items of the columns, for one column, two, and so on.
    columns: Vec<Vec<u32>>,
}

/// A block's size, and the columns of its sections.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) size: Size,
    pub(super) columns: Vec<usize>,
    /// How far it is from what it should look like.
    pub(super) badness: u64,
}

/// Space within a box, space between those in it, and the width that a height of 100 should have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) pad: u32,
    pub(super) gap: u32,
    aspect: u64,
    /// Height that goes with it and is not its own.
    around: u32,
}

impl Manner {
    /// `taste` stretches the shapes of packages and nodes, in percent.
    pub(super) fn new(tree: &Tree<'_>, index: usize, taste: u64) -> Self {
        let kind = tree
            .blocks
            .get(index)
            .map_or(Kind::Machine, |block| block.kind);
        let below = || {
            tree.blocks
                .first()
                .is_some_and(|machine| machine.apart.contains(&index))
        };
        let (pad, gap, aspect) = match kind {
            Kind::Machine => (0, 16, PAGE_ASPECT),
            Kind::Drawer | Kind::Book | Kind::Package => (10, 10, 140 * taste / 100),
            Kind::Node | Kind::Die => (8, 8, 150 * taste / 100),
            Kind::Apart if below() => (10, 8, 900),
            Kind::Apart => (10, 8, 160),
            Kind::Cluster | Kind::Cache => (6, 4, 260),
            Kind::Core => (4, 3, 380),
        };
        let around = if kind == Kind::Machine { AROUND } else { 0 };
        Self {
            pad,
            gap,
            aspect,
            around,
        }
    }
}

impl Section {
    fn new(part: Part, cells: impl Iterator<Item = (usize, Size)>) -> Self {
        let (ids, items): (Vec<usize>, Vec<Size>) = cells.unzip();
        let most = if part == Part::Apart { 1 } else { COLUMNS };
        let columns = (1..=items.len().min(most)).map(|columns| widest(&items, columns));
        let columns = columns.collect();
        Self {
            part,
            ids,
            items,
            columns,
        }
    }

    /// The sections of a block, empty ones left out.
    pub(super) fn of(
        tree: &Tree<'_>,
        block: &Block<'_>,
        chip: Size,
        shapes: &[Shape],
    ) -> Vec<Self> {
        let size = |index: usize| {
            (
                index,
                shapes
                    .get(index)
                    .map_or(Size::default(), |shape| shape.size),
            )
        };
        let core = |index: &usize| {
            tree.blocks
                .get(*index)
                .is_some_and(|child| child.kind == Kind::Core)
        };
        let children = || block.children.iter().copied();
        let threads = if tree.folded { &[][..] } else { &block.threads };
        let all = [
            Self::new(
                Part::Threads,
                threads.iter().map(|cpu| (*cpu as usize, chip)),
            ),
            Self::new(Part::Cores, children().filter(core).map(size)),
            Self::new(
                Part::Blocks,
                children().filter(|index| !core(index)).map(size),
            ),
            Self::new(Part::Memory, block.memory.iter().copied().map(size)),
            Self::new(Part::Apart, block.apart.iter().copied().map(size)),
            Self::new(
                Part::Devices,
                (0..block.devices.len()).map(|number| (number, CARD)),
            ),
        ];
        all.into_iter()
            .filter(|section| !section.items.is_empty())
            .collect()
    }

    /// How wide the grid is, for one column, two, and so on.
    fn widths(&self, gap: u32) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator {
        self.columns
            .iter()
            .map(move |columns| columns.iter().map(|width| width + gap).sum::<u32>() - gap)
    }

    /// How many columns fit into `width`.
    fn fitting(&self, width: u32, gap: u32) -> usize {
        self.widths(gap)
            .rposition(|needed| needed <= width)
            .map_or(1, |index| index + 1)
    }

    fn grid_height(&self, columns: usize, gap: u32) -> u32 {
        let rows = self.items.chunks(columns.max(1));
        rows.map(|row| row.iter().map(|item| item.h).max().unwrap_or(0) + gap)
            .sum()
    }

    /// What of the grid is left empty, in percent of a row.
    fn holes(&self, columns: usize) -> usize {
        match self.part {
            Part::Cores | Part::Blocks => {
                (columns - self.items.len() % columns) % columns * 100 / columns
            }
            Part::Threads | Part::Memory | Part::Apart | Part::Devices => 0,
        }
    }

    /// Where each column begins in `inner`, and how wide it is: CPUs keep their size, in the middle of a core.
    pub(super) fn cells(&self, inner: u32, columns: usize, gap: u32) -> Vec<(u32, u32)> {
        let widths = self
            .columns
            .get(columns.saturating_sub(1))
            .map_or(&[][..], Vec::as_slice);
        let needed: u32 = widths.iter().map(|width| width + gap).sum();
        let spare = (inner + gap).saturating_sub(needed);
        let share = spare / small(widths.len()).max(1);
        let most = widths.iter().copied().max().unwrap_or(0);
        let (mut x, share) = match self.part {
            Part::Threads if self.items.len() <= 8 => (spare / 2, 0),
            Part::Threads => (0, 0),
            Part::Devices => (0, share.min(CARD.w)),
            Part::Cores => {
                let share = share.min(most);
                (spare.saturating_sub(share * small(widths.len())) / 2, share)
            }
            Part::Blocks | Part::Memory | Part::Apart => (0, share),
        };
        let cell = |width: &u32| {
            let cell = (x, width + share);
            x += width + share + gap;
            cell
        };
        widths.iter().map(cell).collect()
    }
}

fn widest(items: &[Size], columns: usize) -> Vec<u32> {
    let mut widest = vec![0; columns];
    for row in items.chunks(columns.max(1)) {
        for (item, width) in row.iter().zip(&mut widest) {
            *width = item.w.max(*width);
        }
    }
    widest
}

impl Shape {
    /// Tries the widths that fill some section's columns, and keeps the best.
    pub(super) fn new(manner: Manner, lines: &[Line], sections: &[Section]) -> Self {
        let words = lines
            .iter()
            .map(Line::width)
            .max()
            .unwrap_or(0)
            .min(WORDS_WIDTH);
        let single = sections
            .iter()
            .filter_map(|section| section.widths(0).next());
        let least = single.fold(words, u32::max);
        let widths = sections
            .iter()
            .flat_map(|section| section.widths(manner.gap));
        let tried = widths.chain([least]).map(|width| {
            let width = width.max(least);
            let mut height = heading_height(lines.len());
            let mut holes = 0;
            for section in sections {
                let columns = section.fitting(width, manner.gap);
                height += section.grid_height(columns, manner.gap);
                holes += section.holes(columns) as u64;
            }
            let last = if sections.is_empty() { 0 } else { manner.gap };
            let size = Size {
                w: width + 2 * manner.pad,
                h: (height + 2 * manner.pad).saturating_sub(last),
            };
            let whole = Size {
                h: size.h + manner.around,
                ..size
            };
            (badness(whole, manner.aspect) + 2 * holes, width, size)
        });
        let best = tried.min_by_key(|(badness, width, _)| (*badness, *width));
        let (badness, width, size) = best.unwrap_or_default();
        let columns = sections
            .iter()
            .map(|section| section.fitting(width, manner.gap));
        Self {
            size,
            columns: columns.collect(),
            badness,
        }
    }
}

/// The shapes of all blocks, inner ones first, to one taste.
pub(super) fn shapes(
    tree: &Tree<'_>,
    headings: &[Vec<Line>],
    chip: Size,
    taste: u64,
) -> Vec<Shape> {
    let mut shapes = vec![Shape::default(); tree.blocks.len()];
    for (index, block) in tree.blocks.iter().enumerate().rev() {
        let sections = Section::of(tree, block, chip, &shapes);
        let lines = headings.get(index).map_or(&[][..], Vec::as_slice);
        let shape = Shape::new(Manner::new(tree, index, taste), lines, &sections);
        if let Some(slot) = shapes.get_mut(index) {
            *slot = shape;
        }
    }
    shapes
}

/// 100 for the wanted shape, more for any other, much more for what no page holds.
fn badness(size: Size, aspect: u64) -> u64 {
    let (w, h) = (
        u64::from(size.w.max(1)) * 100,
        u64::from(size.h.max(1)) * aspect.max(1),
    );
    let shape = if w > h { w * 100 / h } else { h * 100 / w };
    shape + u64::from(size.w.saturating_sub(PAGE)) * 4
}

/// The size of the whole machine, and how far the page is from what it should look like.
pub(super) fn machine(shapes: &[Shape]) -> (Size, u64) {
    let machine = shapes.get(MACHINE);
    machine.map_or((Size::default(), 0), |shape| (shape.size, shape.badness))
}
