//! Every CPU and where it belongs.

use std::collections::HashMap;

use libhw::device::cpu::{Cache, CacheKind, Cpu};

use crate::table::{Cell, Column, Paint, Table};

/// The table of CPUs.
pub(super) fn table(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Right("cpu"),
        Column::Right("node"),
        Column::Right("drawer"),
        Column::Right("book"),
        Column::Right("package"),
        Column::Right("die"),
        Column::Right("cluster"),
        Column::Right("core"),
        Column::Left("caches"),
        Column::Left("kind"),
        Column::Left("state"),
    ]);
    let caches = caches(cpu);
    for thread in &cpu.cpus {
        let number = |id: Option<u32>| Cell::of(id.as_ref());
        table.row([
            thread.id.to_string().into(),
            number(thread.node),
            number(thread.drawer),
            number(thread.book),
            number(thread.package),
            number(thread.die),
            number(thread.cluster),
            number(thread.core),
            Cell::of(caches.get(&thread.id)),
            kind(cpu, thread.id),
            state(cpu, thread.id, thread.online),
        ]);
    }
    table
}

/// The data and unified caches of each CPU, nearest first, by number within their level: `0:0:0`.
///
/// Two CPUs share a cache where the numbers are the same.
fn caches(cpu: &Cpu) -> HashMap<u32, String> {
    let mut numbers: HashMap<u32, usize> = HashMap::new();
    let mut caches: HashMap<u32, String> = HashMap::new();
    let mut holding: Vec<&Cache> = cpu
        .caches
        .iter()
        .filter(|cache| cache.kind != CacheKind::Instruction)
        .collect();
    holding.sort_by_key(|cache| cache.level);
    for cache in holding {
        let next = numbers.entry(cache.level).or_default();
        for id in cache.cpus.iter() {
            let text = caches.entry(id).or_default();
            if !text.is_empty() {
                text.push(':');
            }
            text.push_str(&next.to_string());
        }
        *next += 1;
    }
    caches
}

fn kind(cpu: &Cpu, id: u32) -> Cell {
    let kind = cpu.kinds.iter().find(|kind| kind.cpus.contains(id));
    Cell::of(kind.and_then(|kind| kind.name.as_ref()))
}

fn state(cpu: &Cpu, id: u32, online: bool) -> Cell {
    let isolated = cpu.isolated.as_ref().is_some_and(|set| set.contains(id));
    match (online, isolated) {
        (false, _) => Cell::new("offline", Paint::Warning),
        (true, true) => "isolated".into(),
        (true, false) => Cell::default(),
    }
}
