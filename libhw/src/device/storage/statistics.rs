//! What went to and fro: /proc/diskstats, or a device's `stat` (`Documentation/admin-guide/iostats.rst`).
//!
//! ```text
//!  254       0 vda 1043 12 27406 431 ...
//! ```

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// What a block device did since it was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Statistics {
    /// Reads that were completed.
    pub reads: u64,
    /// Reads that were merged with a neighbour.
    pub reads_merged: u64,
    /// What was read.
    pub read_bytes: Bytes,
    /// The time that reads took, each by itself, in milliseconds.
    pub read_ms: u64,
    /// Writes that were completed.
    pub writes: u64,
    /// Writes that were merged with a neighbour.
    pub writes_merged: u64,
    /// What was written.
    pub written_bytes: Bytes,
    /// The time that writes took, in milliseconds.
    pub write_ms: u64,
    /// Requests that are under way.
    pub in_flight: u64,
    /// The time during which something was under way, in milliseconds.
    pub busy_ms: u64,
    /// The same, weighted with how much was under way.
    pub weighted_ms: u64,
    /// Discards that were completed (Linux 4.18).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discards: Option<u64>,
    /// What was discarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discarded_bytes: Option<Bytes>,
    /// Flushes that were completed (Linux 5.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flushes: Option<u64>,
    /// The time that flushes took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flush_ms: Option<u64>,
}

/// The kernel counts in sectors of 512 bytes, whatever those of the device are.
pub(super) const SECTOR: u64 = 512;

/// Where those of every device are.
pub(super) const DISKSTATS: &str = "proc/diskstats";

/// Those of every device, by name.
pub(super) fn all(survey: &Survey<'_>) -> HashMap<String, Statistics> {
    let text = survey.raw(DISKSTATS).unwrap_or_default();
    let mut all = HashMap::new();
    for line in text
        .lines()
        .map(parse::trim)
        .filter(|line| !line.is_empty())
    {
        if let Some((name, statistics)) = survey.parsed(DISKSTATS, line, named) {
            // The kernel writes the names of device files here, with their slashes.
            all.insert(name.replace('/', "!"), statistics);
        }
    }
    all
}

fn named(line: &str) -> Parsed<(String, Statistics)> {
    let mut words = line.split_ascii_whitespace().skip(2);
    let name = words.next().ok_or(EXPECTED)?;
    Ok((name.to_owned(), numbers(words)?))
}

/// A device's own `stat`.
///
/// # Errors
/// When it has fewer numbers than Linux 2.6 had.
pub(super) fn parse(text: &str) -> Parsed<Statistics> {
    numbers(text.split_ascii_whitespace())
}

const EXPECTED: Expected = Expected("eleven numbers or more");

fn numbers<'a>(words: impl Iterator<Item = &'a str>) -> Parsed<Statistics> {
    let numbers: Result<Vec<u64>, _> = words.take(17).map(parse::decimal).collect();
    let numbers = numbers.map_err(|_| EXPECTED)?;
    let [
        reads,
        reads_merged,
        read,
        read_ms,
        writes,
        writes_merged,
        written,
        write_ms,
        in_flight,
        busy_ms,
        weighted_ms,
        more @ ..,
    ] = numbers.as_slice()
    else {
        return Err(EXPECTED);
    };
    let bytes = |sectors: &u64| Bytes(sectors.saturating_mul(SECTOR));
    Ok(Statistics {
        reads: *reads,
        reads_merged: *reads_merged,
        read_bytes: bytes(read),
        read_ms: *read_ms,
        writes: *writes,
        writes_merged: *writes_merged,
        written_bytes: bytes(written),
        write_ms: *write_ms,
        in_flight: *in_flight,
        busy_ms: *busy_ms,
        weighted_ms: *weighted_ms,
        discards: more.first().copied(),
        discarded_bytes: more.get(2).map(bytes),
        flushes: more.get(4).copied(),
        flush_ms: more.get(5).copied(),
    })
}
