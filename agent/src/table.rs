//! Text for people: titled sections of aligned columns, as wide as the terminal and no wider.
//!
//! What comes from a machine may hold anything, so a control character never reaches the terminal.

use std::fmt::Write as _;
use std::io::IsTerminal;

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

/// What a piece of text means to its reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Paint {
    #[default]
    Plain,
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Warning => "33",
            Self::Bad => "31",
        }
    }
}

/// One place of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    /// A text and what it means.
    pub(crate) fn new(text: impl AsRef<str>, paint: Paint) -> Self {
        Self {
            text: printable(text.as_ref()),
            paint,
        }
    }

    /// A value that may be absent: then the place is empty.
    pub(crate) fn of(value: Option<&impl ToString>) -> Self {
        value.map_or_else(Self::default, |value| {
            Self::new(value.to_string(), Paint::Plain)
        })
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Paint::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Paint::Plain)
    }
}

/// A text without control characters, on one line.
pub(crate) fn printable(text: &str) -> String {
    let one = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(one).collect()
}

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Text, from the left.
    Left(&'static str),
    /// Numbers, from the right.
    Right(&'static str),
    /// Long text, from the left, which goes over several lines where the terminal is too narrow.
    Wrap(&'static str),
}

impl Column {
    const fn head(self) -> &'static str {
        match self {
            Self::Left(head) | Self::Right(head) | Self::Wrap(head) => head,
        }
    }
}

/// Rows under columns. A column without a single text is left out; without any head there is no head line.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// An empty list of names and what they stand for.
    pub(crate) fn facts() -> Self {
        Self::new(&[Column::Left(""), Column::Wrap("")])
    }

    /// Adds a row; a place that is missing at its end is empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a name and what it stands for, unless that is nothing.
    pub(crate) fn fact(&mut self, name: &str, value: impl Into<Cell>) {
        let value = value.into();
        if !value.text.is_empty() {
            self.row([Cell::new(name, Paint::Faint), value]);
        }
    }

    /// The columns that have a text, as wide as it takes.
    fn used(&self) -> Vec<Span> {
        let columns = self.columns.iter().copied().enumerate();
        columns
            .filter_map(|(place, column)| {
                let head = column.head().chars().count();
                let cells = self.rows.iter().filter_map(|row| row.get(place));
                let texts: Vec<&str> = cells.map(|cell| cell.text.as_str()).collect();
                let widest = texts.iter().map(|text| text.chars().count()).max()?;
                let words = texts.iter().flat_map(|text| text.split([' ', ',']));
                let longest = words.map(|word| word.chars().count()).max().unwrap_or(0);
                (widest > 0).then_some(Span {
                    place,
                    column,
                    width: widest.max(head),
                    least: longest.clamp(NARROWEST, LONGEST_WORD).max(head),
                })
            })
            .collect()
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

/// A text in the making.
#[derive(Debug)]
pub(crate) struct Page {
    style: Style,
    text: String,
    /// Whether the last section has a title and nothing else yet.
    bare: bool,
}

impl Page {
    /// An empty page.
    pub(crate) const fn new(style: Style) -> Self {
        Self {
            style,
            text: String::new(),
            bare: false,
        }
    }

    /// The whole text.
    pub(crate) fn into_text(mut self) -> String {
        self.end_section();
        self.text
    }

    /// Starts a section.
    pub(crate) fn title(&mut self, title: &str) {
        self.end_section();
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.painted(&printable(title), Paint::Strong);
        self.text.push('\n');
        self.bare = true;
    }

    fn end_section(&mut self) {
        if self.bare {
            self.line("nothing known");
        }
    }

    /// Writes one line at the margin, behind a mark.
    pub(crate) fn mark(&mut self, mark: char, paint: Paint, text: &str) {
        self.painted(&mark.to_string(), paint);
        let _ = writeln!(self.text, " {}", printable(text));
    }

    /// Writes one line of a section.
    pub(crate) fn line(&mut self, text: &str) {
        let text = printable(text);
        let _ = writeln!(self.text, "{:INDENT$}{text}", "");
        self.bare = false;
    }

    /// Sets what follows off from what stands above it in the section.
    pub(crate) fn gap(&mut self) {
        if !self.bare && !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Writes a table, set off from what stands above it in the section.
    pub(crate) fn table(&mut self, table: &Table) {
        let columns = self.fitted(table.used());
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

    fn page(width: Option<usize>, table: &Table) -> String {
        let mut page = Page::new(Style {
            width,
            color: false,
        });
        page.table(table);
        page.into_text()
    }

    fn sample() -> Table {
        let mut table = Table::new(&[
            Column::Left("name"),
            Column::Right("size"),
            Column::Left("unused"),
            Column::Wrap("what it is"),
        ]);
        table.row(["a".into(), "5".into(), "".into(), "short".into()]);
        table.row([
            "bcdef".into(),
            "12345".into(),
            "".into(),
            "0-3,8-11,16-19,24-27 and some more".into(),
        ]);
        table
    }

    #[test]
    fn columns_are_aligned_and_an_empty_one_is_left_out() {
        assert_eq!(
            page(None, &sample()),
            concat!(
                "  name    size  what it is\n",
                "  a          5  short\n",
                "  bcdef  12345  0-3,8-11,16-19,24-27 and some more\n",
            )
        );
    }

    #[test]
    fn a_narrow_terminal_folds_long_text_at_commas_and_spaces() {
        assert_eq!(
            page(Some(34), &sample()),
            concat!(
                "  name    size  what it is\n",
                "  a          5  short\n",
                "  bcdef  12345  0-3,8-11,16-19,\n",
                "                24-27 and some\n",
                "                more\n",
            )
        );
    }

    #[test]
    fn a_terminal_of_no_width_at_all_loses_nothing() {
        for width in 0..40 {
            let text = page(Some(width), &sample());
            assert!(text.contains("some"), "{width}: {text}");
        }
    }

    #[test]
    fn a_control_character_never_reaches_the_terminal() {
        let mut table = Table::facts();
        table.fact("name", "evil\u{1b}[2J\n\u{9b}31m\0");
        assert_eq!(
            page(None, &table),
            "  name  evil\u{fffd}[2J\u{fffd}\u{fffd}31m\u{fffd}\n"
        );
    }

    #[test]
    fn an_absent_fact_takes_no_line() {
        let mut table = Table::facts();
        table.fact("name", Cell::of(None::<&String>));
        assert_eq!(page(None, &table), "");
    }

    #[test]
    fn a_section_without_anything_says_so() {
        let mut page = Page::new(Style::default());
        page.title("A");
        page.table(&Table::facts());
        page.title("B");
        page.table(&sample());
        page.table(&sample());
        let text = page.into_text();
        assert!(
            text.starts_with("A\n  nothing known\n\nB\n  name "),
            "{text}"
        );
        assert!(text.contains("more\n\n  name "), "{text}");
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let mut table = Table::new(&[Column::Left("a"), Column::Left("b")]);
        table.row([Cell::new("x", Paint::Bad), "y".into()]);
        let mut page = Page::new(Style {
            width: None,
            color: true,
        });
        page.table(&table);
        assert_eq!(
            page.into_text(),
            "  \x1b[2ma\x1b[0m  \x1b[2mb\x1b[0m\n  \x1b[31mx\x1b[0m  y\n"
        );
    }

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
