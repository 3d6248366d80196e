//! Who keeps whose time: interface, PCI function, node, PTP hardware clock, clock circuit, pin, GNSS receiver.

use super::node_of_function;
use crate::device::nic::{Dpll, Interface, InterfaceKind, Pin, Rdma};
use crate::device::pci::Function;
use crate::device::ptp_clock::{Clock, Gnss};
use crate::inventory::Inventory;

/// The PCI function that an interface is on; of a virtual function that is folded, its physical one.
#[must_use]
pub fn function_of_interface<'a>(
    inventory: &'a Inventory,
    interface: &Interface,
) -> Option<&'a Function> {
    let pci = inventory.pci.as_ref()?;
    let called = |id: &Option<String>| {
        pci.functions
            .iter()
            .find(|function| id.as_ref() == Some(&function.id))
    };
    called(&interface.function).or_else(|| called(&interface.physical_function))
}

/// The memory node that an interface is near to: what its device says, else its PCI function or a bridge above it.
/// Of a VLAN, or of a bond whose parts are all near to one, that of what it lies on.
#[must_use]
pub fn node_of_interface(inventory: &Inventory, interface: &Interface) -> Option<u32> {
    let own = |interface: &Interface| {
        let function = || function_of_interface(inventory, interface);
        interface
            .node
            .or_else(|| node_of_function(inventory, function()?))
    };
    if let Some(node) = own(interface) {
        return Some(node);
    }
    let nic = inventory.nic.as_ref()?;
    let mut below = nic
        .interfaces
        .iter()
        .filter(|other| lies_on(interface, other));
    let node = own(below.next()?)?;
    below.all(|other| own(other) == Some(node)).then_some(node)
}

/// The PTP hardware clock whose time an interface's hardware stamps with: what the driver says; where it was not
/// asked, the only one on the same device. Of a VLAN or a bond that of what it lies on, if there is just one.
#[must_use]
pub fn clock_of_interface<'a>(
    inventory: &'a Inventory,
    interface: &Interface,
) -> Option<&'a Clock> {
    let clocks = &inventory.ptp_clock.as_ref()?.clocks;
    let own = |interface: &Interface| {
        if let Some(timestamping) = &interface.timestamping {
            let id = timestamping.clock.as_ref();
            return clocks.iter().find(|clock| Some(&clock.id) == id);
        }
        if interface.kind == Some(InterfaceKind::Representor) {
            return None;
        }
        let mut on_device = clocks.iter().filter(|clock| {
            let beside = clock.interfaces.contains(&interface.id);
            beside
                || (clock.function.is_some()
                    && clock.function == interface.function
                    && clock.parent.is_none())
        });
        let first = on_device.next()?;
        on_device.next().is_none().then_some(first)
    };
    if let Some(clock) = own(interface) {
        return Some(clock);
    }
    let nic = inventory.nic.as_ref()?;
    let mut below = nic
        .interfaces
        .iter()
        .filter(|other| lies_on(interface, other));
    let clock = own(below.next()?)?;
    let same = |other: &Interface| own(other).is_some_and(|other| other.id == clock.id);
    below.all(same).then_some(clock)
}

/// The interfaces whose hardware stamps with a clock, or with a virtual clock on it.
#[must_use]
pub fn interfaces_of_clock<'a>(inventory: &'a Inventory, clock: &Clock) -> Vec<&'a Interface> {
    let nic = inventory.nic.iter().flat_map(|nic| &nic.interfaces);
    let base = clock.parent.as_ref().unwrap_or(&clock.id);
    let hardware = nic.filter(|interface| interface.is_hardware());
    hardware
        .filter(|interface| {
            clock_of_interface(inventory, interface).is_some_and(|own| own.id == *base)
        })
        .collect()
}

/// The pin that has an interface's recovered clock: that which the kernel names.
#[must_use]
pub fn pin_of_interface<'a>(inventory: &'a Inventory, interface: &Interface) -> Option<&'a Pin> {
    let pins = &inventory.nic.as_ref()?.pins;
    let id = interface.dpll_pin?;
    pins.iter().find(|pin| pin.id == id)
}

/// The clock circuits behind an interface: of the chip that has its recovered clock.
#[must_use]
pub fn dplls_of_interface<'a>(inventory: &'a Inventory, interface: &Interface) -> Vec<&'a Dpll> {
    let chip = pin_of_interface(inventory, interface).and_then(|pin| pin.clock_mac.as_ref());
    let dplls = inventory.nic.iter().flat_map(|nic| &nic.dplls);
    dplls
        .filter(|dpll| chip.is_some() && dpll.clock_mac.as_ref() == chip)
        .collect()
}

/// The pins that a clock circuit has, with what each is to it.
#[must_use]
pub fn pins_of_dpll<'a>(inventory: &'a Inventory, dpll: &Dpll) -> Vec<&'a Pin> {
    let pins = inventory.nic.iter().flat_map(|nic| &nic.pins);
    let has = |pin: &&Pin| {
        pin.parents
            .iter()
            .any(|parent| parent.dpll == Some(dpll.id))
    };
    pins.filter(has).collect()
}

/// The GNSS receivers on an interface's device.
#[must_use]
pub fn gnss_of_interface<'a>(inventory: &'a Inventory, interface: &Interface) -> Vec<&'a Gnss> {
    let receivers = inventory.ptp_clock.iter().flat_map(|class| &class.gnss);
    let card = interface.function.as_deref().and_then(card);
    receivers
        .filter(|gnss| card.is_some() && gnss.function.as_deref().and_then(self::card) == card)
        .collect()
}

/// The RDMA devices of an interface: those with a port that is the interface's, else those on its function.
#[must_use]
pub fn rdma_of_interface<'a>(inventory: &'a Inventory, interface: &Interface) -> Vec<&'a Rdma> {
    let all = inventory.nic.iter().flat_map(|nic| &nic.rdma);
    let is_its = |rdma: &&Rdma| {
        let named = rdma
            .ports
            .iter()
            .any(|port| port.interface.as_ref() == Some(&interface.id));
        let on_function = rdma.function.is_some() && rdma.function == interface.function;
        named || (on_function && rdma.ports.iter().all(|port| port.interface.is_none()))
    };
    all.filter(is_its).collect()
}

/// Whether an interface's device takes part in PCIe Precision Time Measurement: its function, and the bridges above it
/// up to the root, all have the capability. `None` where config space was not read.
#[must_use]
pub fn has_ptm(inventory: &Inventory, interface: &Interface) -> Option<bool> {
    let pci = inventory.pci.as_ref()?;
    let mut function = function_of_interface(inventory, interface)?;
    // No way to a device has more bridges than there are buses.
    for _ in 0..256 {
        let deep = function.deep.as_ref()?;
        let capable = |name: &String| name == "precision_time_measurement";
        if !deep.extended_capabilities.iter().any(capable) {
            return Some(false);
        }
        let Some(parent) = &function.parent else {
            return Some(true);
        };
        function = pci.functions.iter().find(|above| above.id == *parent)?;
    }
    None
}

/// Whether `interface` is a VLAN on `other`, or `other` is a part of it.
fn lies_on(interface: &Interface, other: &Interface) -> bool {
    interface.lower.as_ref() == Some(&other.id) || other.master.as_ref() == Some(&interface.id)
}

/// All but the function's number: ports of one card share its receiver.
fn card(function: &str) -> Option<&str> {
    function.rsplit_once('.').map(|(card, _)| card)
}

#[cfg(test)]
mod tests;
