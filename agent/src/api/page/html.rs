//! HTML as text that grows; what comes from the host is escaped on its way in.

use std::fmt::{self, Write};

/// A text, escaped for an element's content and for a quoted attribute.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // No control character is allowed in HTML but white space.
                c if c.is_control() && c != '\n' => f.write_char(char::REPLACEMENT_CHARACTER)?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// HTML that grows.
#[derive(Default)]
pub(super) struct Html {
    text: String,
}

impl Html {
    /// Our own words, as they are.
    pub(super) fn raw(&mut self, html: &str) -> &mut Self {
        self.text.push_str(html);
        self
    }

    /// Anybody's words.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        // Writing to a String does not fail.
        let _ = write!(self.text, "{}", Text(text));
        self
    }

    /// A table; a column whose name starts with `#` holds numbers. One in which nothing stands is left out.
    pub(super) fn table(&mut self, columns: &[&str], rows: Vec<Vec<String>>) {
        let used = |index: usize| {
            rows.iter()
                .any(|row| row.get(index).is_some_and(|cell: &String| !cell.is_empty()))
        };
        let used: Vec<bool> = (0..columns.len()).map(used).collect();
        let used_columns = columns.iter().zip(&used).filter(|(_, used)| **used);
        let class = |column: &str| {
            if column.starts_with('#') {
                " class=\"n\""
            } else {
                ""
            }
        };
        self.raw("<div class=\"table\"><table><thead><tr>");
        for (column, _) in used_columns {
            self.raw("<th scope=\"col\"").raw(class(column)).raw(">");
            self.text(column.trim_start_matches('#')).raw("</th>");
        }
        self.raw("</tr></thead><tbody>");
        for row in rows {
            self.raw("<tr>");
            for ((column, cell), _) in columns
                .iter()
                .zip(row)
                .zip(&used)
                .filter(|(_, used)| **used)
            {
                self.raw("<td")
                    .raw(class(column))
                    .raw(">")
                    .text(&cell)
                    .raw("</td>");
            }
            self.raw("</tr>");
        }
        self.raw("</tbody></table></div>");
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_says_cannot_become_markup() {
        let text = Text("<b onclick='x' title=\"y\">&\u{1}\n").to_string();
        assert_eq!(
            text,
            "&lt;b onclick=&#39;x&#39; title=&quot;y&quot;&gt;&amp;\u{fffd}\n"
        );
    }

    #[test]
    fn a_row_with_too_many_or_too_few_cells_does_not_break_the_table() {
        let mut html = Html::default();
        html.table(
            &["a", "#b"],
            vec![vec!["1".into()], vec!["1".into(), "2".into(), "3".into()]],
        );
        let text = html.into_text();
        assert!(
            text.contains("<td>1</td><td class=\"n\">2</td></tr>"),
            "{text}"
        );
        assert!(!text.contains('3'));
    }

    #[test]
    fn a_column_in_which_nothing_stands_is_left_out() {
        let mut html = Html::default();
        html.table(
            &["a", "b", "c"],
            vec![vec!["1".into(), String::new(), "2".into()]],
        );
        let text = html.into_text();
        assert!(
            text.contains("<td>1</td><td>2</td>") && !text.contains(">b<"),
            "{text}"
        );
    }
}
