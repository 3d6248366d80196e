//! Which devices are accelerators: by their PCI class, or since they have a DRM or accel node.

use std::collections::BTreeMap;

use crate::parse;
use crate::survey::Survey;

use super::device::{Device, kind_of};
use super::{Adapter, AdapterKind, ComputeNode};

/// A device, before it is read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) function: Option<String>,
    pub(super) nodes: Vec<String>,
    /// What it is, where that is known without its PCI class.
    pub(super) kind: Option<AdapterKind>,
    /// Whether its nodes hang off a device of another bus, which hangs off the PCI function.
    pub(super) indirect: bool,
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
        if !found.contains_key(&key) && parse::is_function(&id) && is_accelerator(survey, &id) {
            found.insert(key, function(id));
        }
    }
    if !survey.virtual_functions() {
        found.retain(|_, device| !is_virtual(survey, device));
    }
    found.into_values().collect()
}

/// A device's directory: the PCI function's, and where there is none that of its first node.
pub(super) fn open<'a>(
    survey: &'a Survey<'a>,
    function: Option<&str>,
    nodes: &[String],
) -> Device<'a> {
    let node = nodes.first().map(|node| format!("{}/device", place(node)));
    if let Some(function) = function {
        let device = Device::list(survey, format!("{PCI}/{function}"));
        if !device.is_empty() || node.is_none() {
            return device;
        }
    }
    Device::list(survey, node.unwrap_or_default())
}

/// The driver of the device that a node hangs off.
pub(super) fn driver(survey: &Survey<'_>, node: &str) -> Option<String> {
    survey.link_name(&format!("{}/device/driver", place(node)))
}

fn place(node: &str) -> String {
    let class = if node.starts_with("accel") {
        ACCEL
    } else {
        DRM
    };
    format!("{class}/{node}")
}

/// Gives the DRM nodes of an AMD device's partitions, which stand at devices of their own, to the device.
pub(super) fn join_partitions(found: &mut Vec<Found>, compute: &[ComputeNode]) {
    let owner = |device: &Found| {
        let render = device
            .nodes
            .iter()
            .find(|node| node.starts_with("renderD"))?;
        let of = |node: &&ComputeNode| node.render_node.as_ref() == Some(render);
        compute.iter().find(of)?.function.clone()
    };
    let partitions: Vec<Found> = found
        .extract_if(.., |device| device.id.starts_with("amdgpu_xcp"))
        .collect();
    for mut partition in partitions {
        let owner = owner(&partition);
        match found
            .iter_mut()
            .find(|device| owner.is_some() && device.function == owner)
        {
            Some(device) => device.nodes.append(&mut partition.nodes),
            None => found.push(partition),
        }
    }
}

/// Fills in the dumps that drivers left (`Documentation/ABI/testing/sysfs-devices-coredump`).
pub(super) fn core_dumps(survey: &Survey<'_>, adapters: &mut [Adapter]) {
    for name in survey.names(DUMPS).into_iter().take(DEVICES_MAX) {
        let Some(device) = survey.link_name(&format!("{DUMPS}/{name}/failing_device")) else {
            continue;
        };
        if let Some(adapter) = adapters.iter_mut().find(|adapter| adapter.id == device) {
            adapter.core_dumps.push(name);
        }
    }
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
///
/// A tree without links has the device's directory itself below the node, and its address in `uevent`.
fn behind(survey: &Survey<'_>, class: &'static str, node: &str) -> Found {
    let link = |path: &str| survey.keep(survey.root().link(path));
    let place = format!("{class}/{node}");
    let between = if class == ACCEL { "/accel/" } else { "/drm/" };
    let own = link(&place);
    let path = own.as_deref().and_then(|path| path.rsplit_once(between));
    let path = path.map(|(device, _)| device.to_owned());
    let path = path.or_else(|| link(&format!("{place}/device")));
    let parts: Vec<&str> = path.iter().flat_map(|path| path.split('/')).collect();
    let name = parts
        .last()
        .copied()
        .filter(|name| !name.is_empty() && *name != "..");
    let address = parts
        .iter()
        .rev()
        .find(|part| parse::is_function(part))
        .map(|part| (*part).to_owned());
    let indirect = address.is_some() && address.as_deref() != name;
    let address = address.or_else(|| name.is_none().then(|| slot(survey, &place)).flatten());
    let kind = match (&address, class) {
        (_, ACCEL) => Some(AdapterKind::Accelerator),
        (None, _) if parts.iter().any(|part| NOWHERE.contains(part)) => Some(AdapterKind::Virtual),
        _ => None,
    };
    Found {
        id: address.as_deref().or(name).unwrap_or(node).to_owned(),
        function: address,
        nodes: Vec::new(),
        kind,
        indirect,
    }
}

fn slot(survey: &Survey<'_>, place: &str) -> Option<String> {
    let text = survey.raw(&format!("{place}/device/uevent"))?;
    let slot = text
        .lines()
        .find_map(|line| line.strip_prefix("PCI_SLOT_NAME="));
    slot.map(parse::trim)
        .filter(|slot| parse::is_function(slot))
        .map(str::to_owned)
}

fn function(address: String) -> Found {
    Found {
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

const PCI: &str = "sys/bus/pci/devices";
const DRM: &str = "sys/class/drm";
const ACCEL: &str = "sys/class/accel";
const DUMPS: &str = "sys/class/devcoredump";

/// Where the kernel keeps what is no hardware.
const NOWHERE: &[&str] = &["virtual", "faux", "vgem", "vkms"];

/// More than any machine has, so that a hostile tree cannot take all memory.
const DEVICES_MAX: usize = 1 << 16;
