//! The few texts that the kernel repeats everywhere, each as a function from text to value.
//!
//! A parser is a `fn(&str) -> Parsed<T>`; what it says it expected goes into the message that a person reads.

use crate::idset::IdSet;
use crate::units::{Bytes, Hertz};

/// What a parser wanted to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected(pub &'static str);

/// A value, or what should have stood there.
pub type Parsed<T> = Result<T, Expected>;

/// A text without the white space and NUL bytes around it: some drivers end an attribute in `\n\0`.
#[must_use]
pub fn trim(text: &str) -> &str {
    let text = text.trim_ascii();
    let is_plain = |end: Option<&u8>| end.is_none_or(u8::is_ascii_graphic);
    if is_plain(text.as_bytes().first()) && is_plain(text.as_bytes().last()) {
        return text;
    }
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// The trimmed text itself; an empty one is malformed (see [`nonempty`] for where empty means absent).
///
/// # Errors
/// When nothing is left.
pub fn text(text: &str) -> Parsed<String> {
    nonempty(text).ok_or(Expected("a text"))
}

/// The trimmed text, or `None` when nothing is left of it.
#[must_use]
pub fn nonempty(text: &str) -> Option<String> {
    let text = trim(text);
    (!text.is_empty()).then(|| text.to_owned())
}

/// An unsigned decimal number of any width.
///
/// ```text
/// 2300000
/// ```
///
/// # Errors
/// When it is no number, has a sign, or does not fit.
pub fn decimal<T: std::str::FromStr>(text: &str) -> Parsed<T> {
    let text = trim(text);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { text.parse().ok() } else { None };
    value.ok_or(Expected("a decimal number"))
}

/// A decimal number that may be negative: the kernel writes `-1` for "none" in `core_id`, `numa_node` and others.
///
/// # Errors
/// When it is no number or does not fit.
pub fn signed(text: &str) -> Parsed<i64> {
    trim(text)
        .parse()
        .map_err(|_| Expected("a decimal number, or -1"))
}

/// As [`signed`], with every negative number read as "none".
///
/// # Errors
/// When it is no number or does not fit.
pub fn decimal_or_none(text: &str) -> Parsed<Option<u32>> {
    match signed(text)? {
        value if value < 0 => Ok(None),
        value => u32::try_from(value)
            .map(Some)
            .map_err(|_| Expected("a decimal number, or -1")),
    }
}

/// A hexadecimal number, with or without `0x`.
///
/// ```text
/// 0x8086
/// ```
///
/// # Errors
/// When it is no such number, or is wider than 64 bits.
pub fn hex(text: &str) -> Parsed<u64> {
    let text = trim(text);
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text);
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = if well_formed {
        u64::from_str_radix(digits, 16).ok()
    } else {
        None
    };
    value.ok_or(Expected("a hexadecimal number"))
}

/// As [`hex`], for numbers of at most 16 bits (PCI ids).
///
/// # Errors
/// When it is no such number.
pub fn hex16(text: &str) -> Parsed<u16> {
    hex(text)?
        .try_into()
        .map_err(|_| Expected("a hexadecimal number of at most 16 bits"))
}

/// `0` or `1`, also as `N`/`Y` (module parameters).
///
/// # Errors
/// When it is neither.
pub fn switch(text: &str) -> Parsed<bool> {
    match trim(text) {
        "0" | "N" | "n" => Ok(false),
        "1" | "Y" | "y" => Ok(true),
        _ => Err(Expected("0 or 1")),
    }
}

/// A cpulist or nodelist.
///
/// ```text
/// 0-3,8
/// ```
///
/// # Errors
/// When it is no list, or counts beyond [`IdSet::LIMIT`].
pub fn list(text: &str) -> Parsed<IdSet> {
    text.parse().map_err(|_| Expected("a list such as 0-3,8"))
}

/// A bitmap in groups of 32 bits, highest group first: cpumap, nodemap.
///
/// ```text
/// 00000000,0000ffff
/// ```
///
/// # Errors
/// When it is no bitmap, or counts beyond [`IdSet::LIMIT`].
pub fn bitmap(text: &str) -> Parsed<IdSet> {
    const EXPECTED: Expected = Expected("a bitmap such as 00000000,0000ffff");
    let mut set = IdSet::new();
    for (group, digits) in (0_u32..).step_by(32).zip(trim(text).rsplit(',')) {
        if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(EXPECTED);
        }
        let mut word = u32::from_str_radix(digits, 16).map_err(|_| EXPECTED)?;
        while word != 0 {
            if !set.insert(group + word.trailing_zeros()) {
                return Err(EXPECTED);
            }
            word &= word - 1;
        }
    }
    Ok(set)
}

/// A size with the suffix that caches, huge pages and mount options use; no suffix is bytes.
///
/// ```text
/// 32K
/// ```
///
/// # Errors
/// When it is no such size, or does not fit 64 bits.
pub fn size(text: &str) -> Parsed<Bytes> {
    const EXPECTED: Expected = Expected("a size such as 32K");
    let text = trim(text);
    let text = text.strip_suffix('B').unwrap_or(text);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text.get(digits.len()..).unwrap_or_default() {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        "t" | "T" => 40,
        _ => return Err(EXPECTED),
    };
    let value: u64 = decimal(digits).map_err(|_| EXPECTED)?;
    value.checked_mul(1 << shift).map(Bytes).ok_or(EXPECTED)
}

/// A number of kilohertz, the unit of cpufreq.
///
/// # Errors
/// When it is no number.
pub fn khz(text: &str) -> Parsed<Hertz> {
    decimal(text).map(Hertz::from_khz)
}

/// A path as it is: the kernel writes white space, backslash and `#` as three octal digits.
///
/// ```text
/// /mnt/huge\040pages
/// ```
#[must_use]
pub fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.first_chunk().filter(|_| *first == b'\\');
        match escaped.and_then(octal) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn octal(digits: &[u8; 3]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| u8::from_str_radix(digits, 8).ok())?
}

/// The lines `key: value`, both trimmed, in their order; lines without a colon are left out.
///
/// ```text
/// model name : AMD EPYC 7451 24-Core Processor
/// ```
pub fn key_values(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (trim(key), trim(value)))
}

/// The PCI function that a device hangs off: the last address on the way to it.
///
/// ```text
/// ../../devices/pci0000:00/0000:00:03.0/virtio2/net/eth0
/// ```
#[must_use]
pub fn function_above(place: &str) -> Option<&str> {
    place.rsplit('/').find(|part| is_function(part))
}

/// Whether a name is the address of a PCI function: `0000:00:03.0`. The domain may be wider than four digits (Intel
/// VMD, Hyper-V).
#[must_use]
pub fn is_function(part: &str) -> bool {
    let digits = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let mut parts = part.split(':');
    let (domain, bus, rest) = (parts.next(), parts.next(), parts.next());
    let device = rest.and_then(|rest| rest.split_once('.'));
    parts.next().is_none()
        && domain.is_some_and(|domain| digits(domain, 4, 8))
        && bus.is_some_and(|bus| digits(bus, 2, 2))
        && device.is_some_and(|(device, function)| digits(device, 2, 2) && digits(function, 1, 1))
}

/// The chosen word of a kernel switch.
///
/// ```text
/// always [madvise] never
/// ```
///
/// # Errors
/// When no word stands in brackets.
pub fn chosen(text: &str) -> Parsed<String> {
    text.split_whitespace()
        .find_map(|word| word.strip_prefix('[')?.strip_suffix(']'))
        .map(str::to_owned)
        .ok_or(Expected("a list of words, one of them in brackets"))
}

/// Whether a setting of this name holds a password or a key, as far as a name can tell: `rd.luks.key`, `api_token`.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 11] = [
        "apikey",
        "credential",
        "credentials",
        "key",
        "passphrase",
        "passwd",
        "password",
        "psk",
        "pwd",
        "secret",
        "token",
    ];
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let known = |word: &str| WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret));
    words.into_iter().any(known)
}

/// Whether a value is an address with a password in it: `https://user:password@host/`.
#[must_use]
pub fn holds_password(value: &str) -> bool {
    let password = |rest: &str| {
        let authority = rest
            .split(['/', '?', '#', ' ', ','])
            .next()
            .unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.is_some_and(|user| user.contains(':'))
    };
    value.split("://").skip(1).any(password)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_the_kernel_writes_them() {
        assert_eq!(decimal::<u32>("12\n"), Ok(12));
        assert_eq!(decimal::<u64>("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(signed("-1\n"), Ok(-1));
        assert_eq!(decimal_or_none("-1\n"), Ok(None));
        assert_eq!(decimal_or_none("7\n\0"), Ok(Some(7)));
        assert_eq!(hex("0x8086\n"), Ok(0x8086));
        assert_eq!(hex("ffffffffffffffff"), Ok(u64::MAX));
        assert_eq!(hex16("0x1af4"), Ok(0x1af4));
        assert_eq!((switch("1\n"), switch("N\n")), (Ok(true), Ok(false)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "\n", "x", "-1", "+1", "1 2", "256", "0x10", "1.5"] {
            assert!(decimal::<u8>(text).is_err(), "{text:?}");
        }
        for text in ["", "0x", "xyz", "-1", "+1", "0x+1", "0x10000000000000000"] {
            assert!(hex(text).is_err(), "{text:?}");
        }
        assert!(hex16("0x10000").is_err());
        assert!(decimal_or_none("4294967296").is_err());
        assert!(switch("2").is_err());
    }

    #[test]
    fn bitmaps_are_read_from_the_right() {
        for (text, list) in [
            ("1", "0"),
            ("f\n", "0-3"),
            ("00000000,0000ffff", "0-15"),
            ("80000000,00000001", "0,63"),
            ("0", ""),
        ] {
            assert_eq!(
                bitmap(text).map(|set| set.to_string()),
                Ok(list.to_owned()),
                "{text:?}"
            );
        }
        for text in ["", "g", "1,,1", "123456789", "+1"] {
            assert!(bitmap(text).is_err(), "{text:?}");
        }
        assert!(bitmap(&format!("1{}", ",00000000".repeat(2048))).is_err());
    }

    #[test]
    fn sizes_have_binary_suffixes() {
        for (text, bytes) in [
            ("32K\n", 32 << 10),
            ("2048kB", 2 << 20),
            ("2M", 2 << 20),
            ("1G", 1 << 30),
            ("4096", 4096),
            ("0K", 0),
        ] {
            assert_eq!(size(text), Ok(Bytes(bytes)), "{text:?}");
        }
        for text in ["", "K", "1.5M", "1X", "-1K", "18446744073709551615K", "1KK"] {
            assert!(size(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_word_in_brackets_is_the_chosen_one() {
        assert_eq!(chosen("always [madvise] never\n").as_deref(), Ok("madvise"));
        assert!(chosen("always never").is_err());
    }

    #[test]
    fn the_nearest_function_on_the_way_is_the_one_above() {
        for (place, function) in [
            (
                "../../devices/pci0000:00/0000:00:03.0/virtio2/net/eth0",
                Some("0000:00:03.0"),
            ),
            ("../../../0000:60:00.0", Some("0000:60:00.0")),
            (
                "../../devices/pci10000:00/10000:e1:00.0/net/eth0",
                Some("10000:e1:00.0"),
            ),
            (
                "../../devices/pci0000:00/0000:00:02.0/0000:05:00.0/fpga_region/region0",
                Some("0000:05:00.0"),
            ),
            (
                "../../devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0",
                Some("0000:00:14.0"),
            ),
            ("../../devices/virtual/net/lo", None),
            ("../../devices/pci0000:00/pci_bus/0000:00", None),
            ("../../devices/platform/firmware:zynqmp-firmware:pcap", None),
            ("../../devices/platform/coretemp.0/hwmon/hwmon1", None),
            ("pci0000:00", None),
            ("0000:00:03", None),
            ("0000:05:00.00", None),
            ("0000:00:00.0.1", None),
            ("000000000:00:00.0", None),
            ("", None),
        ] {
            assert_eq!(function_above(place), function, "{place}");
        }
    }

    #[test]
    fn a_password_is_known_by_the_name_before_it_or_by_its_place_in_an_address() {
        for name in ["password", "rd.luks.key", "API-TOKEN", "wpa_psk"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["keymap", "monkey", "tokens2", "", "keyboard"] {
            assert!(!is_secret(name), "{name}");
        }
        for value in ["https://a:b@c/", "url=http://x/,nfs://u:p@h"] {
            assert!(holds_password(value), "{value}");
        }
        for value in [
            "https://a@b/",
            "https://a/b:c@d",
            "10.0.0.1::10.0.0.2",
            "://",
        ] {
            assert!(!holds_password(value), "{value}");
        }
    }

    #[test]
    fn key_values_leave_other_lines_out() {
        let pairs: Vec<_> = key_values("a\t: 1\n\nnoise\nb: 2: 3\n").collect();
        assert_eq!(pairs, [("a", "1"), ("b", "2: 3")]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = (decimal::<u64>(&text), signed(&text), hex(&text), switch(&text), list(&text));
            let _ = (bitmap(&text), size(&text), chosen(&text), key_values(&text).count());
        }
    }
}
