//! Accelerators for cryptography and FPGA cards, and what they are joined to: PCI function, node, algorithms.

use super::{Functions, node_of_function};
use crate::device::crypto::{Accelerator, Algorithm};
use crate::device::fpga::{Card, Controller, Port, Sensor};
use crate::device::pci::Function;
use crate::inventory::Inventory;

/// The memory node that an accelerator is near to: what its own driver says, or else its PCI function's place.
#[must_use]
pub fn node_of_accelerator(inventory: &Inventory, accelerator: &Accelerator) -> Option<u32> {
    let function = || Functions::searched(inventory).called(accelerator.function.as_deref()?);
    accelerator
        .node
        .or_else(|| node_of_function(inventory, function()?))
}

/// The algorithms that the kernel has accelerators of this sort serve. With several of a sort it spreads the
/// work over them by itself.
pub fn algorithms_of_accelerator<'a>(
    inventory: &'a Inventory,
    accelerator: &'a Accelerator,
) -> impl Iterator<Item = &'a Algorithm> {
    let algorithms = inventory.crypto.iter().flat_map(|class| &class.algorithms);
    algorithms.filter(|one| one.accelerator.as_ref() == Some(&accelerator.kind))
}

/// The PCI function of a card.
#[must_use]
pub fn function_of_card<'a>(inventory: &'a Inventory, card: &Card) -> Option<&'a Function> {
    Functions::searched(inventory).called(card.function.as_deref()?)
}

/// The memory node that a card is near to.
#[must_use]
pub fn node_of_card(inventory: &Inventory, card: &Card) -> Option<u32> {
    node_of_function(inventory, function_of_card(inventory, card)?)
}

/// The ports of a card, by their place on it.
pub fn ports_of_card<'a>(
    inventory: &'a Inventory,
    card: &'a Card,
) -> impl Iterator<Item = &'a Port> {
    let ports = inventory.fpga.iter().flat_map(|class| &class.ports);
    ports.filter(|port| port.card == card.id)
}

/// The controllers of a card.
pub fn controllers_of_card<'a>(
    inventory: &'a Inventory,
    card: &'a Card,
) -> impl Iterator<Item = &'a Controller> {
    let controllers = inventory.fpga.iter().flat_map(|class| &class.controllers);
    controllers.filter(|controller| controller.card == card.id)
}

/// The sensors of a card.
pub fn sensors_of_card<'a>(
    inventory: &'a Inventory,
    card: &'a Card,
) -> impl Iterator<Item = &'a Sensor> {
    let sensors = inventory.fpga.iter().flat_map(|class| &class.sensors);
    sensors.filter(|sensor| sensor.card == card.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Scope, discover};
    use crate::tree::Tree;

    #[test]
    fn an_accelerator_is_near_to_what_it_says_or_else_to_where_it_sits() {
        let function = "sys/bus/pci/devices/0000:6b:00.0";
        let tree = Tree::new(&[
            (
                &format!("{function}/modalias"),
                "pci:v00008086d00004940sv00008086sd00000000bc0Bsc40i00\n",
            ),
            (&format!("{function}/class"), "0x0b4000\n"),
            (&format!("{function}/vendor"), "0x8086\n"),
            (&format!("{function}/device"), "0x4940\n"),
            (&format!("{function}/numa_node"), "1\n"),
            ("sys/bus/dsa/devices/dsa0/numa_node", "2\n"),
            (
                "proc/crypto",
                "name : cbc(aes)\ndriver : qat_aes_cbc\nmodule : intel_qat\npriority : 4001\n\
                 selftest : passed\ninternal : no\ntype : skcipher\n",
            ),
        ]);
        let inventory = discover(&tree.root(), &Scope::default());
        let all = &inventory.crypto.as_ref().unwrap().accelerators;
        let nodes: Vec<_> = all
            .iter()
            .map(|one| (one.id.as_str(), node_of_accelerator(&inventory, one)))
            .collect();
        assert_eq!(nodes, [("dsa0", Some(2)), ("0000:6b:00.0", Some(1))]);
        let served: Vec<_> = all
            .iter()
            .map(|one| algorithms_of_accelerator(&inventory, one).count())
            .collect();
        assert_eq!(served, [0, 1]);
    }

    #[test]
    fn what_is_on_a_card_is_found_from_it() {
        let region = "sys/devices/pci0000:00/0000:05:00.0/fpga_region/region0";
        let tree = Tree::new(&[
            (&format!("{region}/dfl-port.0/afu_id"), "1\n"),
            (
                &format!("{region}/dfl-fme.0/thermal_mgmt/temperature"),
                "40\n",
            ),
            (&format!("{region}/dfl-fme.0/spi0/bmc_version"), "0x1\n"),
            ("sys/devices/pci0000:00/0000:05:00.0/class", "0x120000\n"),
            ("sys/devices/pci0000:00/0000:05:00.0/vendor", "0x8086\n"),
            ("sys/devices/pci0000:00/0000:05:00.0/device", "0x0b30\n"),
            ("sys/devices/pci0000:00/0000:05:00.0/numa_node", "0\n"),
        ]);
        tree.link(
            "sys/class/fpga_region/region0",
            "../../devices/pci0000:00/0000:05:00.0/fpga_region/region0",
        );
        tree.link(
            "sys/bus/pci/devices/0000:05:00.0",
            "../../../devices/pci0000:00/0000:05:00.0",
        );
        let inventory = discover(&tree.root(), &Scope::default());
        let card = &inventory.fpga.as_ref().unwrap().cards[0];
        assert_eq!(node_of_card(&inventory, card), Some(0));
        assert_eq!(ports_of_card(&inventory, card).count(), 1);
        assert_eq!(controllers_of_card(&inventory, card).count(), 1);
        assert_eq!(sensors_of_card(&inventory, card).count(), 1);
    }
}
