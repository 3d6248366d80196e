//! The tables of the inventory, the same that the command line prints.

use libhw::inventory::Inventory;

use super::html::Html;
use crate::table::{Block, Cell, Column, Paint, Section, Table};
use crate::view;

/// A table of more rows is folded away until the reader asks for it.
const ROWS: usize = 24;

/// Writes the sections of the classes that were read.
pub(super) fn write(html: &mut Html, inventory: &Inventory) {
    for section in view::classes(inventory).sections() {
        write_section(html, section);
    }
}

fn write_section(html: &mut Html, section: &Section) {
    if section.blocks.is_empty() {
        return;
    }
    html.raw("<section><h2>").text(&section.title).raw("</h2>");
    for block in &section.blocks {
        match block {
            Block::Mark(_, _, text) | Block::Line(text) => {
                html.raw("<p class=\"note\">").text(text).raw("</p>");
            }
            Block::Gap => {}
            Block::Table(table) => folded(html, table),
        }
    }
    html.raw("</section>");
}

fn folded(html: &mut Html, table: &Table) {
    let long = table.rows.len() > ROWS;
    if long {
        let rows = format!("{} rows", table.rows.len());
        html.raw("<details><summary>").text(&rows).raw("</summary>");
    }
    write_table(html, table);
    if long {
        html.raw("</details>");
    }
}

fn write_table(html: &mut Html, table: &Table) {
    let columns: Vec<(usize, Column)> = table.used().collect();
    let is_facts = columns.iter().all(|(_, column)| column.head().is_empty());
    html.raw("<div class=\"table\"><table");
    if is_facts {
        html.raw(" class=\"facts\"><tbody>");
    } else {
        html.raw("><thead><tr>");
        for (_, column) in &columns {
            html.raw("<th scope=\"col\"").raw(numbers(*column)).raw(">");
            html.text(column.head()).raw("</th>");
        }
        html.raw("</tr></thead><tbody>");
    }
    let empty = Cell::default();
    for row in &table.rows {
        html.raw("<tr>");
        for (place, column) in &columns {
            let cell = row.get(*place).unwrap_or(&empty);
            html.raw("<td").raw(numbers(*column)).raw(">");
            painted(html, cell);
            html.raw("</td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div>");
}

const fn numbers(column: Column) -> &'static str {
    match column {
        Column::Right(_) => " class=\"n\"",
        Column::Left(_) | Column::Wrap(_) => "",
    }
}

fn painted(html: &mut Html, cell: &Cell) {
    let class = match cell.paint {
        Paint::Plain => "",
        Paint::Strong => "strong",
        Paint::Faint => "faint",
        Paint::Good => "good",
        Paint::Warning => "warning",
        Paint::Bad => "bad",
    };
    if class.is_empty() {
        html.text(&cell.text);
    } else {
        html.raw("<span class=\"").raw(class).raw("\">");
        html.text(&cell.text).raw("</span>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_says_is_escaped_in_every_place_of_a_table() {
        let mut table = Table::new(&[Column::Left("a"), Column::Right("b")]);
        table.row(["<i>".into(), Cell::new("<b>", Paint::Bad)]);
        let section = Section {
            title: "<t>".to_owned(),
            blocks: vec![Block::Table(table), Block::Line("<p>".to_owned())],
        };
        let mut html = Html::default();
        write_section(&mut html, &section);
        let text = html.into_text();
        for sign in ["<i>", "<b>", "<t>", "<p>"] {
            assert!(!text.contains(sign), "{sign} in {text}");
        }
        assert!(
            text.contains("<td class=\"n\"><span class=\"bad\">&lt;b&gt;"),
            "{text}"
        );
    }

    #[test]
    fn a_long_table_is_folded_and_a_section_without_anything_is_left_out() {
        let mut table = Table::facts();
        for number in 0..=ROWS {
            table.fact("fact", number.to_string());
        }
        let mut html = Html::default();
        write_section(&mut html, &Section::default());
        assert_eq!(html.into_text(), "");
        let mut html = Html::default();
        folded(&mut html, &table);
        assert!(html.into_text().starts_with("<details><summary>25 rows"));
    }
}
