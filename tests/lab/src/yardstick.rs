//! The truth about the clocks of `labptp`, as the module knows it: what a servo is held to.
//!
//! Offsets are a clock's time minus that of clock 0, both read at one instant in the guest's kernel.

use std::collections::BTreeMap;

use crate::{LabError, Vm};

const DEBUGFS: &str = "/sys/kernel/debug/labptp";

/// What was measured of a clock since the last reset, every 10 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// How often.
    pub samples: i64,
    /// Of those, how many were more than a millisecond off.
    pub far: i64,
    /// The least offset.
    pub min_ns: i64,
    /// The largest.
    pub max_ns: i64,
    /// Root mean square of those that were not far.
    pub rms_ns: i64,
}

impl Gauge {
    /// The largest distance in either direction.
    #[must_use]
    pub fn worst_ns(&self) -> i64 {
        self.min_ns.abs().max(self.max_ns.abs())
    }
}

/// How far a clock is from clock 0 now.
///
/// # Errors
/// As [`Vm::read`].
pub fn offset_ns(vm: &mut Vm, clock: u32) -> Result<i64, LabError> {
    let path = format!("{DEBUGFS}/clock{clock}/offset_ns");
    let text = vm.read(&path)?;
    text.trim().parse().map_err(|_| unexpected(&path, &text))
}

/// Begins a new measurement of a clock.
///
/// # Errors
/// As [`Vm::write`].
pub fn reset(vm: &mut Vm, clock: u32) -> Result<(), LabError> {
    vm.write(&format!("{DEBUGFS}/clock{clock}/gauge"), "0")
}

/// What was measured of a clock since then; at least one sample.
///
/// # Errors
/// As [`Vm::read`]; and nothing was measured yet.
pub fn gauge(vm: &mut Vm, clock: u32) -> Result<Gauge, LabError> {
    let path = format!("{DEBUGFS}/clock{clock}/gauge");
    let text = vm.read(&path)?;
    parse(&text).ok_or_else(|| unexpected(&path, &text))
}

/// ```text
/// samples 403
/// far 0
/// min_ns -1
/// max_ns 1
/// rms_ns 0
/// ```
fn parse(text: &str) -> Option<Gauge> {
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    let values: BTreeMap<&str, i64> = pairs
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect();
    let value = |name| values.get(name).copied();
    Some(Gauge {
        samples: value("samples")?,
        far: value("far")?,
        min_ns: value("min_ns")?,
        max_ns: value("max_ns")?,
        rms_ns: value("rms_ns").unwrap_or(i64::MAX),
    })
}

fn unexpected(path: &str, text: &str) -> LabError {
    LabError::Guest {
        request: format!("read {path}"),
        reason: format!("unexpected {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_read() {
        let text = "samples 403\nfar 0\nmin_ns -7\nmax_ns 1\nrms_ns 2\n";
        let gauge = parse(text).unwrap();
        assert_eq!((gauge.samples, gauge.worst_ns(), gauge.rms_ns), (403, 7, 2));
        assert_eq!(parse("samples 0\nfar 0\n"), None);
    }
}
