//! How much faster or slower a clock runs.

use core::fmt;
use core::ops::{Add, Neg, Sub};

use super::Interval;
use super::interval::point_decimals;

/// A rate relative to another clock, in units of 2⁻¹⁶ ppb; positive runs faster. Its range is ±140,737 s a
/// second, and what lies outside becomes the limit.
///
/// The kernel's unit (`freq` of `struct timex`, 2⁻¹⁶ ppm, adjtimex(2)) is exactly 1000 of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppb {
    scaled: i64,
}

impl Ppb {
    /// Neither faster nor slower.
    pub const ZERO: Self = Self { scaled: 0 };

    /// `ppb` parts per billion.
    #[must_use]
    pub const fn new(ppb: i64) -> Self {
        Self::from_scaled(ppb.saturating_mul(1 << 16))
    }

    /// `scaled` × 2⁻¹⁶ ppb.
    #[must_use]
    pub const fn from_scaled(scaled: i64) -> Self {
        Self { scaled }
    }

    /// In units of 2⁻¹⁶ ppb.
    #[must_use]
    pub const fn scaled(self) -> i64 {
        self.scaled
    }

    /// What `freq` of `struct timex` says, in units of 2⁻¹⁶ ppm.
    #[must_use]
    pub const fn from_timex(freq: i64) -> Self {
        Self::from_scaled(freq.saturating_mul(1000))
    }

    /// The nearest that `freq` of `struct timex` can say, in units of 2⁻¹⁶ ppm; halves away from zero.
    #[must_use]
    pub const fn timex(self) -> i64 {
        let (whole, rest) = (self.scaled / 1000, self.scaled % 1000);
        match rest {
            500.. => whole + 1,
            ..=-500 => whole - 1,
            _ => whole,
        }
    }

    /// What a clock of this rate gains while the other one counts `length`; rounded down to a unit.
    ///
    /// A clock that is 100 ppb fast gains 100 ns a second.
    #[must_use]
    pub fn over(self, length: Interval) -> Interval {
        let product = i128::from(self.scaled) * i128::from(length.scaled());
        Interval::nearest(product.div_euclid(i128::from(super::NS_PER_S) << 16))
    }
}

impl Add for Ppb {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from_scaled(self.scaled.saturating_add(other.scaled))
    }
}

impl Sub for Ppb {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::from_scaled(self.scaled.saturating_sub(other.scaled))
    }
}

impl Neg for Ppb {
    type Output = Self;

    fn neg(self) -> Self {
        Self::from_scaled(self.scaled.saturating_neg())
    }
}

/// Exact, and with its sign: `+12.5 ppb`.
impl fmt::Display for Ppb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.scaled.unsigned_abs();
        let sign = if self.scaled < 0 { '-' } else { '+' };
        write!(f, "{sign}{}", magnitude >> 16)?;
        point_decimals(f, magnitude & 0xffff)?;
        f.write_str(" ppb")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_clock_gains_its_rate_every_second() {
        let second = Interval::from_ns(1_000_000_000);
        assert_eq!(Ppb::new(100).over(second), Interval::from_ns(100));
        assert_eq!(Ppb::new(-100).over(second), Interval::from_ns(-100));
        assert_eq!(Ppb::new(1).over(-second), Interval::from_ns(-1));
        assert_eq!(
            Ppb::from_scaled(i64::MAX).over(Interval::MAX),
            Interval::MAX
        );
        assert_eq!(
            Ppb::from_scaled(i64::MAX).over(Interval::MIN),
            Interval::MIN
        );
    }

    #[test]
    fn a_rate_reads_with_its_sign() {
        assert_eq!(Ppb::from_scaled(25 << 15).to_string(), "+12.5 ppb");
        assert_eq!(Ppb::new(-32_768_000).to_string(), "-32768000 ppb");
        assert_eq!(Ppb::ZERO.to_string(), "+0 ppb");
    }

    #[test]
    fn the_kernels_unit_is_rounded_to_the_nearest() {
        for (scaled, timex) in [(0, 0), (499, 0), (500, 1), (1499, 1), (-499, 0), (-500, -1)] {
            assert_eq!(Ppb::from_scaled(scaled).timex(), timex, "{scaled}");
        }
        assert_eq!(Ppb::from_timex(65_536), Ppb::new(1000));
    }

    proptest! {
        #[test]
        fn every_timex_frequency_survives_the_way_through(freq in -(1_i64 << 53)..1 << 53) {
            prop_assert_eq!(Ppb::from_timex(freq).timex(), freq);
        }

        #[test]
        fn no_rate_panics(a: i64, b: i64) {
            let (x, y) = (Ppb::from_scaled(a), Ppb::from_scaled(b));
            let _ = (x + y, x - y, -x, x.timex(), Ppb::new(a), Ppb::from_timex(b));
            let _ = (x.over(Interval::from_scaled(b)), x.to_string());
        }
    }
}
