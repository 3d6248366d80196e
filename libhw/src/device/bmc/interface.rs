//! A system interface as its driver has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::controller::Places;
use super::{Address, AddressSpace, InterfaceType};
use crate::directory::Directory;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// An IPMI system interface, `/sys/class/ipmi/ipmiN`; without the driver of its device file (`ipmi_devintf`), the link
/// `ipmiN` of its BMC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Interface {
    /// The kernel's name: `ipmi0`.
    pub id: String,
    /// `device/type`; kernels before 4.15 tell it by the driver of an SSIF, and of no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_type: Option<InterfaceType>,
    /// The driver: `ipmi_si`, `ipmi_ssif`, `ipmi_powernv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The device that it is, by the kernel's name: `IPI0001:00`, `dmi-ipmi-si.0`, `0-0010`, or a PCI function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The file by which programs speak to the BMC: `/dev/ipmi0`; absent without `ipmi_devintf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_file: Option<String>,
    /// That file's numbers: `244:0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_number: Option<String>,
    /// The PCI function that it is or hangs off, such as the bridge of its I/O ports or its SMBus controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `device/numa_node`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// Where its registers are (`device/params`); of an SSIF its address on the bus, as far as the device's name tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// How many bytes lie from one register to the next (`rsp` in `device/params`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register_spacing_bytes: Option<u32>,
    /// The interrupt that it has (`irq` in `device/params`); without one the driver polls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub irq: Option<u32>,
    /// The BMC's address on the IPMB, in 8 bits (`ipmb` in `device/params`): usually 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipmb_address: Option<u8>,
    /// The BMC behind it, as a row of `controllers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// What firmware says of it, as a row of `firmware_interfaces`; only where it can be told which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_interface: Option<String>,
    /// What changes without an event.
    pub now: InterfaceNow,
}

/// What changes without an event. All of it is the kernel's own memory: reading it does not reach the BMC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InterfaceNow {
    /// `device/interrupts_enabled`: false where the driver polls, or is short of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupts_enabled: Option<bool>,
    /// `device/nr_users`: how many have it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// `device/nr_msgs`: messages that wait for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_messages: Option<u64>,
    /// What the driver has counted since it was loaded, by the name of the attribute: of `ipmi_si`
    /// `complete_transactions`, `hosed_count` and others, of `ipmi_ssif` `sent_messages`, `receive_errors` and others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

const CLASS: &str = "sys/class/ipmi";

/// Of `ipmi_si`, then those that only `ipmi_ssif` has.
const COUNTERS: &[&str] = &[
    "attentions",
    "complete_transactions",
    "events",
    "flag_fetches",
    "hosed_count",
    "idles",
    "incoming_messages",
    "interrupts",
    "long_timeouts",
    "short_timeouts",
    "watchdog_pretimeouts",
    "alerts",
    "hosed",
    "receive_errors",
    "receive_retries",
    "received_message_parts",
    "received_messages",
    "send_errors",
    "send_retries",
    "sent_messages",
    "sent_messages_parts",
];

pub(super) fn discover(survey: &Survey<'_>, places: &Places) -> Vec<Interface> {
    let own = survey.numbered(CLASS, "ipmi");
    let mut numbers: Vec<u32> = own
        .iter()
        .chain(places.interfaces.keys())
        .copied()
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let interface = |number| interface(survey, number, own.contains(&number), places);
    numbers.into_iter().map(interface).collect()
}

fn interface(survey: &Survey<'_>, number: u32, in_class: bool, places: &Places) -> Interface {
    let id = format!("ipmi{number}");
    let file = Directory::list(survey, format!("{CLASS}/{id}"));
    let link = match places.interfaces.get(&number) {
        Some(path) if !in_class => path.clone(),
        _ => file.path("device"),
    };
    let device = Directory::list(survey, link.clone());
    let name = survey.link_name(&link);
    let driver = device.link_name("driver");
    let params = device.value("params", params).unwrap_or_default();
    let on_bus = name.as_deref().and_then(address_on_bus);
    let uevent = in_class.then(|| file.text("uevent")).flatten();
    let said = uevent.as_deref().unwrap_or_default();
    let said = |key: &str| said.lines().find_map(|line| line.strip_prefix(key));
    let numbers = said("MAJOR=").zip(said("MINOR="));
    Interface {
        interface_type: interface_type(&device, driver.as_deref()),
        driver,
        device_file: said("DEVNAME=").map(|name| format!("/dev/{name}")),
        device_number: numbers.map(|(major, minor)| format!("{major}:{minor}")),
        function: file.function().or_else(|| device.function()),
        node: device.value("numa_node", parse::decimal_or_none).flatten(),
        address: params.address.or(on_bus),
        register_spacing_bytes: params.register_spacing_bytes,
        irq: params.irq,
        ipmb_address: params.ipmb_address,
        controller: device.link_name("bmc"),
        firmware_interface: None,
        now: now(&device),
        device: name,
        id,
    }
}

/// The attribute is as old as 4.15; an SSIF is told by its driver as well.
fn interface_type(device: &Directory<'_>, driver: Option<&str>) -> Option<InterfaceType> {
    let told = device.text("type").map(InterfaceType::from);
    told.or_else(|| (driver == Some("ipmi_ssif")).then_some(InterfaceType::Ssif))
}

pub(super) fn refresh(interface: &mut Interface, survey: &Survey<'_>, places: &Places) {
    let number = interface.id.strip_prefix("ipmi").map(parse::decimal);
    let Some(Ok(number)) = number else { return };
    let class = format!("{CLASS}/{}/device", interface.id);
    let place = places.interfaces.get(&number).unwrap_or(&class);
    interface.now = now(&Directory::list(survey, place));
}

fn now(device: &Directory<'_>) -> InterfaceNow {
    let counters = COUNTERS.iter().filter_map(|name| {
        let value = device.value(name, parse::decimal)?;
        Some(((*name).to_owned(), value))
    });
    InterfaceNow {
        interrupts_enabled: device.value("interrupts_enabled", parse::switch),
        users: device.value("nr_users", parse::decimal),
        pending_messages: device.value("nr_msgs", parse::decimal),
        counters: counters.collect(),
    }
}

/// `device/params`.
#[derive(Debug, Default)]
struct Params {
    address: Option<Address>,
    register_spacing_bytes: Option<u32>,
    irq: Option<u32>,
    ipmb_address: Option<u8>,
}

/// ```text
/// kcs,i/o,0xca2,rsp=1,rsi=1,rsh=0,irq=5,ipmb=32
/// ```
///
/// An `irq` or `ipmb` of 0 is none.
fn params(text: &str) -> Parsed<Params> {
    const EXPECTED: Expected =
        Expected("an interface such as kcs,i/o,0xca2,rsp=1,rsi=1,rsh=0,irq=5,ipmb=32");
    let mut words = text.split(',');
    let (_, space, base) = (words.next(), words.next(), words.next());
    let space = match space {
        Some("i/o") => AddressSpace::Io,
        Some("mem") => AddressSpace::Memory,
        _ => return Err(EXPECTED),
    };
    let base = parse::hex(base.ok_or(EXPECTED)?).map_err(|_| EXPECTED)?;
    let mut params = Params {
        address: Some(Address { space, base }),
        ..Params::default()
    };
    for word in words {
        let (key, value) = word.split_once('=').ok_or(EXPECTED)?;
        let value = parse::decimal::<u32>(value).map_err(|_| EXPECTED)?;
        let there = (value > 0).then_some(value);
        match key {
            "rsp" => params.register_spacing_bytes = there,
            "irq" => params.irq = there,
            "ipmb" => params.ipmb_address = there.and_then(|value| value.try_into().ok()),
            _ => {}
        }
    }
    Ok(params)
}

/// A device on I2C is called by its bus and its address in hexadecimal: `0-0010`. One that ACPI names has another name.
fn address_on_bus(name: &str) -> Option<Address> {
    let (bus, address) = name.split_once('-')?;
    parse::decimal::<u32>(bus).ok()?;
    let whole = address.len() == 4;
    let base = whole.then(|| parse::hex(address).ok())??;
    (base < 0x80).then_some(Address {
        space: AddressSpace::I2c,
        base,
    })
}
