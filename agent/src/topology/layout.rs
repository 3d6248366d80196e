//! What goes where, in pixels: sizes from the inside out, places from the outside in.
//!
//! A block is a heading above up to four sections, each a grid of like cells: its own CPUs, the blocks in it,
//! memory beside it, its devices. The block takes the width that brings it closest to a good shape.

use super::caption::{self, Marks};
use super::tree::{Kind, MACHINE, Tree};
use super::words::{list, pixels};
use libhw::inventory::Inventory;

/// Height of a heading's line.
pub(super) const LINE: u32 = 16;
/// A device's card.
pub(super) const CARD: Size = Size { w: 226, h: 50 };
/// Height of the words above a section of the machine itself.
pub(super) const SECTION_TITLE: u32 = 22;
/// Cores up to which each tells its own number and caches.
const DETAILED: usize = 16;
/// The widest that the words of a box make it.
const WORDS_WIDTH: u32 = 330;
/// Grids have at most so many columns.
const COLUMNS: usize = 48;
/// From this width on a picture is too wide for a page.
const PAGE: u32 = 1560;

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

/// A line of a box's heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) bold: String,
    pub(super) plain: String,
    pub(super) size: u32,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Threads,
    Children,
    Memory,
    Devices,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Plan {
    /// The size of the machine's block.
    pub(super) size: Size,
    /// The place of each block.
    pub(super) boxes: Vec<Rect>,
    /// The heading of each block.
    pub(super) headings: Vec<Vec<Line>>,
    /// The place of each CPU.
    pub(super) chips: Vec<(usize, u32, Rect)>,
    /// The place of each device, by block and number in it.
    pub(super) cards: Vec<(usize, usize, Rect)>,
    /// The words above the machine's own sections.
    pub(super) titles: Vec<(&'static str, u32)>,
}

struct Section {
    part: Part,
    items: Vec<Size>,
    /// The widest item.
    width: u32,
}

/// A block's size, and the columns of its sections.
#[derive(Default)]
struct Shape {
    size: Size,
    columns: Vec<(Part, usize)>,
}

/// Space within a box, space between those in it, and the width that a height of 100 should have.
struct Manner {
    pad: u32,
    gap: u32,
    aspect: u64,
}

/// Lays `tree` out, at least `least` wide.
pub(super) fn plan(inventory: &Inventory, tree: &Tree<'_>, marks: &Marks, least: u32) -> Plan {
    let chip = chip(tree);
    let headings = headings(inventory, tree, marks);
    let mut shapes: Vec<Shape> = tree.blocks.iter().map(|_| Shape::default()).collect();
    for index in (0..tree.blocks.len()).rev() {
        let sections = sections(tree, index, chip, |child| {
            shapes
                .get(child)
                .map_or(Size::default(), |shape| shape.size)
        });
        let lines = headings.get(index).map_or(&[][..], Vec::as_slice);
        let shape = shape(manner(tree, index), index == MACHINE, lines, &sections);
        if let Some(slot) = shapes.get_mut(index) {
            *slot = shape;
        }
    }
    let size = shapes.first().map_or(Size::default(), |shape| shape.size);
    let size = Size {
        w: size.w.max(least),
        ..size
    };
    let mut plan = Plan {
        size,
        boxes: vec![Rect::default(); tree.blocks.len()],
        headings,
        chips: Vec::new(),
        cards: Vec::new(),
        titles: Vec::new(),
    };
    if let Some(machine) = plan.boxes.first_mut() {
        *machine = Rect {
            x: 0,
            y: 0,
            w: size.w,
            h: size.h,
        };
    }
    for (index, shape) in shapes.iter().enumerate() {
        let sections = sections(tree, index, chip, |child| {
            shapes
                .get(child)
                .map_or(Size::default(), |shape| shape.size)
        });
        plan.place(tree, index, shape, &sections);
    }
    plan
}

impl Plan {
    fn place(&mut self, tree: &Tree<'_>, index: usize, shape: &Shape, sections: &[Section]) {
        let (Some(block), Some(own)) = (tree.blocks.get(index), self.boxes.get(index).copied())
        else {
            return;
        };
        let manner = manner(tree, index);
        let inner = own.w.saturating_sub(2 * manner.pad);
        let lines = self.headings.get(index).map_or(0, Vec::len);
        let mut y = own.y + manner.pad + heading_height(lines);
        for (section, (_, columns)) in sections.iter().zip(&shape.columns) {
            if index == MACHINE && section.part != Part::Children {
                self.titles.push((section_title(tree, section.part), y));
                y += SECTION_TITLE;
            }
            let (cell, x) = section.cell(inner, *columns, manner.gap);
            for (row, items) in section.items.chunks(*columns).enumerate() {
                let height = items.iter().map(|item| item.h).max().unwrap_or(0);
                for (column, _) in items.iter().enumerate() {
                    let step = small(column) * (cell + manner.gap);
                    let rect = Rect {
                        x: own.x + manner.pad + x + step,
                        y,
                        w: cell,
                        h: height,
                    };
                    let item = row * columns + column;
                    match section.part {
                        Part::Threads => self
                            .chips
                            .extend(block.threads.get(item).map(|cpu| (index, *cpu, rect))),
                        Part::Children => self.put(block.children.get(item), rect),
                        Part::Memory => self.put(block.memory.get(item), rect),
                        Part::Devices => self.cards.push((index, item, rect)),
                    }
                }
                y += height + manner.gap;
            }
        }
    }

    fn put(&mut self, block: Option<&usize>, rect: Rect) {
        if let Some(slot) = block.and_then(|index| self.boxes.get_mut(*index)) {
            *slot = rect;
        }
    }
}

impl Section {
    fn new(part: Part, items: Vec<Size>) -> Self {
        let width = items.iter().map(|item| item.w).max().unwrap_or(0);
        Self { part, items, width }
    }

    /// How many columns fit into `width`.
    fn columns(&self, width: u32, gap: u32) -> usize {
        let fit = (width + gap) / (self.width + gap).max(1);
        (fit as usize).clamp(1, self.items.len().clamp(1, COLUMNS))
    }

    fn grid_width(&self, columns: usize, gap: u32) -> u32 {
        small(columns) * (self.width + gap) - gap
    }

    fn grid_height(&self, columns: usize, gap: u32) -> u32 {
        let rows = self.items.chunks(columns.max(1));
        rows.map(|row| row.iter().map(|item| item.h).max().unwrap_or(0) + gap)
            .sum()
    }

    /// The width of a cell in `inner`, and where the first begins: CPUs keep their size and stand in the middle.
    fn cell(&self, inner: u32, columns: usize, gap: u32) -> (u32, u32) {
        let spare = inner.saturating_sub(self.grid_width(columns, gap));
        match self.part {
            Part::Threads => (self.width, spare / 2),
            _ => (self.width + spare / small(columns).max(1), 0),
        }
    }
}

fn sections(
    tree: &Tree<'_>,
    index: usize,
    chip: Size,
    size: impl Fn(usize) -> Size,
) -> Vec<Section> {
    let Some(block) = tree.blocks.get(index) else {
        return Vec::new();
    };
    let threads = if tree.folded { 0 } else { block.threads.len() };
    let all = [
        Section::new(Part::Threads, vec![chip; threads]),
        Section::new(
            Part::Children,
            block.children.iter().map(|child| size(*child)).collect(),
        ),
        Section::new(
            Part::Memory,
            block.memory.iter().map(|child| size(*child)).collect(),
        ),
        Section::new(Part::Devices, vec![CARD; block.devices.len()]),
    ];
    all.into_iter()
        .filter(|section| !section.items.is_empty())
        .collect()
}

/// Tries the widths that fill some section's columns, and keeps the best.
fn shape(manner: Manner, machine: bool, lines: &[Line], sections: &[Section]) -> Shape {
    let words = lines
        .iter()
        .map(Line::width)
        .max()
        .unwrap_or(0)
        .min(WORDS_WIDTH);
    let titles = if machine {
        sections
            .iter()
            .filter(|section| section.part != Part::Children)
            .count()
    } else {
        0
    };
    let head = heading_height(lines.len()) + small(titles) * SECTION_TITLE;
    let least = sections
        .iter()
        .map(|section| section.width)
        .fold(words, u32::max);
    let widths = sections.iter().flat_map(|section| {
        (1..=section.items.len().min(COLUMNS))
            .map(|columns| section.grid_width(columns, manner.gap))
    });
    let tried = widths.chain([least]).map(|width| {
        let width = width.max(least);
        let mut height = head;
        let mut holes = 0;
        for section in sections {
            let columns = section.columns(width, manner.gap);
            height += section.grid_height(columns, manner.gap);
            if section.part == Part::Children {
                holes += (columns - section.items.len() % columns) % columns * 100 / columns;
            }
        }
        let size = Size {
            w: width + 2 * manner.pad,
            h: (height + 2 * manner.pad).saturating_sub(if sections.is_empty() {
                0
            } else {
                manner.gap
            }),
        };
        (badness(size, manner.aspect) + holes as u64, width, size)
    });
    let best = tried.min_by_key(|(badness, width, _)| (*badness, *width));
    let (_, width, size) = best.unwrap_or_default();
    let columns = sections
        .iter()
        .map(|section| (section.part, section.columns(width, manner.gap)));
    Shape {
        size,
        columns: columns.collect(),
    }
}

/// 100 for the wanted shape, more for any other, much more for what no page holds.
fn badness(size: Size, aspect: u64) -> u64 {
    let (w, h) = (
        u64::from(size.w.max(1)) * 100,
        u64::from(size.h.max(1)) * aspect,
    );
    let shape = if w > h { w * 100 / h } else { h * 100 / w };
    shape + u64::from(size.w.saturating_sub(PAGE)) * 4
}

fn manner(tree: &Tree<'_>, index: usize) -> Manner {
    let kind = tree
        .blocks
        .get(index)
        .map_or(Kind::Machine, |block| block.kind);
    let (pad, gap, aspect) = match kind {
        Kind::Machine => (0, 16, 160),
        Kind::Drawer | Kind::Book | Kind::Package => (10, 10, 140),
        Kind::Node | Kind::Die => (8, 8, 150),
        Kind::Cluster | Kind::Cache => (5, 4, 260),
        Kind::Core => (4, 3, 380),
    };
    Manner { pad, gap, aspect }
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

fn headings(inventory: &Inventory, tree: &Tree<'_>, marks: &Marks) -> Vec<Vec<Line>> {
    let (_, differ) = caption::core_caches(tree, marks);
    let detailed = differ || tree.of(Kind::Core).count() <= DETAILED;
    let heading = |block: &super::tree::Block<'_>| {
        let title = caption::title(block);
        let mut lines = match block.kind {
            Kind::Machine => Vec::new(),
            Kind::Core if detailed => {
                let kind = block.threads.first().and_then(|cpu| marks.kind(*cpu));
                let kind = kind.and_then(|kind| marks.kinds.get(kind));
                let letter = kind
                    .map(|(letter, ..)| format!(" {letter}"))
                    .unwrap_or_default();
                let mut lines = vec![Line::new(&title, &letter, 11)];
                lines.extend(
                    caption::caches(&block.caches)
                        .iter()
                        .map(|cache| Line::new("", cache, 10)),
                );
                lines
            }
            Kind::Core => {
                let kind = block.threads.first().and_then(|cpu| marks.kind(*cpu));
                let letter = kind
                    .and_then(|kind| marks.kinds.get(kind))
                    .map(|(letter, ..)| letter);
                letter
                    .map(|letter| Line::new(&letter.to_string(), "", 10))
                    .into_iter()
                    .collect()
            }
            Kind::Package => {
                let model = caption::model_of(inventory, &block.cpus).unwrap_or_default();
                let shares = caption::shares(tree, &block.cpus);
                vec![Line::new(&title, &model, 13), Line::new("", &shares, 11)]
            }
            Kind::Node => node(inventory, block, &title),
            Kind::Drawer | Kind::Book | Kind::Die => vec![Line::new(&title, "", 12)],
            Kind::Cluster | Kind::Cache => vec![Line::new("", &title, 11)],
        };
        if tree.folded && !block.threads.is_empty() {
            let cpus = block.threads.iter().copied().collect();
            lines.extend(wrapped(&format!("CPUs {}", list(&cpus)), 44));
        }
        lines
    };
    tree.blocks.iter().map(heading).collect()
}

fn node(inventory: &Inventory, block: &super::tree::Block<'_>, title: &str) -> Vec<Line> {
    let Some(node) = block.node else {
        return Vec::new();
    };
    let tier = node
        .tier
        .map(|tier| format!(" · tier {tier}"))
        .unwrap_or_default();
    let mut lines = vec![Line::new(
        title,
        &format!("{}{tier}", caption::node_memory(node)),
        12,
    )];
    lines.extend(
        caption::node_lines(inventory, node)
            .iter()
            .take(12)
            .map(|line| Line::new("", line, 11)),
    );
    lines
}

/// A list in lines of at most `columns` characters, broken at commas.
fn wrapped(text: &str, columns: usize) -> Vec<Line> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.split_inclusive(',') {
        match lines.last_mut() {
            Some(last) if last.len() + part.len() <= columns => last.push_str(part),
            _ => lines.push(part.to_owned()),
        }
    }
    lines.iter().map(|line| Line::new("", line, 11)).collect()
}

impl Line {
    fn new(bold: &str, plain: &str, size: u32) -> Self {
        Self {
            bold: bold.to_owned(),
            plain: plain.to_owned(),
            size,
        }
    }

    pub(super) fn width(&self) -> u32 {
        let between = if self.bold.is_empty() || self.plain.is_empty() {
            0
        } else {
            8
        };
        pixels(&self.bold, self.size, true) + between + pixels(&self.plain, self.size, false)
    }
}

fn section_title(tree: &Tree<'_>, part: Part) -> &'static str {
    match part {
        Part::Threads if tree.blocks.len() == 1 => "CPUs",
        Part::Threads => "CPUs that are offline or in no group",
        Part::Children => "",
        Part::Memory => "nodes without CPUs, near to several nodes or to none",
        Part::Devices => "devices without a memory node",
    }
}

fn heading_height(lines: usize) -> u32 {
    if lines == 0 {
        0
    } else {
        small(lines) * LINE + 3
    }
}

pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX >> 12)
}
