//! What CPUs do when they have nothing to do or get too hot, and the clock of what they share.

use libhw::device::cpu::{Cpu, ScalingStatus, UncoreNow};

use crate::table::{Cell, Column, Paint, Table};
use crate::view::words::{counted, joined, range, some, yes};

/// Who steers, in a line each.
pub(super) fn facts(cpu: &Cpu, facts: &mut Table) {
    if let Some(scaling) = &cpu.scaling {
        let status = scaling.status.as_ref().map(|status| match status {
            ScalingStatus::Active => "active",
            ScalingStatus::Passive => "passive",
            ScalingStatus::Guided => "guided",
            ScalingStatus::Off => "off",
            ScalingStatus::Unknown(word) => word,
        });
        let limits = range(scaling.min_percent, scaling.max_percent);
        let parts = [
            scaling.driver.clone(),
            status.map(str::to_owned),
            some(limits).map(|limits| format!("{limits} %")),
            scaling
                .preferred_cores
                .map(|told| format!("preferred cores {}", yes(told))),
        ];
        facts.fact("Frequency by", joined(parts, ", "));
        facts.fact("Governors", scaling.available_governors.join(" "));
    }
    if let Some(idle) = &cpu.idle {
        let governor = idle
            .governor
            .as_ref()
            .map(|name| format!("governor {name}"));
        facts.fact("Idle by", joined([idle.driver.clone(), governor], ", "));
    }
    facts.fact(
        "New interrupts",
        cpu.default_interrupt_cpus
            .as_ref()
            .filter(|set| Some(*set) != cpu.online.as_ref())
            .map(|set| format!("to cpus {}", counted(set)))
            .unwrap_or_default(),
    );
}

/// The idle states.
pub(super) fn idle(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Left("idle state"),
        Column::Left("cores"),
        Column::Left("by"),
        Column::Right("wakes in µs"),
        Column::Right("worth it from µs"),
        Column::Wrap("off on"),
        Column::Right("entered"),
        Column::Right("s in it"),
        Column::Right("too deep"),
    ]);
    let online = cpu.online.as_ref();
    for state in cpu.idle.iter().flat_map(|idle| &idle.states) {
        let name = state.name.as_deref().unwrap_or(state.id.as_str());
        let kind = cpu.kinds.iter().find(|kind| Some(kind.id) == state.kind);
        let off = Some(&state.disabled_cpus).filter(|set| !set.is_empty());
        let off = off.map(|set| {
            if Some(set) == online {
                "all cpus".to_owned()
            } else {
                format!("cpus {}", counted(set))
            }
        });
        let now = state.now.as_ref();
        table.row([
            name.into(),
            Cell::of(kind.and_then(|kind| kind.name.as_ref())),
            Cell::of(state.description.as_ref()),
            Cell::of(state.latency_us.as_ref()),
            Cell::of(state.residency_us.as_ref()),
            off.unwrap_or_default().into(),
            Cell::of(now.map(|now| now.entered).as_ref()),
            Cell::of(now.map(|now| now.time_us / 1_000_000).as_ref()),
            Cell::of(now.map(|now| now.too_deep).as_ref()),
        ]);
    }
    table
}

/// What was slowed down for heat: what never was is left out.
pub(super) fn throttles(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Left("slowed down for heat"),
        Column::Right("times"),
        Column::Right("longest ms"),
        Column::Right("in all ms"),
    ]);
    for one in cpu
        .throttles
        .iter()
        .filter(|one| one.now.count.is_some_and(|count| count > 0))
    {
        table.row([
            one.id.as_str().into(),
            one.now
                .count
                .map(|count| Cell::new(count.to_string(), Paint::Warning))
                .unwrap_or_default(),
            Cell::of(one.now.longest_ms.as_ref()),
            Cell::of(one.now.total_ms.as_ref()),
        ]);
    }
    table
}

/// The clocks of what cores share.
pub(super) fn uncores(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Left("uncore"),
        Column::Left("hardware"),
        Column::Left("allowed"),
        Column::Left("now"),
    ]);
    for uncore in &cpu.uncores {
        let UncoreNow { frequency_hz } = uncore.now;
        table.row([
            uncore.id.as_str().into(),
            range(uncore.hardware_min_hz, uncore.hardware_max_hz).into(),
            range(uncore.allowed_min_hz, uncore.allowed_max_hz).into(),
            Cell::of(frequency_hz.as_ref()),
        ]);
    }
    table
}
