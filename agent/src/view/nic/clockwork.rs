//! Clock circuits and their pins.

use libhw::device::nic::{LockStatus, Nic, PinParent, PinState};

use crate::table::{Cell, Column, Paint, Table};
use crate::view::words::joined;

/// The circuits.
pub(super) fn dplls(nic: &Nic) -> Table {
    let mut table = Table::new(&[
        Column::Right("DPLL"),
        Column::Left("kind"),
        Column::Left("module"),
        Column::Left("mode"),
        Column::Left("lock"),
        Column::Wrap("why not"),
        Column::Left("connected to"),
    ]);
    for dpll in &nic.dplls {
        let lock = dpll.lock_status.as_ref();
        let of_dpll = |parent: &&PinParent| parent.dpll == Some(dpll.id);
        let connected = |parent: &PinParent| {
            let input = parent.direction.as_deref() != Some("output");
            let state = parent.state.as_ref().map(ToString::to_string);
            input && state.as_deref() == Some("connected")
        };
        let sources = nic
            .pins
            .iter()
            .filter(|pin| pin.parents.iter().filter(of_dpll).any(connected));
        let sources: Vec<String> = sources
            .map(|pin| {
                pin.label
                    .clone()
                    .unwrap_or_else(|| format!("pin {}", pin.id))
            })
            .collect();
        table.row([
            dpll.id.to_string().into(),
            Cell::of(dpll.kind.as_ref()),
            Cell::of(dpll.module.as_ref()),
            Cell::of(dpll.mode.as_ref()),
            Cell::new(
                lock.map(ToString::to_string).unwrap_or_default(),
                lock_paint(lock),
            ),
            Cell::of(dpll.lock_error.as_ref()),
            sources.join(", ").into(),
        ]);
    }
    table
}

/// The pins; without detail those alone that are in use.
pub(super) fn pins(nic: &Nic, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Right("pin"),
        Column::Left("label"),
        Column::Left("kind"),
        Column::Right("frequency"),
        Column::Left("of"),
        Column::Left("direction"),
        Column::Left("state"),
        Column::Right("priority"),
        Column::Right("phase offset"),
        Column::Left("port"),
    ]);
    for pin in &nic.pins {
        let ports = nic
            .interfaces
            .iter()
            .filter(|port| port.dpll_pin == Some(pin.id));
        let ports: Vec<&str> = ports.map(|port| port.id.as_str()).collect();
        for (place, parent) in pin.parents.iter().enumerate() {
            let state = parent.state.as_ref();
            let unused = state.map(ToString::to_string).as_deref() == Some("disconnected");
            if unused && !detail {
                continue;
            }
            let of = [
                parent.dpll.map(|dpll| format!("DPLL {dpll}")),
                parent.pin.map(|pin| format!("pin {pin}")),
            ];
            let offset = pin.now.phase_offsets_fs.get(place).copied().flatten();
            table.row([
                pin.id.to_string().into(),
                Cell::of(pin.label.as_ref()),
                Cell::of(pin.kind.as_ref()),
                Cell::of(pin.frequency_hz.as_ref()),
                joined(of, " ").into(),
                Cell::of(parent.direction.as_ref()),
                Cell::new(
                    state.map(ToString::to_string).unwrap_or_default(),
                    pin_paint(state),
                ),
                Cell::of(parent.priority.as_ref()),
                Cell::of(offset.map(|fs| format!("{} ps", fs / 1000)).as_ref()),
                ports.join(" ").into(),
            ]);
        }
    }
    table
}

/// How a lock is to be seen.
fn lock_paint(status: Option<&LockStatus>) -> Paint {
    match status {
        Some(LockStatus::Locked | LockStatus::LockedHoAcq) => Paint::Good,
        Some(LockStatus::Holdover) => Paint::Warning,
        Some(LockStatus::Unlocked) => Paint::Bad,
        _ => Paint::Plain,
    }
}

/// How a pin is to be seen.
const fn pin_paint(state: Option<&PinState>) -> Paint {
    match state {
        Some(PinState::Connected) => Paint::Good,
        Some(PinState::Disconnected) => Paint::Faint,
        _ => Paint::Plain,
    }
}
