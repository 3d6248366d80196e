//! The BMC, as the guest reaches it from inside.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::{Checked, require};
use super::expected::Expected;
use super::plan::{Plan, escape};

/// A BMC: QEMU's own, or a program's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bmc {
    /// How the guest speaks to it.
    pub interface: Interface,
    /// The file with the sensor data records of QEMU's own, one after the other, in SDR format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdr_file: Option<PathBuf>,
    /// The UUID of QEMU's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// What QEMU's own says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// A program to speak to instead, `HOST:PORT`: `ipmi_sim` with the codec `VM`.
    #[serde(default, rename = "extern", skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// Whether the guest loads the driver of its watchdog.
    #[serde(default)]
    pub watchdog: bool,
}

/// What a BMC says of itself (IPMI 2.0 §20.1). Its device id is 32, and cannot be another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceId {
    /// The hardware's revision: at most 15.
    pub revision: u8,
    /// The firmware's revision, with two digits after the point: `2.17`.
    pub firmware: String,
    /// The maker, by IANA's number.
    pub manufacturer: u32,
    /// The product, in the maker's counting.
    pub product: u16,
}

/// An IPMI system interface (IPMI 2.0 §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interface {
    /// Keyboard Controller Style, at an I/O port.
    #[default]
    Kcs,
    /// Block Transfer, at an I/O port.
    Bt,
    /// SMBus.
    Ssif,
    /// Keyboard Controller Style, as a PCI function.
    PciKcs,
    /// Block Transfer, as a PCI function.
    PciBt,
}

impl Interface {
    /// QEMU's device and, where it is a PCI function, its class.
    pub(super) const fn device(self) -> (&'static str, Option<u32>) {
        match self {
            Self::Kcs => ("isa-ipmi-kcs,bmc=bmc", None),
            Self::Bt => ("isa-ipmi-bt,bmc=bmc", None),
            Self::Ssif => ("smbus-ipmi,bmc=bmc,address=0x10", None),
            Self::PciKcs => ("pci-ipmi-kcs,bmc=bmc", Some(0x0c_0701)),
            Self::PciBt => ("pci-ipmi-bt,bmc=bmc", Some(0x0c_0702)),
        }
    }

    /// What drives the bus of an SSIF.
    pub(super) const fn smbus_driver(self) -> Option<&'static str> {
        match self {
            Self::Ssif => Some("i801_smbus"),
            _ => None,
        }
    }

    /// What it is called, and where it is as the guest's firmware tells: its space and address there.
    const fn told(self) -> (&'static str, Option<(&'static str, u64)>) {
        match self {
            Self::Kcs => ("kcs", Some(("io", 0xca2))),
            Self::Bt => ("bt", Some(("io", 0xe4))),
            Self::Ssif => ("ssif", Some(("i2c", 0x10))),
            Self::PciKcs => ("kcs", None),
            Self::PciBt => ("bt", None),
        }
    }

    /// What the kernel calls the device, and its function on QEMU's bridge; none of what is a function itself.
    const fn on_bridge(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Kcs | Self::Bt => Some(("IPI0001:00", "0000:00:1f.0")),
            Self::Ssif => Some(("i2c-IPI0001:00", "0000:00:1f.3")),
            Self::PciKcs | Self::PciBt => None,
        }
    }

    /// The driver.
    const fn driver(self) -> &'static str {
        match self {
            Self::Ssif => "ipmi_ssif",
            _ => "ipmi_si",
        }
    }
}

impl DeviceId {
    /// The firmware's revision before and after the point.
    fn firmware(&self) -> Option<(u8, u8)> {
        let (major, minor) = self.firmware.split_once('.')?;
        let digits = minor.len() == 2 && minor.bytes().all(|digit| digit.is_ascii_digit());
        let minor = digits.then(|| u8::from_str_radix(minor, 16).ok())??;
        let major = major.parse().ok().filter(|major| *major < 0x80)?;
        Some((major, minor))
    }

    fn check(&self) -> Checked {
        let text = "a number up to 127, a point and two digits are needed";
        require(self.firmware().is_some(), "bmc.device_id.firmware", text)?;
        let text = "15 is the highest";
        require(self.revision < 0x10, "bmc.device_id.revision", text)?;
        let text = "it has 20 bits";
        require(
            self.manufacturer < 1 << 20,
            "bmc.device_id.manufacturer",
            text,
        )
    }

    /// As QEMU's options.
    fn options(&self) -> String {
        let (major, minor) = self.firmware().unwrap_or_default();
        format!(
            ",device_rev={},fwrev1={major},fwrev2={minor},mfg_id={},product_id={}",
            self.revision, self.manufacturer, self.product
        )
    }
}

impl Bmc {
    pub(super) fn check(&self) -> Checked {
        let of_own = self.sdr_file.is_some() || self.guid.is_some() || self.device_id.is_some();
        let own = self.external.is_none() || !of_own;
        let text = "records, a GUID and a device id are for QEMU's own BMC, not for a program";
        require(own, "bmc.extern", text)?;
        let parted = self.external.as_ref().is_none_or(|place| {
            place
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        });
        require(parted, "bmc.extern", "HOST:PORT is needed")?;
        let there = self.sdr_file.as_ref().is_none_or(|file| file.is_file());
        require(there, "bmc.sdr_file", "there is no such file")?;
        self.device_id.as_ref().map_or(Ok(()), DeviceId::check)?;
        let uuid = |text: &String| {
            text.len() == 36
                && text
                    .bytes()
                    .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        };
        require(
            self.guid.as_ref().is_none_or(uuid),
            "bmc.guid",
            "it is no UUID",
        )
    }

    /// The BMC itself, which stands before what leads to it.
    pub(super) fn plan(&self, plan: &mut Plan) {
        if let Some((host, port)) = self
            .external
            .as_ref()
            .and_then(|place| place.rsplit_once(':'))
        {
            let host = escape(host);
            let socket = format!("socket,id=bmc-chardev,host={host},port={port},reconnect-ms=1000");
            plan.option("chardev", socket);
            plan.device("ipmi-bmc-extern,id=bmc,chardev=bmc-chardev");
        } else {
            let file = self
                .sdr_file
                .as_ref()
                .map(|file| escape(&file.display().to_string()));
            let file = file
                .map(|file| format!(",sdrfile={file}"))
                .unwrap_or_default();
            let guid = self
                .guid
                .as_ref()
                .map(|guid| format!(",guid={guid}"))
                .unwrap_or_default();
            let device_id = self.device_id.as_ref().map(DeviceId::options);
            let device_id = device_id.unwrap_or_default();
            plan.device(format!("ipmi-bmc-sim,id=bmc{file}{guid}{device_id}"));
        }
        if let (device, None) = self.interface.device() {
            plan.device(device);
        }
        match self.interface {
            Interface::Ssif => plan.modules(&["i2c-i801", "ipmi_ssif", "ipmi_devintf"]),
            _ => plan.modules(&["ipmi_si", "ipmi_devintf"]),
        }
        if self.watchdog {
            plan.modules(&["ipmi_watchdog"]);
        }
    }

    /// `on_pci` is where it is as a PCI function.
    pub(super) fn expect(&self, on_pci: Option<&str>, expected: &mut Expected) {
        let driver = self.interface.driver();
        for module in [driver, "ipmi_devintf", "ipmi_msghandler"] {
            expected.is(format!("software.modules[{module}].state"), "live");
        }
        if self.watchdog {
            expected.is("watchdog.ipmi.timeout_seconds", 10);
            expected.is("watchdog.ipmi.action", "reset");
        }
        let (kind, told) = self.interface.told();
        let on_bridge = self.interface.on_bridge().or(on_pci.zip(on_pci));
        let (device, function) = on_bridge.unwrap_or_default();
        expected.rows("bmc.interfaces", ["ipmi0"]);
        for (name, value) in [
            ("interface_type", kind),
            ("driver", driver),
            ("device", device),
            ("function", function),
            ("device_file", "/dev/ipmi0"),
            ("controller", "ipmi_bmc.0"),
        ] {
            expected.is(format!("bmc.interfaces[ipmi0].{name}"), value);
        }
        expected.rows("bmc.controllers", ["ipmi_bmc.0"]);
        expected.rows("bmc.host_interfaces", [0; 0]);
        expect_told(kind, told, expected);
    }
}

/// What firmware tells of the interface, and that it is known to be the same.
fn expect_told(kind: &str, told: Option<(&str, u64)>, expected: &mut Expected) {
    /// QEMU's number of its structure of type 38.
    const HANDLE: &str = "0x3000";
    let Some((space, base)) = told else {
        expected.rows("bmc.firmware_interfaces", [0; 0]);
        return;
    };
    expected.rows("bmc.firmware_interfaces", [HANDLE]);
    let at = format!("bmc.firmware_interfaces[{HANDLE}]");
    expected.is(format!("{at}.interface_type"), kind);
    expected.is(format!("{at}.specification_version"), "2.0");
    expected.is(format!("{at}.ipmb_address"), 0x20);
    let address = json!({"space": space, "base": base});
    expected.is(format!("{at}.address"), address.clone());
    expected.is("bmc.interfaces[ipmi0].firmware_interface", HANDLE);
    if space == "io" {
        expected.is("bmc.interfaces[ipmi0].address", address);
        expected.is("bmc.interfaces[ipmi0].irq", 5);
        expected.is(format!("{at}.interrupt.number"), 5);
    }
}

/// Of a machine without a BMC.
pub(super) fn expect_none(expected: &mut Expected) {
    for rows in [
        "interfaces",
        "controllers",
        "firmware_interfaces",
        "host_interfaces",
    ] {
        expected.rows(format!("bmc.{rows}"), [0; 0]);
    }
}
