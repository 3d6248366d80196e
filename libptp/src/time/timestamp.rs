//! A point in PTP's own time.

use core::fmt;
use core::ops::{Add, Sub};

use super::interval::decimals;
use super::{Interval, NS_PER_S};

/// Units of 2⁻¹⁶ ns in a second.
const UNITS_PER_S: u128 = (NS_PER_S as u128) << 16;

/// A point in TAI, from the PTP epoch 1970-01-01 00:00:00 TAI on (IEEE 1588-2019 §5.3.3, §7.2.2): 48 bits of
/// seconds, nanoseconds, and 16 bits below them, so that a correction field is added without loss.
///
/// It knows no leap seconds: the difference of two is the time that passed. See [`Utc`](super::Utc) for a date.
///
/// ```
/// # use libptp::time::{Interval, Timestamp};
/// let sent = Timestamp::new(1_700_000_037, 999_999_990).unwrap();
/// let received = Timestamp::new(1_700_000_038, 15).unwrap();
/// assert_eq!(received - sent, Interval::from_ns(25));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Since the epoch, in units of 2⁻¹⁶ ns; less than 2⁴⁸ seconds.
    units: u128,
}

impl Timestamp {
    /// The PTP epoch.
    pub const EPOCH: Self = Self { units: 0 };
    /// The last that a message can say, nine million years on.
    pub const MAX: Self = Self {
        units: (UNITS_PER_S << 48) - 1,
    };

    /// `seconds` and `nanoseconds` after the epoch, secondsField and nanosecondsField of a message; `None` when
    /// these are more than 48 bits, or a second or more: no Timestamp then (§5.3.3).
    #[must_use]
    pub const fn new(seconds: u64, nanoseconds: u32) -> Option<Self> {
        if seconds >> 48 != 0 || nanoseconds >= NS_PER_S {
            return None;
        }
        Some(Self {
            units: seconds as u128 * UNITS_PER_S + ((nanoseconds as u128) << 16),
        })
    }

    /// Whole seconds since the epoch, of 48 bits.
    #[must_use]
    pub fn seconds(self) -> u64 {
        u64::try_from(self.units / UNITS_PER_S).unwrap_or(u64::MAX)
    }

    /// Whole nanoseconds of the second.
    #[must_use]
    pub fn nanoseconds(self) -> u32 {
        u32::try_from((self.units % UNITS_PER_S) >> 16).unwrap_or(u32::MAX)
    }

    /// What is below a nanosecond, in units of 2⁻¹⁶ ns.
    #[must_use]
    pub fn fraction(self) -> u16 {
        u16::try_from((self.units % UNITS_PER_S) & 0xffff).unwrap_or(u16::MAX)
    }

    /// So much later, or earlier when `length` is negative; `None` before the epoch and after [`Timestamp::MAX`].
    #[must_use]
    pub fn checked_add(self, length: Interval) -> Option<Self> {
        let units = self.units.checked_add_signed(length.scaled().into())?;
        (units <= Self::MAX.units).then_some(Self { units })
    }
}

/// So much later, or earlier when `length` is negative; ends at the epoch and at [`Timestamp::MAX`].
impl Add<Interval> for Timestamp {
    type Output = Self;

    fn add(self, length: Interval) -> Self {
        let units = self.units.saturating_add_signed(length.scaled().into());
        Self {
            units: units.min(Self::MAX.units),
        }
    }
}

/// So much earlier; ends at the epoch and at [`Timestamp::MAX`].
impl Sub<Interval> for Timestamp {
    type Output = Self;

    fn sub(self, length: Interval) -> Self {
        let units = self
            .units
            .saturating_add_signed(-i128::from(length.scaled()));
        Self {
            units: units.min(Self::MAX.units),
        }
    }
}

/// How long after `earlier`, negative when before; more than 39 hours become the limit of [`Interval`] (§5.3.2).
impl Sub for Timestamp {
    type Output = Interval;

    fn sub(self, earlier: Self) -> Interval {
        // Both are below 2⁹⁴, so the difference fits.
        Interval::nearest(self.units.wrapping_sub(earlier.units).cast_signed())
    }
}

/// Seconds since the epoch, exact: `1700000037.000000345 TAI`, with up to 25 decimals.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds(), self.nanoseconds())?;
        decimals(f, self.fraction().into())?;
        f.write_str(" TAI")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use std::string::ToString;

    use super::*;

    prop_compose! {
        pub(in super::super) fn timestamps()(
            seconds in 0_u64..1 << 48, nanoseconds in 0..NS_PER_S, fraction: u16,
        ) -> Timestamp {
            Timestamp::new(seconds, nanoseconds).unwrap() + Interval::from_scaled(fraction.into())
        }
    }

    #[test]
    fn the_fields_of_a_message_are_checked() {
        assert!(Timestamp::new(1 << 48, 0).is_none());
        assert!(Timestamp::new(0, NS_PER_S).is_none());
        let last = Timestamp::new((1 << 48) - 1, NS_PER_S - 1).unwrap();
        assert_eq!(last + Interval::from_scaled(0xffff), Timestamp::MAX);
    }

    #[test]
    fn a_difference_has_its_sign_and_its_limit() {
        let (a, b) = (
            Timestamp::new(9, 999_999_999).unwrap(),
            Timestamp::new(10, 1).unwrap(),
        );
        assert_eq!(
            (b - a, a - b),
            (Interval::from_ns(2), Interval::from_ns(-2))
        );
        assert_eq!(Timestamp::MAX - Timestamp::EPOCH, Interval::MAX);
        assert_eq!(Timestamp::EPOCH - Timestamp::MAX, Interval::MIN);
    }

    #[test]
    fn nothing_is_before_the_epoch_or_after_the_last() {
        let ns = Interval::from_ns(1);
        assert_eq!(Timestamp::EPOCH.checked_add(-ns), None);
        assert_eq!(Timestamp::EPOCH - ns, Timestamp::EPOCH);
        assert_eq!(Timestamp::MAX.checked_add(ns), None);
        assert_eq!(Timestamp::MAX + ns, Timestamp::MAX);
        assert_eq!(Timestamp::MAX - Interval::MIN, Timestamp::MAX);
    }

    #[test]
    fn a_timestamp_reads_in_exact_seconds() {
        let whole = Timestamp::new(1_700_000_037, 345).unwrap();
        assert_eq!(whole.to_string(), "1700000037.000000345 TAI");
        let half = whole + Interval::from_scaled(1 << 15);
        assert_eq!(half.to_string(), "1700000037.0000003455 TAI");
        assert_eq!(half.fraction(), 1 << 15);
    }

    proptest! {
        #[test]
        fn the_parts_make_the_whole(timestamp in timestamps()) {
            let whole = Timestamp::new(timestamp.seconds(), timestamp.nanoseconds()).unwrap();
            prop_assert_eq!(whole + Interval::from_scaled(timestamp.fraction().into()), timestamp);
        }

        #[test]
        fn what_is_added_is_the_difference(timestamp in timestamps(), scaled: i64) {
            let length = Interval::from_scaled(scaled);
            if let Some(later) = timestamp.checked_add(length) {
                prop_assert_eq!(later - timestamp, length);
                prop_assert_eq!(later - length, timestamp);
                prop_assert_eq!(timestamp + length, later);
            }
        }
    }
}
