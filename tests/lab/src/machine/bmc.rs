//! The BMC, as the guest reaches it from inside.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::{Checked, require};
use super::expected::Expected;
use super::plan::{Plan, escape};

/// A BMC: QEMU's own, or a program's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// A program to speak to instead, `HOST:PORT`: `ipmi_sim` with the codec `VM`.
    #[serde(default, rename = "extern", skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// Whether the guest loads the driver of its watchdog.
    #[serde(default)]
    pub watchdog: bool,
}

/// An IPMI system interface (IPMI 2.0 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interface {
    /// Keyboard Controller Style, at an I/O port.
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
}

impl Bmc {
    pub(super) fn check(&self) -> Checked {
        let own = self.external.is_none() || (self.sdr_file.is_none() && self.guid.is_none());
        let text = "records and a GUID are for QEMU's own BMC, not for a program";
        require(own, "bmc.extern", text)?;
        let parted = self.external.as_ref().is_none_or(|place| {
            place
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        });
        require(parted, "bmc.extern", "HOST:PORT is needed")?;
        let there = self.sdr_file.as_ref().is_none_or(|file| file.is_file());
        require(there, "bmc.sdr_file", "there is no such file")?;
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
            plan.device(format!("ipmi-bmc-sim,id=bmc{file}{guid}"));
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

    pub(super) fn expect(&self, expected: &mut Expected) {
        let driver = match self.interface {
            Interface::Ssif => "ipmi_ssif",
            _ => "ipmi_si",
        };
        for module in [driver, "ipmi_devintf", "ipmi_msghandler"] {
            expected.is(format!("software.modules[{module}].state"), "live");
        }
        if self.watchdog {
            expected.is("watchdog.ipmi.timeout_seconds", 10);
            expected.is("watchdog.ipmi.action", "reset");
        }
    }
}
