//! A BMC, as the kernel knows it, and in a deep look as it answers.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Interface;
use crate::directory::Directory;
use crate::error::Error;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::word::words;

/// A BMC: `/sys/devices/platform/ipmi_bmc.N`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Controller {
    /// The kernel's name: `ipmi_bmc.0`.
    pub id: String,
    /// What it says of itself; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deep: Option<DeviceId>,
}

/// What a BMC says of itself (IPMI 2.0 §20.1, Get Device ID; §20.8, Get Device GUID).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DeviceId {
    /// `device_id`, in the maker's counting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<u8>,
    /// `revision`: of the hardware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u8>,
    /// `firmware_revision`, with two digits after the point as IPMI has them: `1.05`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_revision: Option<String>,
    /// `aux_firmware_revision`: four bytes in the maker's meaning, the most significant first: `0x00 0x00 0x1a 0x02`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aux_firmware_revision: Option<String>,
    /// `ipmi_version`: `2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipmi_version: Option<String>,
    /// `manufacturer_id`: a private enterprise number of IANA's: 674 is Dell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer_id: Option<u32>,
    /// `product_id`, in the maker's counting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<u16>,
    /// `provides_device_sdrs`: whether it has records of its own sensors besides the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provides_device_sdrs: Option<bool>,
    /// `additional_device_support`: what it is besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_device_support: Option<Vec<DeviceSupport>>,
    /// `guid`; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
}

words! {
    /// What a BMC is besides (IPMI 2.0 table 20-2, Additional Device Support).
    pub enum DeviceSupport {
        /// It has sensors.
        Sensor = "sensor",
        /// It keeps the records of the sensors.
        SdrRepository = "sdr_repository",
        /// It keeps the log of events.
        Sel = "sel",
        /// It tells what the replaceable units are.
        FruInventory = "fru_inventory",
        /// It takes events from the IPMB.
        IpmbEventReceiver = "ipmb_event_receiver",
        /// It sends events to the IPMB.
        IpmbEventGenerator = "ipmb_event_generator",
        /// It carries messages between channels.
        Bridge = "bridge",
        /// It controls the chassis.
        Chassis = "chassis",
    }
}

/// Where the kernel has BMCs and what leads to them.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By name.
    controllers: BTreeMap<String, String>,
    /// By number.
    pub(super) interfaces: BTreeMap<u32, String>,
}

/// The driver of the message handler, which binds to every BMC that it makes.
const DRIVER: &str = "sys/bus/platform/drivers/ipmi";
const DEVICES: &str = "sys/bus/platform/devices";

/// The text of a BMC's attributes is no longer.
const TEXT_MAX: usize = 64;

/// A BMC links to the interfaces that lead to it.
pub(super) fn places(survey: &Survey<'_>) -> Places {
    let mut places = Places::default();
    for name in survey.names(DRIVER) {
        if !name.starts_with("ipmi_bmc.") {
            continue;
        }
        let place = format!("{DEVICES}/{name}");
        for number in survey.numbered(&place, "ipmi") {
            places
                .interfaces
                .insert(number, format!("{place}/ipmi{number}"));
        }
        places.controllers.insert(name, place);
    }
    places
}

pub(super) fn discover(
    survey: &Survey<'_>,
    places: &Places,
    interfaces: &[Interface],
) -> Vec<Controller> {
    let mut found = places.controllers.clone();
    for interface in interfaces {
        if let Some(name) = &interface.controller {
            let place = format!("sys/class/ipmi/{}/device/bmc", interface.id);
            found.entry(name.clone()).or_insert(place);
        }
    }
    let controller = |(id, place)| Controller {
        deep: survey.deep().then(|| answered(survey, place)),
        id,
    };
    found.into_iter().map(controller).collect()
}

/// Each attribute may make the kernel ask the BMC. One that let us wait once is asked no more.
struct Asked<'a> {
    survey: &'a Survey<'a>,
    directory: Directory<'a>,
    silent: Cell<bool>,
}

fn answered(survey: &Survey<'_>, place: String) -> DeviceId {
    let asked = Asked {
        survey,
        directory: Directory::list(survey, place),
        silent: Cell::new(false),
    };
    DeviceId {
        device_id: asked.value("device_id", parse::decimal),
        revision: asked.value("revision", parse::decimal),
        firmware_revision: asked.value("firmware_revision", firmware_revision),
        aux_firmware_revision: asked.value("aux_firmware_revision", parse::text),
        ipmi_version: asked.value("ipmi_version", parse::text),
        manufacturer_id: asked.value("manufacturer_id", narrow_hex),
        product_id: asked.value("product_id", parse::hex16),
        provides_device_sdrs: asked.value("provides_device_sdrs", parse::switch),
        additional_device_support: asked.value("additional_device_support", support),
        guid: asked.value("guid", parse::text),
    }
}

impl Asked<'_> {
    fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        if self.silent.get() || !self.directory.has(name) {
            return None;
        }
        let path = self.directory.path(name);
        let answer = self.survey.root().slow_bytes(&path, TEXT_MAX);
        let no_answer = matches!(answer, Err(Error::TimedOut { .. }));
        self.silent.set(no_answer);
        let text = parse::nonempty(&String::from_utf8_lossy(&self.survey.keep(answer)?))?;
        self.survey.parsed(&path, &text, parse)
    }
}

/// The kernel writes the digits after the point, which are two of BCD, without a zero in front: `1.5` is 1.05.
fn firmware_revision(text: &str) -> Parsed<String> {
    const EXPECTED: Expected = Expected("a firmware revision such as 1.5");
    let (major, minor) = parse::trim(text).split_once('.').ok_or(EXPECTED)?;
    let major: u8 = parse::decimal(major).map_err(|_| EXPECTED)?;
    let minor = u8::from_str_radix(minor, 16).map_err(|_| EXPECTED)?;
    Ok(format!("{major}.{minor:02x}"))
}

fn narrow_hex(text: &str) -> Parsed<u32> {
    parse::hex(text)?
        .try_into()
        .map_err(|_| Expected("a hexadecimal number of at most 32 bits"))
}

/// ```text
/// 0xbf
/// ```
fn support(text: &str) -> Parsed<Vec<DeviceSupport>> {
    let bits = parse::hex(text)?;
    let set = (0..)
        .zip(DeviceSupport::KNOWN)
        .filter(|(bit, _)| bits >> bit & 1 == 1);
    Ok(set.map(|(_, word)| DeviceSupport::from(*word)).collect())
}
