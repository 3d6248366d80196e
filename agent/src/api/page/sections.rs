//! The tables of the inventory, class by class.

use std::collections::BTreeMap;

use libhw::device::cpu::{Cache, CacheKind, Cpu, VulnerabilityState};
use libhw::device::hugepages::Hugepages;
use libhw::device::numa::Numa;
use libhw::device::pci::{Function, Link, Pci};
use libhw::inventory::Inventory;

use super::html::Html;
use super::tiles;

/// What the node is, in a few words each.
pub(super) fn identity(inventory: &Inventory) -> Vec<String> {
    let Some(system) = &inventory.system else {
        return Vec::new();
    };
    let product = system.product.as_ref().map(|unit| {
        let words = [&unit.vendor, &unit.name, &unit.version];
        words
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    });
    let guest = system
        .hypervisor
        .as_ref()
        .map(|guest| format!("guest of {}", guest.vendor));
    let kernel = system
        .kernel_release
        .as_ref()
        .map(|release| format!("Linux {release}"));
    let firmware = system.firmware.as_ref().and_then(|firmware| {
        let words = [
            firmware.interface.as_ref(),
            firmware.version.as_ref(),
            firmware.date.as_ref(),
        ];
        let words = words
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        (!words.is_empty()).then(|| format!("firmware {words}"))
    });
    let board = system.devicetree_model.clone();
    let parts = [
        product,
        board,
        guest,
        system.architecture.clone(),
        kernel,
        firmware,
    ];
    parts
        .into_iter()
        .flatten()
        .filter(|part| !part.trim().is_empty())
        .collect()
}

/// Writes the sections of the classes that were read.
pub(super) fn write(html: &mut Html, inventory: &Inventory) {
    if let Some(numa) = &inventory.numa {
        nodes(html, numa, inventory.hugepages.as_ref());
    }
    if let Some(cpu) = &inventory.cpu {
        processors(html, cpu);
        caches(html, cpu);
        frequencies(html, cpu);
    }
    if let Some(pci) = &inventory.pci {
        functions(html, pci);
    }
    if let Some(cpu) = &inventory.cpu {
        vulnerabilities(html, cpu);
    }
}

fn section(html: &mut Html, title: &str, columns: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    html.raw("<section><h2>").raw(title).raw("</h2>");
    html.table(columns, rows);
    html.raw("</section>");
}

fn nodes(html: &mut Html, numa: &Numa, hugepages: Option<&Hugepages>) {
    let pools = |node: u32| {
        let pools = hugepages.iter().flat_map(|hugepages| &hugepages.pools);
        let pools = pools.filter(|pool| pool.node == Some(node));
        let words = pools.filter_map(|pool| {
            let (total, free) = (pool.total?, pool.now.free?);
            (total > 0).then(|| format!("{free} of {total} × {} free", pool.size_bytes))
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let rows = numa.nodes.iter().map(|node| {
        let distances: Vec<_> = node.distances.values().map(ToString::to_string).collect();
        vec![
            node.id.to_string(),
            shown(node.memory_total_bytes),
            shown(node.now.memory_free_bytes),
            node.cpus.to_string(),
            pools(node.id),
            distances.join(" "),
            shown(node.tier),
        ]
    });
    let columns = [
        "node",
        "#memory",
        "#free",
        "CPUs",
        "huge pages",
        "distances",
        "#tier",
    ];
    section(html, "Memory nodes", &columns, rows.collect());
}

fn processors(html: &mut Html, cpu: &Cpu) {
    let rows = cpu.models.iter().map(|model| {
        let numbers = [&model.family, &model.model, &model.stepping];
        let numbers: Vec<_> = numbers.into_iter().flatten().cloned().collect();
        vec![
            model
                .name
                .clone()
                .or_else(|| model.vendor.clone())
                .unwrap_or_default(),
            model.cpus.to_string(),
            numbers.join("/"),
            model.microcode.clone().unwrap_or_default(),
        ]
    });
    section(
        html,
        "Processors",
        &["model", "CPUs", "family/model/stepping", "microcode"],
        rows.collect(),
    );
}

/// Caches that are alike are one row.
fn caches(html: &mut Html, cpu: &Cpu) {
    type Kind<'a> = (u32, &'a str, Option<u64>, usize);
    let mut alike: BTreeMap<Kind<'_>, (usize, &Cache)> = BTreeMap::new();
    for cache in &cpu.caches {
        let kind = match cache.kind {
            CacheKind::Data => "data",
            CacheKind::Instruction => "instruction",
            CacheKind::Unified => "unified",
        };
        let size = cache.size_bytes.map(|size| size.0);
        alike
            .entry((cache.level, kind, size, cache.cpus.len()))
            .or_insert((0, cache))
            .0 += 1;
    }
    let rows = alike
        .into_iter()
        .map(|((level, kind, _, shared), (count, cache))| {
            vec![
                format!("L{level} {kind}"),
                count.to_string(),
                shown(cache.size_bytes),
                shared.to_string(),
                shown(cache.ways),
                shown(cache.line_size_bytes),
            ]
        });
    let columns = [
        "cache",
        "#count",
        "#size of each",
        "#CPUs that share it",
        "#ways",
        "#line",
    ];
    section(html, "Caches", &columns, rows.collect());
}

fn frequencies(html: &mut Html, cpu: &Cpu) {
    let rows = cpu.policies.iter().map(|policy| {
        vec![
            policy.cpus.to_string(),
            shown(policy.now.frequency_hz),
            shown(policy.allowed_min_hz),
            shown(policy.allowed_max_hz),
            shown(policy.hardware_max_hz),
            policy.driver.clone().unwrap_or_default(),
            policy.governor.clone().unwrap_or_default(),
        ]
    });
    let columns = [
        "CPUs",
        "#now",
        "#least allowed",
        "#most allowed",
        "#hardware's most",
        "driver",
        "governor",
    ];
    section(html, "Frequencies", &columns, rows.collect());
}

/// Those that concern this host, the open ones first; the others in a line.
fn vulnerabilities(html: &mut Html, cpu: &Cpu) {
    use VulnerabilityState::{Mitigated, NotAffected, Unknown, Vulnerable};
    const ORDER: &[(VulnerabilityState, &str)] = &[
        (Vulnerable, "vulnerable"),
        (Unknown, "unknown"),
        (Mitigated, "mitigated"),
    ];
    if cpu.vulnerabilities.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for (state, word) in ORDER {
        for found in cpu
            .vulnerabilities
            .iter()
            .filter(|found| found.state == *state)
        {
            rows.push(vec![
                found.id.clone(),
                (*word).to_owned(),
                found.text.clone(),
            ]);
        }
    }
    let unaffected = cpu
        .vulnerabilities
        .iter()
        .filter(|found| found.state == NotAffected);
    let unaffected: Vec<_> = unaffected.map(|found| found.id.as_str()).collect();
    html.raw("<section><h2>Vulnerabilities</h2>");
    if !rows.is_empty() {
        html.table(&["name", "state", "in the kernel's words"], rows);
    }
    if !unaffected.is_empty() {
        html.raw("<p class=\"note\">Not affected by ")
            .text(&unaffected.join(", "))
            .raw(".</p>");
    }
    html.raw("</section>");
}

fn functions(html: &mut Html, pci: &Pci) {
    let (bridges, devices): (Vec<_>, Vec<_>) = pci
        .functions
        .iter()
        .partition(|function| function.is_bridge());
    let columns = [
        "address",
        "class",
        "device",
        "driver",
        "#node",
        "link",
        "virtual functions",
    ];
    let rows = |functions: &[&Function]| functions.iter().map(|function| row(function)).collect();
    section(html, "PCI functions", &columns, rows(&devices));
    if !bridges.is_empty() {
        let count = tiles::counted(bridges.len(), "bridge");
        html.raw("<details><summary>")
            .text(&count)
            .raw("</summary>");
        html.table(&columns, rows(&bridges));
        html.raw("</details>");
    }
}

fn row(function: &Function) -> Vec<String> {
    let ids = format!("{:04x}:{:04x}", function.vendor_id, function.device_id);
    let device = match (&function.vendor, &function.device) {
        (Some(vendor), Some(device)) => format!("{vendor} {device}"),
        (Some(vendor), None) => format!("{vendor} {ids}"),
        _ => ids,
    };
    let sriov = function.sriov.as_ref();
    vec![
        function.id.clone(),
        function
            .class
            .clone()
            .unwrap_or_else(|| format!("{:06x}", function.class_id)),
        device,
        function.driver.clone().unwrap_or_default(),
        shown(function.node),
        links(function),
        sriov
            .map(|sriov| format!("{} of {}", sriov.vfs, sriov.vfs_total))
            .unwrap_or_default(),
    ]
}

/// `16 GT/s ×8`, and what it could be where that is more.
fn links(function: &Function) -> String {
    let words = |link: Link| {
        let speed = link.speed_mtps.map(|millions| {
            let (whole, tenth) = (millions / 1000, millions % 1000 / 100);
            if tenth == 0 {
                format!("{whole} GT/s")
            } else {
                format!("{whole}.{tenth} GT/s")
            }
        });
        let width = link.width.map(|width| format!("×{width}"));
        [speed, width]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    };
    match (function.now.link, function.link_max) {
        (Some(now), Some(max)) if now != max => format!("{} of {}", words(now), words(max)),
        (Some(now), _) => words(now),
        (None, Some(max)) => format!("up to {}", words(max)),
        (None, None) => String::new(),
    }
}

fn shown(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
