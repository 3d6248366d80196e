//! The labels on boards and chassis, as far as they are ones.

use crate::parse;
use crate::placeholder::is_placeholder;

/// A label as one line of printable text; `None` when nothing is left of it or it is a placeholder.
///
/// Some firmware pads with spaces, or ends a string in the rest of a longer one on a second line.
pub(super) fn label(text: &str) -> Option<String> {
    let text = parse::trim(text);
    let text = text.split(['\n', '\r', '\0']).next().unwrap_or_default();
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let text = words.join(" ");
    (!text.is_empty() && !is_placeholder(&text) && !is_filling(&text)).then_some(text)
}

/// One sign over and over, such as `........`, `XXXXXXXX` or a UUID of zeros.
fn is_filling(text: &str) -> bool {
    let text = text.replace('-', "");
    let mut signs = text.chars();
    let Some(first) = signs.next() else {
        return true;
    };
    let repeated = signs.all(|sign| sign == first);
    let sign_of_none = matches!(first, '.' | '*' | '_' | '?' | '0' | 'x' | 'X' | 'f' | 'F');
    repeated && sign_of_none && (text.len() > 3 || !first.is_ascii_alphanumeric())
}
