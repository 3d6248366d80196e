//! Lengths of time as PTP measures and announces them.

use core::fmt;
use core::ops::{Add, Neg, Sub};
use core::time::Duration;

use super::NS_PER_S;

/// A length of measured time with its sign, in units of 2⁻¹⁶ ns: TimeInterval (IEEE 1588-2019 §5.3.2), and the
/// correctionField of every message (§13.3.2.9).
///
/// Its range is ±39 hours. What lies outside becomes the nearest limit, as §5.3.2 rules, in every operation
/// here; [`Interval::is_saturated`] tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    scaled: i64,
}

impl Interval {
    /// No time at all.
    pub const ZERO: Self = Self { scaled: 0 };
    /// The longest.
    pub const MAX: Self = Self { scaled: i64::MAX };
    /// The longest, backwards.
    pub const MIN: Self = Self { scaled: i64::MIN };

    /// `scaled` × 2⁻¹⁶ ns: the number on the wire.
    #[must_use]
    pub const fn from_scaled(scaled: i64) -> Self {
        Self { scaled }
    }

    /// `ns` nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: i64) -> Self {
        Self {
            scaled: ns.saturating_mul(1 << 16),
        }
    }

    /// In units of 2⁻¹⁶ ns: the number on the wire.
    #[must_use]
    pub const fn scaled(self) -> i64 {
        self.scaled
    }

    /// The nearest whole nanosecond; a half counts upwards.
    #[must_use]
    pub const fn ns(self) -> i64 {
        (self.scaled >> 16) + ((self.scaled >> 15) & 1)
    }

    /// Whether it is a limit of the range, and so may stand for something longer.
    #[must_use]
    pub const fn is_saturated(self) -> bool {
        self.scaled == i64::MAX || self.scaled == i64::MIN
    }

    /// Half of it, as a mean path delay is half of a round trip; rounded down to a unit.
    #[must_use]
    pub const fn half(self) -> Self {
        Self {
            scaled: self.scaled >> 1,
        }
    }

    /// Its length without the sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self {
            scaled: self.scaled.saturating_abs(),
        }
    }

    /// The nearest in range to `scaled` × 2⁻¹⁶ ns.
    pub(super) fn nearest(scaled: i128) -> Self {
        let limit = if scaled < 0 { Self::MIN } else { Self::MAX };
        i64::try_from(scaled).map_or(limit, Self::from_scaled)
    }
}

impl Add for Interval {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from_scaled(self.scaled.saturating_add(other.scaled))
    }
}

impl Sub for Interval {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::from_scaled(self.scaled.saturating_sub(other.scaled))
    }
}

impl Neg for Interval {
    type Output = Self;

    fn neg(self) -> Self {
        Self::from_scaled(self.scaled.saturating_neg())
    }
}

/// In nanoseconds, exact: `-1.5 ns`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.scaled.unsigned_abs();
        let sign = if self.scaled < 0 { "-" } else { "" };
        write!(f, "{sign}{}", magnitude >> 16)?;
        point_decimals(f, magnitude & 0xffff)?;
        f.write_str(" ns")
    }
}

/// `.` and the [`decimals`]; nothing for none.
pub(super) fn point_decimals(f: &mut fmt::Formatter<'_>, units: u64) -> fmt::Result {
    if units > 0 {
        f.write_str(".")?;
    }
    decimals(f, units)
}

/// The decimals of `units` × 2⁻¹⁶, without zeros at the end.
///
/// 2⁻¹⁶ is 152587890625 × 10⁻¹⁶, so sixteen decimals say it exactly.
pub(super) fn decimals(f: &mut fmt::Formatter<'_>, units: u64) -> fmt::Result {
    let mut rest = (units & 0xffff) * 152_587_890_625;
    let mut place = 1_000_000_000_000_000;
    while rest > 0 {
        write!(f, "{}", rest / place)?;
        rest %= place;
        place /= 10;
    }
    Ok(())
}

/// The mean time between messages as the power of two of its seconds: logMessageInterval (IEEE 1588-2019 §7.7.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogInterval(pub i8);

impl LogInterval {
    /// Stands for "none given" in messages where an interval has no meaning (§13.3.2.14): it has no [`duration`].
    ///
    /// [`duration`]: LogInterval::duration
    pub const NONE: Self = Self(0x7f);

    /// The time that it stands for, cut to a nanosecond: 1 s for 0, 125 ms for -3.
    ///
    /// `None` below 1 ns (-30 and less) and above 2⁶³ s: nothing is timed so.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        let power = self.0.unsigned_abs() as u32;
        match self.0 {
            0..64 => Some(Duration::from_secs(1 << power)),
            -29..0 => Some(Duration::from_nanos((NS_PER_S >> power) as u64)),
            _ => None,
        }
    }
}

impl fmt::Display for LogInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.duration() {
            Some(duration) => write!(f, "{duration:?}"),
            None => write!(f, "2^{} s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::string::ToString;

    use super::*;

    #[test]
    fn an_interval_reads_in_exact_nanoseconds() {
        for (scaled, text, ns) in [
            (0, "0 ns", 0),
            // The example of IEEE 1588-2019 §5.3.2.
            (0x2_8000, "2.5 ns", 3),
            (-0x1_8000, "-1.5 ns", -1),
            (1, "0.0000152587890625 ns", 0),
            (0xffff, "0.9999847412109375 ns", 1),
            (-1, "-0.0000152587890625 ns", 0),
            (-0x4000, "-0.25 ns", 0),
            (i64::MAX, "140737488355327.9999847412109375 ns", 1 << 47),
            (i64::MIN, "-140737488355328 ns", -(1 << 47)),
        ] {
            let interval = Interval::from_scaled(scaled);
            assert_eq!(interval.to_string(), text);
            assert_eq!(interval.ns(), ns, "{text}");
        }
    }

    #[test]
    fn what_is_out_of_range_becomes_the_limit() {
        assert_eq!(Interval::from_ns(i64::MAX), Interval::MAX);
        assert_eq!(Interval::MIN - Interval::from_ns(1), Interval::MIN);
        assert_eq!(Interval::MAX + Interval::from_ns(1), Interval::MAX);
        assert_eq!(-Interval::MIN, Interval::MAX);
        assert_eq!(Interval::MIN.abs(), Interval::MAX);
        assert!(Interval::MAX.is_saturated() && !Interval::from_ns(1).is_saturated());
    }

    #[test]
    fn log_intervals_are_powers_of_two_seconds() {
        for (log, text) in [
            (0, "1s"),
            (1, "2s"),
            (-3, "125ms"),
            (-7, "7.8125ms"),
            (-9, "1.953125ms"),
            (-10, "976.562µs"),
            (-29, "1ns"),
            (-30, "2^-30 s"),
            (64, "2^64 s"),
            (127, "2^127 s"),
            (-128, "2^-128 s"),
        ] {
            assert_eq!(LogInterval(log).to_string(), text);
        }
        assert_eq!(
            LogInterval(63).duration(),
            Some(Duration::from_secs(1 << 63))
        );
        assert_eq!(LogInterval::NONE.duration(), None);
    }

    proptest! {
        #[test]
        fn no_interval_panics(a: i64, b: i64) {
            let (a, b) = (Interval::from_scaled(a), Interval::from_scaled(b));
            prop_assert_eq!(a + b, b + a);
            prop_assert_eq!(a.half() + (a - a.half()), a);
            let _ = (a - b, -a, a.abs(), a.ns(), a.to_string(), Interval::from_ns(a.scaled()));
        }

        #[test]
        fn displayed_decimals_are_the_value(scaled: i64) {
            let text = Interval::from_scaled(scaled).to_string();
            let digits = text.trim_end_matches(" ns").trim_start_matches('-');
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
            let tenths: u128 = std::format!("{fraction:0<16}").parse().unwrap();
            let value = (whole.parse::<u128>().unwrap() << 16) + tenths / 152_587_890_625;
            prop_assert_eq!(value, u128::from(scaled.unsigned_abs()));
            prop_assert_eq!(tenths % 152_587_890_625, 0);
        }
    }
}
