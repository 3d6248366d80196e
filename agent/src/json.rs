//! JSON for people and for programs: a member on a line, as `serde_json::to_writer_pretty` writes it.
//!
//! An inventory is thousands of short lines. Serde's own formatter writes each as a newline, its indentation step by
//! step, and its text; a memcpy for every one of these was a fifth of the time that a replay takes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Writes `value`.
///
/// # Errors
/// What `out` answers, and what `value` has to say of itself.
pub(crate) fn write(out: &mut impl Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Lines::default()))
}

/// A comma, a newline and the indentation of the deepest line that is written at once.
const BREAK: &str = ",\n                                ";

/// How far a line stands to the right of the one that it belongs to.
const STEP: usize = 2;

/// A member on a line.
#[derive(Debug, Default)]
struct Lines {
    depth: usize,
    /// Whether what is open has a member already.
    filled: bool,
}

impl Lines {
    /// Ends the line, with a comma or without, and begins the next.
    fn turn<W: Write + ?Sized>(&self, out: &mut W, comma: bool) -> io::Result<()> {
        let start = usize::from(!comma);
        let indent = self.depth * STEP;
        let end = (2 + indent).min(BREAK.len());
        out.write_all(BREAK.get(start..end).unwrap_or_default().as_bytes())?;
        for _ in BREAK.len() - 2..indent {
            out.write_all(b" ")?;
        }
        Ok(())
    }

    fn open<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn close<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.filled {
            self.turn(out, false)?;
        }
        self.filled = true;
        out.write_all(bracket)
    }
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.turn(out, !first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.turn(out, !first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written(value: &Value) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(24, 64, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map(".{0,3}", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn nothing_in_it_takes_no_lines() {
        assert_eq!(
            written(&json!({"a": [], "b": {}})),
            "{\n  \"a\": [],\n  \"b\": {}\n}"
        );
    }

    #[test]
    fn deep_values_are_indented_like_others() {
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(written(&deep), serde_json::to_string_pretty(&deep).unwrap());
    }

    proptest! {
        #[test]
        fn it_is_what_serde_json_writes(value in any_value()) {
            prop_assert_eq!(written(&value), serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
