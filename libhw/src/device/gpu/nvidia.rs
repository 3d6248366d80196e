//! What NVIDIA's own driver tells in /proc/driver/nvidia (its README, chapter "The /proc Interface").

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;

use super::Adapter;

/// NVIDIA's driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvidiaDriver {
    /// The version of its kernel module: `550.54.15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the open kernel module is loaded.
    pub open: bool,
}

/// What NVIDIA's driver tells of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Nvidia {
    /// `Device Minor`: the N of /dev/nvidiaN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minor: Option<u32>,
    /// `GPU Excluded`: whether the driver was told to leave it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<bool>,
}

/// Fills in what the driver tells of each device, and returns what it tells of itself.
pub(super) fn fill(survey: &Survey<'_>, adapters: &mut [Adapter]) -> Option<NvidiaDriver> {
    let names = survey.names(PLACE);
    if names.is_empty() {
        return None;
    }
    for name in survey.names(&format!("{PLACE}/gpus")) {
        let id = name.to_lowercase();
        let adapter = adapters.iter_mut().find(|adapter| adapter.id == id);
        if let Some(adapter) = adapter {
            information(survey, &name, adapter);
        }
    }
    Some(NvidiaDriver {
        version: survey
            .text(&format!("{PLACE}/version"))
            .and_then(|text| version(&text)),
        open: false,
    })
}

fn information(survey: &Survey<'_>, name: &str, adapter: &mut Adapter) {
    let path = format!("{PLACE}/gpus/{name}/information");
    let text = survey.raw(&path).unwrap_or_default();
    let mut nvidia = Nvidia::default();
    for (key, value) in parse::key_values(&text) {
        match key {
            "Model" => adapter.product = parse::nonempty(value),
            "GPU UUID" => adapter.unique_id = parse::nonempty(value),
            "Video BIOS" => adapter.vbios = parse::nonempty(value),
            "Device Minor" => nvidia.minor = survey.parsed(&path, value, parse::decimal),
            "GPU Excluded" => nvidia.excluded = Some(value == "Yes"),
            _ => {}
        }
    }
    adapter.nvidia = Some(nvidia);
}

fn version(text: &str) -> Option<String> {
    let line = text.lines().next()?;
    let words = line.split_whitespace();
    words
        .filter(|word| word.contains('.'))
        .find(|word| {
            word.bytes()
                .all(|sign| sign.is_ascii_digit() || sign == b'.')
        })
        .map(str::to_owned)
}

const PLACE: &str = "proc/driver/nvidia";
