//! Where the lab can't be had.

use std::fs;
use std::io::Write;

use crate::provision;

/// Whether machines can be booted here. Where not, the test is listed as skipped, with the reason.
///
/// ```no_run
/// if !gnomon_lab::ready() {
///     return;
/// }
/// ```
///
/// # Panics
/// Where they can't and `GNOMON_LAB_REQUIRED=1` is set.
#[must_use]
pub fn ready() -> bool {
    let missing = provision::qemu()
        .err()
        .or_else(|| provision::kernel("6.12").err());
    missing.is_none_or(|error| skipped(&error.to_string()))
}

/// Lists the running test as skipped: a line to standard error, and to the file that `GNOMON_SKIPPED` names. False.
///
/// # Panics
/// Where `GNOMON_LAB_REQUIRED=1` is set.
pub fn skipped(reason: &str) -> bool {
    let thread = std::thread::current();
    let line = format!("{}: {reason}\n", thread.name().unwrap_or("a test"));
    assert!(!is_required(), "the lab is required: {line}");
    let _ = write!(std::io::stderr(), "SKIPPED: {line}");
    if let Some(list) = std::env::var_os("GNOMON_SKIPPED") {
        let list = fs::OpenOptions::new().append(true).create(true).open(list);
        let mut list = list.expect("the list of skipped tests");
        list.write_all(line.as_bytes()).expect("room for a line");
    }
    false
}

fn is_required() -> bool {
    std::env::var("GNOMON_LAB_REQUIRED").is_ok_and(|value| value == "1")
}
