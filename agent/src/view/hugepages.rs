//! Huge pages: the pools of the host and of each node, transparent ones, and mounts.

use libhw::device::hugepages::{Hugepages, Pool, Transparent};
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(hugepages) = &inventory.hugepages else {
        return;
    };
    page.title("Huge pages");
    let mut facts = Table::facts();
    facts.fact(
        "Default size",
        Cell::of(hugepages.default_size_bytes.as_ref()),
    );
    let transparent = hugepages.transparent.as_ref();
    facts.fact(
        "Transparent",
        transparent
            .map(|all| self::transparent(all, detail))
            .unwrap_or_default(),
    );
    page.table(&facts);
    page.table(&pools(hugepages));
    page.table(&mounts(hugepages));
}

/// The host's pools that have pages.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let pools = inventory.hugepages.as_ref()?.pools.iter();
    let words = pools.filter(|pool| pool.node.is_none()).map(|pool| {
        let total = pool.total.filter(|total| *total > 0)?;
        let free = pool.now.free.map(|free| format!("{free} free"));
        let pages = format!("{total} × {}", pool.size_bytes);
        Some(joined([Some(pages), free], ", "))
    });
    some(joined(words, "; "))
}

fn pools(hugepages: &Hugepages) -> Table {
    let mut table = Table::new(&[
        Column::Left("pool"),
        Column::Right("page size"),
        Column::Right("total"),
        Column::Right("free"),
        Column::Right("reserved"),
        Column::Right("surplus"),
        Column::Right("overcommit"),
        Column::Right("memory"),
    ]);
    for pool in &hugepages.pools {
        let place = pool
            .node
            .map_or_else(|| "host".to_owned(), |node| format!("node {node}"));
        table.row([
            place.into(),
            pool.size_bytes.to_string().into(),
            Cell::of(pool.total.as_ref()),
            free(pool),
            Cell::of(pool.now.reserved.as_ref()),
            Cell::of(pool.now.surplus.as_ref()),
            Cell::of(pool.overcommit.as_ref()),
            Cell::of(memory(pool).as_ref()),
        ]);
    }
    table
}

/// A pool that has pages and none left is what a person looks for.
fn free(pool: &Pool) -> Cell {
    let empty = pool.now.free == Some(0) && pool.total.is_some_and(|total| total > 0);
    let paint = if empty { Paint::Warning } else { Paint::Plain };
    pool.now
        .free
        .map_or_else(Cell::default, |free| Cell::new(free.to_string(), paint))
}

fn memory(pool: &Pool) -> Option<Bytes> {
    Some(Bytes(pool.total?.saturating_mul(pool.size_bytes.0)))
}

fn transparent(all: &Transparent, detail: bool) -> String {
    let said =
        |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word} {value}"));
    let sizes = all
        .sizes
        .iter()
        .filter(|size| detail || size.enabled.as_deref() != Some("never"));
    let sizes: Vec<_> = sizes
        .map(|size| {
            joined(
                [Some(size.size_bytes.to_string()), size.enabled.clone()],
                " ",
            )
        })
        .collect();
    let parts = [
        all.enabled.clone(),
        all.size_bytes.map(|size| format!("of {size}")),
        said("defrag", &all.defrag),
        said("shmem", &all.shmem_enabled),
        Some(sizes.join(", ")).filter(|sizes| !sizes.is_empty()),
    ];
    joined(parts, ", ")
}

fn mounts(hugepages: &Hugepages) -> Table {
    let mut table = Table::new(&[
        Column::Left("mount"),
        Column::Right("page size"),
        Column::Right("at most"),
        Column::Right("at least"),
        Column::Wrap("options"),
    ]);
    for mount in &hugepages.mounts {
        table.row([
            mount.id.as_str().into(),
            Cell::of(mount.page_size_bytes.as_ref()),
            Cell::of(mount.size_bytes.as_ref()),
            Cell::of(mount.min_size_bytes.as_ref()),
            mount.options.as_str().into(),
        ]);
    }
    table
}
