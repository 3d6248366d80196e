//! When something was seen, by two clocks, and how far the one that people read can be trusted.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A moment of this boot.
///
/// Every duration of the engine is taken from `boottime`: a wall clock that jumps changes what is printed and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// CLOCK_REALTIME: RFC 3339 in UTC, nine digits.
    #[serde(rename = "time", with = "rfc3339")]
    pub(crate) realtime: Timestamp,
    /// CLOCK_BOOTTIME: since the boot, suspend included. Two of different boots cannot be compared.
    #[serde(rename = "boottime_ns", with = "nanoseconds")]
    pub(crate) boottime: Duration,
    /// How far `realtime` can be trusted.
    pub(crate) quality: Quality,
}

/// What held the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quality {
    /// Nothing that we know of.
    #[default]
    Unknown,
    /// The kernel says that its clock is synchronised (adjtimex(2)), as NTP does it.
    Ntp,
    /// A PTP daemon that we watch holds it.
    Ptp {
        /// It is at most so far from the grandmaster, by that daemon's own measure.
        bound_ns: u64,
    },
}

mod rfc3339 {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&format_args!("{time:.9}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, out: S) -> Result<S::Ok, S::Error> {
        // 2^64 ns are 584 years.
        out.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_tells_both_clocks_and_their_quality() {
        let stamp = Stamp {
            realtime: "2026-03-01T12:00:00Z".parse().unwrap(),
            boottime: Duration::from_millis(1500),
            quality: Quality::Ptp { bound_ns: 80 },
        };
        let json = serde_json::to_string(&stamp).unwrap();
        assert_eq!(
            json,
            r#"{"time":"2026-03-01T12:00:00.000000000Z","boottime_ns":1500000000,"quality":{"ptp":{"bound_ns":80}}}"#
        );
        assert_eq!(serde_json::from_str::<Stamp>(&json).unwrap(), stamp);
    }
}
