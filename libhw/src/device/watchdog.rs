//! Watchdogs: timers that restart a machine which no longer feeds them, and the kernel's own lockup detectors.
//!
//! From `Documentation/ABI/testing/sysfs-class-watchdog`, `include/uapi/linux/watchdog.h` for the bits, the parameters of
//! `ipmi_watchdog` (which is of no class), and `Documentation/admin-guide/sysctl/kernel.rst`.

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;

mod ipmi;
mod lockup;
mod timer;

pub use ipmi::IpmiWatchdog;
pub use lockup::LockupDetector;
pub use timer::{Flag, Timer, TimerNow, TimerState};

/// The watchdogs of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Watchdog {
    /// Of the watchdog class, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<Timer>,
    /// The BMC's watchdog, when its driver is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipmi: Option<IpmiWatchdog>,
    /// The kernel's detectors of CPUs that hang.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockup_detector: Option<LockupDetector>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Watchdog {
    Watchdog {
        timers: timer::discover(survey),
        ipmi: ipmi::discover(survey),
        lockup_detector: lockup::discover(survey),
    }
}

/// Reads again what changes without an event: whether a timer runs, and what is left of it.
pub fn refresh(watchdog: &mut Watchdog, survey: &Survey<'_>) {
    for timer in &mut watchdog.timers {
        timer::refresh(timer, survey);
    }
}

/// A directory that is listed once, so that nothing is opened in vain.
struct Directory<'a> {
    survey: &'a Survey<'a>,
    path: String,
    names: Vec<String>,
}

impl<'a> Directory<'a> {
    fn list(survey: &'a Survey<'a>, path: String) -> Self {
        let names = survey.names(&path);
        Self {
            survey,
            path,
            names,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|listed| listed == name)
    }

    fn value<T>(&self, name: &str, parse: impl Fn(&str) -> parse::Parsed<T>) -> Option<T> {
        self.has(name)
            .then(|| self.survey.value(&format!("{}/{name}", self.path), parse))?
    }

    fn text(&self, name: &str) -> Option<String> {
        self.has(name)
            .then(|| self.survey.text(&format!("{}/{name}", self.path)))?
    }
}

#[cfg(test)]
mod tests;
