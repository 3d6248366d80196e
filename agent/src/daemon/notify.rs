//! What the service manager is told (sd_notify(3)); without one nobody listens, and nothing is sent.

use libhw::inventory::Inventory;
use sd_notify::NotifyState;

use crate::log;

/// The agent answers; `status` is for `systemctl status`.
pub(super) fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] must follow.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => log::warning!("no monotonic clock: {error}"),
    }
}

/// The agent stops.
pub(super) fn stopping() {
    send(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// What the agent does, in words.
pub(super) fn status(status: &str) {
    send(&[NotifyState::Status(status)]);
}

/// All loops live.
pub(super) fn watchdog() {
    send(&[NotifyState::Watchdog]);
}

/// What was found, in a line.
pub(super) fn summary(inventory: &Inventory) -> String {
    let cpus = inventory.cpu.as_ref().map_or(0, |cpu| cpu.cpus.len());
    let nodes = inventory.numa.as_ref().map_or(0, |numa| numa.nodes.len());
    let functions = inventory.pci.as_ref().map_or(0, |pci| pci.functions.len());
    format!(
        "found {cpus} CPUs, {nodes} memory nodes, {functions} PCI functions, {} problems",
        inventory.problems.len()
    )
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        log::warning!("the service manager cannot be told: {error}");
    }
}
