//! How observations of one alarm are judged.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarm::observation::Bands;
use crate::alarm::severity::Severity;

/// How observations of one alarm are judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Where the monitor says none.
    pub(crate) severity: Severity,
    /// For values, and for counts where there is a window.
    pub(crate) bands: Bands,
    /// Whether these go before the limits that a device has of its own: so where the configuration names them.
    pub(crate) bands_first: bool,
    /// A counter's increases fade over this time, as from a bucket that leaks: bands are reached when more flows in than
    /// they allow for it. `None`: any increase is a fault.
    pub(crate) over: Option<Duration>,
    /// A fault has to last so long before it is raised, or becomes graver.
    pub(crate) raise_for: Duration,
    /// It has to stay away so long before it is cleared, or becomes milder.
    pub(crate) clear_for: Duration,
    /// It stays raised at least so long.
    pub(crate) dwell: Duration,
    pub(crate) latched: Latched,
    pub(crate) flap: Option<Flap>,
    pub(crate) storm: Storm,
    /// Changes are told at most so often; one that is graver than what was told is told at once.
    pub(crate) change_every: Duration,
}

/// How long an alarm stays when its fault is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Latched {
    /// It is cleared.
    #[default]
    No,
    /// Until somebody clears it.
    Operator,
    /// Until somebody clears it, or the host has booted.
    Boot,
}

/// When an alarm that comes and goes is told no more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flap {
    /// It comes and goes so often, each counted,
    pub(crate) transitions: u32,
    /// within this time.
    pub(crate) within: Duration,
    /// It does no longer when it rests for so long.
    pub(crate) quiet: Duration,
}

/// How many alarms of one kind are told one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storm {
    /// So many at once,
    pub(crate) burst: u32,
    /// then one in this time.
    pub(crate) every: Duration,
}

impl Default for Flap {
    fn default() -> Self {
        Self {
            transitions: 6,
            within: Duration::from_secs(600),
            quiet: Duration::from_secs(600),
        }
    }
}

impl Default for Storm {
    fn default() -> Self {
        Self {
            burst: 100,
            every: Duration::from_millis(100),
        }
    }
}

impl Settings {
    /// Those of an alarm about which nothing is said but how grave it is.
    pub(crate) fn of(severity: Severity) -> Self {
        Self {
            severity,
            bands: Bands::default(),
            bands_first: false,
            over: None,
            raise_for: Duration::ZERO,
            clear_for: Duration::ZERO,
            dwell: Duration::ZERO,
            latched: Latched::default(),
            flap: Some(Flap::default()),
            storm: Storm::default(),
            change_every: Duration::from_secs(30),
        }
    }
}
