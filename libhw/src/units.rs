//! Quantities with their unit as a type. In JSON they are plain numbers under a name that ends in the unit.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub u64);
    };
}

quantity! {
    /// A size in bytes. Displayed with binary prefixes: `64 KiB`, `1.5 GiB`.
    Bytes
}
quantity! {
    /// A frequency in hertz. Displayed with decimal prefixes: `2.3 GHz`.
    Hertz
}
quantity! {
    /// A transfer rate in bytes per second. Displayed with decimal prefixes: `31.5 GB/s`.
    BytesPerSecond
}
quantity! {
    /// A duration in nanoseconds.
    Nanoseconds
}

impl Bytes {
    /// `count` kibibytes, the unit of most kernel files; saturates.
    #[must_use]
    pub const fn from_kib(count: u64) -> Self {
        Self(count.saturating_mul(1024))
    }
}

impl Hertz {
    /// `count` kilohertz, the unit of cpufreq; saturates.
    #[must_use]
    pub const fn from_khz(count: u64) -> Self {
        Self(count.saturating_mul(1000))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(
            f,
            self.0,
            1024,
            &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"],
        )
    }
}

impl fmt::Display for Hertz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, 1000, &["Hz", "kHz", "MHz", "GHz", "THz"])
    }
}

impl fmt::Display for BytesPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, 1000, &["B/s", "kB/s", "MB/s", "GB/s", "TB/s"])
    }
}

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} ns", self.0))
    }
}

/// Three significant figures at most, and no `.0`: exact integers stay exact.
fn scaled(f: &mut fmt::Formatter<'_>, value: u64, base: u64, units: &[&str]) -> fmt::Result {
    let mut divisor = 1_u128;
    let mut units = units.iter().copied();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if u128::from(value) < divisor * u128::from(base) {
            break;
        }
        divisor *= u128::from(base);
        unit = next;
    }
    let value = u128::from(value);
    let whole = value / divisor;
    let text = if value.is_multiple_of(divisor) || whole >= 100 {
        format!("{whole} {unit}")
    } else {
        // Cut, never rounded up: 1023.9 MiB must not read as 1024 MiB.
        let (digits, scale) = if whole >= 10 { (1, 10) } else { (2, 100) };
        let fraction = format!("{:0digits$}", value % divisor * scale / divisor);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            format!("{whole} {unit}")
        } else {
            format!("{whole}.{fraction} {unit}")
        }
    };
    f.pad(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_like_a_person_would_write_them() {
        for (value, text) in [
            (Bytes(0).to_string(), "0 B"),
            (Bytes(1023).to_string(), "1023 B"),
            (Bytes::from_kib(64).to_string(), "64 KiB"),
            (Bytes(1_610_612_736).to_string(), "1.5 GiB"),
            (Bytes(u64::MAX).to_string(), "15.9 EiB"),
            (Hertz::from_khz(2_300_000).to_string(), "2.3 GHz"),
            (Hertz(999).to_string(), "999 Hz"),
            (BytesPerSecond(31_500_000_000).to_string(), "31.5 GB/s"),
            (Bytes(1024 * 1024 - 1).to_string(), "1023 KiB"),
        ] {
            assert_eq!(value, text);
        }
    }

    #[test]
    fn a_display_width_is_kept() {
        assert_eq!(format!("{:>8}|", Bytes(1)), "     1 B|");
    }
}
