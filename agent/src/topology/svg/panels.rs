//! The panels below the machine: distances, legend, notes.

use super::canvas::Font;
use super::{Picture, palette};
use crate::topology::caption;
use crate::topology::layout::{Rect, Size, small};
use crate::topology::panel::{self, Distances, Sign};
use crate::topology::words::{fit, pixels};

const PAD: u32 = 12;
const ROW: u32 = 20;
const HEAD: u32 = 28;
const GAP: u32 = 16;
/// A cell of the matrix.
const CELL: Size = Size { w: 30, h: 20 };
/// The widest text in a panel.
const TEXT: u32 = 420;

/// The panels and where they stand, from the top of the first.
pub(super) struct Panels {
    panels: Vec<(Rect, Panel)>,
    pub(super) height: u32,
}

enum Panel {
    Matrix(Distances),
    Words(&'static str, Vec<String>),
    Legend(Vec<(Sign, String)>),
}

/// Puts the panels side by side, as many as fit `width`.
pub(super) fn flow(picture: &Picture<'_>, width: u32) -> Panels {
    let mut panels = Vec::new();
    let (mut x, mut y, mut tallest) = (0, 0, 0);
    for panel in all(picture) {
        let Size { w, h } = panel.size();
        let w = w.min(width);
        if x > 0 && x + w > width {
            (x, y, tallest) = (0, y + tallest + GAP, 0);
        }
        panels.push((Rect { x, y, w, h }, panel));
        x += w + GAP;
        tallest = tallest.max(h);
    }
    fill_rows(&mut panels, width);
    Panels {
        panels,
        height: y + tallest,
    }
}

/// Makes panels of a row equally high, and the last of it end at the page's edge.
fn fill_rows(panels: &mut [(Rect, Panel)], width: u32) {
    for row in panels.chunk_by_mut(|(a, _), (b, _)| a.y == b.y) {
        let height = row.iter().map(|(rect, _)| rect.h).max().unwrap_or(0);
        for (rect, _) in row.iter_mut() {
            rect.h = height;
        }
        if let Some((rect, _)) = row.last_mut() {
            rect.w = width.saturating_sub(rect.x);
        }
    }
}

fn all(picture: &Picture<'_>) -> Vec<Panel> {
    let mut panels = Vec::new();
    match panel::distances(picture.inventory) {
        Some(distances) => panels.push(Panel::Matrix(distances)),
        None => {
            let lines = panel::distance_lines(picture.inventory);
            if !lines.is_empty() {
                panels.push(Panel::Words("Distances between nodes", lines));
            }
        }
    }
    let legend = panel::legend(picture.tree, picture.marks);
    if !legend.is_empty() {
        panels.push(Panel::Legend(legend));
    }
    let notes = caption::notes(picture.inventory, picture.tree);
    if !notes.is_empty() {
        panels.push(Panel::Words("Notes", notes));
    }
    let also = panel::also(picture.inventory);
    if !also.is_empty() {
        panels.push(Panel::Words("Also in this machine", also));
    }
    panels
}

impl Panel {
    fn title(&self) -> &'static str {
        match self {
            Self::Matrix(_) => "Distances between nodes",
            Self::Words(title, _) => title,
            Self::Legend(_) => "Legend",
        }
    }

    fn size(&self) -> Size {
        let title = pixels(self.title(), 13, true);
        let (w, h) = match self {
            Self::Matrix(distances) => {
                let cells = small(distances.nodes.len()) + 1;
                (cells * CELL.w, cells * CELL.h)
            }
            Self::Words(_, lines) => {
                let widest = lines
                    .iter()
                    .map(|line| pixels(line, 12, false))
                    .max()
                    .unwrap_or(0);
                (widest.min(TEXT), small(lines.len()) * ROW)
            }
            Self::Legend(signs) => {
                let rows = rows(signs);
                let columns = signs.chunks(rows).map(column_width);
                (columns.sum(), small(rows) * ROW)
            }
        };
        Size {
            w: w.max(title) + 2 * PAD,
            h: h + HEAD + PAD,
        }
    }
}

fn rows(signs: &[(Sign, String)]) -> usize {
    signs
        .len()
        .div_ceil(if signs.len() > 6 { 2 } else { 1 })
        .max(1)
}

fn column_width(signs: &[(Sign, String)]) -> u32 {
    let widest = signs
        .iter()
        .map(|(_, words)| pixels(words, 12, false))
        .max()
        .unwrap_or(0);
    widest.min(TEXT / 2) + 38 + GAP
}

impl Picture<'_> {
    pub(super) fn panels(&mut self, panels: &Panels, top: u32) {
        self.canvas.put(format_args!(
            r#"<g transform="translate({} {top})">"#,
            super::MARGIN
        ));
        for (rect, panel) in &panels.panels {
            self.canvas.rect(*rect, 8, palette::PANEL);
            let (x, y) = (rect.x + PAD, rect.y + HEAD);
            self.canvas.text(
                x,
                rect.y + 20,
                Font::new(13, true, palette::INK),
                panel.title(),
            );
            match panel {
                Panel::Matrix(distances) => self.matrix(distances, x, y),
                Panel::Words(_, lines) => {
                    for (line, number) in lines.iter().zip(0..) {
                        let line = fit(line, 12, false, rect.w.saturating_sub(2 * PAD));
                        self.canvas.text(
                            x,
                            y + 14 + number * ROW,
                            Font::new(12, false, palette::SOFT),
                            &line,
                        );
                    }
                }
                Panel::Legend(signs) => self.legend(signs, x, y),
            }
        }
        self.canvas.close();
    }

    fn matrix(&mut self, distances: &Distances, x: u32, y: u32) {
        self.canvas
            .raw(r##"<g text-anchor="middle" font-size="11" fill="#17202b">"##);
        let known = || distances.rows.iter().flatten().flatten().copied();
        let (least, most) = (known().min().unwrap_or(0), known().max().unwrap_or(0));
        for (node, number) in distances.nodes.iter().zip(1..) {
            let name = fit(&node.to_string(), 11, false, CELL.w);
            self.canvas.label(
                x + number * CELL.w + CELL.w / 2,
                y + 14,
                palette::SOFT,
                &name,
            );
            self.canvas.label(
                x + CELL.w / 2,
                y + number * CELL.h + 14,
                palette::SOFT,
                &name,
            );
        }
        for (row, to) in distances.rows.iter().zip(1..) {
            for (distance, from) in row.iter().zip(1..) {
                let rect = Rect {
                    x: x + from * CELL.w + 1,
                    y: y + to * CELL.h + 1,
                    w: CELL.w - 2,
                    h: CELL.h - 2,
                };
                let Some(distance) = distance else {
                    continue;
                };
                let share = u64::from(distance - least) * 4 / u64::from((most - least).max(1));
                self.canvas.rect(rect, 2, palette::of_distance(share));
                self.canvas.label(
                    rect.x + rect.w / 2,
                    rect.y + 13,
                    "",
                    &fit(&distance.to_string(), 11, false, CELL.w),
                );
            }
        }
        self.canvas.close();
    }

    fn legend(&mut self, signs: &[(Sign, String)], x: u32, y: u32) {
        let mut left = x;
        for column in signs.chunks(rows(signs)) {
            let width = column_width(column);
            for ((sign, words), number) in column.iter().zip(0..) {
                let top = y + number * ROW;
                self.sign(
                    *sign,
                    Rect {
                        x: left,
                        y: top + 2,
                        w: 30,
                        h: 16,
                    },
                );
                let words = fit(words, 12, false, width - 38 - GAP);
                self.canvas.text(
                    left + 38,
                    top + 14,
                    Font::new(12, false, palette::SOFT),
                    &words,
                );
            }
            left += width;
        }
    }

    fn sign(&mut self, sign: Sign, rect: Rect) {
        match sign {
            Sign::Box(kind) => self.canvas.rect(rect, 4, palette::of_kind(kind)),
            Sign::MemoryOnly => self.canvas.rect(rect, 4, palette::MEMORY_ONLY),
            Sign::CoreKind(number) => self.canvas.rect(rect, 4, palette::of_core_kind(number)),
            Sign::Device(role) => self.canvas.rect(rect, 4, palette::of_role(role)),
            Sign::Cpu => self.cpu("", rect, [false; 3]),
            Sign::Isolated => self.cpu("", rect, [true, false, false]),
            Sign::NohzFull => self.cpu("", rect, [false, true, false]),
            Sign::Offline => self.cpu("", rect, [false, false, true]),
            Sign::Downgraded => self.canvas.text(
                rect.x + 9,
                rect.y + 12,
                Font::new(12, true, palette::ALERT),
                "▼",
            ),
        }
    }
}
