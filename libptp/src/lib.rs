//! PTP: engine, servos, clocks, sockets.
pub mod time;
