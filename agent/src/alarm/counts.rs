//! How many alarms there are, kept up to date at each change.

use serde::{Deserialize, Serialize};

use crate::alarm::instance::Alarm;
use crate::alarm::severity::Severity;

/// The banner: active alarms by severity, those that are masked apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) critical: u64,
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) warning: u64,
    pub(crate) indeterminate: u64,
    /// Masked, of any severity; in none of the above.
    pub(crate) masked: u64,
    /// Not masked, and nobody has said that they know.
    pub(crate) unacknowledged: u64,
    /// Not masked, and nobody knows whether they still hold.
    pub(crate) stale: u64,
}

impl Counts {
    pub(super) fn add(&mut self, alarm: &Alarm) {
        self.each(alarm, |count| *count += 1);
    }

    pub(super) fn remove(&mut self, alarm: &Alarm) {
        self.each(alarm, |count| *count = count.saturating_sub(1));
    }

    fn each(&mut self, alarm: &Alarm, change: impl Fn(&mut u64)) {
        if !alarm.masked.is_empty() {
            return change(&mut self.masked);
        }
        change(match alarm.severity {
            Severity::Critical => &mut self.critical,
            Severity::Major => &mut self.major,
            Severity::Minor => &mut self.minor,
            Severity::Warning => &mut self.warning,
            Severity::Indeterminate => &mut self.indeterminate,
        });
        if alarm.acknowledged.is_none() {
            change(&mut self.unacknowledged);
        }
        if alarm.stale.is_some() {
            change(&mut self.stale);
        }
    }
}
