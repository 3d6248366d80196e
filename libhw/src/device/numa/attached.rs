//! What belongs to nodes beside CPUs and DIMMs: tiers, DAX devices, CXL memory devices, memory of GPUs.

use std::collections::BTreeMap;

use super::{CxlMemdev, Dax, Tier};
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

const TIERS: &str = "sys/devices/virtual/memory_tiering";
const DAX: &str = "sys/bus/dax/devices";
const CXL: &str = "sys/bus/cxl/devices";
const NVIDIA: &str = "proc/driver/nvidia/gpus";

/// Where a DAX device hangs tells what it is made of: a part of its real path, and our word for it.
const DAX_KINDS: &[(&str, &str)] = &[
    ("ndbus", "pmem"),
    ("hmem", "hmem"),
    ("cxl", "cxl"),
    ("dax_region", "cxl"),
];

/// The memory tiers, fastest first (`Documentation/ABI/testing/sysfs-kernel-mm-memory-tiers`).
pub(super) fn tiers(survey: &Survey<'_>) -> Vec<Tier> {
    let tier = |id: u32| {
        let nodes = survey.value(&format!("{TIERS}/memory_tier{id}/nodelist"), parse::list);
        Tier {
            id,
            nodes: nodes.unwrap_or_default(),
        }
    };
    let ids = survey.numbered(TIERS, "memory_tier").into_iter();
    ids.map(tier).collect()
}

/// The DAX devices (`Documentation/ABI/testing/sysfs-bus-dax`).
pub(super) fn dax(survey: &Survey<'_>) -> Vec<Dax> {
    let device = |id: String| {
        let at = |name: &str| format!("{DAX}/{id}/{name}");
        Dax {
            size_bytes: survey.value(&at("size"), bytes),
            target_node: node(survey, &at("target_node")),
            node: node(survey, &at("numa_node")),
            kind: dax_kind(&place(survey, &format!("{DAX}/{id}"))),
            driver: survey.link_name(&at("driver")),
            id,
        }
    };
    survey.names(DAX).into_iter().map(device).collect()
}

fn dax_kind(place: &str) -> Option<String> {
    let (_, kind) = DAX_KINDS
        .iter()
        .find(|(prefix, _)| place.split('/').any(|part| part.starts_with(prefix)))?;
    Some((*kind).to_owned())
}

/// The CXL memory devices (`Documentation/ABI/testing/sysfs-bus-cxl`).
pub(super) fn cxl_memdevs(survey: &Survey<'_>) -> Vec<CxlMemdev> {
    let device = |number: u32| {
        let id = format!("mem{number}");
        let at = |name: &str| format!("{CXL}/{id}/{name}");
        let place = place(survey, &format!("{CXL}/{id}"));
        CxlMemdev {
            ram_bytes: survey.value(&at("ram/size"), bytes),
            pmem_bytes: survey.value(&at("pmem/size"), bytes),
            node: node(survey, &at("numa_node")),
            serial: survey.text(&at("serial")),
            firmware_version: survey.text(&at("firmware_version")),
            pci: place
                .split('/')
                .rfind(|part| is_pci(part))
                .map(str::to_owned),
            id,
        }
    };
    let numbers = survey.numbered(CXL, "mem").into_iter();
    numbers.map(device).collect()
}

/// The nodes that are memory of a GPU, each with the GPU's PCI address.
///
/// ```text
/// Node:      255
/// Status:    online
/// ```
pub(super) fn gpus(survey: &Survey<'_>) -> BTreeMap<u32, String> {
    let gpu = |address: String| {
        let path = format!("{NVIDIA}/{address}/numa_status");
        let text = survey.raw(&path)?;
        let (_, value) = parse::key_values(&text).find(|(key, _)| *key == "Node")?;
        let node = survey.parsed(&path, value, parse::decimal_or_none)??;
        Some((node, address))
    };
    survey.names(NVIDIA).into_iter().filter_map(gpu).collect()
}

/// Where the link of a bus to one of its devices points; nowhere when it is no link.
fn place(survey: &Survey<'_>, path: &str) -> String {
    survey.keep(survey.root().link(path)).unwrap_or_default()
}

/// A node number; -1 is none.
fn node(survey: &Survey<'_>, path: &str) -> Option<u32> {
    survey.value(path, parse::decimal_or_none).flatten()
}

/// A number of bytes: DAX writes it decimal, CXL hexadecimal with `0x`.
fn bytes(text: &str) -> Parsed<Bytes> {
    let text = parse::trim(text);
    let value = if text.starts_with("0x") {
        parse::hex(text)
    } else {
        parse::decimal(text)
    };
    value
        .map(Bytes)
        .map_err(|_| Expected("a number of bytes, such as 4096 or 0x1000"))
}

/// Whether a path's part is a PCI address: `0000:35:00.0`, whatever the width of the domain.
fn is_pci(part: &str) -> bool {
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fields: Vec<&str> = part.split([':', '.']).collect();
    fields.len() == 4 && part.matches(':').count() == 2 && fields.into_iter().all(hex)
}
