//! What Debian's lscpu says of a tree, as facts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use libhw::device::cpu::Cpu;
use libhw::idset::IdSet;
use libhw::inventory::Inventory;

use crate::facts::Facts;

/// Runs lscpu on the tree; `None` when it is not installed, `Err` where it refuses the tree.
pub fn run(tree: &Path, arguments: &[&str]) -> Option<Result<String, String>> {
    // lscpu wants an absolute path and takes what is below it.
    let output = Command::new("lscpu")
        .arg("--sysroot")
        .arg(tree)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(if output.status.success() && !text.is_empty() {
        Ok(text)
    } else {
        Err(format!("lscpu: {}", output.status))
    })
}

/// The groups of CPUs that share a core, a socket, a node or a cache, from `lscpu -p=cpu,core,socket,node`.
pub fn partition_facts(text: &str) -> Facts {
    let mut groups: BTreeMap<(&str, &str), IdSet> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split(',').collect();
        let Ok(cpu) = columns[0].parse() else {
            continue;
        };
        for (name, value) in ["core", "package", "node"].into_iter().zip(&columns[1..]) {
            if !value.is_empty() {
                groups.entry((name, value)).or_default().insert(cpu);
            }
        }
    }
    groups
        .into_iter()
        .map(|((name, _), cpus)| format!("{name} {cpus}"))
        .collect()
}

/// The same from our inventory.
pub fn our_partition(inventory: &Inventory) -> Facts {
    let mut facts = Facts::new();
    if let Some(cpu) = &inventory.cpu {
        facts.extend(cpu.cores.iter().map(|group| format!("core {}", group.cpus)));
        facts.extend(
            cpu.packages
                .iter()
                .map(|group| format!("package {}", group.cpus)),
        );
    }
    let nodes = inventory.numa.iter().flat_map(|numa| &numa.nodes);
    facts.extend(
        nodes
            .filter(|node| !node.made_up && !node.cpus.is_empty())
            .map(|node| format!("node {}", node.cpus)),
    );
    facts
}

/// The summary's rows that name a value of ours, by lscpu's field.
pub fn summary_facts(json: &str) -> Facts {
    let value: serde_json::Value = serde_json::from_str(json).expect("lscpu's JSON");
    let rows = value["lscpu"].as_array().expect("a list");
    let known = |field: &str| {
        FIELDS.iter().any(|(name, _)| *name == field)
            || field.starts_with("Vulnerability ")
            || field.starts_with("NUMA node")
    };
    rows.iter()
        .filter_map(|row| {
            Some((
                row["field"].as_str()?.trim_end_matches(':'),
                row["data"].as_str()?,
            ))
        })
        .filter(|(field, data)| known(field) && !data.is_empty() && *data != "-")
        .map(|(field, data)| format!("{field}: {}", normal(field, data)))
        .collect()
}

/// The same rows from our inventory.
pub fn our_summary(inventory: &Inventory) -> Facts {
    let mut facts = Facts::new();
    let Some(cpu) = &inventory.cpu else {
        return facts;
    };
    for (field, value) in FIELDS {
        if let Some(data) = value(cpu).filter(|data| !data.is_empty()) {
            facts.insert(format!("{field}: {}", normal(field, &data)));
        }
    }
    for vulnerability in &cpu.vulnerabilities {
        let mut name = vulnerability.id.replace('_', " ");
        name[..1].make_ascii_uppercase();
        facts.insert(format!(
            "Vulnerability {name}: {}",
            normal("Vulnerability", &vulnerability.text)
        ));
    }
    if let Some(numa) = &inventory.numa {
        let nodes: Vec<_> = numa.nodes.iter().filter(|node| !node.made_up).collect();
        if !nodes.is_empty() {
            facts.insert(format!("NUMA node(s): {}", nodes.len()));
        }
        for node in nodes.iter().filter(|node| !node.cpus.is_empty()) {
            facts.insert(format!("NUMA node{} CPU(s): {}", node.id, node.cpus));
        }
    }
    facts
}

/// Ours, without what lscpu does not tell of this tree: it has no row for some values, and prints no core or
/// package where one topology file is missing.
pub fn that_it_tells(theirs: Facts, ours: Facts) -> (Facts, Facts) {
    let subject = |fact: &str| {
        fact.split_once(": ")
            .or(fact.split_once(' '))
            .map(|(subject, _)| subject)
            .unwrap_or_default()
            .to_owned()
    };
    let told: BTreeSet<String> = theirs.iter().map(|fact| subject(fact)).collect();
    let ours = ours
        .into_iter()
        .filter(|fact| told.contains(&subject(fact)))
        .collect();
    (theirs, ours)
}

/// A row of lscpu's summary: its field, and how our inventory says the same.
type Row = (&'static str, fn(&Cpu) -> Option<String>);

const FIELDS: &[Row] = &[
    ("On-line CPU(s) list", |cpu| {
        cpu.online.as_ref().map(ToString::to_string)
    }),
    ("Off-line CPU(s) list", |cpu| {
        cpu.offline.as_ref().map(ToString::to_string)
    }),
    ("Vendor ID", |cpu| cpu.models.first()?.vendor.clone()),
    ("Model name", |cpu| cpu.models.first()?.name.clone()),
    ("CPU family", |cpu| cpu.models.first()?.family.clone()),
    ("Stepping", |cpu| cpu.models.first()?.stepping.clone()),
    ("Flags", |cpu| Some(cpu.models.first()?.flags.join(" "))),
    ("Frequency boost", |cpu| {
        Some(if cpu.boost? { "enabled" } else { "disabled" }.to_owned())
    }),
];

/// What both sides write differently without meaning something else: order, spaces, punctuation, and lists.
fn normal(field: &str, data: &str) -> String {
    if let (true, Ok(list)) = (field.contains("CPU(s)"), data.parse::<IdSet>()) {
        return list.to_string();
    }
    let mut words: Vec<&str> = data
        .split([' ', '\t', ',', ';', ':'])
        .filter(|word| !word.is_empty())
        .collect();
    if field == "Flags" {
        words.sort_unstable();
        words.dedup();
    }
    words.join(" ").to_lowercase()
}
