//! The time that drives our own timers.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A reading of this host's own steady clock (CLOCK_MONOTONIC), in nanoseconds since some start: it never
/// steps, means nothing elsewhere, and converts to no other kind of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic {
    ns: u64,
}

impl Monotonic {
    /// The last: 584 years after the start. As a time to wake at it means never.
    pub const MAX: Self = Self { ns: u64::MAX };

    /// `ns` nanoseconds after the start.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self { ns }
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn ns(self) -> u64 {
        self.ns
    }
}

/// Ends at [`Monotonic::MAX`].
impl Add<Duration> for Monotonic {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        let ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Self::from_ns(self.ns.saturating_add(ns))
    }
}

/// How long after `earlier`; none at all when it was before.
impl Sub for Monotonic {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.ns.saturating_sub(earlier.ns))
    }
}

/// Seconds since the start: `12.000000345`.
impl fmt::Display for Monotonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = u64::from(super::NS_PER_S);
        write!(f, "{}.{:09}", self.ns / second, self.ns % second)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_timer_is_so_long_after_now() {
        let now = Monotonic::from_ns(12_000_000_345);
        let due = now + Duration::from_millis(125);
        assert_eq!(due - now, Duration::from_millis(125));
        assert_eq!(now.to_string(), "12.000000345");
    }

    #[test]
    fn what_is_past_or_too_far_is_the_limit() {
        let now = Monotonic::from_ns(5);
        assert_eq!(now - Monotonic::from_ns(6), Duration::ZERO);
        assert_eq!(now + Duration::MAX, Monotonic::MAX);
        assert_eq!(Monotonic::MAX + Duration::from_nanos(1), Monotonic::MAX);
    }
}
