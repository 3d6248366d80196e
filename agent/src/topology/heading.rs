//! The lines at the head of each box of the SVG.

use libhw::inventory::Inventory;

use super::caption::{self, Marks};
use super::tree::{Block, Kind, Tree};
use super::words::{list, pixels};

/// Cores up to which each tells its own number and caches.
const DETAILED: usize = 16;
/// Lines below a node's name that are shown.
const NODE_LINES: usize = 12;
/// Columns of a list of CPUs.
const LIST: usize = 44;
/// Pixels between a line's bold words and its plain ones.
pub(super) const BETWEEN: u32 = 8;

/// A line: bold words, then plain ones, in a font of so many pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) bold: String,
    pub(super) plain: String,
    pub(super) size: u32,
}

/// The lines of every block, in the tree's order.
pub(super) fn headings(inventory: &Inventory, tree: &Tree<'_>, marks: &Marks) -> Vec<Vec<Line>> {
    let differ = caption::core_caches(tree, marks).1;
    let detailed = differ || tree.of(Kind::Core).count() <= DETAILED;
    let heading = |block: &Block<'_>| {
        let title = caption::title(block);
        let mut lines = match block.kind {
            Kind::Machine => Vec::new(),
            Kind::Core => core(block, marks, detailed),
            Kind::Package => {
                let shares = caption::shares(tree, &block.cpus);
                match caption::model_of(inventory, tree, &block.cpus) {
                    Some(model) => vec![Line::new(&title, &model, 13), Line::new("", &shares, 11)],
                    None => vec![Line::new(&title, &shares, 12)],
                }
            }
            Kind::Node => node(inventory, block, &title),
            Kind::Drawer | Kind::Book | Kind::Die | Kind::Apart => vec![Line::new(&title, "", 12)],
            Kind::Cluster | Kind::Cache => vec![Line::new("", &title, 11)],
        };
        if tree.folded && !block.threads.is_empty() {
            let cpus = block.threads.iter().copied().collect();
            lines.extend(wrapped(&format!("CPUs {}", list(&cpus))));
        }
        lines
    };
    tree.blocks.iter().map(heading).collect()
}

fn core(block: &Block<'_>, marks: &Marks, detailed: bool) -> Vec<Line> {
    let kind = block.threads.first().and_then(|cpu| marks.kind(*cpu));
    let kind = kind.and_then(|kind| marks.kinds.get(kind));
    let letter = kind
        .map(|(letter, ..)| letter.to_string())
        .unwrap_or_default();
    if !detailed {
        return kind
            .map(|_| Line::new("", &letter, 10))
            .into_iter()
            .collect();
    }
    let caches = caption::caches(&block.caches);
    let mut lines = vec![Line::new(&caption::title(block), &letter, 11)];
    lines.extend(caches.iter().map(|cache| Line::new("", cache, 10)));
    lines
}

fn node(inventory: &Inventory, block: &Block<'_>, title: &str) -> Vec<Line> {
    let Some(node) = block.node else {
        return Vec::new();
    };
    let bare = if node.cpus.is_empty() {
        " · no CPUs"
    } else {
        ""
    };
    let tier = caption::node_tier(inventory, node);
    let tier = tier.map(|tier| format!(" · {tier}")).unwrap_or_default();
    let memory = format!("{}{tier}{bare}", caption::node_memory(node));
    let more = caption::node_lines(inventory, node);
    let more = more
        .iter()
        .take(NODE_LINES)
        .map(|line| Line::new("", line, 11));
    std::iter::once(Line::new(title, &memory, 12))
        .chain(more)
        .collect()
}

/// A list in several lines, broken at commas.
fn wrapped(text: &str) -> Vec<Line> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.split_inclusive(',') {
        match lines.last_mut() {
            Some(last) if last.len() + part.len() <= LIST => last.push_str(part),
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
        let both = !self.bold.is_empty() && !self.plain.is_empty();
        let between = if both { BETWEEN } else { 0 };
        pixels(&self.bold, self.size, true) + between + pixels(&self.plain, self.size, false)
    }
}
