//! Writes SVG: shapes, text, and tooltips. All text is escaped here.

use std::fmt::Write;

use crate::topology::layout::Rect;

/// SVG as it is written.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    out: String,
}

/// Text's colour, size and weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    pub(super) size: u32,
    pub(super) bold: bool,
    pub(super) fill: &'static str,
}

impl Canvas {
    pub(super) fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    /// Opens a group that shows `tooltip` under the pointer.
    pub(super) fn open(&mut self, tooltip: &str) {
        self.raw("<g>");
        self.element("title", tooltip);
    }

    pub(super) fn close(&mut self) {
        self.raw("</g>\n");
    }

    pub(super) fn element(&mut self, name: &str, text: &str) {
        self.put(format_args!("<{name}>"));
        self.escape(text);
        self.put(format_args!("</{name}>"));
    }

    /// A box with rounded corners; `paint` is a list of attributes.
    pub(super) fn rect(&mut self, rect: Rect, radius: u32, paint: &str) {
        let Rect { x, y, w, h } = rect;
        self.put(format_args!(
            r#"<rect x="{x}" y="{y}" width="{w}" height="{h}""#
        ));
        if radius > 0 {
            self.put(format_args!(r#" rx="{radius}""#));
        }
        self.put(format_args!(" {paint}/>"));
    }

    /// Text that begins at `x` on the base line `y`.
    pub(super) fn text(&mut self, x: u32, y: u32, font: Font, text: &str) {
        self.put(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{}" fill="{}""#,
            font.size, font.fill
        ));
        if font.bold {
            self.raw(r#" font-weight="bold""#);
        }
        self.raw(">");
        self.escape(text);
        self.raw("</text>");
    }

    /// A bold text and a plain one behind it, at `x` on the base line `y`.
    pub(super) fn pair(
        &mut self,
        x: u32,
        y: u32,
        (bold, plain): (Font, Font),
        words: (&str, &str),
    ) {
        self.put(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{}"><tspan font-weight="bold" fill="{}">"#,
            bold.size, bold.fill
        ));
        self.escape(words.0);
        self.put(format_args!(
            r#"</tspan><tspan dx="8" fill="{}">"#,
            plain.fill
        ));
        self.escape(words.1);
        self.raw("</tspan></text>");
    }

    /// Text in the middle of its group's anchor, in its group's font.
    pub(super) fn label(&mut self, x: u32, y: u32, fill: &str, text: &str) {
        self.put(format_args!(r#"<text x="{x}" y="{y}""#));
        if !fill.is_empty() {
            self.put(format_args!(r#" fill="{fill}""#));
        }
        self.raw(">");
        self.escape(text);
        self.raw("</text>");
    }

    pub(super) fn into_svg(mut self) -> String {
        self.raw("</svg>\n");
        self.out
    }

    pub(super) fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A String takes everything.
        let _ = self.out.write_fmt(text);
    }

    fn escape(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '&' => self.raw("&amp;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' => self.out.push(c),
                _ => self.out.push('\u{fffd}'),
            }
        }
    }
}

impl Font {
    pub(super) const fn new(size: u32, bold: bool, fill: &'static str) -> Self {
        Self { size, bold, fill }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_xml_forbids_gets_through() {
        let mut canvas = Canvas::default();
        canvas.element("title", "a<b>&\"'\u{0}\u{1b}\u{ffff}\n");
        assert_eq!(
            canvas.into_svg(),
            "<title>a&lt;b&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}\u{fffd}\n</title></svg>\n"
        );
    }
}
