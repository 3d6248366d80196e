//! Which group, model and memory node each CPU belongs to.

use super::{Cpu, Group, Thread};
use crate::idset::IdSet;

/// The table of CPUs: every present one, with its relations to the other tables.
pub(super) fn table(cpu: &Cpu, nodes: &[(u32, IdSet)]) -> Vec<Thread> {
    let of = Relation::of_groups;
    let (drawers, books, packages) = (of(&cpu.drawers), of(&cpu.books), of(&cpu.packages));
    let (dies, clusters, cores) = (of(&cpu.dies), of(&cpu.clusters), of(&cpu.cores));
    let nodes = Relation::new(nodes.iter().map(|(id, cpus)| (*id, cpus)));
    let models = Relation::new(cpu.models.iter().map(|model| (model.id, &model.cpus)));
    let online = cpu.online.iter().flat_map(IdSet::iter);
    let online: IdSet = online.collect();
    let thread = |id| Thread {
        id,
        online: online.contains(id),
        drawer: drawers.of(id),
        book: books.of(id),
        package: packages.of(id),
        die: dies.of(id),
        cluster: clusters.of(id),
        core: cores.of(id),
        node: nodes.of(id),
        model: models.of(id),
    };
    let present = cpu.present.iter().flat_map(IdSet::iter);
    present.map(thread).collect()
}

/// Which row of a table each CPU belongs to.
pub(super) struct Relation(Vec<Option<u32>>);

impl Relation {
    pub(super) fn of_groups(groups: &[Group]) -> Self {
        Self::new(groups.iter().map(|group| (group.id, &group.cpus)))
    }

    pub(super) fn new<'a>(rows: impl Iterator<Item = (u32, &'a IdSet)>) -> Self {
        let mut rows_by_cpu = Vec::new();
        for (row, cpus) in rows {
            for cpu in cpus.iter().map(|cpu| cpu as usize) {
                if rows_by_cpu.len() <= cpu {
                    rows_by_cpu.resize(cpu + 1, None);
                }
                if let Some(slot) = rows_by_cpu.get_mut(cpu) {
                    *slot = Some(row);
                }
            }
        }
        Self(rows_by_cpu)
    }

    pub(super) fn of(&self, cpu: u32) -> Option<u32> {
        self.0.get(cpu as usize).copied().flatten()
    }
}
