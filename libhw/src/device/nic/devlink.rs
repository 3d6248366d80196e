//! Devices of devlink: firmware versions (of a deep look) and health reporters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::network::Network;
use crate::io::aside::Network as Question;
use crate::io::devlink as told;
use crate::parse;
use crate::word::words;

words! {
    /// What a health reporter says.
    pub enum Health {
        /// Nothing is wrong.
        Healthy = "healthy",
        /// Something failed and has not recovered.
        Error = "error",
    }
}

/// One device of devlink (`Documentation/networking/devlink/`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Devlink {
    /// Its bus and its name there: `pci/0000:3b:00.0`.
    pub id: String,
    /// The PCI function, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `legacy` or `switchdev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eswitch_mode: Option<String>,
    /// Whether its last reload failed and left it without a driver's state.
    #[serde(default)]
    pub reload_failed: bool,
    /// The device's serial number; only in a deep look, as is what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The board's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board_serial: Option<String>,
    /// What never changes, by name: `board.id`, `asic.id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, String>,
    /// The versions that run: `fw.mgmt`, `fw.undi`, `fw.app`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub running: BTreeMap<String, String>,
    /// The versions that will run after a reset.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: BTreeMap<String, String>,
    /// Its ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<DevlinkPort>,
    /// Its health, and that of its ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reporters: Vec<HealthReporter>,
}

/// A port of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DevlinkPort {
    /// Its number.
    pub id: u32,
    /// `physical`, `cpu`, `dsa`, `pcipf`, `pcivf`, `virtual`, `unused`, `pcisf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavour: Option<String>,
    /// Its interface, as `interfaces[].id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The number that is printed on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The number of the physical function that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pf: Option<u32>,
    /// The number of the virtual function that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vf: Option<u32>,
}

/// One health reporter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthReporter {
    /// Its name, `fw`, and before it its port's number where it is of one: `3/tx`.
    pub id: String,
    /// Whether it recovers by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_recover: Option<bool>,
    /// What changes without an event.
    #[serde(default)]
    pub now: HealthNow,
}

/// How a reporter fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HealthNow {
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Health>,
    /// Errors since the driver started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// Recoveries since the driver started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recoveries: Option<u64>,
}

/// The devices, by id.
pub(super) fn discover(network: Network<'_>) -> Vec<Devlink> {
    let Some(told) = network.ask::<told::Devlink>(Question::Devlink) else {
        return Vec::new();
    };
    let mut devices: BTreeMap<String, Devlink> = told.devices.into_iter().map(device).collect();
    for port in told.ports {
        if let Some(device) = devices.get_mut(&port.device) {
            device.ports.push(DevlinkPort {
                id: port.index,
                flavour: port.flavour,
                interface: port.interface,
                number: port.number,
                pf: port.pf,
                vf: port.vf,
            });
        }
    }
    for reporter in told.reporters {
        if let Some(device) = devices.get_mut(&reporter.device) {
            device.reporters.push(self::reporter(reporter));
        }
    }
    if network.survey.deep() && !devices.is_empty() {
        let all: Option<Vec<told::Firmware>> = network.ask(Question::Firmware);
        for firmware in all.unwrap_or_default() {
            if let Some(device) = devices.get_mut(&firmware.device) {
                versions(device, firmware);
            }
        }
    }
    let mut devices: Vec<_> = devices.into_values().collect();
    for device in &mut devices {
        device.ports.sort_by_key(|port| port.id);
        device.ports.dedup_by_key(|port| port.id);
        device.reporters.sort_by(|a, b| a.id.cmp(&b.id));
        device.reporters.dedup_by(|a, b| a.id == b.id);
    }
    devices
}

/// Reads again how the reporters fare.
pub(super) fn refresh(devices: &mut [Devlink], network: Network<'_>) {
    if devices.is_empty() {
        return;
    }
    let told: Option<told::Devlink> = network.ask(Question::Devlink);
    for reporter in told.unwrap_or_default().reporters {
        let device = devices
            .iter_mut()
            .find(|device| device.id == reporter.device);
        let anew = self::reporter(reporter);
        let known = device.and_then(|device| {
            device
                .reporters
                .iter_mut()
                .find(|known| known.id == anew.id)
        });
        if let Some(known) = known {
            known.now = anew.now;
        }
    }
}

fn device(device: told::Device) -> (String, Devlink) {
    let function = device
        .id
        .strip_prefix("pci/")
        .and_then(parse::function_above);
    let row = Devlink {
        id: device.id.clone(),
        function: function.map(str::to_owned),
        eswitch_mode: device.eswitch_mode,
        reload_failed: device.reload_failed,
        ..Devlink::default()
    };
    (device.id, row)
}

fn reporter(reporter: told::Reporter) -> HealthReporter {
    let id = match reporter.port {
        Some(port) => format!("{port}/{}", reporter.name),
        None => reporter.name,
    };
    HealthReporter {
        id,
        auto_recover: reporter.auto_recover,
        now: HealthNow {
            state: reporter.state.map(Into::into),
            errors: reporter.errors,
            recoveries: reporter.recoveries,
        },
    }
}

fn versions(device: &mut Devlink, firmware: told::Firmware) {
    device.serial = firmware.serial;
    device.board_serial = firmware.board_serial;
    device.fixed = firmware.fixed.into_iter().collect();
    device.running = firmware.running.into_iter().collect();
    device.stored = firmware.stored.into_iter().collect();
}
