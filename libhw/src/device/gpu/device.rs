//! One device's directory, which is listed once so that nothing is opened in vain.

use std::cell::Cell;

use crate::error::Error;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

use super::{Adapter, AdapterKind, AdapterVendor, RuntimePower};

/// A device's directory and what stands in it.
#[derive(Debug)]
pub(super) struct Device<'a> {
    pub(super) survey: &'a Survey<'a>,
    directory: String,
    names: Vec<String>,
    power: Option<RuntimePower>,
    /// It did not answer in time, and is not asked again.
    stuck: Cell<bool>,
}

impl<'a> Device<'a> {
    /// With its names listed, and whether it sleeps.
    pub(super) fn list(survey: &'a Survey<'a>, directory: String) -> Self {
        let names = survey.names(&directory);
        let mut device = Self {
            survey,
            directory,
            names,
            power: None,
            stuck: Cell::new(false),
        };
        device.power = device.runtime_status();
        device
    }

    /// Whether nothing stands in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Where runtime power management has it.
    pub(super) const fn power(&self) -> Option<&RuntimePower> {
        self.power.as_ref()
    }

    /// Whether a read that reaches it does not wake it, or may.
    pub(super) fn is_awake(&self) -> bool {
        self.survey.deep() || !self.power.as_ref().is_some_and(RuntimePower::sleeps)
    }

    /// Whether to ask what takes the device's firmware to answer.
    pub(super) fn may_ask(&self) -> bool {
        self.is_awake() && (self.survey.deep() || !self.survey.root().is_live())
    }

    /// An attribute's path.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    /// Whether it has the attribute.
    pub(super) fn has(&self, name: &str) -> bool {
        let order = |known: &String| known.as_str().cmp(name);
        self.names.binary_search_by(order).is_ok()
    }

    /// The attributes that begin so, in order.
    pub(super) fn names_like(&self, prefix: &str) -> Vec<String> {
        let names = self.names.iter().filter(|name| name.starts_with(prefix));
        names.cloned().collect()
    }

    /// What stands in a directory below; nothing where the first part of its path is not there.
    pub(super) fn names_in(&self, path: &str) -> Vec<String> {
        if self.lacks(path) {
            return Vec::new();
        }
        self.survey.names(&self.path(path))
    }

    /// An attribute's text as a value; empty is absent.
    pub(super) fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        self.value_in(name, parse)
    }

    /// As [`Self::value`], of an attribute in a directory below.
    pub(super) fn value_in<T>(&self, path: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let text = self.text_in(path)?;
        self.survey.parsed(&self.path(path), &text, parse)
    }

    /// An attribute's trimmed text; empty is absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.text_in(name)
    }

    /// As [`Self::text`], of an attribute in a directory below.
    pub(super) fn text_in(&self, path: &str) -> Option<String> {
        (!self.lacks(path)).then(|| self.survey.text(&self.path(path)))?
    }

    /// What an attribute says that takes the device to answer; empty is absent.
    pub(super) fn ask<T>(&self, path: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let text = self.ask_text(path)?;
        self.survey.parsed(&self.path(path), &text, parse)
    }

    /// Its trimmed text.
    pub(super) fn ask_text(&self, path: &str) -> Option<String> {
        if self.lacks(path) {
            return None;
        }
        self.ask_at(&self.path(path))
    }

    /// As [`Self::ask_text`], of a file elsewhere that takes the device to answer.
    pub(super) fn ask_at(&self, path: &str) -> Option<String> {
        let bytes = self.asked(path)?;
        parse::nonempty(&String::from_utf8_lossy(&bytes))
    }

    /// Its bytes.
    pub(super) fn ask_bytes(&self, name: &str) -> Option<Vec<u8>> {
        let bytes = self.has(name).then(|| self.asked(&self.path(name)))??;
        (!bytes.is_empty()).then_some(bytes)
    }

    /// Keeps as a problem that an attribute does not hold what it should.
    pub(super) fn malformed(&self, name: &str, expected: &'static str, bytes: &[u8]) {
        let path = format!("/{}", self.path(name));
        let text = String::from_utf8_lossy(bytes);
        self.survey.report(Error::malformed(&path, expected, &text));
    }

    fn asked(&self, path: &str) -> Option<Vec<u8>> {
        if self.stuck.get() || !self.may_ask() {
            return None;
        }
        let answer = self.survey.root().slow_bytes(path, ANSWER_MAX);
        self.stuck
            .set(matches!(answer, Err(Error::TimedOut { .. })));
        match answer {
            // An amdgpu that went to sleep meanwhile, or that resets, says that it may not be asked.
            Err(Error::Denied { .. }) if !self.survey.deep() => None,
            answer => self.survey.keep(answer),
        }
    }

    /// Whether it is known from the listing that a path does not exist.
    fn lacks(&self, path: &str) -> bool {
        let first = path.split('/').next().unwrap_or_default();
        !self.has(first)
    }

    fn runtime_status(&self) -> Option<RuntimePower> {
        let status = self.text_in("power/runtime_status")?;
        Some(match status.as_str() {
            "active" => RuntimePower::Active,
            "suspended" => RuntimePower::Suspended,
            "suspending" => RuntimePower::Suspending,
            "resuming" => RuntimePower::Resuming,
            "error" => RuntimePower::Error,
            "unsupported" => RuntimePower::Unsupported,
            _ => RuntimePower::Other(status),
        })
    }

    /// What it is: from `uevent`, one read for what else would be seven, and where that is lacking from the
    /// attributes.
    ///
    /// ```text
    /// DRIVER=amdgpu
    /// PCI_CLASS=30000
    /// PCI_ID=1002:73BF
    /// PCI_SUBSYS_ID=1DA2:440E
    /// ```
    pub(super) fn identity(&self) -> Adapter {
        let mut adapter = Adapter::default();
        let mut class = None;
        let path = self.path("uevent");
        let text = self.has("uevent").then(|| self.survey.raw(&path)).flatten();
        for line in text.as_deref().unwrap_or_default().lines() {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            match key {
                "DRIVER" => adapter.driver = parse::nonempty(value),
                "PCI_CLASS" => class = self.survey.parsed(&path, value, parse::hex),
                "PCI_ID" => {
                    let ids = self.survey.parsed(&path, value, ids);
                    (adapter.vendor_id, adapter.device_id) = ids.unzip();
                }
                "PCI_SUBSYS_ID" => {
                    let ids = self.survey.parsed(&path, value, ids);
                    (adapter.subsystem_vendor_id, adapter.subsystem_device_id) = ids.unzip();
                }
                _ if key.starts_with("OF_COMPATIBLE_") && key != "OF_COMPATIBLE_N" => {
                    adapter.compatible.extend(parse::nonempty(value));
                }
                _ => {}
            }
        }
        if text.is_none() {
            adapter.driver = self
                .has("driver")
                .then(|| self.survey.link_name(&self.path("driver")))
                .flatten();
        }
        class = class.or_else(|| self.value("class", parse::hex));
        adapter.kind = class.and_then(kind_of).unwrap_or_default();
        for (field, name) in [
            (&mut adapter.vendor_id, "vendor"),
            (&mut adapter.device_id, "device"),
            (&mut adapter.subsystem_vendor_id, "subsystem_vendor"),
            (&mut adapter.subsystem_device_id, "subsystem_device"),
        ] {
            *field = field.or_else(|| self.value(name, parse::hex16));
        }
        adapter.vendor = vendor_of(&adapter);
        adapter
    }
}

/// What a PCI class is for; `None` for one that is no accelerator.
pub(super) const fn kind_of(class: u64) -> Option<AdapterKind> {
    Some(match class >> 8 {
        0x0300 | 0x0301 => AdapterKind::Vga,
        0x0302 => AdapterKind::ThreeD,
        0x0303..=0x03ff => AdapterKind::Display,
        0x1200..=0x12ff => AdapterKind::Accelerator,
        _ => return None,
    })
}

/// What a device is for: what its place tells, else its maker, else its PCI class; what is neither is part of a
/// system on a chip.
pub(super) fn kind(adapter: &Adapter, place: Option<AdapterKind>) -> AdapterKind {
    let emulated = adapter.vendor_id.is_some_and(|id| EMULATED.contains(&id));
    match place {
        Some(kind) => kind,
        None if emulated => AdapterKind::Virtual,
        None if adapter.kind == AdapterKind::Unknown && adapter.function.is_none() => {
            AdapterKind::Platform
        }
        None => adapter.kind,
    }
}

/// By its PCI id, else by the first word of what the devicetree calls it.
fn vendor_of(adapter: &Adapter) -> AdapterVendor {
    let word = adapter
        .compatible
        .first()
        .and_then(|name| name.split(',').next());
    match (adapter.vendor_id, word) {
        (Some(0x1002 | 0x1022), _) => AdapterVendor::Amd,
        (Some(0x8086), _) => AdapterVendor::Intel,
        (Some(0x10de), _) | (None, Some("nvidia")) => AdapterVendor::Nvidia,
        _ => AdapterVendor::Other,
    }
}

/// ```text
/// 1002:73BF
/// ```
fn ids(text: &str) -> Parsed<(u16, u16)> {
    const EXPECTED: Expected = Expected("two PCI ids such as 1002:73BF");
    let (first, second) = text.split_once(':').ok_or(EXPECTED)?;
    let id = |text| parse::hex16(text).map_err(|_| EXPECTED);
    Ok((id(first)?, id(second)?))
}

/// Those whose devices exist in hypervisors alone: QEMU (two of them), Red Hat's virtio, VMware, VirtualBox, Hyper-V.
const EMULATED: &[u16] = &[0x1234, 0x1b36, 0x1af4, 0x15ad, 0x80ee, 0x1414];

/// Longer than any attribute that is asked for.
const ANSWER_MAX: usize = 64 << 10;
