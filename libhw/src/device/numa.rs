//! Memory nodes: their memory, CPUs, distances, bandwidth and latency, tiers, and memory on DAX and CXL.
//!
//! From /sys/devices/system/node, /sys/devices/virtual/memory_tiering, /sys/bus/{dax,cxl} and
//! `Documentation/admin-guide/mm/numaperf.rst`, `Documentation/ABI/stable/sysfs-devices-node`.

mod access;
mod attached;
mod node;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::idset::IdSet;
use crate::survey::Survey;
use crate::units::{Bytes, BytesPerSecond, Nanoseconds};

/// Memory nodes and what belongs to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Numa {
    /// `possible`: the nodes that this boot can ever have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub possible: Option<IdSet>,
    /// `online`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<IdSet>,
    /// `has_cpu`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_cpu: Option<IdSet>,
    /// `has_memory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_memory: Option<IdSet>,
    /// `has_generic_initiator`: nodes of devices that start transfers themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_generic_initiator: Option<IdSet>,
    /// The online nodes, by number. A kernel without NUMA has one that is made up of all its CPUs and memory.
    pub nodes: Vec<Node>,
    /// The memory tiers, fastest first (Linux 6.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// DAX devices, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dax: Vec<Dax>,
    /// CXL memory devices, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cxl_memdevs: Vec<CxlMemdev>,
}

/// One memory node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Node {
    /// The kernel's number.
    pub id: u32,
    /// `cpulist`: its online CPUs; empty for memory alone.
    #[serde(default)]
    pub cpus: IdSet,
    /// `MemTotal` of `meminfo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_total_bytes: Option<Bytes>,
    /// `distance`: to each online node by its number, 10 is the node itself (ACPI SLIT).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub distances: BTreeMap<u32, u32>,
    /// `accessN`: how the best initiators reach its memory (ACPI HMAT); class 0 counts any initiator, 1 only CPUs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Access>,
    /// `memory_side_cache/indexN`: caches in front of its memory, nearest to the memory first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory_side_caches: Vec<MemorySideCache>,
    /// The PCI address of the GPU whose memory it is, `/proc/driver/nvidia/gpus/ADDRESS/numa_status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<String>,
    /// The number of its memory tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u32>,
    /// Whether the kernel has no NUMA, and the node is made up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_up: bool,
    /// What changes without an event.
    #[serde(default)]
    pub now: NodeNow,
}

/// What changes in a node without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NodeNow {
    /// `MemFree` of `meminfo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_free_bytes: Option<Bytes>,
}

/// How the best initiators of one class reach a node's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Access {
    /// 0 or 1, the N of `accessN`.
    pub class: u32,
    /// The nodes whose initiators reach it best.
    #[serde(default)]
    pub initiators: IdSet,
    /// `read_bandwidth`, which the kernel counts in MiB/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bandwidth_bytes_per_second: Option<BytesPerSecond>,
    /// `write_bandwidth`, which the kernel counts in MiB/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_bandwidth_bytes_per_second: Option<BytesPerSecond>,
    /// `read_latency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_latency_ns: Option<Nanoseconds>,
    /// `write_latency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_latency_ns: Option<Nanoseconds>,
}

/// A cache in front of a node's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemorySideCache {
    /// The N of `indexN`: 1 is nearest to the memory, the highest is nearest to the CPUs (unlike CPU caches).
    pub level: u32,
    /// `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `line_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_size_bytes: Option<Bytes>,
    /// `indexing`: `direct_mapped`, or `indexed` for multi-way associativity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indexing: Option<String>,
    /// `write_policy`: `write_back` or `write_through`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_policy: Option<String>,
    /// `address_mode`: `extended_linear` when the cache's own bytes are memory as well (Linux 6.15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_mode: Option<String>,
}

/// A memory tier: nodes of like speed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tier {
    /// The N of `memory_tierN`: lower is faster.
    pub id: u32,
    /// Its nodes.
    #[serde(default)]
    pub nodes: IdSet,
}

/// A DAX device: memory that is mapped by hand, or lent to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Dax {
    /// `dax0.0`.
    pub id: String,
    /// `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `target_node`: the node that it becomes when lent to the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_node: Option<u32>,
    /// `numa_node`: the node that it is near to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// What its memory is: `pmem` (non-volatile), `hmem` (set aside by firmware) or `cxl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `device_dax` when mapped by hand, `kmem` when lent to the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

/// A CXL memory device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CxlMemdev {
    /// `mem0`.
    pub id: String,
    /// `ram/size`: volatile capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ram_bytes: Option<Bytes>,
    /// `pmem/size`: persistent capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pmem_bytes: Option<Bytes>,
    /// `numa_node`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// `serial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// `firmware_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// The PCI function behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pci: Option<String>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Numa {
    let mut numa = node::discover(survey);
    numa.tiers = attached::tiers(survey);
    numa.dax = attached::dax(survey);
    numa.cxl_memdevs = attached::cxl_memdevs(survey);
    let gpus = attached::gpus(survey);
    for node in &mut numa.nodes {
        let tier = numa.tiers.iter().find(|tier| tier.nodes.contains(node.id));
        node.tier = tier.map(|tier| tier.id);
        node.gpu = gpus.get(&node.id).cloned();
    }
    numa
}

/// Reads again what changes without an event: the free memory of each node.
pub fn refresh(numa: &mut Numa, survey: &Survey<'_>) {
    for node in &mut numa.nodes {
        node.now.memory_free_bytes = node::memory(survey, &node::meminfo(node)).free;
    }
}

#[cfg(test)]
mod tests;
