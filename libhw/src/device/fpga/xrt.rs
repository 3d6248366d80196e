//! AMD cards by XRT's two drivers: the management function (xclmgmt) and the user's (xocl).

use serde::{Deserialize, Serialize};

use super::controller::Controller;
use super::memory::{MemoryNow, memory};
use super::sensor::{Reading, Sensor, SensorNow};
use super::{Boot, Card, Fpga, Framework, Image};
use crate::directory::Directory;
use crate::parse;

/// What XRT tells of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Shell {
    /// `rom.*/VBNV`: vendor, board, name and version of the shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vbnv: Option<String>,
    /// `rom.*/FPGA`: the part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// `rom.*/uuid` or the first of `logic_uuids`: the shell's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// `interface_uuids`: what the next layer of the image must fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interface_uuids: Vec<String>,
    /// `rom.*/timestamp`, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_seconds: Option<u64>,
    /// `rom.*/ddr_bank_count_max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddr_banks: Option<u32>,
    /// `rom.*/ddr_bank_size`, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddr_bank_gib: Option<u32>,
    /// `board_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// `flash_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flash_type: Option<String>,
    /// `versal`: of that family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versal: Option<bool>,
    /// `xclbinuuid`: the image that is loaded into the shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xclbin_uuid: Option<String>,
    /// `dna.*/dna`: the chip's own number. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dna: Option<String>,
    /// `icap.*/idcode`. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idcode: Option<String>,
    /// `mig_calibration`: whether the memory came up. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_calibrated: Option<bool>,
}

/// A file of the controller's, what it measures, and the reading that it makes.
type Measured = (&'static str, &'static str, fn(i64) -> Reading);

const SENSORS: &[Measured] = &[
    ("xmc_fpga_temp", "FPGA", |degrees| {
        Reading::TemperatureMillicelsius(degrees.saturating_mul(1000))
    }),
    ("xmc_hbm_temp", "HBM", |degrees| {
        Reading::TemperatureMillicelsius(degrees.saturating_mul(1000))
    }),
    (
        "xmc_12v_pex_vol",
        "12 V of the slot",
        Reading::VoltageMillivolts,
    ),
    (
        "xmc_12v_pex_curr",
        "12 V of the slot",
        Reading::CurrentMilliamps,
    ),
    (
        "xmc_12v_aux_vol",
        "12 V of the plug",
        Reading::VoltageMillivolts,
    ),
    (
        "xmc_12v_aux_curr",
        "12 V of the plug",
        Reading::CurrentMilliamps,
    ),
    ("xmc_vccint_vol", "core", Reading::VoltageMillivolts),
    ("xmc_vccint_curr", "core", Reading::CurrentMilliamps),
    ("xmc_power", "board", Reading::PowerMicrowatts),
];

/// Adds what XRT tells of the function that `card` is.
pub(super) fn read(card: &mut Card, function: &Directory<'_>, deep: bool, fpga: &mut Fpga) {
    let mut shell = shell(function);
    card.framework = match card.driver.as_deref() {
        Some("xocl") => Framework::XrtUser,
        _ => Framework::XrtManagement,
    };
    card.now.ready = function.value("ready", parse::switch);
    card.now.offline = function.value("dev_offline", parse::switch);
    card.image = image(function, deep);
    if deep {
        shell.dna = part(function, "dna.").and_then(|dna| dna.slow_text("dna"));
        shell.idcode = part(function, "icap.").and_then(|icap| icap.slow_text("idcode"));
        let calibrated = function.slow_value("mig_calibration", parse::hex);
        shell.memory_calibrated = calibrated.map(|bits| bits != 0);
        if let Some(firewall) = part(function, "firewall.") {
            card.now.firewall_level = firewall.slow_value("detected_level", parse::decimal);
            card.now.firewall = firewall.slow_text("detected_level_name");
        }
    }
    for mig in function.all_below(|name| name.starts_with("mig.")) {
        let count = |name: &str| deep.then(|| mig.slow_value(name, parse::decimal))?;
        let now = MemoryNow {
            corrected: count("ecc_ce_cnt"),
            uncorrected: count("ecc_ue_cnt"),
            ..MemoryNow::default()
        };
        let name = mig.text("name");
        let name = name.as_deref().unwrap_or_else(|| mig.name());
        fpga.memories.push(memory(&card.id, name, now));
    }
    if let Some(xmc) = part(function, "xmc.") {
        fpga.controllers.push(controller(&card.id, &xmc, deep));
        fpga.sensors.extend(sensors(&card.id, &xmc, deep));
    }
    if let Some(sdm) = part(function, "hwmon_sdm.") {
        fpga.controllers
            .push(versal_controller(&card.id, &sdm, deep));
    }
    card.shell = Some(shell);
}

/// The directory of a subdevice, which is called by its name and an address: `rom.m.12582912`.
fn part<'a>(function: &Directory<'a>, prefix: &str) -> Option<Directory<'a>> {
    let mut found = function.all_below(|name| name.starts_with(prefix));
    found.pop()
}

fn shell(function: &Directory<'_>) -> Shell {
    let rom = part(function, "rom.");
    let rom = rom.as_ref();
    let text = |name: &str| rom.and_then(|rom| rom.text(name));
    let lines = |name: &str| -> Vec<String> {
        let text = function.text(name).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    };
    let nonzero = |uuid: &String| uuid.bytes().any(|sign| !matches!(sign, b'0' | b'-'));
    Shell {
        vbnv: text("VBNV"),
        part: text("FPGA"),
        uuid: lines("logic_uuids")
            .into_iter()
            .next()
            .or_else(|| text("uuid")),
        interface_uuids: lines("interface_uuids"),
        timestamp_seconds: rom.and_then(|rom| rom.value("timestamp", parse::decimal)),
        ddr_banks: rom.and_then(|rom| rom.value("ddr_bank_count_max", parse::decimal)),
        ddr_bank_gib: rom.and_then(|rom| rom.value("ddr_bank_size", parse::decimal)),
        board: function.text("board_name"),
        flash_type: function.text("flash_type"),
        versal: function.value("versal", parse::switch),
        xclbin_uuid: function.text("xclbinuuid").filter(nonzero),
        ..Shell::default()
    }
}

/// A card with the factory's image says so by `mfg` or `recovery`. A Versal may also have booted its backup, which
/// only its controller knows: until that is asked, nothing is said of it.
fn image(function: &Directory<'_>, deep: bool) -> Option<Image> {
    let switch = |name: &str| function.value(name, parse::switch);
    let vmr = part(function, "xgq_vmr.");
    let backup = vmr
        .as_ref()
        .filter(|_| deep)
        .and_then(|vmr| vmr.slow_value("boot_from_backup", parse::switch));
    let marks = [switch("mfg"), switch("recovery"), backup];
    let known: Vec<bool> = marks.into_iter().flatten().collect();
    let unasked = vmr.is_some() && !deep;
    let boot = match known.contains(&true) {
        true => Boot::Factory,
        false if known.is_empty() || unasked => return None,
        false => Boot::User,
    };
    Some(Image {
        boot,
        page: None,
        power_on: Vec::new(),
    })
}

fn controller(card: &str, xmc: &Directory<'_>, deep: bool) -> Controller {
    let text = |name: &str| deep.then(|| xmc.slow_text(name))?;
    Controller {
        id: format!("{card}/{}", xmc.name()),
        card: card.to_owned(),
        build: text("version"),
        firmware: text("bmc_ver"),
        firmware_expected: text("exp_bmc_ver"),
        serial: text("serial_num"),
        mac_address: text("mac_addr_first"),
        mac_count: deep
            .then(|| xmc.slow_value("mac_contiguous_num", parse::decimal))
            .flatten(),
        ..Controller::default()
    }
}

/// Of a Versal the controller is told of by another subdevice, in other words.
fn versal_controller(card: &str, sdm: &Directory<'_>, deep: bool) -> Controller {
    let text = |name: &str| deep.then(|| sdm.slow_text(name))?;
    Controller {
        id: format!("{card}/{}", sdm.name()),
        card: card.to_owned(),
        firmware: text("active_msp_ver"),
        firmware_expected: text("target_msp_ver"),
        serial: text("serial_num"),
        board_revision: text("revision"),
        mac_address: text("mac_addr0"),
        ..Controller::default()
    }
}

fn sensors(card: &str, xmc: &Directory<'_>, deep: bool) -> Vec<Sensor> {
    let there = SENSORS.iter().filter(|(file, ..)| xmc.has(file));
    there
        .map(|(file, label, unit)| Sensor {
            id: format!("{card}/{file}"),
            card: card.to_owned(),
            label: Some((*label).to_owned()),
            now: SensorNow {
                reading: deep
                    .then(|| xmc.slow_value(file, parse::signed).map(unit))
                    .flatten(),
            },
            ..Sensor::default()
        })
        .collect()
}
