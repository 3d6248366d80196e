//! The picture for a terminal: a tree of lines.

use std::fmt::Write;

use libhw::idset::IdSet;
use libhw::inventory::Inventory;

use super::Style;
use super::caption::{self, Marks};
use super::device::{Device, Role};
use super::panel;
use super::tree::{Block, Kind, MACHINE, Tree};
use super::words::{cut, list};

/// The narrowest terminal.
const NARROWEST: usize = 40;

/// What a piece of a line is: its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tint {
    Plain,
    Soft,
    Name,
    Node,
    Cache,
    Device(Role),
    Alert,
}

/// A piece of a line that is not broken.
struct Piece(String, Tint);

/// What a line of the tree tells.
#[derive(Clone, Copy)]
enum Item {
    Block(usize),
    Core(usize),
    Device(usize, usize),
}

struct Sheet<'a> {
    inventory: &'a Inventory,
    tree: &'a Tree<'a>,
    marks: &'a Marks,
    /// Whether each core has a line of its own.
    core_lines: bool,
    style: Style,
    out: String,
}

/// Draws it.
pub(super) fn draw(inventory: &Inventory, style: Style) -> String {
    let tree = Tree::new(inventory);
    let marks = Marks::new(inventory);
    let mut sheet = Sheet {
        inventory,
        tree: &tree,
        marks: &marks,
        core_lines: caption::core_caches(&tree, &marks).1,
        style: Style {
            width: style.width.max(NARROWEST),
            ..style
        },
        out: String::new(),
    };
    sheet.heading();
    sheet.machine();
    sheet.distances();
    sheet.notes();
    sheet.out
}

impl Sheet<'_> {
    fn heading(&mut self) {
        let (title, facts) = caption::heading(self.inventory, self.tree, self.marks);
        self.wrap("", "", vec![Piece(title, Tint::Name)], "");
        for fact in facts {
            let last = fact.split(" · ").count();
            let parts = fact.split(" · ").zip(1..).map(|(part, number)| {
                let dot = if number < last { " ·" } else { "" };
                Piece(format!("{part}{dot}"), Tint::Plain)
            });
            self.wrap("", "  ", parts.collect(), " ");
        }
        self.out.push('\n');
    }

    fn machine(&mut self) {
        let Some(machine) = self.tree.blocks.first() else {
            return;
        };
        let mut stack: Vec<(Item, String, bool)> = Vec::new();
        let roots = machine
            .children
            .iter()
            .chain(&machine.memory)
            .chain(&machine.apart)
            .rev();
        stack.extend(roots.map(|index| (self.item(*index), String::new(), true)));
        let mut tall = None;
        while let Some((item, prefix, last)) = stack.pop() {
            let inner = self.inner(item);
            let root = prefix.is_empty() && self.root(item);
            let (branch, below) = match (root, last) {
                (true, _) => ("", String::new()),
                (_, true) => ("└─ ", format!("{prefix}   ")),
                (_, false) => ("├─ ", format!("{prefix}│  ")),
            };
            if root {
                // A root with something below it stands apart from the next.
                if tall.is_some_and(|tall| tall || !inner.is_empty()) {
                    self.out.push('\n');
                }
                tall = Some(!inner.is_empty());
            }
            let more = if inner.is_empty() { "   " } else { "│  " };
            let pieces = self.pieces(item);
            self.wrap(
                &format!("{prefix}{branch}"),
                &format!("{below}{more}"),
                pieces,
                "  ",
            );
            let inner = inner.into_iter().rev().enumerate();
            stack.extend(inner.map(|(place, item)| (item, below.clone(), place == 0)));
        }
    }

    fn root(&self, item: Item) -> bool {
        match item {
            Item::Block(index) | Item::Core(index) => self
                .tree
                .blocks
                .get(index)
                .is_some_and(|block| block.parent == MACHINE),
            Item::Device(..) => false,
        }
    }

    fn item(&self, index: usize) -> Item {
        match self.tree.blocks.get(index) {
            Some(block) if block.kind == Kind::Core => Item::Core(index),
            _ => Item::Block(index),
        }
    }

    /// The lines below a line.
    fn inner(&self, item: Item) -> Vec<Item> {
        let Item::Block(index) = item else {
            return Vec::new();
        };
        let Some(block) = self.tree.blocks.get(index) else {
            return Vec::new();
        };
        let blocks = block
            .children
            .iter()
            .chain(&block.memory)
            .map(|child| self.item(*child));
        let blocks = blocks.filter(|item| self.core_lines || !matches!(item, Item::Core(_)));
        let devices = (0..block.devices.len()).map(|number| Item::Device(index, number));
        blocks.chain(devices).collect()
    }

    fn pieces(&self, item: Item) -> Vec<Piece> {
        let block = |index: usize| self.tree.blocks.get(index);
        match item {
            Item::Block(index) => block(index).map(|block| self.block(block)),
            Item::Core(index) => block(index).map(|block| {
                let mut pieces = vec![Piece(caption::title(block), Tint::Name)];
                pieces.extend(
                    caption::caches(&block.caches)
                        .into_iter()
                        .map(|cache| Piece(cache, Tint::Cache)),
                );
                pieces.push(Piece(self.core(block), Tint::Plain));
                pieces
            }),
            Item::Device(index, number) => block(index)
                .and_then(|block| block.devices.get(number))
                .map(device),
        }
        .unwrap_or_default()
    }

    fn block(&self, block: &Block<'_>) -> Vec<Piece> {
        let tint = match block.kind {
            Kind::Node => Tint::Node,
            Kind::Cache | Kind::Cluster => Tint::Cache,
            _ => Tint::Name,
        };
        let mut pieces = vec![Piece(caption::title(block), tint)];
        if block.kind == Kind::Package {
            let model = caption::model_of(self.inventory, self.tree, &block.cpus);
            pieces.extend(model.map(|model| Piece(model, Tint::Plain)));
            pieces.push(Piece(caption::shares(self.tree, &block.cpus), Tint::Plain));
        }
        if let Some(node) = block.node {
            pieces.push(Piece(caption::node_memory(node), Tint::Plain));
            pieces.extend(
                caption::node_tier(self.inventory, node).map(|tier| Piece(tier, Tint::Plain)),
            );
            if node.cpus.is_empty() {
                pieces.push(Piece("no CPUs".to_owned(), Tint::Soft));
            } else {
                pieces.extend(cpus(&node.cpus, 6));
            }
            let lines = caption::node_lines(self.inventory, node);
            pieces.extend(lines.into_iter().map(|line| Piece(line, Tint::Soft)));
        }
        pieces.extend(self.threads(block));
        if !self.core_lines {
            let children = block
                .children
                .iter()
                .filter_map(|child| self.tree.blocks.get(*child));
            let cores = children.filter(|child| child.kind == Kind::Core);
            pieces.extend(cores.map(|core| Piece(self.core(core), Tint::Plain)));
        }
        pieces
    }

    /// A block's own CPUs.
    fn threads(&self, block: &Block<'_>) -> Vec<Piece> {
        if self.tree.folded && block.node.is_none() && !block.threads.is_empty() {
            return cpus(&block.threads.iter().copied().collect(), usize::MAX);
        }
        if self.tree.folded {
            return Vec::new();
        }
        block
            .threads
            .iter()
            .map(|cpu| Piece(format!("[{}]", self.cpu(*cpu)), Tint::Plain))
            .collect()
    }

    /// `[0 48]`, with the letter of its kind before it, and a core's own inner blocks' CPUs with it.
    fn core(&self, core: &Block<'_>) -> String {
        let kind = core.cpus.first().and_then(|cpu| self.marks.kind(cpu));
        let letter = kind
            .and_then(|kind| self.marks.kinds.get(kind))
            .map(|(letter, ..)| letter.to_string());
        let cpus: Vec<String> = core.threads.iter().map(|cpu| self.cpu(*cpu)).collect();
        format!("{}[{}]", letter.unwrap_or_default(), cpus.join(" "))
    }

    fn cpu(&self, cpu: u32) -> String {
        let mut text = cpu.to_string();
        for (mark, set, _) in self.states() {
            if set.contains(cpu) {
                text.push(mark);
            }
        }
        text
    }

    const fn states(&self) -> [(char, &IdSet, &'static str); 3] {
        [
            ('i', &self.marks.isolated, "isolated"),
            ('n', &self.marks.nohz_full, "nohz_full"),
            ('x', &self.marks.offline, "offline"),
        ]
    }

    fn distances(&mut self) {
        let matrix = panel::distances(self.inventory);
        let lines = match matrix {
            Some(matrix) if 5 * (matrix.nodes.len() + 2) <= self.style.width => {
                let row = |name: &str, cells: Vec<String>| {
                    cells.iter().fold(format!("{name:>8}"), |line, cell| {
                        format!("{line} {cell:>4}")
                    })
                };
                let head = row("to node", matrix.nodes.iter().map(u32::to_string).collect());
                let rows = matrix.nodes.iter().zip(&matrix.rows).map(|(node, cells)| {
                    let cells = cells
                        .iter()
                        .map(|cell| cell.map_or_else(String::new, |cell| cell.to_string()));
                    row(&node.to_string(), cells.collect())
                });
                std::iter::once(head).chain(rows).collect()
            }
            _ => panel::distance_lines(self.inventory),
        };
        self.section("Distances between nodes", lines);
    }

    fn notes(&mut self) {
        let mut notes = caption::notes(self.inventory, self.tree);
        for (mark, set, words) in self.states() {
            if !set.is_empty() {
                notes.push(format!("{mark}: {words}, CPUs {}", list(set)));
            }
        }
        notes.extend(
            self.marks
                .kinds
                .iter()
                .map(|(letter, words, _)| format!("{letter}: {words}")),
        );
        self.section("Notes", notes);
        self.section("Also in this machine", panel::also(self.inventory));
    }

    fn section(&mut self, title: &str, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        self.out.push('\n');
        self.wrap("", "", vec![Piece(title.to_owned(), Tint::Name)], "");
        for line in lines {
            if line.chars().count() <= self.style.width {
                self.out.push_str(&line);
                self.out.push('\n');
                continue;
            }
            let words = line
                .split(' ')
                .map(|word| Piece(word.to_owned(), Tint::Plain));
            self.wrap("", "  ", words.collect(), " ");
        }
    }

    /// Writes pieces, `between` them, in as many lines as the width asks for.
    fn wrap(&mut self, first: &str, next: &str, pieces: Vec<Piece>, between: &str) {
        self.out.push_str(first);
        let (mut used, mut fresh) = (first.chars().count(), true);
        let indent = next.chars().count();
        for Piece(text, tint) in pieces {
            let wide = text.chars().count() + if fresh { 0 } else { between.len() };
            if !fresh && used + wide > self.style.width {
                self.out.push('\n');
                self.out.push_str(next);
                (used, fresh) = (indent, true);
            }
            if !fresh {
                self.out.push_str(between);
                used += between.len();
            }
            let text = cut(&text, self.style.width.saturating_sub(used).max(1));
            used += text.chars().count();
            self.paint(&text, tint);
            fresh = false;
        }
        self.out.push('\n');
    }

    fn paint(&mut self, text: &str, tint: Tint) {
        let code = match tint {
            Tint::Plain => "",
            Tint::Soft => "2",
            Tint::Name => "1",
            Tint::Node => "1;32",
            Tint::Cache => "33",
            Tint::Device(Role::Accelerator) => "35",
            Tint::Device(Role::Network) => "34",
            Tint::Device(Role::Storage) => "36",
            Tint::Device(Role::Other) => "2",
            Tint::Alert => "31",
        };
        if self.style.color && !code.is_empty() {
            // A String takes everything.
            let _ = write!(self.out, "\u{1b}[{code}m{text}\u{1b}[0m");
        } else {
            self.out.push_str(text);
        }
    }
}

fn device(device: &Device) -> Vec<Piece> {
    let link = device.link.clone().map(|link| match device.downgraded {
        true => Piece(format!("▼{link}"), Tint::Alert),
        false => Piece(link, Tint::Plain),
    });
    let mut pieces = vec![
        Piece(format!("{:<5}", device.class), Tint::Device(device.role)),
        Piece(device.address.clone(), Tint::Soft),
        Piece(device.name.clone(), Tint::Plain),
    ];
    pieces.extend(
        device
            .known_as
            .clone()
            .map(|names| Piece(names, Tint::Name)),
    );
    pieces.extend(
        device
            .driver
            .clone()
            .map(|driver| Piece(driver, Tint::Plain)),
    );
    pieces.extend(link);
    pieces.extend(
        device
            .virtual_functions
            .clone()
            .map(|functions| Piece(functions, Tint::Plain)),
    );
    pieces
}

/// `cpus 0-5,48-53`, in pieces that end at a comma; at most so many.
fn cpus(set: &IdSet, most: usize) -> Vec<Piece> {
    let mut pieces = vec!["cpus ".to_owned()];
    for part in list(set).split_inclusive(',') {
        let full = pieces.len() == most;
        match pieces.last_mut() {
            Some(last) if last.len() + part.len() <= 28 => last.push_str(part),
            _ if full => {
                pieces.push("…".to_owned());
                break;
            }
            _ => pieces.push(part.to_owned()),
        }
    }
    pieces
        .into_iter()
        .map(|piece| Piece(piece, Tint::Soft))
        .collect()
}
