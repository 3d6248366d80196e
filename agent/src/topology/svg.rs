//! The picture as an SVG.

mod canvas;
mod palette;
mod panels;

use libhw::inventory::Inventory;

use self::canvas::{Canvas, Font};
use super::caption::{self, Marks};
use super::device::Device;
use super::heading::{BETWEEN, Line};
use super::layout::{self, LINE, Plan, Rect};
use super::tree::{Block, Kind, Tree};
use super::words::{cut, fit, list, pixels};

/// Space around everything.
const MARGIN: u32 = 24;
/// The least width of the page without its margin.
const LEAST: u32 = 680;
/// The longest list of CPUs in a tooltip.
const TOOLTIP: usize = 300;
/// Height of a line below the page's title.
const FACT: u32 = 20;

/// One picture while it is drawn.
struct Picture<'a> {
    inventory: &'a Inventory,
    tree: &'a Tree<'a>,
    marks: &'a Marks,
    canvas: Canvas,
}

/// Draws it.
pub(super) fn draw(inventory: &Inventory) -> String {
    let tree = Tree::new(inventory);
    let marks = Marks::new(inventory);
    let (title, facts) = caption::heading(inventory, &tree, &marks);
    let plan = layout::plan(inventory, &tree, &marks, LEAST);
    let width = plan.size.w.max(LEAST);
    let facts: Vec<String> = facts.iter().flat_map(|fact| folded(fact, width)).collect();
    let top = MARGIN + 34 + layout::small(facts.len()) * FACT + 10;
    let mut picture = Picture {
        inventory,
        tree: &tree,
        marks: &marks,
        canvas: Canvas::default(),
    };
    let panels = panels::flow(&picture, width);
    let height = top + plan.size.h + 16 + panels.height + MARGIN;
    picture.begin(&title, width + 2 * MARGIN, height);
    picture.canvas.text(
        MARGIN,
        MARGIN + 20,
        Font::new(22, true, palette::INK),
        &fit(&title, 22, true, width),
    );
    for (fact, number) in facts.iter().zip(0..) {
        let y = MARGIN + 44 + number * FACT;
        picture
            .canvas
            .text(MARGIN, y, Font::new(13, false, palette::SOFT), fact);
    }
    picture.machine(&plan, top);
    picture.panels(&panels, top + plan.size.h + 16);
    picture.canvas.into_svg()
}

impl Picture<'_> {
    fn begin(&mut self, title: &str, w: u32, h: u32) {
        self.canvas.put(format_args!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{w}" height="{h}" viewBox="0 0 {w} {h}" font-family="'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif">"#
        ));
        self.canvas
            .element("title", &format!("Topology of {title}"));
        let nodes = self.tree.of(Kind::Node).count();
        let cores = self.tree.of(Kind::Core).count();
        let packages = self.tree.of(Kind::Package).count();
        self.canvas.element(
            "desc",
            &format!("{packages} packages, {nodes} memory nodes and {cores} cores, as boxes within each other, with their caches and devices."),
        );
        self.canvas.raw("\n");
        let page = Rect { x: 0, y: 0, w, h };
        self.canvas.rect(page, 10, palette::PAGE);
    }

    fn machine(&mut self, plan: &Plan, top: u32) {
        self.canvas
            .put(format_args!(r#"<g transform="translate({MARGIN} {top})">"#));
        let tree = self.tree;
        for ((block, rect), lines) in tree
            .blocks
            .iter()
            .zip(&plan.boxes)
            .zip(&plan.headings)
            .skip(1)
        {
            self.block(block, *rect, lines);
        }
        self.canvas
            .raw(r##"<g text-anchor="middle" font-size="11" fill="#0d2c47">"##);
        for (index, cpu, rect) in &plan.chips {
            self.chip(tree.blocks.get(*index), *cpu, *rect);
        }
        self.canvas.raw("</g>\n");
        for (block, number, rect) in &plan.cards {
            if let Some(device) = tree
                .blocks
                .get(*block)
                .and_then(|block| block.devices.get(*number))
            {
                self.card(device, *rect);
            }
        }
        self.canvas.close();
    }

    fn block(&mut self, block: &Block<'_>, rect: Rect, lines: &[Line]) {
        let left = layout::pad(block);
        let radius = left.min(8);
        let kind = block.threads.first().and_then(|cpu| self.marks.kind(*cpu));
        let paint = match (block.kind, kind) {
            (Kind::Core, Some(kind)) => palette::of_core_kind(kind),
            (Kind::Node, _) if block.cpus.is_empty() => palette::MEMORY_ONLY,
            (kind, _) => palette::of_kind(kind),
        };
        self.canvas.open(&self.tooltip(block));
        self.canvas.rect(rect, radius, paint);
        for (line, number) in lines.iter().zip(0..) {
            let y = rect.y + 14 + left / 2 + number * LINE;
            self.line(line, rect.x + left, y, rect.w.saturating_sub(2 * left));
        }
        self.canvas.close();
    }

    fn line(&mut self, line: &Line, x: u32, y: u32, width: u32) {
        let (bold, plain) = (
            Font::new(line.size, true, palette::INK),
            Font::new(line.size, false, palette::SOFT),
        );
        let head = fit(&line.bold, line.size, true, width);
        let used = if head.is_empty() {
            0
        } else {
            pixels(&head, line.size, true) + BETWEEN
        };
        let rest = if used < width {
            fit(&line.plain, line.size, false, width - used)
        } else {
            String::new()
        };
        match (head.is_empty(), rest.is_empty()) {
            (false, false) => self.canvas.pair(x, y, (bold, plain), (&head, &rest)),
            (false, true) => self.canvas.text(x, y, bold, &head),
            _ => self.canvas.text(x, y, plain, &rest),
        }
    }

    fn chip(&mut self, block: Option<&Block<'_>>, cpu: u32, rect: Rect) {
        let core = block.filter(|block| block.kind == Kind::Core);
        let core = core
            .map(|core| format!(" of core {}", core.id))
            .unwrap_or_default();
        self.canvas
            .open(&format!("{}{core}", self.marks.words(cpu)));
        self.cpu(
            &cpu.to_string(),
            rect,
            [
                self.marks.isolated.contains(cpu),
                self.marks.nohz_full.contains(cpu),
                self.marks.offline.contains(cpu),
            ],
        );
        self.canvas.close();
    }

    /// A CPU's box: isolated, nohz_full, offline.
    fn cpu(&mut self, words: &str, rect: Rect, [isolated, nohz_full, offline]: [bool; 3]) {
        let (paint, ink) = match (offline, isolated) {
            (true, _) => palette::OFFLINE,
            (_, true) => palette::ISOLATED,
            _ => palette::CHIP,
        };
        self.canvas.rect(rect, 3, paint);
        if nohz_full {
            let bar = Rect {
                x: rect.x + 3,
                y: (rect.y + rect.h).saturating_sub(4),
                w: rect.w.saturating_sub(6),
                h: 3,
            };
            self.canvas.rect(bar, 1, palette::NOHZ_FULL);
        }
        self.canvas
            .label(rect.x + rect.w / 2, rect.y + 14, ink, words);
    }

    fn card(&mut self, device: &Device, rect: Rect) {
        self.canvas.open(&device.details);
        self.canvas.rect(
            Rect {
                h: layout::CARD.h,
                ..rect
            },
            5,
            palette::CARD,
        );
        let badge = Rect {
            x: rect.x + 6,
            y: rect.y + 5,
            w: 46,
            h: 14,
        };
        self.canvas.rect(badge, 3, palette::of_role(device.role));
        let room = rect.w.saturating_sub(14);
        let middle = badge.x + (badge.w.saturating_sub(pixels(device.class, 10, true))) / 2;
        self.canvas.text(
            middle,
            rect.y + 16,
            Font::new(10, true, "#ffffff"),
            device.class,
        );
        let address = fit(&device.address, 11, false, room.saturating_sub(52));
        self.canvas.text(
            badge.x + 52,
            rect.y + 16,
            Font::new(11, false, palette::SOFT),
            &address,
        );
        let name = fit(&device.name, 11, true, room);
        self.canvas.text(
            rect.x + 7,
            rect.y + 31,
            Font::new(11, true, palette::INK),
            &name,
        );
        let ink = if device.downgraded {
            palette::ALERT
        } else {
            palette::SOFT
        };
        let facts = fit(&device.facts(), 11, false, room);
        self.canvas
            .text(rect.x + 7, rect.y + 45, Font::new(11, false, ink), &facts);
        self.canvas.close();
    }

    fn tooltip(&self, block: &Block<'_>) -> String {
        let mut lines = vec![caption::title(block)];
        if block.kind == Kind::Core {
            let kind = block.threads.first().and_then(|cpu| self.marks.kind(*cpu));
            lines.extend(
                kind.and_then(|kind| self.marks.kinds.get(kind))
                    .map(|(_, words, _)| words.clone()),
            );
            lines.extend(caption::caches(&block.caches));
        }
        if let Some(node) = block.node {
            lines.push(caption::node_memory(node));
            lines.extend(caption::node_lines(self.inventory, node));
        }
        let cpus = block.node.map_or(&block.cpus, |node| &node.cpus);
        if !cpus.is_empty() {
            lines.push(cut(&format!("CPUs {}", list(cpus)), TOOLTIP));
        }
        lines.join("\n")
    }
}

/// A fact in lines that fit `width`, broken between its parts.
fn folded(fact: &str, width: u32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in fact.split(" · ") {
        match lines.last_mut() {
            Some(last) if pixels(&format!("{last} · {part}"), 13, false) <= width => {
                last.push_str(" · ");
                last.push_str(part);
            }
            _ => lines.push(fit(part, 13, false, width)),
        }
    }
    lines
}
