//! Text that can be shown: cleaned of what a terminal or XML would choke on, measured, and cut to fit.

use libhw::idset::IdSet;

/// The most characters of a name that are looked at.
const NAME_MAX: usize = 160;

/// Widths of ASCII's printable characters in 1/100 em, of DejaVu Sans: the widest of the common sans-serif fonts.
const EM: [u8; 95] = [
    32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, // space to /
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54, // 0 to ?
    100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, // @ to O
    61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50, // P to _
    50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62, // ` to o
    64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84, // p to ~
];

/// `text` without what moves a cursor, turns the reading direction, takes no or two columns, or is no XML: each of
/// these becomes `\u{fffd}`. Runs of white space become one space. Long texts end in `…`.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        if count > 0 {
            out.push(' ');
        }
        for c in word.chars() {
            count += 1;
            if count > NAME_MAX {
                out.push('…');
                return out;
            }
            out.push(if shows(c) { c } else { '\u{fffd}' });
        }
    }
    out
}

/// `text` in at most `columns` of a terminal.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(columns.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// How wide `text` is at most, in pixels of a font of `size` pixels.
pub(super) fn pixels(text: &str, size: u32, bold: bool) -> u32 {
    let hundredths: u32 = text.chars().map(em).sum();
    let hundredths = if bold {
        hundredths * 112 / 100
    } else {
        hundredths
    };
    (hundredths * size).div_ceil(100)
}

/// `text`, cut to `width` pixels of a font of `size` pixels.
pub(super) fn fit(text: &str, size: u32, bold: bool, width: u32) -> String {
    if pixels(text, size, bold) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(pixels("…", size, bold));
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let scale = if bold { 112 } else { 100 };
        used += em(c) * scale * size;
        if used > room * 10_000 {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// The set as the kernel lists it, but with a run of equal steps as `0,2,…,30`.
pub(super) fn list(set: &IdSet) -> String {
    let ranges = set.ranges();
    let mut parts: Vec<String> = Vec::new();
    let mut rest = ranges.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        let steps = run(rest);
        match (steps >= 4, rest.get(1), rest.get(steps.saturating_sub(1))) {
            (true, Some(second), Some(last)) => {
                parts.extend([range(*first), range(*second), "…".to_owned(), range(*last)]);
                rest = rest.get(steps..).unwrap_or_default();
            }
            _ => {
                parts.push(range(*first));
                rest = tail;
            }
        }
    }
    parts.join(",")
}

/// `one thing`, `2 things`.
pub(super) fn count(number: usize, thing: &str) -> String {
    match (number, thing) {
        (1, _) => format!("1 {thing}"),
        (_, "die" | "core" | "thread" | "package" | "node" | "CPU" | "book" | "drawer") => {
            format!("{number} {thing}s")
        }
        _ => format!("{number} {thing}"),
    }
}

/// How many ranges from the first on are equally long and equally far apart.
fn run(ranges: &[(u32, u32)]) -> usize {
    let [first, second, ..] = ranges else {
        return ranges.len();
    };
    let step = second.0 - first.0;
    let length = first.1 - first.0;
    let alike = ranges
        .windows(2)
        .take_while(|pair| {
            matches!(pair, [a, b] if b.0 - a.0 == step && a.1 - a.0 == length && b.1 - b.0 == length)
        })
        .count();
    alike + 1
}

fn range((first, last): (u32, u32)) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
    }
}

fn em(c: char) -> u32 {
    let index = (c as usize).wrapping_sub(0x20);
    EM.get(index).map_or(100, |width| u32::from(*width))
}

/// Latin, and the few signs that we write ourselves: one column each, drawn left to right.
const fn shows(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}' | '–' | '—' | '’' | '“' | '”' | '…' | '™')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_or_xml_would_choke_on_is_replaced() {
        for (text, shown) in [
            ("Intel  Corp.\n", "Intel Corp."),
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            (
                "a\0b\u{202e}c\u{ad}\u{200b}",
                "a\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}",
            ),
            ("\u{ffff}\u{4e00}", "\u{fffd}\u{fffd}"),
            ("é <&> ®", "é <&> ®"),
        ] {
            assert_eq!(clean(text), shown, "{text:?}");
        }
        assert_eq!(clean(&"x".repeat(100_000)).chars().count(), NAME_MAX + 1);
    }

    #[test]
    fn steps_in_a_list_are_folded() {
        for (set, text) in [
            ("", ""),
            ("0-5,48-53", "0-5,48-53"),
            ("0,2,4", "0,2,4"),
            ("0,2,4,6,8", "0,2,…,8"),
            ("0-3,8-11,16-19,24-27,31", "0-3,8-11,…,24-27,31"),
            ("0,2,4,6,9,12,15,18", "0,2,…,6,9,12,…,18"),
        ] {
            assert_eq!(list(&set.parse().unwrap()), text);
        }
    }

    #[test]
    fn a_text_that_is_cut_fits() {
        let text = "WWWW Ethernet Controller E810-C for QSFP";
        for width in [0, 10, 11, 40, 100, 200, 1000] {
            let cut = fit(text, 11, true, width);
            assert!(
                pixels(&cut, 11, true) <= width.max(pixels("…", 11, true)),
                "{cut}"
            );
        }
        assert_eq!(fit("short", 11, false, 100), "short");
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
