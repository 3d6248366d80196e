//! What NVIDIA's own driver tells in /proc/driver/nvidia (its README, chapter "The /proc Interface").
//!
//! What it tells only through its library, and the errors that it writes to the kernel's log, are read elsewhere.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

use super::{Adapter, FirmwarePart};

/// NVIDIA's driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvidiaDriver {
    /// The version of its kernel module: `550.54.15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it is the open kernel module.
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
    /// `Bus Type`: `PCIe`, `PCI`, `AGP`, `Integrated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// `power`: whether it may be switched off while it is not used (Runtime D3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_d3: Option<String>,
    /// The numbers of its MIG GPU instances (/proc/driver/nvidia/capabilities/gpuN/mig/giM).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mig_instances: Vec<u32>,
}

/// Fills in what the driver tells of each device, and returns what it tells of itself.
pub(super) fn fill(survey: &Survey<'_>, adapters: &mut [Adapter]) -> Option<NvidiaDriver> {
    let names = survey.names(PLACE);
    if names.is_empty() {
        return None;
    }
    if names.iter().any(|name| name == "gpus") {
        for name in survey.names(GPUS) {
            let id = name.to_lowercase();
            let adapter = adapters.iter_mut().find(|adapter| adapter.id == id);
            // A driver that hangs does so for all of its devices.
            if adapter.is_some_and(|adapter| information(survey, &name, adapter).is_err()) {
                break;
            }
        }
    }
    survey.value(&format!("{PLACE}/version"), version)
}

/// What the driver tells of one device.
///
/// ```text
/// Model:           NVIDIA H100 80GB HBM3
/// IRQ:             18
/// GPU UUID:        GPU-2fb1c2b5-30c5-2d0c-8a4a-3ba8f4d66a4d
/// Video BIOS:      96.00.74.00.01
/// Bus Type:        PCIe
/// DMA Size:        52 bits
/// DMA Mask:        0xfffffffffffff
/// Bus Location:    0000:1b:00.0
/// Device Minor:    0
/// GPU Firmware:    550.54.15
/// GPU Excluded:    No
/// ```
///
/// A device that the driver has not started yet has question marks.
fn information(survey: &Survey<'_>, name: &str, adapter: &mut Adapter) -> Result<(), Stuck> {
    let path = format!("{GPUS}/{name}/information");
    let text = slow(survey, &path)?;
    let mut nvidia = Nvidia::default();
    for (key, value) in parse::key_values(&text) {
        let known = parse::nonempty(value).filter(|value| !value.contains('?') && value != "N/A");
        match key {
            "Model" => adapter.product = known,
            "GPU UUID" => adapter.unique_id = known,
            "Video BIOS" => adapter.vbios = known,
            "Bus Type" => nvidia.bus = known,
            "Device Minor" => nvidia.minor = survey.parsed(&path, value, parse::decimal),
            "GPU Firmware" => adapter.firmware.extend(known.map(|version| FirmwarePart {
                id: "gsp".to_owned(),
                version,
                state: None,
            })),
            "GPU Excluded" | "GPU Blacklisted" => nvidia.excluded = known.map(|word| word == "Yes"),
            _ => {}
        }
    }
    let power = slow(survey, &format!("{GPUS}/{name}/power"))?;
    nvidia.runtime_d3 = parse::key_values(&power)
        .find(|(key, _)| *key == "Runtime D3 status")
        .and_then(|(_, value)| parse::nonempty(value));
    if let Some(minor) = nvidia.minor {
        nvidia.mig_instances =
            survey.numbered(&format!("{PLACE}/capabilities/gpu{minor}/mig"), "gi");
    }
    adapter.nvidia = Some(nvidia);
    Ok(())
}

/// The driver did not answer in time.
struct Stuck;

/// A text that the driver makes under locks that a device which hangs may hold.
fn slow(survey: &Survey<'_>, path: &str) -> Result<String, Stuck> {
    let answer = survey.root().slow_bytes(path, INFORMATION_MAX);
    let stuck = matches!(answer, Err(Error::TimedOut { .. }));
    let bytes = survey.keep(answer).unwrap_or_default();
    if stuck {
        return Err(Stuck);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first line, with the version between the module's name and the date of its making.
///
/// ```text
/// NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
/// NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (root@host)
/// ```
fn version(text: &str) -> Parsed<NvidiaDriver> {
    const EXPECTED: Expected =
        Expected("a line such as NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15");
    let line = text
        .lines()
        .find(|line| line.starts_with("NVRM version:"))
        .ok_or(EXPECTED)?;
    let is_version = |word: &&str| {
        word.contains('.')
            && word
                .bytes()
                .all(|sign| sign.is_ascii_digit() || sign == b'.')
    };
    let version = line.split_whitespace().find(is_version).ok_or(EXPECTED)?;
    Ok(NvidiaDriver {
        version: Some(version.to_owned()),
        open: line.contains("Open Kernel Module"),
    })
}

const PLACE: &str = "proc/driver/nvidia";
const GPUS: &str = "proc/driver/nvidia/gpus";

/// Longer than any such text.
const INFORMATION_MAX: usize = 16 << 10;
