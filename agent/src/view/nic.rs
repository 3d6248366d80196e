//! Network interfaces: link, driver, place, clock and timestamps; RDMA, devlink's health, clock circuits and modules.

use std::collections::BTreeMap;

use libhw::device::nic::{Duplex, Interface, InterfaceKind, Nic, OperState, TimestampingMode};
use libhw::inventory::Inventory;
use libhw::join::time;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some};

mod clockwork;
mod module;
mod state;

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(nic) = &inventory.nic else {
        return;
    };
    page.title("Network");
    if nic.interfaces.is_empty() && nic.rdma.is_empty() {
        page.line("none");
        return;
    }
    page.table(&interfaces(inventory, nic, detail));
    if let Some(line) = folded(nic).filter(|_| !detail) {
        page.line(&line);
    }
    page.table(&state::rdma(nic));
    page.table(&state::health(nic, detail));
    page.table(&clockwork::dplls(nic));
    page.table(&clockwork::pins(nic, detail));
    page.table(&module::modules(nic));
    page.table(&state::neighbours(nic));
    if detail {
        page.table(&state::stamps(nic));
        page.table(&state::errors(nic));
    }
}

/// How many of which kind, and the fastest.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let nic = inventory.nic.as_ref()?;
    let mut speeds: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    let ports = nic
        .interfaces
        .iter()
        .filter(|port| port.kind == Some(InterfaceKind::Physical));
    for port in ports {
        *speeds.entry(port.speed_mbps).or_default() += 1;
    }
    let ports: usize = speeds.values().sum();
    let fast = speeds
        .iter()
        .rev()
        .filter_map(|(speed, count)| Some(format!("{count} × {}", megabits((*speed)?))));
    let fast = fast.collect::<Vec<_>>().join(", ");
    let stamping = nic
        .interfaces
        .iter()
        .filter(|port| stamps_in_hardware(port))
        .count();
    let vfs: usize = nic.interfaces.iter().map(|port| port.vfs.len()).sum();
    let count = |count: usize, noun: &str| (count > 0).then(|| plural(count, noun));
    let parts = [
        count(ports, "port"),
        some(fast),
        (stamping > 0).then(|| format!("{stamping} with hardware timestamps")),
        count(vfs, "VF"),
        count(nic.rdma.len(), "RDMA device"),
        count(nic.dplls.len(), "DPLL"),
    ];
    some(joined(parts, ", "))
}

/// What a person did not set up by hand, and sees in numbers only.
fn is_folded(interface: &Interface) -> bool {
    !interface.is_hardware()
        && !matches!(
            interface.kind,
            Some(
                InterfaceKind::Bond
                    | InterfaceKind::Team
                    | InterfaceKind::Bridge
                    | InterfaceKind::Vlan
            )
        )
        || interface.kind == Some(InterfaceKind::Representor)
}

fn folded(nic: &Nic) -> Option<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for interface in nic
        .interfaces
        .iter()
        .filter(|interface| is_folded(interface))
    {
        *kinds
            .entry(
                interface
                    .kind
                    .as_ref()
                    .map_or("other", InterfaceKind::as_str),
            )
            .or_default() += 1;
    }
    let parts: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    some(parts.join(", ")).map(|parts| format!("besides: {parts}"))
}

fn interfaces(inventory: &Inventory, nic: &Nic, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("name"),
        Column::Left("kind"),
        Column::Left("state"),
        Column::Left("speed"),
        Column::Right("MTU"),
        Column::Left("driver"),
        Column::Wrap("firmware"),
        Column::Left("PCI"),
        Column::Right("node"),
        Column::Left("clock"),
        Column::Wrap("timestamps"),
        Column::Wrap("part of"),
        Column::Wrap("more"),
    ]);
    for interface in nic
        .interfaces
        .iter()
        .filter(|interface| detail || !is_folded(interface))
    {
        let clock = time::clock_of_interface(inventory, interface);
        table.row([
            interface.id.as_str().into(),
            Cell::of(interface.kind.as_ref()),
            state(interface),
            speed(interface),
            Cell::of(interface.mtu.as_ref()),
            Cell::of(interface.driver.as_ref()),
            Cell::of(interface.firmware.as_ref()),
            Cell::of(interface.function.as_ref()),
            Cell::of(time::node_of_interface(inventory, interface).as_ref()),
            Cell::of(clock.map(|clock| &clock.id)),
            timestamps(interface).into(),
            Cell::of(interface.master.as_ref()),
            more(nic, interface, detail).into(),
        ]);
    }
    table
}

/// A port that was set up and has no carrier is what a person looks for.
fn state(interface: &Interface) -> Cell {
    let enabled = interface.enabled != Some(false);
    match &interface.operstate {
        _ if !enabled => Cell::new("off", Paint::Faint),
        Some(OperState::Up) => Cell::new("up", Paint::Good),
        Some(state @ (OperState::Down | OperState::LowerLayerDown)) => {
            Cell::new(state.as_str(), Paint::Warning)
        }
        Some(state) => state.as_str().into(),
        None => Cell::default(),
    }
}

fn speed(interface: &Interface) -> Cell {
    let half = interface.duplex == Some(Duplex::Half);
    let Some(speed) = interface.speed_mbps else {
        return Cell::default();
    };
    let paint = if half { Paint::Warning } else { Paint::Plain };
    Cell::new(
        format!("{}{}", megabits(speed), if half { " half" } else { "" }),
        paint,
    )
}

/// `25 Gbit/s`, `2.5 Gbit/s`, `100 Mbit/s`.
fn megabits(speed: u32) -> String {
    match (speed / 1000, speed % 1000) {
        (0, _) => format!("{speed} Mbit/s"),
        (whole, 0) => format!("{whole} Gbit/s"),
        (whole, rest) => {
            let rest = format!("{rest:03}");
            format!("{whole}.{} Gbit/s", rest.trim_end_matches('0'))
        }
    }
}

fn stamps_in_hardware(interface: &Interface) -> bool {
    let modes = interface
        .timestamping
        .as_ref()
        .map(|timestamping| &timestamping.modes);
    modes.is_some_and(|modes| {
        modes.contains(&TimestampingMode::HardwareTransmit)
            || modes.contains(&TimestampingMode::HardwareReceive)
    })
}

/// `hardware, one-step`, `software`; which received frames, unless it is all.
fn timestamps(interface: &Interface) -> String {
    let Some(timestamping) = &interface.timestamping else {
        return String::new();
    };
    if !stamps_in_hardware(interface) {
        let software = timestamping
            .modes
            .contains(&TimestampingMode::SoftwareTransmit);
        return if software {
            "software"
        } else {
            "software, received"
        }
        .to_owned();
    }
    let has = |word: &str| {
        timestamping
            .rx_filters
            .iter()
            .any(|filter| filter.as_str() == word)
    };
    let of_ptp = || {
        timestamping
            .rx_filters
            .iter()
            .any(|filter| filter.as_str().starts_with("ptp"))
    };
    let received = match () {
        () if has("all") => None,
        () if of_ptp() => Some("PTP alone"),
        () => Some("none received"),
    };
    let one_step = timestamping
        .tx_types
        .iter()
        .any(|kind| kind.as_str().starts_with("onestep"));
    joined(
        [Some("hardware"), one_step.then_some("one-step"), received],
        ", ",
    )
}

fn more(nic: &Nic, interface: &Interface, detail: bool) -> String {
    let ports = nic.ports_of(&interface.id);
    let ports: Vec<&str> = ports.into_iter().take(8).collect();
    let preempts = interface
        .tsn
        .as_ref()
        .and_then(|tsn| tsn.frame_preemption.as_ref());
    let preempts = preempts.map(|merge| match merge.tx_active {
        Some(true) => "preempts frames",
        _ => "can preempt frames",
    });
    let qdiscs = interface
        .tsn
        .iter()
        .flat_map(|tsn| &tsn.qdiscs)
        .map(|qdisc| {
            format!(
                "{}{}",
                qdisc.kind,
                if qdisc.offloaded { " by hardware" } else { "" }
            )
        });
    let qdiscs: Vec<String> = qdiscs.collect();
    let fec = interface
        .now
        .fec
        .as_ref()
        .and_then(|fec| fec.active.as_deref());
    let parts = [
        interface
            .vlan
            .as_ref()
            .map(|vlan| format!("VLAN {}", vlan.number)),
        interface.lower.as_ref().map(|lower| format!("on {lower}")),
        interface.bond_mode.clone(),
        interface
            .bond_active
            .as_ref()
            .map(|active| format!("{active} active")),
        some(ports.join(" ")).map(|ports| format!("of {ports}")),
        (!interface.vfs.is_empty()).then(|| plural(interface.vfs.len(), "VF")),
        fec.filter(|fec| *fec != "None")
            .map(|fec| format!("FEC {fec}")),
        preempts.map(str::to_owned),
        some(qdiscs.join(", ")),
        interface.alias.clone(),
        interface
            .phys_port_name
            .as_ref()
            .filter(|_| detail)
            .map(|name| format!("port {name}")),
        interface.mac.clone().filter(|_| detail),
    ];
    joined(parts, ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_written_as_people_say_them() {
        for (speed, text) in [
            (100, "100 Mbit/s"),
            (2500, "2.5 Gbit/s"),
            (25000, "25 Gbit/s"),
        ] {
            assert_eq!(megabits(speed), text);
        }
    }

    #[test]
    fn timestamps_are_told_in_short() {
        let told = |json: &str| {
            let json = format!(r#"{{"id":"e","timestamping":{json}}}"#);
            timestamps(&serde_json::from_str::<Interface>(&json).unwrap())
        };
        let hardware = r#"{"modes":["hardware-transmit","hardware-receive"],"tx_types":["off","on"],"rx_filters":["none","all"]}"#;
        assert_eq!(told(hardware), "hardware");
        let ptp = r#"{"modes":["hardware-receive"],"tx_types":["onestep-sync"],"rx_filters":["ptpv2-event"]}"#;
        assert_eq!(told(ptp), "hardware, one-step, PTP alone");
        assert_eq!(told(r#"{"modes":["software-transmit"]}"#), "software");
        assert_eq!(
            told(r#"{"modes":["software-receive"]}"#),
            "software, received"
        );
        assert_eq!(timestamps(&Interface::default()), "");
    }
}
