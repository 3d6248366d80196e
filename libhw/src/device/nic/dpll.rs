//! Clock circuits, their pins, and whether they are locked (Linux 6.7).
//!
//! The kernel announces every change of a lock, of a mode and of a pin's state; only levels are read again.

use serde::{Deserialize, Serialize};

use super::network::Network;
use crate::io::aside::Network as Question;
use crate::io::dpll as told;
use crate::units::Hertz;
use crate::word::words;

words! {
    /// Whether a clock circuit follows a source.
    pub enum LockStatus {
        /// It follows none.
        Unlocked = "unlocked",
        /// It follows one, and could not go on without it yet.
        Locked = "locked",
        /// It follows one, and could go on without it for a while.
        LockedHoAcq = "locked_ho_acq",
        /// It goes on without one, from memory.
        Holdover = "holdover",
    }

    /// What a pin is to a clock circuit.
    pub enum PinState {
        /// The source that is followed, or an output that is driven.
        Connected = "connected",
        /// Not used.
        Disconnected = "disconnected",
        /// May be chosen by the circuit.
        Selectable = "selectable",
    }
}

/// One clock circuit (`Documentation/driver-api/dpll.rst`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Dpll {
    /// Its number.
    pub id: u32,
    /// The driver's module, `ice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The EUI-64 of its chip, 16 hexadecimal digits: circuits and pins with the same are of one chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_mac: Option<String>,
    /// `eec` (drives Ethernet's clock) or `pps` (makes the second's pulse).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `automatic` (it chooses among its inputs) or `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Whether it follows a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_status: Option<LockStatus>,
    /// Why it lost it: `media_down`, `fractional_frequency_offset_too_high`, `undefined`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_error: Option<String>,
    /// How good it is in holdover, by ITU-T G.8264's clocks: `itu_opt1_eec1`, ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quality_levels: Vec<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: DpllNow,
}

/// What changes in a clock circuit without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DpllNow {
    /// Thousandths of a degree Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_millicelsius: Option<i64>,
}

/// One pin: what feeds a clock circuit or is fed by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pin {
    /// Its number.
    pub id: u32,
    /// The driver's module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The EUI-64 of its chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_mac: Option<String>,
    /// Its name on the board, else on the panel, else on the chip: `GNSS-1PPS`, `SMA1`, `C827_0-RCLKA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `gnss`, `ext`, `synce_eth_port` (a port's recovered clock), `int_oscillator` or `mux`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its frequency; 1 Hz is a pulse per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_hz: Option<Hertz>,
    /// The frequencies that it can have: lowest and highest of each range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frequencies_hz: Vec<(Hertz, Hertz)>,
    /// What may be changed: `direction`, `priority`, `state`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_change: Vec<String>,
    /// What is added to its phase, in picoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_adjust_ps: Option<i64>,
    /// What it is to the circuits, and to pins that choose among several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<PinParent>,
    /// What changes without an event.
    #[serde(default)]
    pub now: PinNow,
}

/// What a pin is to a circuit or to another pin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PinParent {
    /// The circuit, as `dplls[].id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpll: Option<u32>,
    /// The pin, as `pins[].id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<u32>,
    /// `input` or `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// What it is to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PinState>,
    /// The least is chosen first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
}

/// What changes in a pin without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PinNow {
    /// Its phase against each parent that measures it, in femtoseconds, in the order of `parents`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phase_offsets_fs: Vec<Option<i64>>,
    /// `DPLL_A_PIN_FRACTIONAL_FREQUENCY_OFFSET`: of what comes in against the port's own clock, in parts per million
    /// by the kernel's document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fractional_frequency_offset: Option<i64>,
}

/// The circuits and the pins, by number.
pub(super) fn discover(network: Network<'_>) -> (Vec<Dpll>, Vec<Pin>) {
    let told: Option<told::Dplls> = network.ask(Question::Dpll);
    let told = told.unwrap_or_default();
    let mut dplls: Vec<Dpll> = told.devices.into_iter().map(dpll).collect();
    let mut pins: Vec<Pin> = told.pins.into_iter().map(pin).collect();
    dplls.sort_by_key(|dpll| dpll.id);
    dplls.dedup_by_key(|dpll| dpll.id);
    pins.sort_by_key(|pin| pin.id);
    pins.dedup_by_key(|pin| pin.id);
    (dplls, pins)
}

/// Reads the levels again.
pub(super) fn refresh(dplls: &mut [Dpll], pins: &mut [Pin], network: Network<'_>) {
    if dplls.is_empty() && pins.is_empty() {
        return;
    }
    let (new_dplls, new_pins) = discover(network);
    for anew in new_dplls {
        if let Some(dpll) = dplls.iter_mut().find(|dpll| dpll.id == anew.id) {
            dpll.now = anew.now;
        }
    }
    for anew in new_pins {
        if let Some(pin) = pins.iter_mut().find(|pin| pin.id == anew.id) {
            pin.now = anew.now;
        }
    }
}

fn dpll(device: told::Device) -> Dpll {
    Dpll {
        id: device.id,
        module: device.module,
        clock_mac: device.clock_mac,
        kind: device.kind,
        mode: device.mode,
        lock_status: device.lock_status.map(Into::into),
        lock_error: device.lock_error,
        quality_levels: device.quality_levels,
        now: DpllNow {
            temperature_millicelsius: device.temperature_millicelsius,
        },
    }
}

fn pin(pin: told::Pin) -> Pin {
    let bits = pin.capabilities.unwrap_or_default();
    let words = [(1, "direction"), (2, "priority"), (4, "state")];
    let changes = words.into_iter().filter(|(bit, _)| bits & bit != 0);
    let offsets: Vec<_> = pin
        .parents
        .iter()
        .map(|parent| parent.phase_offset_fs)
        .collect();
    let measured = offsets.iter().any(Option::is_some);
    Pin {
        id: pin.id,
        module: pin.module,
        clock_mac: pin.clock_mac,
        label: pin.board_label.or(pin.panel_label).or(pin.package_label),
        kind: pin.kind,
        frequency_hz: pin.frequency_hz.map(Hertz),
        frequencies_hz: pin
            .frequencies_hz
            .into_iter()
            .map(|(low, high)| (Hertz(low), Hertz(high)))
            .collect(),
        may_change: changes.map(|(_, word)| word.to_owned()).collect(),
        phase_adjust_ps: pin.phase_adjust_ps,
        parents: pin.parents.into_iter().map(parent).collect(),
        now: PinNow {
            phase_offsets_fs: if measured { offsets } else { Vec::new() },
            fractional_frequency_offset: pin.frequency_offset,
        },
    }
}

fn parent(parent: told::Parent) -> PinParent {
    PinParent {
        dpll: parent.device,
        pin: parent.pin,
        direction: parent.direction,
        state: parent.state.map(Into::into),
        priority: parent.priority,
    }
}
