//! The few lines of /proc/meminfo that are about the whole machine's memory.
//!
//! ```text
//! MemTotal:       16042172 kB
//! HardwareCorrupted:     4 kB
//! ```

use super::MemoryNow;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

const PATH: &str = "proc/meminfo";

/// What the kernel can use, and what of it changes.
pub(super) fn read(survey: &Survey<'_>) -> (Option<Bytes>, MemoryNow) {
    let text = survey.raw(PATH).unwrap_or_default();
    let field = |name: &str| {
        let (_, value) = parse::key_values(&text).find(|(key, _)| *key == name)?;
        survey.parsed(PATH, value, parse::size)
    };
    let now = MemoryNow {
        available_bytes: field("MemAvailable"),
        hardware_corrupted_bytes: field("HardwareCorrupted"),
        early_memtest_bad_bytes: field("EarlyMemtestBad"),
    };
    (field("MemTotal"), now)
}
