//! Numbers and sets in a person's words.

use libhw::idset::IdSet;

/// A set and how many are in it: `0-3,8 (5)`.
pub(crate) fn counted(set: &IdSet) -> String {
    match set.len() {
        0 => "none".to_owned(),
        1 => set.to_string(),
        count => format!("{set} ({count})"),
    }
}

/// `1 core`, `2 cores`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    let end = match (count, noun) {
        (1, _) => "",
        (_, noun) if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{end}")
}

/// What is there, joined by a separator; empty where nothing is.
pub(crate) fn joined<T: AsRef<str>>(
    parts: impl IntoIterator<Item = Option<T>>,
    separator: &str,
) -> String {
    let mut text = String::new();
    for part in parts.into_iter().flatten() {
        if !text.is_empty() && !part.as_ref().is_empty() {
            text.push_str(separator);
        }
        text.push_str(part.as_ref());
    }
    text
}

/// A text, unless it is empty.
pub(crate) fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// `1.2 GHz–2.3 GHz`, or the one of them that is known.
pub(crate) fn range<T: ToString>(least: Option<T>, most: Option<T>) -> String {
    let (least, most) = (
        least.map(|end| end.to_string()),
        most.map(|end| end.to_string()),
    );
    if least == most {
        return least.unwrap_or_default();
    }
    joined([least, most], "–")
}

/// `yes` or `no`.
pub(crate) const fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_person() {
        let set: IdSet = [0, 1, 2, 7].into_iter().collect();
        assert_eq!(counted(&set), "0-2,7 (4)");
        assert_eq!(counted(&IdSet::new()), "none");
        assert_eq!(plural(1, "core"), "1 core");
        assert_eq!(plural(2, "core"), "2 cores");
        assert_eq!(plural(0, "bus"), "0 buses");
        assert_eq!(joined([Some("a"), None, Some(""), Some("b")], ", "), "a, b");
        assert_eq!(range(Some(1), Some(2)), "1–2");
        assert_eq!(range(Some(2), Some(2)), "2");
        assert_eq!(range(None, Some(2)), "2");
    }
}
