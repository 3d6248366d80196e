//! Which devices are accelerators: by their PCI class, or since they have a DRM or accel node.

use std::collections::BTreeMap;

use crate::parse;
use crate::survey::Survey;

use super::device::kind_of;
use super::{Adapter, AdapterKind};

/// A device, before it is read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) function: Option<String>,
    pub(super) directory: String,
    pub(super) nodes: Vec<String>,
    /// What it is, where that is known without its PCI class.
    pub(super) kind: Option<AdapterKind>,
}

/// All of them: PCI functions by address, then the others by name.
pub(super) fn devices(survey: &Survey<'_>) -> Vec<Found> {
    let mut found: BTreeMap<(bool, usize, String), Found> = BTreeMap::new();
    for (class, node) in nodes(survey) {
        let device = behind(survey, class, &node);
        let key = (
            device.function.is_none(),
            device.id.len(),
            device.id.clone(),
        );
        found.entry(key).or_insert(device).nodes.push(node);
    }
    for id in survey.names(PCI).into_iter().take(DEVICES_MAX) {
        let key = (false, id.len(), id.clone());
        if !found.contains_key(&key) && is_address(&id) && is_accelerator(survey, &id) {
            found.insert(key, function(id));
        }
    }
    if !survey.virtual_functions() {
        found.retain(|_, device| !is_virtual(survey, device));
    }
    found.into_values().collect()
}

/// Where a device that was found before is to be read again.
pub(super) fn directory(adapter: &Adapter) -> Option<String> {
    if let Some(function) = &adapter.function {
        return Some(format!("{PCI}/{function}"));
    }
    let node = adapter.nodes.first()?;
    let class = if node.starts_with("accel") {
        ACCEL
    } else {
        DRM
    };
    Some(format!("{class}/{node}/device"))
}

/// The nodes of both classes; connectors (`card0-DP-1`) and `version` are none.
fn nodes(survey: &Survey<'_>) -> Vec<(&'static str, String)> {
    let mut nodes = Vec::new();
    for (class, prefixes) in [(DRM, &["card", "renderD"][..]), (ACCEL, &["accel"])] {
        let mut names = survey.names(class);
        names.retain(|name| prefixes.iter().any(|prefix| number(name, prefix).is_some()));
        names.sort_by_key(|name| {
            let place = |prefix: &&str| number(name, prefix);
            (!name.starts_with("card"), prefixes.iter().find_map(place))
        });
        nodes.extend(
            names
                .into_iter()
                .take(DEVICES_MAX)
                .map(|name| (class, name)),
        );
    }
    nodes
}

fn number(name: &str, prefix: &str) -> Option<u32> {
    parse::decimal(name.strip_prefix(prefix)?).ok()
}

/// The device that a node belongs to.
///
/// ```text
/// card0         -> ../../devices/pci0000:00/0000:00:01.0/0000:03:00.0/drm/card0
/// card1         -> ../../devices/pci0000:00/0000:00:02.0/virtio1/drm/card1
/// card2         -> ../../devices/platform/ff9a0000.gpu/drm/card2
/// card0/device  -> ../../../0000:03:00.0
/// ```
fn behind(survey: &Survey<'_>, class: &'static str, node: &str) -> Found {
    let link = |path: &str| survey.keep(survey.root().link(path));
    let place = format!("{class}/{node}");
    let own = link(&place);
    let path = own
        .as_deref()
        .and_then(|path| path.rsplit_once(OF_CLASS[usize::from(class == ACCEL)]));
    let path = path.map(|(device, _)| device.to_owned());
    let path = path.or_else(|| link(&format!("{place}/device")));
    let parts: Vec<&str> = path.iter().flat_map(|path| path.split('/')).collect();
    let name = parts
        .last()
        .copied()
        .filter(|name| !name.is_empty() && *name != "..");
    let address = parts.iter().rev().find(|part| is_address(part));
    let kind = match (address, class) {
        (_, ACCEL) => Some(AdapterKind::Accelerator),
        (None, _) if parts.contains(&"virtual") => Some(AdapterKind::Virtual),
        _ => None,
    };
    if let Some(address) = address {
        return Found {
            kind,
            ..function((*address).to_owned())
        };
    }
    Found {
        id: name.unwrap_or(node).to_owned(),
        directory: format!("{place}/device"),
        kind,
        ..Found::default()
    }
}

fn function(address: String) -> Found {
    Found {
        directory: format!("{PCI}/{address}"),
        function: Some(address.clone()),
        id: address,
        ..Found::default()
    }
}

fn is_accelerator(survey: &Survey<'_>, address: &str) -> bool {
    // A function without a class, or with a damaged one, is told of by the PCI class.
    let class = survey.root().text(&format!("{PCI}/{address}/class"));
    let class = class.ok().flatten().and_then(|text| parse::hex(&text).ok());
    class.and_then(kind_of).is_some()
}

/// Whether it is an SR-IOV virtual function, which is folded into its physical function.
fn is_virtual(survey: &Survey<'_>, device: &Found) -> bool {
    let Some(function) = &device.function else {
        return false;
    };
    let link = survey.root().link(&format!("{PCI}/{function}/physfn"));
    matches!(link, Ok(Some(_)))
}

/// Whether a name is the address of a PCI function: `0000:3b:00.1`, `10000:e1:00.0`.
fn is_address(name: &str) -> bool {
    let shape: String = name
        .chars()
        .map(|sign| match sign {
            '0'..='9' | 'a'..='f' => 'x',
            sign => sign,
        })
        .collect();
    shape.strip_suffix(":xx:xx.x").is_some_and(|domain| {
        (4..=8).contains(&domain.len()) && domain.bytes().all(|sign| sign == b'x')
    })
}

const PCI: &str = "sys/bus/pci/devices";
const DRM: &str = "sys/class/drm";
const ACCEL: &str = "sys/class/accel";

/// What stands between a device's path and its node's name.
const OF_CLASS: [&str; 2] = ["/drm/", "/accel/"];

/// More than any machine has, so that a hostile tree cannot take all memory.
const DEVICES_MAX: usize = 1 << 16;
