//! What a person is shown: titled sections of tables and lines, for a terminal ([`Page::into_text`]) or as HTML.
//!
//! What comes from a machine may hold anything, so a control character never reaches the reader.

mod text;

pub(crate) use text::Style;

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
    pub(crate) text: String,
    pub(crate) paint: Paint,
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
    pub(crate) const fn head(self) -> &'static str {
        match self {
            Self::Left(head) | Self::Right(head) | Self::Wrap(head) => head,
        }
    }
}

/// Rows under columns. A column without a single text is left out; without any head there is no head line.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
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

    /// The columns that have a text, by their place in the rows; an empty one is not shown.
    pub(crate) fn used(&self) -> impl Iterator<Item = (usize, Column)> {
        let columns = self.columns.iter().copied().enumerate();
        columns.filter(|(place, _)| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(*place));
            cells.any(|cell| !cell.text.is_empty())
        })
    }
}

/// A piece of a section.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// A line, with a mark before it at the margin.
    Mark(char, Paint, String),
    /// A line of words.
    Line(String),
    /// What follows is set off from what stands above.
    Gap,
    /// A table.
    Table(Table),
}

/// A title and what stands below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// Empty where lines stand before the first title.
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
}

/// Sections in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    sections: Vec<Section>,
}

impl Page {
    /// An empty page.
    pub(crate) const fn new() -> Self {
        Self {
            sections: Vec::new(),
        }
    }

    /// Starts a section.
    pub(crate) fn title(&mut self, title: &str) {
        self.sections.push(Section {
            title: printable(title),
            blocks: Vec::new(),
        });
    }

    /// Writes one line at the margin, behind a mark.
    pub(crate) fn mark(&mut self, mark: char, paint: Paint, text: &str) {
        self.block(Block::Mark(mark, paint, printable(text)));
    }

    /// Writes one line of a section.
    pub(crate) fn line(&mut self, text: &str) {
        self.block(Block::Line(printable(text)));
    }

    /// Sets what follows off from what stands above it in the section.
    pub(crate) fn gap(&mut self) {
        self.block(Block::Gap);
    }

    /// Writes a table, set off from what stands above it in the section; one without a text is left out.
    pub(crate) fn table(&mut self, table: &Table) {
        if table.used().next().is_some() {
            self.block(Block::Table(table.clone()));
        }
    }

    /// The sections, in the order in which they were written.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// All of it for a terminal.
    pub(crate) fn into_text(self, style: Style) -> String {
        text::written(&self, style)
    }

    fn block(&mut self, block: Block) {
        if self.sections.is_empty() {
            self.sections.push(Section::default());
        }
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(block);
        }
    }
}

#[cfg(test)]
mod tests;
