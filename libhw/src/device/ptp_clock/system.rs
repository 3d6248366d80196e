//! The system's own clock: what counts it, and how the kernel keeps it true.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::io::probe;
use crate::survey::Survey;

const CLOCKSOURCE: &str = "sys/devices/system/clocksource/clocksource0";

/// What counts the system's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Clocksource {
    /// `current_clocksource`: `tsc`, `kvm-clock`, `hpet`, `arch_sys_counter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// `available_clocksource`, best first. A TSC that was found unstable is not among them.
    pub available: Vec<String>,
}

/// How the system's time is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SystemTime {
    /// What changes without an event: all of it.
    pub now: Discipline,
}

/// What adjtimex(2) tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Discipline {
    /// Whether something keeps it true: `STA_UNSYNC` is not set.
    pub synchronized: bool,
    /// What is set of `STA_*`: `pll`, `ppsfreq`, `ppstime`, `fll`, `ins`, `del`, `unsync`, `freqhold`, `nano`, ...
    pub status: BTreeSet<String>,
    /// Seconds between TAI and UTC, 37 since 2017; 0 where nobody has told the kernel.
    pub tai_offset_s: i32,
    /// What is still to be slewed, in nanoseconds.
    pub offset_ns: i64,
    /// By how much it is sped up, in parts per billion.
    pub frequency_ppb: i64,
    /// The most that it can be wrong by, in microseconds; grows until somebody sets it.
    pub maxerror_us: i64,
    /// By how much it is wrong by estimate, in microseconds.
    pub esterror_us: i64,
}

/// `STA_*` by bit.
const STATUS: [&str; 16] = [
    "pll",
    "ppsfreq",
    "ppstime",
    "fll",
    "ins",
    "del",
    "unsync",
    "freqhold",
    "ppssignal",
    "ppsjitter",
    "ppswander",
    "ppserror",
    "clockerr",
    "nano",
    "mode",
    "clk",
];

const UNSYNC: i32 = 0x40;

/// What counts; `None` on a tree that does not tell.
pub(super) fn clocksource(survey: &Survey<'_>) -> Option<Clocksource> {
    let available = survey.text(&format!("{CLOCKSOURCE}/available_clocksource"));
    let clocksource = Clocksource {
        current: survey.text(&format!("{CLOCKSOURCE}/current_clocksource")),
        available: available
            .iter()
            .flat_map(|all| all.split_whitespace())
            .map(str::to_owned)
            .collect(),
    };
    (clocksource != Clocksource::default()).then_some(clocksource)
}

/// How it is kept; `None` on a tree without a record of it.
pub(super) fn discover(survey: &Survey<'_>) -> Option<SystemTime> {
    let told = survey.keep(probe::discipline(survey.root()))?;
    let bits = (0_i32..)
        .zip(STATUS)
        .filter(|(bit, _)| told.status & (1 << bit) != 0);
    Some(SystemTime {
        now: Discipline {
            synchronized: told.status & UNSYNC == 0,
            status: bits.map(|(_, word)| word.to_owned()).collect(),
            tai_offset_s: told.tai_offset_s,
            offset_ns: told.offset_ns,
            // Parts per million in 1/65536.
            frequency_ppb: told.frequency_scaled_ppm.saturating_mul(1000) / 65536,
            maxerror_us: told.maxerror_us,
            esterror_us: told.esterror_us,
        },
    })
}
