//! The picture of a node: packages, dies, caches, cores and CPUs, memory nodes with their huge pages, and
//! the devices that hang off each node; for a terminal and as an SVG.
//!
//! ```text
//!   Inventory ─▶ tree (what holds what) ─┬─▶ lines ─▶ text
//!             └▶ device, caption (words) ┴─▶ layout (what goes where) ─▶ svg
//! ```
//!
//! A function of an [`Inventory`]: nothing is read, and the same inventory always makes the same picture.
//! Nothing in it is trusted: names are cleaned, groups that overlap are drawn once and in part, counts are bounded.

mod caption;
mod device;
mod heading;
mod layout;
mod lines;
mod panel;
mod svg;
mod tree;
mod words;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use libhw::inventory::Inventory;

/// How a picture for a terminal looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Columns of the terminal; fewer than 40 are taken as 40.
    pub(crate) width: usize,
    /// Whether to colour it by ANSI escapes. Nothing is told by colour alone.
    pub(crate) color: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
        }
    }
}

/// The picture for a terminal: UTF-8, no line longer than `style.width`, each ended by a newline.
#[must_use]
pub(crate) fn text(inventory: &Inventory, style: Style) -> String {
    lines::draw(inventory, style)
}

/// The picture as a standalone SVG: no scripts, styles, ids or other files, so that it can also stand inline in HTML.
#[must_use]
pub(crate) fn svg(inventory: &Inventory) -> String {
    svg::draw(inventory)
}
