//! What the network's drivers are asked over netlink: they answer under a lock of the whole network, and one that is
//! stuck keeps it.

use std::io;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use super::json;
use crate::io::netlink::{link, offered, qdisc};
use crate::io::{devlink, dpll, ethtool};

/// A question about this network namespace. Each has its own kind of answer, named with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Network {
    /// Its interfaces: `Vec<netlink::link::Link>`.
    Links,
    /// What queues their frames: `Vec<netlink::qdisc::Qdisc>`.
    Qdiscs,
    /// The settings of one: [`ethtool::Settings`].
    Settings {
        /// Its name.
        interface: String,
    },
    /// What of one reaches the device: [`ethtool::Deep`].
    Deep {
        /// Its name.
        interface: String,
    },
    /// The memory of the module in one: [`ethtool::Eeprom`].
    Module {
        /// Its name.
        interface: String,
    },
    /// Devices with ports and health reporters: [`devlink::Devlink`].
    Devlink,
    /// Their firmware: `Vec<devlink::Firmware>`.
    Firmware,
    /// Clock circuits and pins: [`dpll::Dplls`].
    Dpll,
}

impl Network {
    /// The name under which a capture keeps the answer.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Links => "nic-links".to_owned(),
            Self::Qdiscs => "nic-qdiscs".to_owned(),
            Self::Settings { interface } => format!("ethtool-{interface}"),
            Self::Deep { interface } => format!("ethtool-deep-{interface}"),
            Self::Module { interface } => format!("ethtool-module-{interface}"),
            Self::Devlink => "devlink".to_owned(),
            Self::Firmware => "devlink-info".to_owned(),
            Self::Dpll => "dpll".to_owned(),
        }
    }

    /// Asks the kernel; `ENOENT` where it has nothing of the kind.
    pub(super) fn ask(&self) -> Result<Vec<u8>, Errno> {
        match self {
            Self::Links => answer(offered(link::ask())),
            Self::Qdiscs => answer(offered(qdisc::ask())),
            Self::Settings { interface } => answer(ethtool::ask(interface)),
            Self::Deep { interface } => answer(ethtool::ask_deep(interface)),
            Self::Module { interface } => answer(ethtool::ask_module(interface)),
            Self::Devlink => answer(devlink::ask()),
            Self::Firmware => answer(devlink::ask_firmware()),
            Self::Dpll => answer(dpll::ask()),
        }
    }
}

fn answer(told: io::Result<Option<impl Serialize>>) -> Result<Vec<u8>, Errno> {
    let errno = |error: io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO));
    json(&told.map_err(errno)?.ok_or(Errno::ENOENT)?)
}
