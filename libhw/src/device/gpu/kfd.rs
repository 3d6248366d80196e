//! AMD's compute nodes and what joins them, from /sys/class/kfd (`drivers/gpu/drm/amd/amdkfd/kfd_topology.c`): there
//! alone the kernel tells which partition of a device is which DRM node, and which devices XGMI links.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// A compute node: a device, or a partition of one; or the CPUs of a memory node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ComputeNode {
    /// Its number in /sys/class/kfd/kfd/topology/nodes.
    pub id: u32,
    /// `domain` and `location_id`: the PCI function; none for CPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `location_id`: which partition of the function it is, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<u32>,
    /// `drm_render_minor`: the DRM node that programs open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub render_node: Option<String>,
    /// `gfx_target_version`: the instruction set that compilers aim at: `gfx942`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `cpu_cores_count`, of CPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<u64>,
    /// `simd_count` by `simd_per_cu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_units: Option<u64>,
    /// `num_xcc`: the accelerator complex dies in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xccs: Option<u64>,
    /// `mem_banks/*/properties`: its memory together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<Bytes>,
}

/// What joins two compute nodes, one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ComputeLink {
    /// `FROM-TO`, the numbers of the compute nodes.
    pub id: String,
    /// `node_from`.
    pub from: u32,
    /// `node_to`.
    pub to: u32,
    /// `type`.
    pub kind: ComputeLinkKind,
    /// `weight`: how far it is, as in a table of NUMA distances; 15 is one XGMI hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u64>,
    /// `min_bandwidth`, in megabytes a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_bandwidth_mbytes_per_second: Option<u64>,
    /// `max_bandwidth`, in megabytes a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bandwidth_mbytes_per_second: Option<u64>,
}

/// What a link is made of (`CRAT_IOLINK_TYPE_*` in `kfd_crat.h`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ComputeLinkKind {
    /// 1: between processors.
    Hypertransport,
    /// 2: PCI Express.
    Pcie,
    /// 11: XGMI.
    Xgmi,
    /// The kernel's number of a kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// The nodes and links; none where no device computes.
pub(super) fn read(survey: &Survey<'_>) -> (Vec<ComputeNode>, Vec<ComputeLink>) {
    let mut nodes = Vec::new();
    let mut links = Vec::new();
    for id in survey.numbered(NODES, "").into_iter().take(NODES_MAX) {
        let place = format!("{NODES}/{id}");
        nodes.push(node(survey, id, &place));
        // What reaches a node directly, then what reaches it through others.
        for kind in ["io_links", "p2p_links"] {
            for number in survey
                .numbered(&format!("{place}/{kind}"), "")
                .into_iter()
                .take(NODES_MAX)
            {
                links.extend(link(&properties(
                    survey,
                    &format!("{place}/{kind}/{number}"),
                )));
            }
        }
    }
    if nodes.iter().all(|node| node.function.is_none()) {
        return (Vec::new(), Vec::new());
    }
    links.sort_by_key(|link| (link.from, link.to));
    links.dedup_by_key(|link| (link.from, link.to));
    (nodes, links)
}

fn node(survey: &Survey<'_>, id: u32, place: &str) -> ComputeNode {
    let properties = properties(survey, place);
    let property = |name: &str| properties.get(name).copied().filter(|value| *value > 0);
    let simds = property("simd_count");
    let location = properties
        .get("location_id")
        .copied()
        .filter(|_| simds.is_some());
    ComputeNode {
        id,
        function: location.map(|location| address(property("domain").unwrap_or(0), location)),
        partition: location.and_then(|location| u32::try_from(location >> 28).ok()),
        render_node: property("drm_render_minor").map(|minor| format!("renderD{minor}")),
        target: property("gfx_target_version").map(target),
        cpu_cores: property("cpu_cores_count"),
        compute_units: simds.map(|simds| simds / property("simd_per_cu").unwrap_or(1)),
        xccs: property("num_xcc"),
        memory_bytes: memory(survey, place),
    }
}

fn memory(survey: &Survey<'_>, place: &str) -> Option<Bytes> {
    let banks = survey.numbered(&format!("{place}/mem_banks"), "");
    let size = |bank| {
        let properties = properties(survey, &format!("{place}/mem_banks/{bank}"));
        properties.get("size_in_bytes").copied()
    };
    let total = banks
        .into_iter()
        .take(NODES_MAX)
        .filter_map(size)
        .reduce(u64::saturating_add);
    total.filter(|total| *total > 0).map(Bytes)
}

fn link(properties: &BTreeMap<String, u64>) -> Option<ComputeLink> {
    let property = |name: &str| properties.get(name).copied();
    let number = |name| u32::try_from(property(name)?).ok();
    let (from, to) = (number("node_from")?, number("node_to")?);
    Some(ComputeLink {
        id: format!("{from}-{to}"),
        from,
        to,
        kind: match property("type")? {
            1 => ComputeLinkKind::Hypertransport,
            2 => ComputeLinkKind::Pcie,
            11 => ComputeLinkKind::Xgmi,
            kind => ComputeLinkKind::Other(kind.to_string()),
        },
        weight: property("weight"),
        min_bandwidth_mbytes_per_second: property("min_bandwidth").filter(|rate| *rate > 0),
        max_bandwidth_mbytes_per_second: property("max_bandwidth").filter(|rate| *rate > 0),
    })
}

/// ```text
/// simd_count 1216
/// simd_per_cu 4
/// ```
fn properties(survey: &Survey<'_>, place: &str) -> BTreeMap<String, u64> {
    let text = survey
        .raw(&format!("{place}/properties"))
        .unwrap_or_default();
    let pair = |line: &str| {
        let (name, value) = parse::trim(line).split_once(' ')?;
        Some((name.to_owned(), parse::decimal(value).ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// The low half is bus, device and function; the top four bits are the partition.
fn address(domain: u64, location: u64) -> String {
    let (bus, device, function) = (location >> 8 & 0xff, location >> 3 & 0x1f, location & 7);
    format!(
        "{:04x}:{bus:02x}:{device:02x}.{function}",
        domain & 0xffff_ffff
    )
}

/// Two decimal digits each for minor version and stepping, which the name has in hexadecimal.
///
/// ```text
/// 110500 is gfx1150, 90010 is gfx90a
/// ```
fn target(version: u64) -> String {
    format!(
        "gfx{}{:x}{:x}",
        version / 10_000,
        version / 100 % 100,
        version % 100
    )
}

const NODES: &str = "sys/class/kfd/kfd/topology/nodes";

/// More than any machine has of anything here.
const NODES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_addresses_are_written_as_everybody_writes_them() {
        for (version, name) in [
            (110_500, "gfx1150"),
            (90_010, "gfx90a"),
            (90_402, "gfx942"),
            (100_300, "gfx1030"),
        ] {
            assert_eq!(target(version), name);
        }
        assert_eq!(address(0, 49_408), "0000:c1:00.0");
        assert_eq!(address(1, 0x1000_0c00), "0001:0c:00.0");
    }
}
