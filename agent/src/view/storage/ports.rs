//! Ports of Fibre Channel, and ends of SAS cables.

use libhw::device::storage::{FcPortState, SasErrors, SasPhyState, Storage};

use crate::table::{Cell, Column, Paint, Table};
use crate::view::storage::word;
use crate::view::words::joined;

/// Ports of Fibre Channel.
pub(super) fn fibre_channel(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("FC port"),
        Column::Left("function"),
        Column::Left("port name"),
        Column::Left("state"),
        Column::Right("speed"),
        Column::Right("most"),
        Column::Left("connected as"),
        Column::Wrap("counted"),
    ]);
    for host in &storage.fc_hosts {
        let state = host.now.state.as_ref();
        let paint = match state {
            Some(FcPortState::Online | FcPortState::Loopback) | None => Paint::Plain,
            Some(FcPortState::Error | FcPortState::Marginal) => Paint::Bad,
            Some(_) => Paint::Warning,
        };
        let errors = host.now.counters.iter();
        let errors = errors.filter(|(name, _)| is_error(name));
        table.row([
            host.id.as_str().into(),
            Cell::of(host.function.as_ref()),
            Cell::of(host.port_name.as_ref()),
            Cell::new(state.map(ToString::to_string).unwrap_or_default(), paint),
            gigabits(host.now.speed_mbps).into(),
            gigabits(host.supported_speeds_mbps.iter().copied().max()).into(),
            Cell::of(host.now.port_type.as_ref()),
            joined(
                errors.map(|(name, count)| Some(format!("{} {count}", name.replace('_', " ")))),
                ", ",
            )
            .into(),
        ]);
    }
    table
}

/// Whether a counter is of what goes wrong, and not of what is carried.
fn is_error(name: &str) -> bool {
    !(name.starts_with("tx_")
        || name.starts_with("rx_")
        || name.starts_with("seconds_")
        || name.ends_with("_requests")
        || name.ends_with("_megabytes"))
}

/// Ends of SAS cables: in short those with something at the other end, or that failed.
pub(super) fn sas(storage: &Storage, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("SAS phy"),
        Column::Left("function"),
        Column::Left("of"),
        Column::Left("state"),
        Column::Right("rate"),
        Column::Right("most"),
        Column::Wrap("errors"),
    ]);
    for phy in &storage.sas_phys {
        let state = phy.now.state.as_ref();
        if !detail && state == Some(&SasPhyState::Unknown) {
            continue;
        }
        let paint = if state == Some(&SasPhyState::RateFailed) {
            Paint::Bad
        } else {
            Paint::Plain
        };
        table.row([
            phy.id.as_str().into(),
            Cell::of(phy.function.as_ref()),
            Cell::of(phy.device_type.as_ref()),
            Cell::new(state.map(word).unwrap_or_default(), paint),
            gigabits(phy.now.rate_mbps).into(),
            gigabits(phy.rate_max_hardware_mbps).into(),
            phy.now.errors.map(errors).unwrap_or_default().into(),
        ]);
    }
    table
}

fn errors(errors: SasErrors) -> String {
    let said = |count: Option<u32>, words: &str| {
        let count = count.filter(|count| *count > 0)?;
        Some(format!("{words} {count}"))
    };
    joined(
        [
            said(errors.invalid_dwords, "invalid dwords"),
            said(errors.disparity_errors, "disparity"),
            said(errors.lost_syncs, "lost syncs"),
            said(errors.reset_problems, "reset problems"),
        ],
        ", ",
    )
}

/// `22.5 Gb/s`.
fn gigabits(megabits: Option<u32>) -> String {
    let Some(megabits) = megabits else {
        return String::new();
    };
    match (megabits / 1000, megabits % 1000 / 100) {
        (whole, 0) => format!("{whole} Gb/s"),
        (whole, tenth) => format!("{whole}.{tenth} Gb/s"),
    }
}
