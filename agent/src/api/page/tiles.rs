//! The node in a few figures.

use libhw::device::cpu::Cpu;
use libhw::device::hugepages::Hugepages;
use libhw::device::numa::Numa;
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use super::html::Html;

/// A figure, what it counts, and a line below.
struct Tile {
    figure: String,
    name: &'static str,
    below: String,
    /// How much of it is in use, of 1000.
    used: Option<u64>,
}

/// Writes the tiles; a class that was not read has none.
pub(super) fn write(html: &mut Html, inventory: &Inventory, problems: usize) {
    let mut tiles = Vec::new();
    tiles.extend(inventory.cpu.as_ref().map(cpus));
    tiles.extend(inventory.numa.as_ref().map(memory));
    tiles.extend(inventory.hugepages.as_ref().and_then(hugepages));
    tiles.extend(inventory.pci.as_ref().map(|pci| {
        let bridges = pci
            .functions
            .iter()
            .filter(|function| function.is_bridge())
            .count();
        let vfs = pci
            .functions
            .iter()
            .filter_map(|function| function.sriov.as_ref());
        let vfs: usize = vfs.map(|sriov| sriov.vfs as usize).sum();
        Tile {
            figure: (pci.functions.len() - bridges).to_string(),
            name: "PCI functions",
            below: if bridges + vfs == 0 {
                String::new()
            } else if vfs == 0 {
                format!("and {}", counted(bridges, "bridge"))
            } else {
                format!(
                    "and {}, {}",
                    counted(bridges, "bridge"),
                    counted(vfs, "virtual function")
                )
            },
            used: None,
        }
    }));
    tiles.push(Tile {
        figure: problems.to_string(),
        name: "unreadable values",
        below: if problems == 0 {
            "all that is there was read"
        } else {
            "listed below"
        }
        .to_owned(),
        used: None,
    });
    html.raw("<dl class=\"tiles\">");
    for tile in tiles {
        html.raw("<div><dt>")
            .raw(tile.name)
            .raw("</dt><dd><b>")
            .text(&tile.figure)
            .raw("</b>");
        if let Some(used) = tile.used {
            // A meter needs no style of its own, and is read aloud.
            let meter = format!("<meter max=\"1000\" value=\"{used}\">{used} of 1000</meter>");
            html.raw(&meter);
        }
        html.raw("<span>")
            .text(&tile.below)
            .raw("</span></dd></div>");
    }
    html.raw("</dl>");
}

/// `1 core`, `2 cores`.
pub(super) fn counted(count: usize, name: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {name}{ending}")
}

fn cpus(cpu: &Cpu) -> Tile {
    let count = |name: &str, count: usize| (count > 0).then(|| counted(count, name));
    let offline = cpu.offline.as_ref().map_or(0, libhw::idset::IdSet::len);
    let below = [
        count("package", cpu.packages.len()),
        count("die", cpu.dies.len()),
        count("core", cpu.cores.len()),
        (offline > 0).then(|| format!("{offline} offline")),
    ];
    Tile {
        figure: cpu.cpus.iter().filter(|cpu| cpu.online).count().to_string(),
        name: "CPUs online",
        below: below.into_iter().flatten().collect::<Vec<_>>().join(", "),
        used: None,
    }
}

fn memory(numa: &Numa) -> Tile {
    let total: u64 = numa
        .nodes
        .iter()
        .filter_map(|node| Some(node.memory_total_bytes?.0))
        .sum();
    let free: u64 = numa
        .nodes
        .iter()
        .filter_map(|node| Some(node.now.memory_free_bytes?.0))
        .sum();
    let nodes = counted(numa.nodes.len(), "node");
    let known = total > 0;
    Tile {
        figure: if known {
            Bytes(total).to_string()
        } else {
            "–".to_owned()
        },
        name: "memory",
        below: if known {
            format!("{} free, on {nodes}", Bytes(free))
        } else {
            format!("on {nodes}")
        },
        used: used(total, free),
    }
}

/// Those of the whole host, all sizes together.
fn hugepages(hugepages: &Hugepages) -> Option<Tile> {
    let pools = hugepages.pools.iter().filter(|pool| pool.node.is_none());
    let (mut total, mut free, mut sizes) = (0_u64, 0_u64, Vec::new());
    for pool in pools {
        let (bytes, count) = (pool.size_bytes.0, pool.total.unwrap_or_default());
        total = total.saturating_add(bytes.saturating_mul(count));
        free = free.saturating_add(bytes.saturating_mul(pool.now.free.unwrap_or_default()));
        sizes.push(format!("{count} × {}", pool.size_bytes));
    }
    (!sizes.is_empty()).then(|| Tile {
        figure: Bytes(total).to_string(),
        name: "huge pages",
        below: sizes.join(", "),
        used: used(total, free),
    })
}

fn used(total: u64, free: u64) -> Option<u64> {
    let thousandths = u128::from(total.saturating_sub(free)) * 1000;
    u64::try_from(thousandths.checked_div(u128::from(total))?).ok()
}
