//! Devices with ports, firmware versions and health reporters (`Documentation/networking/devlink/`).

use std::io;

use serde::{Deserialize, Serialize};

use crate::io::netlink::attribute::{Attribute, Attributes, Request};
use crate::io::netlink::generic::Family;
use crate::io::netlink::offered;
use crate::word::numbered;

const PORT_GET: u8 = 5;
const INFO_GET: u8 = 51;
const HEALTH_REPORTER_GET: u8 = 52;
const GET: u8 = 1;
const ESWITCH_GET: u8 = 29;

const BUS_NAME: u16 = 1;
const DEV_NAME: u16 = 2;

/// What devlink tells without asking firmware.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Devlink {
    /// The devices.
    pub devices: Vec<Device>,
    /// Their ports.
    pub ports: Vec<Port>,
    /// Their health reporters.
    pub reporters: Vec<Reporter>,
}

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// `pci/0000:3b:00.0`: its bus, and its name there.
    pub id: String,
    /// Whether its last reload ended badly.
    pub reload_failed: bool,
    /// `legacy` or `switchdev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eswitch_mode: Option<String>,
}

/// One port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Port {
    /// Its device.
    pub device: String,
    /// Its number there.
    pub index: u32,
    /// `physical`, `pcivf`, `pcisf`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flavour: Option<String>,
    /// Its interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Its number as it is printed on the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The physical function that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pf: Option<u32>,
    /// The virtual function that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vf: Option<u32>,
}

/// One health reporter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reporter {
    /// Its device.
    pub device: String,
    /// The port that it is of, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u32>,
    /// `fw`, `tx`, `rx`, `mdd`, ...
    pub name: String,
    /// `healthy` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Errors since the driver started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// Recoveries since the driver started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recoveries: Option<u64>,
    /// Whether it recovers by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_recover: Option<bool>,
}

/// The firmware of a device, which it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firmware {
    /// Its device.
    pub device: String,
    /// The driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The device's serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The board's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board_serial: Option<String>,
    /// Versions that never change, by name: `board.id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<(String, String)>,
    /// Versions that run: `fw.mgmt`, `fw.undi`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<(String, String)>,
    /// Versions that will run after a reset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stored: Vec<(String, String)>,
}

/// The firmware of all devices; `None` where the kernel has no devlink.
///
/// # Errors
/// When the kernel cannot be asked.
pub(in crate::io) fn ask_firmware() -> io::Result<Option<Vec<Firmware>>> {
    let Some(mut family) = Family::find("devlink")? else {
        return Ok(None);
    };
    let rows = offered(family.list(INFO_GET, &Request::default()))?.unwrap_or_default();
    Ok(Some(
        rows.iter().filter_map(|row| parse_firmware(row)).collect(),
    ))
}

/// Devices, ports and reporters; `None` where the kernel has no devlink.
///
/// # Errors
/// When the kernel cannot be asked.
pub(in crate::io) fn ask() -> io::Result<Option<Devlink>> {
    let Some(mut family) = Family::find("devlink")? else {
        return Ok(None);
    };
    let mut list = |command| -> io::Result<Vec<Vec<u8>>> {
        Ok(offered(family.list(command, &Request::default()))?.unwrap_or_default())
    };
    let devices = list(GET)?;
    if devices.is_empty() {
        return Ok(Some(Devlink::default()));
    }
    let (ports, reporters) = (list(PORT_GET)?, list(HEALTH_REPORTER_GET)?);
    let mut devices: Vec<Device> = devices.iter().filter_map(|row| parse_device(row)).collect();
    for device in &mut devices {
        device.eswitch_mode = eswitch_mode(&mut family, &device.id)?;
    }
    Ok(Some(Devlink {
        devices,
        ports: ports.iter().filter_map(|row| parse_port(row)).collect(),
        reporters: reporters
            .iter()
            .filter_map(|row| parse_reporter(row))
            .collect(),
    }))
}

/// The kernel knows it itself where a driver keeps it, and asks no firmware.
fn eswitch_mode(family: &mut Family, id: &str) -> io::Result<Option<String>> {
    let Some((bus, name)) = id.split_once('/') else {
        return Ok(None);
    };
    let request = Request::default()
        .with_text(BUS_NAME, bus)
        .with_text(DEV_NAME, name);
    let answer = match family.get(ESWITCH_GET, &request) {
        // Setting it takes a right, and some kernels want it for reading too.
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => None,
        answer => offered(answer)?,
    };
    Ok(answer.and_then(|answer| {
        let mode = Attributes::of(&answer)
            .find(|part| part.kind == 25)?
            .small()?;
        Some(numbered(
            &["legacy", "switchdev", "switchdev_inactive"],
            0,
            mode,
        ))
    }))
}

/// `pci/0000:3b:00.0`.
fn device_of(row: &[u8]) -> Option<String> {
    let find = |kind| Attributes::of(row).find(|part| part.kind == kind)?.text();
    Some(format!("{}/{}", find(BUS_NAME)?, find(DEV_NAME)?))
}

/// A row of `DEVLINK_CMD_GET`.
#[must_use]
pub fn parse_device(row: &[u8]) -> Option<Device> {
    let failed = Attributes::of(row).find(|part| part.kind == 136);
    Some(Device {
        id: device_of(row)?,
        reload_failed: failed
            .and_then(|failed| failed.switch())
            .unwrap_or_default(),
        eswitch_mode: None,
    })
}

/// A row of `DEVLINK_CMD_PORT_GET`.
#[must_use]
pub fn parse_port(row: &[u8]) -> Option<Port> {
    const FLAVOURS: &[&str] = &[
        "physical", "cpu", "dsa", "pcipf", "pcivf", "virtual", "unused", "pcisf",
    ];
    let find = |kind| Attributes::of(row).find(|part| part.kind == kind);
    let small = |kind| find(kind)?.small();
    Some(Port {
        device: device_of(row)?,
        index: small(3)?,
        flavour: small(77).map(|flavour| numbered(FLAVOURS, 0, flavour)),
        interface: find(7).and_then(|name| name.text()),
        number: small(78),
        pf: small(127),
        vf: small(128),
    })
}

/// A row of `DEVLINK_CMD_HEALTH_REPORTER_GET`.
#[must_use]
pub fn parse_reporter(row: &[u8]) -> Option<Reporter> {
    let reporter = Attributes::of(row).find(|part| part.kind == 114)?;
    let find = |kind| reporter.nested().find(|part| part.kind == kind);
    Some(Reporter {
        device: device_of(row)?,
        port: Attributes::of(row)
            .find(|part| part.kind == 3)
            .and_then(|port| port.small()),
        name: find(115)?.text()?,
        state: find(116)
            .and_then(|state| state.small())
            .map(|state| numbered(&["healthy", "error"], 0, state)),
        errors: find(117).and_then(|count| count.number()),
        recoveries: find(118).and_then(|count| count.number()),
        auto_recover: find(121).and_then(|auto| auto.switch()),
    })
}

/// A row of `DEVLINK_CMD_INFO_GET`.
#[must_use]
pub fn parse_firmware(row: &[u8]) -> Option<Firmware> {
    let mut firmware = Firmware {
        device: device_of(row)?,
        ..Firmware::default()
    };
    for part in Attributes::of(row) {
        match part.kind {
            98 => firmware.driver = part.text(),
            99 => firmware.serial = part.text(),
            100 => firmware.fixed.extend(version(part)),
            101 => firmware.running.extend(version(part)),
            102 => firmware.stored.extend(version(part)),
            146 => firmware.board_serial = part.text(),
            _ => {}
        }
    }
    Some(firmware)
}

fn version(part: Attribute<'_>) -> Option<(String, String)> {
    let find = |kind| part.nested().find(|part| part.kind == kind)?.text();
    Some((find(103)?, find(104)?))
}

#[cfg(test)]
mod tests;
