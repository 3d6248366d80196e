//! What vendors leave in a label's field that they did not fill in.

use crate::parse;

/// Compared in lower case. Seen on boards of several vendors, and in hypervisors' tables.
const PLACEHOLDERS: &[&str] = &[
    "0123456789",
    "123456789",
    "1234567890",
    "03000200-0400-0500-0006-000700080009",
    "asset tag",
    "asset-1234567890",
    "base board",
    "base board asset tag",
    "base board serial number",
    "chassis asset tag",
    "chassis manufacture",
    "chassis manufacturer",
    "chassis serial number",
    "chassis version",
    "default string",
    "default_string",
    "empty",
    "family",
    "fill by oem",
    "filled by oem",
    "invalid",
    "n/a",
    "na",
    "no asset information",
    "no asset tag",
    "none",
    "not applicable",
    "not available",
    "not defined",
    "not present",
    "not provided",
    "not settable",
    "not specified",
    "null",
    "o.e.m.",
    "oem",
    "oem_define",
    "serial number",
    "sku",
    "sku number",
    "system asset tag",
    "system manufacturer",
    "system name",
    "system product name",
    "system serial number",
    "system sku",
    "system version",
    "tbd",
    "to be filled by o.e.m",
    "to be filled by o.e.m.",
    "type1family",
    "type1productconfigid",
    "type2 - board asset tag",
    "type2 - board manufacturer",
    "type2 - board product name",
    "type2 - board serial number",
    "type2 - board version",
    "undefined",
    "unknown",
    "unspecified",
];

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
    (!text.is_empty() && !is_placeholder(&text)).then_some(text)
}

fn is_placeholder(text: &str) -> bool {
    PLACEHOLDERS.contains(&text.to_lowercase().as_str()) || is_filling(text)
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
