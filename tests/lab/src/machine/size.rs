//! Sizes as QEMU and people write them: `512M`, `1G`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const UNITS: [(char, u64); 4] = [
    ('T', 1 << 40),
    ('G', 1 << 30),
    ('M', 1 << 20),
    ('K', 1 << 10),
];

/// A number of bytes; in a description a text with a binary unit: `64K`, `512M`, `1G`, `2T`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl Size {
    /// So many MiB.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// So many GiB.
    #[must_use]
    pub const fn gib(count: u64) -> Self {
        Self(count << 30)
    }

    /// Whether it is a multiple of `unit`.
    #[must_use]
    pub const fn is_multiple_of(self, unit: Self) -> bool {
        self.0.is_multiple_of(unit.0)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |unit: &&(char, u64)| self.0 != 0 && self.0.is_multiple_of(unit.1);
        match UNITS.iter().find(whole) {
            Some((letter, unit)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unit = |unit: &&(char, u64)| text.ends_with(unit.0);
        let (digits, unit) = match UNITS.iter().find(unit) {
            Some((_, unit)) => (text.get(..text.len() - 1).unwrap_or_default(), *unit),
            None => (text, 1),
        };
        let bytes = digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit));
        let wrong = || format!("`{text}` is no size such as 512M or 1G");
        bytes.map(Self).ok_or_else(wrong)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_reads_back_as_it_was_written() {
        for (text, bytes) in [
            ("0", 0),
            ("7", 7),
            ("64K", 65536),
            ("512M", 512 << 20),
            ("6G", 6 << 30),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)));
            assert_eq!(Size(bytes).to_string(), text);
        }
        assert_eq!(Size(1 << 30).to_string(), "1G");
        for text in [
            "",
            "G",
            "1g",
            "-1M",
            "1.5G",
            "1 G",
            "1GG",
            "1GK",
            "99999999T",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
