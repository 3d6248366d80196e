//! Memory nodes: memory, CPUs, the matrix of distances, and how they are reached.

use std::collections::BTreeSet;

use libhw::device::numa::{Node, Numa};
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{counted, joined, plural, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(numa) = &inventory.numa else {
        return;
    };
    page.title("Memory nodes");
    if detail {
        page.table(&sets(numa));
    }
    page.table(&nodes(numa));
    distances(numa, page);
    page.table(&access(numa));
    page.table(&caches(numa));
    page.table(&tiers(numa));
    page.table(&dax(numa));
    page.table(&cxl(numa));
}

/// How many nodes and how much memory.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let nodes = &inventory.numa.as_ref()?.nodes;
    let total = nodes.iter().filter_map(|node| node.memory_total_bytes);
    let total = total.fold(0_u64, |sum, bytes| sum.saturating_add(bytes.0));
    let parts = [
        (!nodes.is_empty()).then(|| plural(nodes.len(), "node")),
        (total > 0).then(|| Bytes(total).to_string()),
    ];
    some(joined(parts, ", "))
}

fn sets(numa: &Numa) -> Table {
    let mut facts = Table::facts();
    for (name, set) in [
        ("Possible", &numa.possible),
        ("Online", &numa.online),
        ("With cpus", &numa.has_cpu),
        ("With memory", &numa.has_memory),
        ("With initiators", &numa.has_generic_initiator),
    ] {
        facts.fact(name, set.as_ref().map(counted).unwrap_or_default());
    }
    facts
}

fn nodes(numa: &Numa) -> Table {
    let mut table = Table::new(&[
        Column::Right("node"),
        Column::Right("total"),
        Column::Right("free"),
        Column::Right("tier"),
        Column::Wrap("cpus"),
        Column::Left("note"),
    ]);
    for node in &numa.nodes {
        table.row([
            node.id.to_string().into(),
            Cell::of(node.memory_total_bytes.as_ref()),
            Cell::of(node.now.memory_free_bytes.as_ref()),
            Cell::of(node.tier.as_ref()),
            counted(&node.cpus).into(),
            Cell::new(note(node), Paint::Faint),
        ]);
    }
    table
}

const fn note(node: &Node) -> &'static str {
    if node.made_up {
        "this kernel has no NUMA"
    } else {
        ""
    }
}

/// A matrix of more nodes is for programs.
const MATRIX_MAX: usize = 128;

/// The matrix of distances; a machine with one node has none to speak of.
fn distances(numa: &Numa, page: &mut Page) {
    let near: Vec<&Node> = numa
        .nodes
        .iter()
        .filter(|node| !node.distances.is_empty())
        .collect();
    if near.len() < 2 || near.len() > MATRIX_MAX {
        return;
    }
    let targets: BTreeSet<u32> = near
        .iter()
        .flat_map(|node| node.distances.keys().copied())
        .take(MATRIX_MAX * MATRIX_MAX)
        .collect();
    let mut table = Table::new(&vec![Column::Right(""); targets.len() + 1]);
    let head = |id: &u32| Cell::new(id.to_string(), Paint::Faint);
    table.row(std::iter::once(Cell::new("distance", Paint::Faint)).chain(targets.iter().map(head)));
    for node in near {
        let to = targets
            .iter()
            .map(|target| Cell::of(node.distances.get(target)));
        table.row(std::iter::once(head(&node.id)).chain(to));
    }
    page.gap();
    page.table(&table);
}

fn access(numa: &Numa) -> Table {
    let mut table = Table::new(&[
        Column::Right("to node"),
        Column::Left("access"),
        Column::Left("from nodes"),
        Column::Right("read"),
        Column::Right("write"),
        Column::Right("read latency"),
        Column::Right("write latency"),
    ]);
    for (node, access) in numa
        .nodes
        .iter()
        .flat_map(|node| node.access.iter().map(move |a| (node, a)))
    {
        table.row([
            node.id.to_string().into(),
            access.class.to_string().into(),
            access.initiators.to_string().into(),
            Cell::of(access.read_bandwidth_bytes_per_second.as_ref()),
            Cell::of(access.write_bandwidth_bytes_per_second.as_ref()),
            Cell::of(access.read_latency_ns.as_ref()),
            Cell::of(access.write_latency_ns.as_ref()),
        ]);
    }
    table
}

fn caches(numa: &Numa) -> Table {
    let mut table = Table::new(&[
        Column::Right("node"),
        Column::Right("memory-side cache"),
        Column::Right("size"),
        Column::Right("line"),
        Column::Left("indexing"),
        Column::Left("write policy"),
    ]);
    for (node, cache) in numa
        .nodes
        .iter()
        .flat_map(|node| node.memory_side_caches.iter().map(move |c| (node, c)))
    {
        table.row([
            node.id.to_string().into(),
            cache.level.to_string().into(),
            Cell::of(cache.size_bytes.as_ref()),
            Cell::of(cache.line_size_bytes.as_ref()),
            Cell::of(cache.indexing.as_ref()),
            Cell::of(cache.write_policy.as_ref()),
        ]);
    }
    table
}

fn tiers(numa: &Numa) -> Table {
    let mut table = Table::new(&[Column::Right("tier"), Column::Wrap("nodes")]);
    for tier in &numa.tiers {
        table.row([tier.id.to_string().into(), counted(&tier.nodes).into()]);
    }
    table
}

fn dax(numa: &Numa) -> Table {
    let mut table = Table::new(&[
        Column::Left("dax"),
        Column::Right("size"),
        Column::Right("node"),
        Column::Right("target node"),
        Column::Left("driver"),
    ]);
    for dax in &numa.dax {
        table.row([
            dax.id.as_str().into(),
            Cell::of(dax.size_bytes.as_ref()),
            Cell::of(dax.node.as_ref()),
            Cell::of(dax.target_node.as_ref()),
            Cell::of(dax.driver.as_ref()),
        ]);
    }
    table
}

fn cxl(numa: &Numa) -> Table {
    let mut table = Table::new(&[
        Column::Left("cxl"),
        Column::Right("volatile"),
        Column::Right("persistent"),
        Column::Right("node"),
        Column::Left("serial"),
        Column::Left("firmware"),
        Column::Left("pci"),
    ]);
    for memdev in &numa.cxl_memdevs {
        table.row([
            memdev.id.as_str().into(),
            Cell::of(memdev.ram_bytes.as_ref()),
            Cell::of(memdev.pmem_bytes.as_ref()),
            Cell::of(memdev.node.as_ref()),
            Cell::of(memdev.serial.as_ref()),
            Cell::of(memdev.firmware_version.as_ref()),
            Cell::of(memdev.pci.as_ref()),
        ]);
    }
    table
}
