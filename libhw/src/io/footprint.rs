//! What a program that runs for long can give back once it has started.

use std::io;

use crate::io::sys;

/// Gives back the memory of all code that ran so far. What runs again is mapped again from its file, which
/// costs microseconds; what ran only at the start, such as the reading of arguments, stays away.
///
/// # Errors
/// When /proc is not there; nothing is lost then but the memory.
pub fn release_code() -> io::Result<()> {
    sys::discard_code()
}
