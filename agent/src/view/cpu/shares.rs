//! Who may use what of the CPUs: shares of caches and bandwidth, and interrupts.

use libhw::device::cpu::{Cpu, ResctrlMode};

use crate::table::{Cell, Column, Table};
use crate::view::words::{counted, joined};

/// What can be shared out.
pub(super) fn resources(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Left("resctrl"),
        Column::Right("groups"),
        Column::Left("parts"),
        Column::Right("fewest"),
        Column::Left("shared with devices"),
        Column::Right("least %"),
        Column::Right("step %"),
        Column::Right("monitors"),
        Column::Wrap("counts"),
    ]);
    for one in cpu.resctrl.iter().flat_map(|resctrl| &resctrl.resources) {
        table.row([
            one.id.as_str().into(),
            Cell::of(one.groups_max.as_ref()),
            Cell::of(one.mask.as_ref()),
            Cell::of(one.mask_bits_min.as_ref()),
            Cell::of(one.shareable_mask.as_ref()),
            Cell::of(one.bandwidth_min.as_ref()),
            Cell::of(one.bandwidth_step.as_ref()),
            Cell::of(one.monitors_max.as_ref()),
            one.features.join(" ").into(),
        ]);
    }
    table
}

/// The groups and their shares.
pub(super) fn groups(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Left("resctrl group"),
        Column::Left("mode"),
        Column::Left("cpus"),
        Column::Wrap("shares"),
    ]);
    for group in cpu.resctrl.iter().flat_map(|resctrl| &resctrl.groups) {
        let mode = group.mode.as_ref().map(|mode| match mode {
            ResctrlMode::Shareable => "shareable",
            ResctrlMode::Exclusive => "exclusive",
            ResctrlMode::PseudoLocksetup => "pseudo-locksetup",
            ResctrlMode::PseudoLocked => "pseudo-locked",
            ResctrlMode::Unknown(word) => word,
        });
        let shares = group
            .shares
            .iter()
            .map(|share| Some(format!("{}={}", share.id, share.value)));
        table.row([
            group.id.as_str().into(),
            mode.unwrap_or(if group.monitors_only { "monitors" } else { "" })
                .into(),
            group.cpus.as_ref().map(counted).unwrap_or_default().into(),
            joined(shares, " ").into(),
        ]);
    }
    table
}

/// The interrupts that have come.
pub(super) fn interrupts(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Right("interrupt"),
        Column::Left("action"),
        Column::Left("controller"),
        Column::Left("function"),
        Column::Left("node"),
        Column::Left("may go to"),
        Column::Left("goes to"),
        Column::Right("count"),
        Column::Wrap("came to"),
    ]);
    for one in cpu
        .interrupts
        .iter()
        .filter(|one| one.number.is_some() || one.now.count > 0)
    {
        table.row([
            one.id.as_str().into(),
            Cell::of(one.action.as_ref()),
            Cell::of(one.controller.as_ref()),
            Cell::of(one.function.as_ref()),
            Cell::of(one.node.as_ref()),
            Cell::of(one.affinity.as_ref()),
            Cell::of(one.effective.as_ref()),
            one.now.count.to_string().into(),
            Cell::of(Some(&one.now.cpus).filter(|set| !set.is_empty())),
        ]);
    }
    table
}
