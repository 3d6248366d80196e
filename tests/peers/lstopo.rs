//! What Debian's lstopo says of a tree, as facts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use libhw::idset::IdSet;
use roxmltree::{Document, Node};

use crate::facts::{Facts, cache_fact, group_fact};

/// hwloc leaves memory on NVIDIA GPUs out unless asked, though the kernel has it as nodes like others.
const ENVIRONMENT: &[(&str, &str)] = &[("HWLOC_KEEP_NVIDIA_GPU_NUMA_NODES", "1")];

/// Runs lstopo on the tree; `None` when it is not installed.
pub fn run(tree: &Path) -> Option<Result<String, String>> {
    let arguments = [
        "--if",
        "fsroot",
        "--whole-io",
        "--disallowed",
        "--of",
        "xml",
    ];
    let output = Command::new("lstopo")
        .arg("-i")
        .arg(tree)
        .args(arguments)
        .envs(ENVIRONMENT.iter().copied())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(if output.status.success() {
        Ok(text)
    } else {
        Err(format!("lstopo: {}", output.status))
    })
}

/// The facts in lstopo's XML (hwloc2.dtd).
pub fn facts(xml: &str) -> Facts {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    let document = Document::parse_with_options(xml, options).expect("lstopo's XML");
    let mut facts = Facts::new();
    for object in document
        .descendants()
        .filter(|node| node.has_tag_name("object"))
    {
        object_facts(object, &mut facts);
    }
    for table in document
        .descendants()
        .filter(|node| node.has_tag_name("distances2"))
    {
        distance_facts(table, &mut facts);
    }
    facts
}

fn object_facts(object: Node<'_, '_>, facts: &mut Facts) {
    let text = |name: &str| object.attribute(name).unwrap_or_default();
    let os_index = object
        .attribute("os_index")
        .and_then(|index| index.parse::<u32>().ok());
    let cpus = cpuset(text("cpuset"));
    let number = |name: &str| text(name).parse::<u64>().unwrap_or(0);
    match (text("type"), text("subtype")) {
        ("PU", _) => {
            facts.insert(format!("pu {}", os_index.expect("a PU has a number")));
        }
        (kind @ ("Package" | "Die" | "Core"), _)
        | ("Group", kind @ ("Cluster" | "Book" | "Drawer")) => {
            facts.insert(group_fact(&kind.to_lowercase(), os_index, &cpus));
        }
        ("MemCache", _) => {
            for node in cpuset(text("nodeset")).iter() {
                facts.insert(format!(
                    "memory-side cache of node {node} size {}",
                    number("cache_size")
                ));
            }
        }
        ("NUMANode", _) => node_facts(object, os_index.expect("a node has a number"), facts),
        (kind, _) if kind.ends_with("Cache") => {
            let kind = ["", "d", "i"][usize::try_from(number("cache_type")).expect("0 to 2")];
            let level = u32::try_from(number("depth")).expect("a level");
            facts.insert(cache_fact(
                level,
                kind,
                number("cache_size"),
                number("cache_linesize"),
                &cpus,
            ));
        }
        _ => {}
    }
    if let (Some(address), Some(ids)) =
        (object.attribute("pci_busid"), object.attribute("pci_type"))
    {
        facts.extend(pci_facts(address, ids));
    }
}

/// `0200 [8086:10d3] [8086:a01f] 00` → class, device, subsystem, revision; revision ff is config space that was not had.
fn pci_facts(address: &str, ids: &str) -> Vec<String> {
    let parts: Vec<&str> = ids
        .split_whitespace()
        .map(|part| part.trim_matches(['[', ']']))
        .collect();
    let [class, device, subsystem, revision] = parts[..] else {
        panic!("pci_type {ids:?}")
    };
    let mut facts = vec![format!("pci {address} class {class} device {device}")];
    if revision != "ff" {
        facts.push(format!("pci-subsystem {address} {subsystem}"));
        facts.push(format!("pci-revision {address} {revision}"));
    }
    facts
}

fn node_facts(object: Node<'_, '_>, id: u32, facts: &mut Facts) {
    let memory = object.attribute("local_memory").unwrap_or("0");
    facts.insert(format!("node {id} memory {memory}"));
    // hwloc gives a node without CPUs those of its neighbour as its locality: the kernel's list is in complete_cpuset no more.
    facts.insert(format!(
        "node {id} cpus {}",
        cpuset(object.attribute("cpuset").unwrap_or_default())
    ));
    let mut pages: BTreeMap<u64, &str> = object
        .children()
        .filter(|child| child.has_tag_name("page_type"))
        .filter_map(|page| {
            Some((
                page.attribute("size")?.parse().ok()?,
                page.attribute("count")?,
            ))
        })
        .collect();
    // The smallest is the ordinary page, of which hwloc counts what the huge ones leave.
    pages.pop_first();
    for (size, count) in pages {
        facts.insert(format!("hugepages of node {id} size {size} total {count}"));
    }
}

fn distance_facts(table: Node<'_, '_>, facts: &mut Facts) {
    if table.attribute("name") != Some("NUMALatency") {
        return;
    }
    let numbers = |tag: &str| -> Vec<u32> {
        let texts = table
            .children()
            .filter(|child| child.has_tag_name(tag))
            .filter_map(|child| child.text());
        texts
            .flat_map(str::split_whitespace)
            .map(|word| word.parse().expect("a number"))
            .collect()
    };
    let (nodes, values) = (numbers("indexes"), numbers("u64values"));
    for (from, row) in nodes.iter().zip(values.chunks(nodes.len())) {
        facts.extend(
            nodes
                .iter()
                .zip(row)
                .map(|(to, value)| format!("distance {from} to {to} is {value}")),
        );
    }
}

/// hwloc's bitmap: groups of 32 bits, highest first, an empty group is zero: `0x000000ff,0xff000000,,0x0`.
pub fn cpuset(text: &str) -> IdSet {
    let mut set = IdSet::new();
    for (base, word) in (0_u32..).step_by(32).zip(text.rsplit(',')) {
        let word = u32::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or(0);
        for bit in (0..32).filter(|bit| word & (1 << bit) != 0) {
            set.insert(base + bit);
        }
    }
    set
}

#[test]
fn bitmaps_of_hwloc_are_read() {
    assert_eq!(cpuset("0x000000ff,0xff000000,,0x0").to_string(), "88-103");
    assert_eq!(cpuset("0x00000001").to_string(), "0");
    assert_eq!(cpuset("").to_string(), "");
}
