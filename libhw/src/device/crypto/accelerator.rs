//! Every accelerator: of PCI, of virtio, of the platform.

use serde::{Deserialize, Serialize};

use super::{Crypto, Kind, Service, State, fec, known, psp, qat};
use crate::directory::{self, Directory, Identity};
use crate::parse;
use crate::survey::Survey;

/// A device for cryptography or compression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accelerator {
    /// The kernel's name: a PCI address, `dsa0`, `virtio3`, `card00`, a platform device's.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Its PCI function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Its memory node, where its own driver tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The driver bound to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// What it does; empty where that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// How many virtual functions it has (`virtfn*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vfs: Option<u32>,
    /// `sriov_totalvfs`: how many it can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vfs_total: Option<u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: AcceleratorNow,
}

/// What changes in an accelerator without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AcceleratorNow {
    /// How it fares, as far as its driver tells. That a QAT device does not answer, only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

impl AcceleratorNow {
    /// What is told now; that it did not answer when it was asked stays until it is asked again.
    pub(super) fn renew(&mut self, new: &Self, deep: bool) {
        let silent = self.state == Some(State::Unresponsive) && new.state == Some(State::Up);
        if deep || !silent {
            self.state.clone_from(&new.state);
        }
    }
}

impl Accelerator {
    pub(super) fn new(id: &str, kind: Kind) -> Self {
        Self {
            id: id.to_owned(),
            function: None,
            node: None,
            model: None,
            driver: None,
            services: known::services(&kind),
            vfs: None,
            vfs_total: None,
            now: AcceleratorNow::default(),
            kind,
        }
    }
}

const VIRTIO: &str = "sys/bus/virtio/devices";
const PLATFORM: &str = "sys/bus/platform/drivers";
const FSL_MC: &str = "sys/bus/fsl-mc/drivers";
const NX_GZIP: &str = "sys/class/nxgzip";

/// The number of a cryptographic device (Virtual I/O Device 1.2 §5).
const VIRTIO_CRYPTO: u64 = 20;

/// What a driver's directory holds beside its devices.
const NO_DEVICES: [&str; 5] = ["bind", "module", "new_id", "remove_id", "unbind"];

/// Adds those of virtio and the platform, then of PCI those that are not among them.
pub(super) fn discover(survey: &Survey<'_>, crypto: &mut Crypto) {
    virtio(survey, crypto);
    for bus in [PLATFORM, FSL_MC] {
        platform(survey, bus, crypto);
    }
    if let Some(name) = survey.names(NX_GZIP).first() {
        let mut row = Accelerator::new(name, Kind::Nx);
        row.services = vec![Service::Compression];
        crypto.accelerators.push(row);
    }
    for (identity, function) in directory::functions(survey, is_one) {
        if let Some((name, virtual_function)) = known::fec(&identity) {
            let row = fec::read(survey, &function, name, virtual_function);
            crypto.fec.push(row);
            continue;
        }
        let known = |row: &Accelerator| row.function.as_deref() == Some(&identity.id);
        if !crypto.accelerators.iter().any(known) {
            pci(survey, &identity, &function, crypto);
        }
    }
}

/// Whether a PCI function is for cryptography, compression or error correction.
pub(super) fn is_one(function: &Identity) -> bool {
    known::device(function).is_some() || known::fec(function).is_some()
}

/// Whether a device of virtio is a cryptographic one.
///
/// ```text
/// virtio:d00000014v00001AF4
/// ```
pub(super) fn is_virtio_crypto(modalias: &str) -> bool {
    let number = modalias
        .strip_prefix("virtio:d")
        .and_then(|rest| rest.get(..8));
    number.is_none_or(|number| parse::hex(number) == Ok(VIRTIO_CRYPTO))
}

fn pci(survey: &Survey<'_>, identity: &Identity, function: &Directory<'_>, crypto: &mut Crypto) {
    let Some(known) = known::device(identity) else {
        return;
    };
    let driver = function.link_name("driver");
    let virtual_functions = function
        .names()
        .filter(|name| name.starts_with("virtfn"))
        .count();
    let vfs_total = function.value("sriov_totalvfs", parse::decimal);
    let mut row = Accelerator {
        function: Some(identity.id.clone()),
        model: (!known.model.is_empty()).then(|| known.model.to_owned()),
        vfs: vfs_total.map(|_| u32::try_from(virtual_functions).unwrap_or(u32::MAX)),
        vfs_total,
        ..Accelerator::new(&identity.id, (known.kind)())
    };
    row.now.state = driver.is_none().then_some(State::Unbound);
    row.driver = driver;
    match row.kind {
        Kind::Qat => qat::read(survey, known, function, &mut row, crypto),
        Kind::AmdCcp => crypto.psp.extend(psp::read(function)),
        _ => {}
    }
    crypto.accelerators.push(row);
}

/// The devices of virtio that are cryptographic ones.
fn virtio(survey: &Survey<'_>, crypto: &mut Crypto) {
    for name in survey.names(VIRTIO) {
        let path = format!("{VIRTIO}/{name}");
        let device = survey.value(&format!("{path}/device"), parse::hex);
        if device != Some(VIRTIO_CRYPTO) {
            continue;
        }
        let directory = Directory::list(survey, path);
        let driver = directory.link_name("driver");
        let status = directory.value("status", parse::hex);
        let mut row = Accelerator {
            function: directory.function(),
            ..Accelerator::new(&name, Kind::VirtioCrypto)
        };
        row.now.state = match status {
            _ if driver.is_none() => Some(State::Unbound),
            Some(status) => Some(virtio_state(status)),
            None => None,
        };
        row.driver = driver;
        crypto.accelerators.push(row);
    }
}

/// The bits of Virtual I/O Device 1.2 §2.1.
fn virtio_state(status: u64) -> State {
    const DRIVER_OK: u64 = 4;
    const DEVICE_NEEDS_RESET: u64 = 64;
    const FAILED: u64 = 128;
    if status & FAILED != 0 {
        State::Failed
    } else if status & DEVICE_NEEDS_RESET != 0 {
        State::NeedsReset
    } else if status & DRIVER_OK != 0 {
        State::Up
    } else {
        State::Down
    }
}

/// The devices of the platform drivers that are known: their directory lists them as links.
fn platform(survey: &Survey<'_>, bus: &str, crypto: &mut Crypto) {
    for driver in survey.names(bus) {
        let Some(kind) = known::driver(&driver) else {
            continue;
        };
        for device in survey.names(&format!("{bus}/{driver}")) {
            if device == "uevent" || NO_DEVICES.contains(&device.as_str()) {
                continue;
            }
            let mut row = Accelerator {
                driver: Some(driver.clone()),
                ..Accelerator::new(&device, kind.clone())
            };
            row.model = model(survey, &format!("{bus}/{driver}/{device}"));
            row.now.state = Some(State::Up);
            crypto.accelerators.push(row);
        }
    }
}

/// What the device tree calls it: `fsl,sec-v4.0`, and of CAAM its era.
fn model(survey: &Survey<'_>, device: &str) -> Option<String> {
    let node = Directory::list(survey, format!("{device}/of_node"));
    let compatible = node.text("compatible")?;
    // The most particular of several, each ended by a NUL byte.
    let name = compatible.split('\0').next().and_then(parse::nonempty)?;
    let path = node.path("fsl,sec-era");
    let era = node
        .has("fsl,sec-era")
        .then(|| survey.keep(survey.root().bytes(&path)))
        .flatten();
    let era = era.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    Some(match era {
        Some(era) => format!("{name}, era {}", u32::from_be_bytes(era)),
        None => name,
    })
}
