//! lstopo's picture of the guest, as XML.

use std::collections::BTreeSet;

use gnomon_lab::machine::find;
use roxmltree::{Document, Node};
use serde_json::Value;

use super::{Said, numbers, text};

/// Packages, cores, caches, nodes with their memory and caches, and what is near to which PCI function.
pub(super) fn lstopo(xml: &str, inventory: &Value, said: &mut Said) {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    let document = Document::parse_with_options(xml, options).expect("XML of lstopo");
    for object in document
        .descendants()
        .filter(|node| node.has_tag_name("object"))
    {
        match object.attribute("type") {
            Some("Package") => group(object, "packages", inventory, said),
            Some("Core") => group(object, "cores", inventory, said),
            Some("NUMANode") => memory(object, inventory, said),
            Some("L1Cache" | "L1iCache" | "L2Cache" | "L3Cache") => cache(object, inventory, said),
            Some("MemCache") => side_cache(object, inventory, said),
            Some("PCIDev") => function(object, inventory, said),
            _ => {}
        }
    }
}

fn attribute<'a>(object: Node<'a, '_>, name: &str) -> &'a str {
    object.attribute(name).unwrap_or_default()
}

/// `0x0000000f`, or words of 32 bits with commas, the highest first.
fn mask(text: &str) -> BTreeSet<u32> {
    let words = text.split(',').rev().zip((0..).step_by(32));
    let bits = words.flat_map(|(word, first)| {
        let digits = word.trim_start_matches("0x");
        let word = u32::from_str_radix(digits, 16).unwrap_or(0);
        (0..32)
            .filter(move |bit| word >> bit & 1 == 1)
            .map(move |bit| first + bit)
    });
    bits.collect()
}

/// The CPUs of the next object above that has some.
fn cpus(object: Node<'_, '_>) -> BTreeSet<u32> {
    let set = object
        .ancestors()
        .find_map(|above| above.attribute("cpuset"));
    mask(set.unwrap_or_default())
}

fn listed(inventory: &Value, path: &str) -> BTreeSet<u32> {
    numbers(&find(inventory, path).map(text).unwrap_or_default())
}

fn same_cpus(inventory: &Value, path: &str, theirs: &BTreeSet<u32>, said: &mut Said) {
    let ours = listed(inventory, path);
    if ours != *theirs {
        said.0.push(format!(
            "{path}: lstopo tells CPUs {theirs:?}, the inventory {ours:?}"
        ));
    }
}

/// A package by its number, a core by its lowest CPU.
fn group(object: Node<'_, '_>, table: &str, inventory: &Value, said: &mut Said) {
    let theirs = cpus(object);
    let lowest = theirs.first().copied().unwrap_or_default();
    let id = if table == "packages" {
        attribute(object, "os_index").to_owned()
    } else {
        lowest.to_string()
    };
    same_cpus(inventory, &format!("cpu.{table}[{id}].cpus"), &theirs, said);
}

fn cache(object: Node<'_, '_>, inventory: &Value, said: &mut Said) {
    let kind = match (attribute(object, "type"), attribute(object, "cache_type")) {
        ("L1iCache", _) => "L1i",
        ("L1Cache", _) => "L1d",
        ("L2Cache", _) => "L2",
        _ => "L3",
    };
    let theirs = cpus(object);
    let at = format!(
        "cpu.caches[{kind}.{}]",
        theirs.first().copied().unwrap_or_default()
    );
    same_cpus(inventory, &format!("{at}.cpus"), &theirs, said);
    said.same(
        inventory,
        &format!("{at}.size_bytes"),
        "lstopo",
        attribute(object, "cache_size"),
    );
    said.same(
        inventory,
        &format!("{at}.line_size_bytes"),
        "lstopo",
        attribute(object, "cache_linesize"),
    );
    said.same(
        inventory,
        &format!("{at}.ways"),
        "lstopo",
        attribute(object, "cache_associativity"),
    );
}

fn memory(object: Node<'_, '_>, inventory: &Value, said: &mut Said) {
    let at = format!("numa.nodes[{}]", attribute(object, "os_index"));
    // lstopo counts the huge pages of a node apart.
    let pages = object
        .children()
        .filter(|child| child.has_tag_name("page_type"));
    let of_pages: u64 = pages
        .map(|page| {
            let number = |name| attribute(page, name).parse::<u64>().unwrap_or(0);
            number("size") * number("count")
        })
        .sum();
    let told = attribute(object, "local_memory")
        .parse::<u64>()
        .unwrap_or(0);
    let ours = find(inventory, &format!("{at}.memory_total_bytes")).and_then(Value::as_u64);
    if ours != Some(told) && ours != Some(of_pages) {
        said.0.push(format!(
            "{at}.memory_total_bytes: lstopo tells {told}, the inventory {ours:?}"
        ));
    }
    for page in object
        .children()
        .filter(|child| child.has_tag_name("page_type"))
    {
        let size = attribute(page, "size").parse::<u64>().unwrap_or(0);
        if size > 4096 {
            let pool = format!("node{}/{}kB", attribute(object, "os_index"), size >> 10);
            let path = format!("hugepages.pools[{pool}].total");
            said.same(inventory, &path, "lstopo", attribute(page, "count"));
        }
    }
}

/// A cache before memory stands above the node in lstopo's tree.
fn side_cache(object: Node<'_, '_>, inventory: &Value, said: &mut Said) {
    let below = object
        .descendants()
        .find(|below| below.attribute("type") == Some("NUMANode"));
    let node = below
        .map(|node| attribute(node, "os_index"))
        .unwrap_or_default();
    let at = format!("numa.nodes[{node}].memory_side_caches[level=1]");
    said.same(
        inventory,
        &format!("{at}.size_bytes"),
        "lstopo",
        attribute(object, "cache_size"),
    );
    said.same(
        inventory,
        &format!("{at}.line_size_bytes"),
        "lstopo",
        attribute(object, "cache_linesize"),
    );
}

fn function(object: Node<'_, '_>, inventory: &Value, said: &mut Said) {
    let id = attribute(object, "pci_busid");
    let at = format!("pci.functions[{id}]");
    same_cpus(inventory, &format!("{at}.local_cpus"), &cpus(object), said);
    // `0200 [8086:10c9] [0000:0000] 01`: class, vendor and device, subsystem, revision.
    let told = attribute(object, "pci_type");
    let number = |name: &str| {
        find(inventory, &format!("{at}.{name}"))
            .and_then(Value::as_u64)
            .unwrap_or(0)
    };
    let ours = format!(
        "{:04x} [{:04x}:{:04x}]",
        number("class_id") >> 8,
        number("vendor_id"),
        number("device_id")
    );
    if !told.starts_with(&ours) {
        said.0.push(format!(
            "{at}: lstopo tells {told:?}, the inventory {ours:?}"
        ));
    }
}
