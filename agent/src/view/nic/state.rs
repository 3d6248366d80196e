//! What is told beside the interfaces: RDMA, health, neighbours, timestamps in full, and errors.

use libhw::device::nic::{Health, Nic, TimestampingMode};

use super::megabits;
use crate::table::{Cell, Column, Paint, Table};
use crate::view::words::{joined, some};

/// RDMA devices, port by port.
pub(super) fn rdma(nic: &Nic) -> Table {
    let mut table = Table::new(&[
        Column::Left("RDMA"),
        Column::Right("port"),
        Column::Left("layer"),
        Column::Left("state"),
        Column::Left("rate"),
        Column::Left("firmware"),
        Column::Left("PCI"),
        Column::Left("interface"),
    ]);
    for device in &nic.rdma {
        for port in &device.ports {
            let state = port
                .now
                .state
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let paint = if state == "active" {
                Paint::Good
            } else {
                Paint::Warning
            };
            let rate = port
                .now
                .rate_mbps
                .and_then(|rate| u32::try_from(rate).ok())
                .map(megabits);
            table.row([
                device.id.as_str().into(),
                port.id.to_string().into(),
                Cell::of(port.link_layer.as_ref()),
                Cell::new(state, paint),
                joined(
                    [rate, port.now.rate.as_ref().map(|rate| format!("({rate})"))],
                    " ",
                )
                .into(),
                Cell::of(device.firmware.as_ref()),
                Cell::of(device.function.as_ref()),
                Cell::of(port.interface.as_ref()),
            ]);
        }
    }
    table
}

/// Reporters that say something; all of them in detail.
pub(super) fn health(nic: &Nic, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("devlink"),
        Column::Left("reporter"),
        Column::Left("health"),
        Column::Right("errors"),
        Column::Right("recovered"),
        Column::Wrap("running"),
    ]);
    for device in &nic.devlinks {
        let running: Vec<String> = device
            .running
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let mut running = some(running.join(", "));
        for reporter in &device.reporters {
            let quiet = reporter.now.errors.unwrap_or_default() == 0
                && reporter.now.state != Some(Health::Error);
            if quiet && !detail {
                continue;
            }
            let paint = if reporter.now.state == Some(Health::Error) {
                Paint::Bad
            } else {
                Paint::Plain
            };
            let state = reporter.now.state.as_ref().map(ToString::to_string);
            table.row([
                device.id.as_str().into(),
                reporter.id.as_str().into(),
                Cell::new(state.unwrap_or_default(), paint),
                Cell::of(reporter.now.errors.as_ref()),
                Cell::of(reporter.now.recoveries.as_ref()),
                running.take().unwrap_or_default().into(),
            ]);
        }
        if let Some(running) = running {
            let empty = Cell::default;
            table.row([
                device.id.as_str().into(),
                empty(),
                empty(),
                empty(),
                empty(),
                running.into(),
            ]);
        }
    }
    table
}

/// Who was heard by LLDP.
pub(super) fn neighbours(nic: &Nic) -> Table {
    let mut table = Table::new(&[
        Column::Left("heard on"),
        Column::Left("system"),
        Column::Left("port"),
        Column::Left("as"),
        Column::Wrap("description"),
    ]);
    for interface in &nic.interfaces {
        for neighbour in &interface.now.neighbours {
            let system = neighbour
                .system_hostname
                .as_ref()
                .or(neighbour.chassis_address.as_ref());
            table.row([
                interface.id.as_str().into(),
                Cell::of(system),
                Cell::of(neighbour.port.as_ref()),
                neighbour.capabilities.join(" ").into(),
                Cell::of(neighbour.system_description.as_ref()),
            ]);
        }
    }
    table
}

/// What each interface can do with timestamps, in the kernel's words.
pub(super) fn stamps(nic: &Nic) -> Table {
    let mut table = Table::new(&[
        Column::Left("timestamps"),
        Column::Wrap("modes"),
        Column::Wrap("sent"),
        Column::Wrap("received"),
    ]);
    for interface in &nic.interfaces {
        if let Some(timestamping) = &interface.timestamping {
            let modes: Vec<&str> = timestamping
                .modes
                .iter()
                .map(TimestampingMode::as_str)
                .collect();
            let sent: Vec<&str> = timestamping
                .tx_types
                .iter()
                .map(|kind| kind.as_str())
                .collect();
            let received: Vec<&str> = timestamping
                .rx_filters
                .iter()
                .map(|filter| filter.as_str())
                .collect();
            table.row([
                interface.id.as_str().into(),
                modes.join(" ").into(),
                sent.join(" ").into(),
                received.join(" ").into(),
            ]);
        }
    }
    table
}

/// Counters whose names tell of a fault.
pub(super) fn errors(nic: &Nic) -> Table {
    let mut table = Table::new(&[Column::Left("errors"), Column::Wrap("counters")]);
    for interface in &nic.interfaces {
        let standard = interface.now.standard_counters.values().flatten();
        let fec = interface.now.fec.iter().flat_map(|fec| &fec.counters);
        let all = interface.now.counters.iter().chain(standard).chain(fec);
        let telling = |name: &str| {
            ["rror", "drop", "missed", "uncorr", "Jabber", "Lost"]
                .iter()
                .any(|word| name.contains(word))
        };
        let counters: Vec<String> = all
            .filter(|(name, _)| telling(name))
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if !counters.is_empty() {
            table.row([interface.id.as_str().into(), counters.join(", ").into()]);
        }
    }
    table
}
