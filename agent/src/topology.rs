//! A picture of the machine.

use libhw::inventory::Inventory;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Columns.
    pub(crate) width: usize,
    /// Whether to use colours.
    pub(crate) color: bool,
}

/// As text.
pub(crate) fn text(inventory: &Inventory, style: Style) -> String {
    format!(
        "{} {} {}\n",
        inventory.schema_version, style.width, style.color
    )
}

/// As SVG.
pub(crate) fn svg(inventory: &Inventory) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><!-- {} --></svg>\n",
        inventory.schema_version
    )
}
