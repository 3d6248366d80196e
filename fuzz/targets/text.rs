//! The small texts of the kernel: numbers, sizes, switches, words, key and value.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::one_of;
use libhw::parse;
use libhw::units::Hertz;

const TEXTS: &[&[u8]] = &[
    b"2300000\n",
    b"-1\n\0",
    b"0x8086\n",
    b"Y\n",
    b"2048kB\n",
    b"32K",
    b"1125899906842623K\n",
    b"0-3,8\n",
    b"always [madvise] never\n",
    b"model name\t: AMD EPYC\nb: 2: 3\n",
];

fn text(bytes: &[u8]) -> bool {
    let bytes = one_of(TEXTS, bytes);
    let text = String::from_utf8_lossy(&bytes);
    let trimmed = parse::trim(&text);
    assert_eq!(parse::trim(trimmed), trimmed);
    for (key, value) in parse::key_values(&text) {
        let line = format!("{key}: {value}");
        assert_eq!(
            parse::key_values(&line).next(),
            Some((key, value)),
            "{line:?}"
        );
    }
    let again = [
        same(&text, parse::decimal::<u64>, u64::to_string),
        same(&text, parse::decimal::<u8>, u8::to_string),
        same(&text, parse::signed, i64::to_string),
        same(&text, parse::decimal_or_none, |n| {
            n.map_or("-1".into(), |n| n.to_string())
        }),
        same(&text, parse::hex, |n| format!("{n:#x}")),
        same(&text, parse::hex16, |n| format!("{n:04x}")),
        same(&text, parse::switch, |on| u8::from(*on).to_string()),
        same(&text, parse::size, |size| size.0.to_string()),
        same(&text, khz, |hertz| (hertz.0 / 1000).to_string()),
        same(&text, parse::chosen, |word| format!("[{word}]")),
    ];
    again.contains(&true) || parse::key_values(&text).next().is_some()
}

/// A frequency, but for those that are so large that they became the largest.
fn khz(text: &str) -> parse::Parsed<Hertz> {
    parse::khz(text).and_then(|hertz| {
        if hertz.0 == u64::MAX {
            Err(parse::Expected("less"))
        } else {
            Ok(hertz)
        }
    })
}

/// Whether `text` is a value; if so, what `emit` makes of it must be the same value.
fn same<T: PartialEq + std::fmt::Debug>(
    text: &str,
    parse: impl Fn(&str) -> parse::Parsed<T>,
    emit: impl Fn(&T) -> String,
) -> bool {
    let Ok(value) = parse(text) else { return false };
    let emitted = emit(&value);
    assert_eq!(
        parse(&emitted).as_ref(),
        Ok(&value),
        "{text:?} became {emitted:?}"
    );
    true
}

gnomon_fuzz::target!(text);
