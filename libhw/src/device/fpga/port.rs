//! The ports of a card, and the private features of both.

use serde::{Deserialize, Serialize};

use super::PowerState;
use super::errors::{self, ErrorRegister};
use crate::directory::Directory;
use crate::parse::{self, Parsed};

/// A port, and the accelerator behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Port {
    /// Its card and the kernel's name: `region0/dfl-port.0`.
    pub id: String,
    /// Its card.
    pub card: String,
    /// `id`: its number on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// `afu_id`: which accelerator is loaded, a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub afu_id: Option<String>,
    /// `ltr`: whether the accelerator bears 40 µs of memory latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_tolerant: Option<bool>,
    /// What changes without an event.
    #[serde(default)]
    pub now: PortNow,
}

/// What changes in a port without an event (`Documentation/ABI/testing/sysfs-platform-dfl-port`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PortNow {
    /// `power_state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_state: Option<PowerState>,
    /// `ap1_event`: it was throttled by half since the mark was cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ap1_event: Option<bool>,
    /// `ap2_event`: it was throttled by nine tenths since the mark was cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ap2_event: Option<bool>,
    /// The error registers that are not zero; absent where the port has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ErrorRegister>>,
}

/// A private feature of a card or port (`Documentation/ABI/testing/sysfs-bus-dfl`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Feature {
    /// The kernel's name: `dfl_dev.6`, behind its card's.
    pub id: String,
    /// Its card.
    pub card: String,
    /// The port, when it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// `feature_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_id: Option<u32>,
    /// What it is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The driver bound to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `nios_fw_version`: the firmware of the soft processor on a PAC N3000. Only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nios_firmware: Option<String>,
    /// `fec_mode`: forward error correction on the 25 Gb/s links: `rs`, `kr`, `no`. Only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ethernet_fec: Option<String>,
}

/// What features are, by unit and id: the management engine's, then a port's (the kernel's drivers/fpga/dfl.h
/// and the registry linux-dfl-feature-id).
const ENGINE_FEATURES: &[(u32, &str)] = &[
    (0x1, "thermal management"),
    (0x2, "power management"),
    (0x3, "performance counters of an integrated FPGA"),
    (0x4, "global errors"),
    (0x5, "partial reconfiguration"),
    (0x6, "high-speed serial interface"),
    (0x7, "performance counters"),
    (0x8, "QSPI flash"),
    (0x9, "memory interfaces"),
    (0xa, "high-speed serial interface"),
    (0xd, "N3000 Nios"),
    (0xe, "SPI"),
    (0xf, "MAC ROM or serial interface"),
    (0x10, "Ethernet group"),
    (0x11, "trusted compute module"),
    (0x12, "PMCI subsystem"),
    (0x13, "QSFP subsystem"),
    (0x14, "ST2MM"),
    (0x15, "high-speed serial subsystem"),
    (0x1f, "N5010 serial interface"),
    (0x20, "PCIe subsystem"),
    (0x21, "N5010 MAC"),
    (0x22, "PTP time of day"),
    (0x23, "vendor specific"),
    (0x24, "UART"),
];
const PORT_FEATURES: &[(u32, &str)] = &[
    (0x10, "port errors"),
    (0x11, "user messages"),
    (0x12, "user interrupts"),
    (0x13, "SignalTap"),
    (0x14, "user clock"),
];

/// One port.
pub(super) fn read(card: &str, directory: &Directory<'_>) -> Port {
    let event = |name: &str| directory.value(name, flag);
    Port {
        id: format!("{card}/{}", directory.name()),
        card: card.to_owned(),
        number: directory.value("id", parse::decimal),
        afu_id: directory.text("afu_id"),
        latency_tolerant: event("ltr"),
        now: PortNow {
            power_state: directory.value("power_state", parse::hex).map(power_state),
            ap1_event: event("ap1_event"),
            ap2_event: event("ap2_event"),
            errors: errors::read(directory),
        },
    }
}

/// `0`, `1`, and of some drivers `0x0`, `0x1`.
fn flag(text: &str) -> Parsed<bool> {
    parse::hex(text).map(|value| value != 0)
}

fn power_state(value: u64) -> PowerState {
    match value {
        0 => PowerState::Normal,
        1 => PowerState::Ap1,
        2 => PowerState::Ap2,
        6 => PowerState::Ap6,
        other => PowerState::Other(other.to_string()),
    }
}

/// The features below an engine or a port: `dfl_dev.N`, and before Linux 5.10 `dfl-port.0.6` below its unit.
pub(super) fn features<'a>(unit: &Directory<'a>) -> Vec<Directory<'a>> {
    let old = format!("{}.", unit.name());
    let mut features =
        unit.all_below(|name| name.starts_with("dfl_dev.") || name.starts_with(&old));
    // By number: dfl_dev.6 before dfl_dev.10.
    let number = |name: &str| parse::decimal::<u32>(name.rsplit('.').next()?).ok();
    features.sort_by_key(|feature| number(feature.name()));
    features
}

/// One feature; `port` when it is a port's.
pub(super) fn feature(
    card: &str,
    port: Option<&str>,
    directory: &Directory<'_>,
    deep: bool,
) -> Option<Feature> {
    let number = directory.value("feature_id", parse::hex)?;
    let feature_id = u32::try_from(number).ok();
    let known = if port.is_some() {
        PORT_FEATURES
    } else {
        ENGINE_FEATURES
    };
    let name = known.iter().find(|(id, _)| Some(*id) == feature_id);
    // Its registers are read through a mailbox that the soft processor answers.
    let slow = |name: &str| deep.then(|| directory.slow_text(name))?;
    Some(Feature {
        id: format!("{card}/{}", directory.name()),
        card: card.to_owned(),
        port: port.map(str::to_owned),
        feature_id,
        name: name.map(|(_, name)| (*name).to_owned()),
        driver: directory.link_name("driver"),
        nios_firmware: slow("nios_fw_version"),
        ethernet_fec: slow("fec_mode"),
    })
}
