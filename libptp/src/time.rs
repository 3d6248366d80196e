//! Points in time and what lies between them: IEEE 1588-2019 §5.3.2, §5.3.3 and §7.2.
//!
//! Three kinds of points, which the compiler keeps apart: [`Timestamp`] counts TAI and is measured by clocks;
//! [`Utc`] is for people and needs the [`UtcOffset`] of its day; [`Monotonic`] drives our own timers.
//!
//! ```compile_fail,E0277
//! # use libptp::time::{Monotonic, Timestamp};
//! fn age(measured: Timestamp, now: Monotonic) { let _ = now - measured; }
//! ```
//!
//! ```compile_fail,E0277
//! # use libptp::time::{Timestamp, Utc};
//! fn error(tai: Timestamp, utc: Utc) { let _ = tai - utc; }
//! ```
//!
//! ```compile_fail,E0308
//! # use libptp::time::{Interval, Monotonic};
//! fn wake_at(now: Monotonic, offset: Interval) -> Monotonic { now + offset }
//! ```

mod interval;
mod monotonic;
mod rate;
mod timestamp;
mod utc;

pub use interval::{Interval, LogInterval};
pub use monotonic::Monotonic;
pub use rate::Ppb;
pub use timestamp::Timestamp;
pub use utc::{Leap, LeapKind, Utc, UtcOffset};

/// Nanoseconds in a second.
const NS_PER_S: u32 = 1_000_000_000;
