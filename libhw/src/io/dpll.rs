//! Clock circuits and the pins that feed and leave them (`Documentation/driver-api/dpll.rst`, Linux 6.7): Synchronous
//! Ethernet, GNSS, 10 MHz and 1 PPS.

use std::io;

use serde::{Deserialize, Serialize};

use crate::io::netlink::attribute::{Attribute, Attributes, Request};
use crate::io::netlink::generic::Family;
use crate::io::netlink::offered;
use crate::word::numbered;

const DEVICE_GET: u8 = 2;
const PIN_GET: u8 = 8;

/// More than any device has, so that a hostile answer cannot take all memory.
const LIST_MAX: usize = 4096;

/// All that the kernel tells of its DPLLs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dplls {
    /// The devices.
    pub devices: Vec<Device>,
    /// The pins.
    pub pins: Vec<Pin>,
}

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// Its number.
    pub id: u32,
    /// The kernel module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The EUI-64 of the chip, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_mac: Option<String>,
    /// `pps` or `eec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `manual` or `automatic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `unlocked`, `locked`, `locked_ho_acq` or `holdover`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_status: Option<String>,
    /// Why it is not locked any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_error: Option<String>,
    /// Thousandths of a degree Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_millicelsius: Option<i64>,
    /// `itu_opt1_prc`, ...: how good it is in holdover.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quality_levels: Vec<String>,
}

/// One pin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pin {
    /// Its number.
    pub id: u32,
    /// The kernel module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The EUI-64 of the chip, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_mac: Option<String>,
    /// What is printed beside it on the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board_label: Option<String>,
    /// What is printed beside it on the panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel_label: Option<String>,
    /// What the chip's package calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_label: Option<String>,
    /// `mux`, `ext`, `synce_eth_port`, `int_oscillator` or `gnss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_hz: Option<u64>,
    /// Ranges in hertz, from and to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frequencies_hz: Vec<(u64, u64)>,
    /// Bits: direction, priority, state can change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<u32>,
    /// Picoseconds that are added to its phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_adjust_ps: Option<i64>,
    /// Fractional frequency offset of what comes in, in parts per million or finer as the driver has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_offset: Option<i64>,
    /// The devices that it feeds or is fed by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Parent>,
}

/// A pin's relation to a device, or to a pin that selects among several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parent {
    /// The device's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<u32>,
    /// The pin's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<u32>,
    /// `input` or `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// `connected`, `disconnected` or `selectable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The least is taken first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Thousandths of a picosecond between it and the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_offset_fs: Option<i64>,
}

/// The DPLLs; `None` where the kernel has none.
///
/// # Errors
/// When the kernel cannot be asked.
pub(in crate::io) fn ask() -> io::Result<Option<Dplls>> {
    let Some(mut family) = Family::find("dpll")? else {
        return Ok(None);
    };
    let mut list = |command| -> io::Result<Vec<Vec<u8>>> {
        Ok(offered(family.list(command, &Request::default()))?.unwrap_or_default())
    };
    let (devices, pins) = (list(DEVICE_GET)?, list(PIN_GET)?);
    Ok(Some(Dplls {
        devices: devices.iter().filter_map(|row| parse_device(row)).collect(),
        pins: pins.iter().filter_map(|row| parse_pin(row)).collect(),
    }))
}

/// A row of `DPLL_CMD_DEVICE_GET`.
#[must_use]
pub fn parse_device(row: &[u8]) -> Option<Device> {
    const STATUS: &[&str] = &["unlocked", "locked", "locked_ho_acq", "holdover"];
    const ERRORS: &[&str] = &[
        "none",
        "undefined",
        "media_down",
        "fractional_frequency_offset_too_high",
    ];
    const LEVELS: &[&str] = &[
        "itu_opt1_prc",
        "itu_opt1_ssu_a",
        "itu_opt1_ssu_b",
        "itu_opt1_eec1",
        "itu_opt1_prtc",
        "itu_opt1_eprtc",
        "itu_opt1_eeec",
        "itu_opt1_eprc",
    ];
    let mut device = Device::default();
    let mut known = false;
    for part in Attributes::of(row) {
        let word = |words| Some(numbered(words, 1, part.small()?));
        match part.kind {
            1 => (device.id, known) = (part.small()?, true),
            2 => device.module = part.text(),
            4 => device.clock_mac = eui64(part),
            5 => device.mode = word(&["manual", "automatic"]),
            7 => device.lock_status = word(STATUS),
            8 => device.temperature_millicelsius = part.signed(),
            9 => device.kind = word(&["pps", "eec"]),
            10 => device.lock_error = word(ERRORS).filter(|error| error != "none"),
            11 if device.quality_levels.len() < LIST_MAX => {
                device.quality_levels.extend(word(LEVELS));
            }
            _ => {}
        }
    }
    known.then_some(device)
}

/// A row of `DPLL_CMD_PIN_GET`.
#[must_use]
pub fn parse_pin(row: &[u8]) -> Option<Pin> {
    const KINDS: &[&str] = &["mux", "ext", "synce_eth_port", "int_oscillator", "gnss"];
    let mut pin = Pin::default();
    let mut known = false;
    for part in Attributes::of(row).take(LIST_MAX) {
        match part.kind {
            1 => (pin.id, known) = (part.small()?, true),
            3 => pin.module = part.text(),
            5 => pin.clock_mac = eui64(part),
            6 => pin.board_label = part.text(),
            7 => pin.panel_label = part.text(),
            8 => pin.package_label = part.text(),
            9 => pin.kind = part.small().map(|kind| numbered(KINDS, 1, kind)),
            11 => pin.frequency_hz = part.number(),
            12 => pin.frequencies_hz.extend(range(part)),
            17 => pin.capabilities = part.small(),
            18 | 19 => pin.parents.push(parent(part)),
            22 => pin.phase_adjust_ps = part.signed(),
            24 => pin.frequency_offset = part.signed(),
            _ => {}
        }
    }
    known.then_some(pin)
}

fn range(part: Attribute<'_>) -> Option<(u64, u64)> {
    let find = |kind| part.nested().find(|part| part.kind == kind)?.number();
    Some((find(13)?, find(14)?))
}

fn parent(part: Attribute<'_>) -> Parent {
    const STATES: &[&str] = &["connected", "disconnected", "selectable"];
    let mut parent = Parent::default();
    for inner in part.nested() {
        let word = |words| Some(numbered(words, 1, inner.small()?));
        match inner.kind {
            2 if part.kind == 18 => parent.device = inner.small(),
            2 => parent.pin = inner.small(),
            10 => parent.direction = word(&["input", "output"]),
            15 => parent.priority = inner.small(),
            16 => parent.state = word(STATES),
            23 => parent.phase_offset_fs = inner.signed(),
            _ => {}
        }
    }
    parent
}

fn eui64(part: Attribute<'_>) -> Option<String> {
    part.number().map(|number| format!("{number:016x}"))
}

#[cfg(test)]
mod tests;
