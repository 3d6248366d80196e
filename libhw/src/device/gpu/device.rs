//! One device's directory, which is listed once so that nothing is opened in vain.

use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

use super::{Adapter, AdapterKind, AdapterVendor, RuntimePower};

/// A device's directory and what stands in it.
#[derive(Debug)]
pub(super) struct Device<'a> {
    pub(super) survey: &'a Survey<'a>,
    directory: String,
    names: Vec<String>,
}

impl<'a> Device<'a> {
    /// With its names listed.
    pub(super) fn list(survey: &'a Survey<'a>, directory: String) -> Self {
        let names = survey.names(&directory);
        Self {
            survey,
            directory,
            names,
        }
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

    /// An attribute's text as a value.
    pub(super) fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        self.has(name)
            .then(|| self.survey.value(&self.path(name), parse))?
    }

    /// An attribute's trimmed text; empty is absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.has(name).then(|| self.survey.text(&self.path(name)))?
    }

    /// Where runtime power management has it.
    pub(super) fn power(&self) -> Option<RuntimePower> {
        // `power` is a directory, so the listing cannot tell whether the file is there.
        let status = self
            .has("power")
            .then(|| self.survey.text(&self.path("power/runtime_status")))??;
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
