//! PTP (IEEE 1588-2019): an engine that is told what happened and says what to do.
//!
//! ```text
//!   a PHC, received time          this host's timers          people, logs, other systems
//!            │                            │                               ▲
//!     time::Timestamp (TAI)        time::Monotonic                 time::Utc
//!            │  ▲                         │  ▲                            │
//!          − │  │ + time::Interval      − │  │ + core::time::Duration     │ with a time::UtcOffset
//!            ▼  │                         ▼  │                            │
//!     time::Interval                core::time::Duration       time::Timestamp
//! ```
//!
//! What stands here now are the quantities that all of PTP is said in. The engine, its servos and its
//! clocks are built on them, each in a module of its own.
//!
//! The crate's promise: outside a folder named `io/` it owns no clock, no socket, no file and no thread, it
//! never blocks, logs or draws a random number, it never mixes two timescales, and no input makes it panic.
//! Without `io/` it needs neither the standard library nor an allocator that it does not ask for.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod time;
