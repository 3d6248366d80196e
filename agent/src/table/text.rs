//! Sections as text: aligned columns, as wide as the terminal and no wider.

use std::fmt::Write as _;
use std::io::IsTerminal;

use super::{Block, Cell, Column, Page, Paint, Section, Table};

/// How to write: where there is no terminal there is no width to keep, and no colour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// The terminal's columns; none is as wide as it takes.
    pub(crate) width: Option<usize>,
    /// Whether to use colours.
    pub(crate) color: bool,
}

impl Style {
    /// The style that standard output asks for: <https://no-color.org>, `TERM=dumb`.
    pub(crate) fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        if !stdout.is_terminal() {
            return Self::default();
        }
        let says = |name, text: &str| std::env::var_os(name).is_some_and(|value| value == text);
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            width: terminal_size::terminal_size_of(stdout).map(|(width, _)| width.0.into()),
            color: !set("NO_COLOR") && !says("TERM", "dumb"),
        }
    }
}

const INDENT: usize = 2;
const GAP: usize = 2;

/// A wrapping column is never narrower, nor narrower than its longest word unless that is longer than the other.
const NARROWEST: usize = 6;
const LONGEST_WORD: usize = 16;

/// A column that has a text: its place in the rows, how it stands, its width, and the least that it can have.
struct Span {
    place: usize,
    column: Column,
    width: usize,
    least: usize,
}

/// The columns that have a text, as wide as it takes.
fn spans(table: &Table) -> Vec<Span> {
    let spans = table.used().map(|(place, column)| {
        let head = column.head().chars().count();
        let cells = table.rows.iter().filter_map(|row| row.get(place));
        let texts: Vec<&str> = cells.map(|cell| cell.text.as_str()).collect();
        let widest = texts.iter().map(|text| text.chars().count()).max();
        let words = texts.iter().flat_map(|text| text.split([' ', ',']));
        let longest = words.map(|word| word.chars().count()).max().unwrap_or(0);
        Span {
            place,
            column,
            width: widest.unwrap_or(0).max(head),
            least: longest.clamp(NARROWEST, LONGEST_WORD).max(head),
        }
    });
    spans.collect()
}
/// The sections as text. A section of which nothing is known says so.
pub(super) fn written(page: &Page, style: Style) -> String {
    let mut writer = Writer {
        style,
        text: String::new(),
        bare: false,
    };
    for section in page.sections() {
        writer.section(section);
    }
    writer.text
}

/// A text in the making.
struct Writer {
    style: Style,
    text: String,
    /// Whether the last section has a title and nothing else yet.
    bare: bool,
}

impl Writer {
    fn section(&mut self, section: &Section) {
        if !section.title.is_empty() {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.painted(&section.title, Paint::Strong);
            self.text.push('\n');
            self.bare = true;
        }
        for block in &section.blocks {
            match block {
                Block::Mark(mark, paint, text) => self.mark(*mark, *paint, text),
                Block::Line(text) => self.line(text),
                Block::Gap => self.gap(),
                Block::Table(table) => self.table(table),
            }
        }
        if self.bare {
            self.line("nothing known");
        }
    }

    fn mark(&mut self, mark: char, paint: Paint, text: &str) {
        self.painted(&mark.to_string(), paint);
        let _ = writeln!(self.text, " {text}");
        self.bare = false;
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:INDENT$}{text}", "");
        self.bare = false;
    }

    fn gap(&mut self) {
        if !self.bare && !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn table(&mut self, table: &Table) {
        let columns = self.fitted(spans(table));
        if columns.is_empty() {
            return;
        }
        if columns.iter().any(|span| !span.column.head().is_empty()) {
            self.gap();
            let head = |span: &Span| Cell::new(span.column.head(), Paint::Faint);
            let heads: Vec<Cell> = columns.iter().map(head).collect();
            self.line_of(&columns, &heads.iter().collect::<Vec<_>>());
        }
        let empty = Cell::default();
        for row in &table.rows {
            let cell = |span: &Span| row.get(span.place).unwrap_or(&empty);
            let cells: Vec<_> = columns.iter().map(cell).collect();
            self.line_of(&columns, &cells);
        }
    }

    /// Takes from the wrapping columns what the line has too much, from the widest first.
    fn fitted(&self, mut columns: Vec<Span>) -> Vec<Span> {
        let gaps = INDENT + GAP * columns.len().saturating_sub(1);
        let natural: usize = columns.iter().map(|span| span.width).sum();
        let limit = self.style.width.unwrap_or(usize::MAX);
        for _ in 0..(natural + gaps).saturating_sub(limit) {
            let wrapping = columns
                .iter_mut()
                .filter(|span| matches!(span.column, Column::Wrap(_)) && span.width > span.least);
            let Some(widest) = wrapping.max_by_key(|span| span.width) else {
                break;
            };
            widest.width -= 1;
        }
        columns
    }

    /// Writes one row: as many lines as its longest place takes.
    fn line_of(&mut self, columns: &[Span], cells: &[&Cell]) {
        self.bare = false;
        let folded: Vec<Vec<&str>> = columns
            .iter()
            .zip(cells)
            .map(|(span, cell)| fold(&cell.text, span.width))
            .collect();
        let height = folded.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let mut blank = INDENT;
            for ((span, cell), folded) in columns.iter().zip(cells).zip(&folded) {
                let text = folded.get(line).copied().unwrap_or_default();
                let rest = span.width.saturating_sub(text.chars().count());
                let (before, after) = match span.column {
                    Column::Right(_) => (rest, 0),
                    Column::Left(_) | Column::Wrap(_) => (0, rest),
                };
                blank += before;
                if !text.is_empty() {
                    let _ = write!(self.text, "{:blank$}", "");
                    self.painted(text, cell.paint);
                    blank = 0;
                }
                blank += after + GAP;
            }
            self.text.push('\n');
        }
    }

    fn painted(&mut self, text: &str, paint: Paint) {
        let code = paint.code();
        if self.style.color && !code.is_empty() {
            let _ = write!(self.text, "\x1b[{code}m{text}\x1b[0m");
        } else {
            self.text.push_str(text);
        }
    }
}

/// Cuts a text into lines of at most `width` characters: after a space or comma where there is one, else
/// within a path or name.
fn fold(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((limit, _)) = rest.char_indices().nth(width.max(1)) {
        let fits = rest.get(..limit).unwrap_or_default();
        // A space may stand just behind the last place, it is not printed.
        let next_is_space = rest.get(limit..).is_some_and(|text| text.starts_with(' '));
        let cut = if next_is_space {
            limit
        } else {
            let place = fits.rfind([' ', ',']).or_else(|| fits.rfind(['/', '_']));
            place.map_or(limit, |place| place + 1)
        };
        let (line, after) = rest.split_at(cut);
        lines.push(line.trim_end());
        rest = after.trim_start();
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_within_its_width() {
        for (text, width, lines) in [
            ("", 5, vec![""]),
            ("abc", 3, vec!["abc"]),
            ("abc def", 3, vec!["abc", "def"]),
            ("abcdef", 3, vec!["abc", "def"]),
            ("0-1,4-5,8", 4, vec!["0-1,", "4-5,", "8"]),
            ("ää öö üü", 5, vec!["ää öö", "üü"]),
            ("/sys/devices/x", 10, vec!["/sys/", "devices/x"]),
            ("abc", 0, vec!["a", "b", "c"]),
        ] {
            assert_eq!(fold(text, width), lines, "{text:?} in {width}");
        }
    }
}
