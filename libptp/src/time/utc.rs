//! The time of day, for people and for what they read.

use core::fmt;

use super::{Interval, NS_PER_S, Timestamp};

/// Seconds of a UTC day without a leap second.
const DAY: i64 = 86_400;

/// A point in UTC. It has no arithmetic: a difference of two would not tell how much time passed.
///
/// A leap second is a point of its own, `23:59:60`, which no count of seconds since 1970 can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc {
    /// As POSIX counts: 86400 for each day since 1970-01-01, and the seconds of the day.
    seconds: i64,
    /// In the second that is inserted after `seconds`.
    leap: bool,
    nanoseconds: u32,
    /// Below a nanosecond, in units of 2⁻¹⁶ ns.
    fraction: u16,
}

/// What lies between TAI and UTC (IEEE 1588-2019 §7.2.4), as timePropertiesDS says it (§8.2.4).
///
/// PTP only says that the UTC day that is running ends with a leap second; which day that is, the one who
/// hears it knows, and says so here. So the same offset holds before, in and after the leap second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UtcOffset {
    /// currentUtcOffset: TAI − UTC in seconds, before the leap second. 37 since 2017.
    pub seconds: i16,
    /// The leap second that is announced.
    pub leap: Option<Leap>,
}

/// A leap second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leap {
    /// The day that begins after it, in days since 1970-01-01.
    pub before_day: u32,
    /// What happens.
    pub kind: LeapKind,
}

/// What happens at a leap second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeapKind {
    /// leap61: the day's last minute has 61 seconds.
    Insert,
    /// leap59: it has 59 seconds. There has been none so far.
    Delete,
}

impl Utc {
    /// What a clock that counts as POSIX does says, as CLOCK_REALTIME; `None` for a second or more of
    /// `nanoseconds`. Such a clock says `23:59:59` or `00:00:00` in a leap second, and so does this.
    #[must_use]
    pub const fn from_posix(seconds: i64, nanoseconds: u32) -> Option<Self> {
        if nanoseconds >= NS_PER_S {
            return None;
        }
        Some(Self {
            seconds,
            leap: false,
            nanoseconds,
            fraction: 0,
        })
    }

    /// The point that TAI calls `timestamp`, where `offset` holds.
    #[must_use]
    pub fn from_tai(timestamp: Timestamp, offset: UtcOffset) -> Self {
        let plain = timestamp.seconds().cast_signed() - i64::from(offset.seconds);
        let (seconds, leap) = match offset.leap.map(|leap| (leap.kind, leap.midnight())) {
            Some((LeapKind::Insert, midnight)) if plain >= midnight => {
                (plain - 1, plain == midnight)
            }
            Some((LeapKind::Delete, midnight)) if plain >= midnight - 1 => (plain + 1, false),
            _ => (plain, false),
        };
        Self {
            seconds,
            leap,
            nanoseconds: timestamp.nanoseconds(),
            fraction: timestamp.fraction(),
        }
    }

    /// The point in TAI, where `offset` holds. `None` for what is no such point: a leap second of which `offset`
    /// does not know, the second that it deletes, and what is before the PTP epoch or too far after it.
    #[must_use]
    pub fn to_tai(self, offset: UtcOffset) -> Option<Timestamp> {
        let since = |leap: Leap| self.seconds.checked_sub(leap.midnight());
        let shift = match offset.leap.map(|leap| (leap.kind, since(leap))) {
            Some((LeapKind::Insert, Some(-1))) => i64::from(self.leap),
            _ if self.leap => return None,
            Some((LeapKind::Delete, Some(-1))) => return None,
            Some((LeapKind::Insert, Some(0..))) => 1,
            Some((LeapKind::Delete, Some(0..))) => -1,
            _ => 0,
        };
        let seconds = self
            .seconds
            .checked_add(i64::from(offset.seconds) + shift)?;
        let whole = Timestamp::new(seconds.try_into().ok()?, self.nanoseconds)?;
        whole.checked_add(Interval::from_scaled(self.fraction.into()))
    }
}

impl Leap {
    /// The start of the day after it, as POSIX counts.
    const fn midnight(self) -> i64 {
        self.before_day as i64 * DAY
    }
}

/// As RFC 3339, with nanoseconds, what is less cut off: `2016-12-31T23:59:60.000000345Z`.
impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.seconds.div_euclid(DAY));
        let of_day = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:")?;
        write!(
            f,
            "{:02}.{:09}Z",
            second + i64::from(self.leap),
            self.nanoseconds
        )
    }
}

/// Year, month and day of the Gregorian calendar, for a day counted from 1970-01-01.
///
/// Counted from 0000-03-01, a leap day is the last of its year, its 4 years, and its 400 years.
fn date(day: i64) -> (i64, i64, i64) {
    const BEFORE_MONTH: [i64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];
    let day = day + 719_468;
    let (cycles, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let centuries = (day / 36_524).min(3);
    let day = day - centuries * 36_524;
    let (fours, day) = (day / 1461, day % 1461);
    let years = (day / 365).min(3);
    let day = day - years * 365;
    let year = cycles * 400 + centuries * 100 + fours * 4 + years;
    let (month, before) = (1_i64..)
        .zip(BEFORE_MONTH)
        .take_while(|(_, before)| *before <= day)
        .last()
        .unwrap_or((1, 0));
    // March is the first; January and February belong to the next calendar year.
    let (year, month) = if month > 10 {
        (year + 1, month - 10)
    } else {
        (year, month + 2)
    };
    (year, month, day - before + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::string::ToString;

    use super::super::timestamp::tests::timestamps;
    use super::*;

    /// 2017-01-01, the day after the last leap second so far.
    const DAY_2017: u32 = 17_167;

    const fn offset(seconds: i16, kind: LeapKind) -> UtcOffset {
        let before_day = DAY_2017;
        let leap = Some(Leap { before_day, kind });
        UtcOffset { seconds, leap }
    }

    const PLAIN: UtcOffset = UtcOffset {
        seconds: 37,
        leap: None,
    };

    fn tai(seconds: u64) -> Timestamp {
        Timestamp::new(seconds, 345).unwrap()
    }

    #[test]
    fn a_date_is_read_through_the_offset() {
        for (seconds, text) in [
            (37, "1970-01-01T00:00:00.000000345Z"),
            (0, "1969-12-31T23:59:23.000000345Z"),
            (951_782_437, "2000-02-29T00:00:00.000000345Z"),
            (951_868_837, "2000-03-01T00:00:00.000000345Z"),
            (1_700_000_037, "2023-11-14T22:13:20.000000345Z"),
            (4_107_542_437, "2100-03-01T00:00:00.000000345Z"),
            (253_402_300_836, "9999-12-31T23:59:59.000000345Z"),
        ] {
            assert_eq!(Utc::from_tai(tai(seconds), PLAIN).to_string(), text);
        }
    }

    #[test]
    fn the_leap_second_of_2016_has_its_own_name() {
        let leap = offset(36, LeapKind::Insert);
        let midnight = u64::from(DAY_2017) * 86_400;
        for (seconds, text) in [
            (midnight + 35, "2016-12-31T23:59:59.000000345Z"),
            (midnight + 36, "2016-12-31T23:59:60.000000345Z"),
            (midnight + 37, "2017-01-01T00:00:00.000000345Z"),
            (midnight + 38, "2017-01-01T00:00:01.000000345Z"),
        ] {
            let utc = Utc::from_tai(tai(seconds), leap);
            assert_eq!(utc.to_string(), text);
            assert_eq!(utc.to_tai(leap), Some(tai(seconds)), "{text}");
        }
        let during = Utc::from_tai(tai(midnight + 36), leap);
        assert_eq!(during.to_tai(PLAIN), None);
        assert_eq!(during.to_tai(offset(36, LeapKind::Delete)), None);
    }

    #[test]
    fn a_deleted_second_does_not_exist() {
        let leap = offset(37, LeapKind::Delete);
        let midnight = u64::from(DAY_2017) * 86_400;
        for (seconds, text) in [
            (midnight + 35, "2016-12-31T23:59:58.000000345Z"),
            (midnight + 36, "2017-01-01T00:00:00.000000345Z"),
            (midnight + 37, "2017-01-01T00:00:01.000000345Z"),
        ] {
            let utc = Utc::from_tai(tai(seconds), leap);
            assert_eq!(utc.to_string(), text);
            assert_eq!(utc.to_tai(leap), Some(tai(seconds)), "{text}");
        }
        let deleted = Utc::from_posix(i64::from(DAY_2017) * DAY - 1, 0).unwrap();
        assert_eq!(deleted.to_tai(leap), None);
    }

    #[test]
    fn what_is_no_point_in_tai_is_none() {
        assert_eq!(
            Utc::from_posix(-38, 0).and_then(|utc| utc.to_tai(PLAIN)),
            None
        );
        for seconds in [i64::MIN, i64::MAX] {
            let utc = Utc::from_posix(seconds, 0).unwrap();
            assert_eq!(utc.to_tai(offset(37, LeapKind::Insert)), None);
            assert!(!utc.to_string().is_empty());
        }
        assert_eq!(Utc::from_posix(0, NS_PER_S), None);
    }

    fn offsets() -> impl Strategy<Value = UtcOffset> {
        let kind = prop_oneof![Just(LeapKind::Insert), Just(LeapKind::Delete)];
        let leap = (any::<u32>(), kind).prop_map(|(before_day, kind)| Leap { before_day, kind });
        let parts = (any::<i16>(), proptest::option::of(leap));
        parts.prop_map(|(seconds, leap)| UtcOffset { seconds, leap })
    }

    proptest! {
        #[test]
        fn every_point_survives_the_way_through_utc(timestamp in timestamps(), offset in offsets()) {
            prop_assert_eq!(Utc::from_tai(timestamp, offset).to_tai(offset), Some(timestamp));
        }

        #[test]
        fn points_near_a_leap_second_keep_their_order(around in -3_i64..3, offset in offsets()) {
            let midnight = offset.leap.map_or(86_400 * 365, Leap::midnight);
            let seconds = midnight + around + i64::from(offset.seconds);
            if let Some(first) = u64::try_from(seconds).ok().and_then(|s| Timestamp::new(s, 1)) {
                let second = first + Interval::from_ns(1_000_000_000);
                prop_assert!(Utc::from_tai(first, offset) < Utc::from_tai(second, offset));
                prop_assert_eq!(Utc::from_tai(first, offset).to_tai(offset), Some(first));
            }
        }

        #[test]
        fn days_follow_each_other(day in -4_000_000_i64..4_000_000) {
            let ((y, m, d), next) = (date(day), date(day + 1));
            prop_assert!(next == (y, m, d + 1) || next == (y, m + 1, 1) || next == (y + 1, 1, 1));
            prop_assert!((1..=12).contains(&m) && (1..=31).contains(&d));
        }
    }
}
