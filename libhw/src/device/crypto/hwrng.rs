//! The hardware random number generator (`Documentation/admin-guide/hw_random.rst`, `drivers/char/hw_random/core.c`).

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::parse;
use crate::survey::Survey;

/// The kernel's hardware random number generators.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Hwrng {
    /// `rng_available`.
    pub available: Vec<String>,
    /// What changes without an event.
    pub now: HwrngNow,
}

/// What changes in them without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HwrngNow {
    /// `rng_current`: the one in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// `rng_quality`: bits of entropy in 1024 bits of what it gives; 0 feeds the kernel nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_per_1024: Option<u32>,
    /// `rng_selected`: whether a person chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<bool>,
}

const PLACE: &str = "sys/class/misc/hw_random";

/// Where there is no generator the kernel says so as a word, and answers the rest with an error.
const NONE: &str = "none";

/// Reads them; `None` where the kernel has no such interface.
pub(super) fn discover(survey: &Survey<'_>) -> Option<Hwrng> {
    let directory = Directory::list(survey, PLACE);
    let available = directory.text("rng_available");
    let current = directory.text("rng_current");
    if available.is_none() && current.is_none() {
        return None;
    }
    let words = available.unwrap_or_default();
    let words = words.split_whitespace().filter(|word| *word != NONE);
    let current = current.filter(|word| word != NONE);
    let now = HwrngNow {
        quality_per_1024: current
            .as_ref()
            .and_then(|_| directory.value("rng_quality", parse::decimal)),
        selected: directory.value("rng_selected", parse::switch),
        current,
    };
    Some(Hwrng {
        available: words.map(str::to_owned).collect(),
        now,
    })
}
