//! Accelerators and what they are joined to: their PCI function, the links above it, their compute nodes.

use super::Functions;
use crate::device::gpu::{Adapter, ComputeNode};
use crate::device::pci::{Function, Link};
use crate::inventory::Inventory;

/// A PCI Express link: its two ends, and what it does of what both can.
///
/// What a device says of its own end need not be the truth: many a GPU has a switch inside, whose link to the GPU's
/// die always runs at full speed. So the end above counts, and every link on the way to the root port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkAbove<'a> {
    /// The end farther from the CPU.
    pub lower: &'a Function,
    /// The end nearer to the CPU: a root port, or the downstream port of a switch.
    pub upper: &'a Function,
}

impl LinkAbove<'_> {
    /// The most that both ends can do.
    #[must_use]
    pub fn able(&self) -> Link {
        let (lower, upper) = (self.lower.link_max, self.upper.link_max);
        let least = |of: fn(&Link) -> Option<u32>| {
            let ends = [lower.as_ref().and_then(of), upper.as_ref().and_then(of)];
            ends.into_iter().flatten().min()
        };
        Link {
            speed_mtps: least(|link| link.speed_mtps),
            width: least(|link| link.width),
        }
    }

    /// As it runs: what the upper end says, else the lower one.
    #[must_use]
    pub fn now(&self) -> Option<Link> {
        self.upper.now.link.or(self.lower.now.link)
    }

    /// Whether it has fewer lanes than both ends can do: a bad contact, or a slot with fewer.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        let now = self.now().and_then(|now| now.width);
        now.zip(self.able().width)
            .is_some_and(|(now, able)| now < able)
    }

    /// Whether it is slower than both ends can do. An idle GPU may slow its link down by itself.
    #[must_use]
    pub fn is_slowed(&self) -> bool {
        let now = self.now().and_then(|now| now.speed_mtps);
        now.zip(self.able().speed_mtps)
            .is_some_and(|(now, able)| now < able)
    }

    /// Lanes times speed, for comparing; `None` where either is not known.
    fn rate(&self) -> Option<u64> {
        let now = self.now()?;
        Some(u64::from(now.speed_mtps?) * u64::from(now.width?))
    }
}

/// The PCI function that an accelerator is or hangs off.
#[must_use]
pub fn function_of_adapter<'a>(
    inventory: &'a Inventory,
    adapter: &Adapter,
) -> Option<&'a Function> {
    Functions::searched(inventory).called(adapter.function.as_deref()?)
}

/// The links between an accelerator and its root port, the nearest to it first; none of one on a root bus.
#[must_use]
pub fn links_of_adapter<'a>(inventory: &'a Inventory, adapter: &Adapter) -> Vec<LinkAbove<'a>> {
    let Some(function) = function_of_adapter(inventory, adapter) else {
        return Vec::new();
    };
    let functions = Functions::searched(inventory);
    let parent = |function: &Function| functions.called(function.parent.as_deref()?);
    let mut links = Vec::new();
    let mut lower = function;
    // Two functions to a link; the two ports of a switch have none between them.
    while let Some(upper) =
        parent(lower).filter(|upper| upper.is_bridge() && links.len() < LINKS_MAX)
    {
        links.push(LinkAbove { lower, upper });
        match parent(upper).filter(|switch| switch.is_bridge()) {
            Some(switch) => lower = switch,
            None => break,
        }
    }
    links.retain(|link| link.lower.link_max.is_some() || link.now().is_some());
    links
}

/// The link that all traffic of an accelerator goes through at the least rate; of equals the one that could do more.
#[must_use]
pub fn slowest_link_of_adapter<'a>(
    inventory: &'a Inventory,
    adapter: &Adapter,
) -> Option<LinkAbove<'a>> {
    let links = links_of_adapter(inventory, adapter).into_iter();
    let known = links.filter(|link| link.rate().is_some());
    known.min_by_key(|link| (link.rate(), !(link.is_narrowed() || link.is_slowed())))
}

/// The compute nodes of an accelerator: one, or one for each of its partitions.
pub fn compute_nodes_of_adapter<'a>(
    inventory: &'a Inventory,
    adapter: &'a Adapter,
) -> impl Iterator<Item = &'a ComputeNode> {
    let nodes = inventory.gpu.iter().flat_map(|gpu| &gpu.compute_nodes);
    nodes.filter(|node| node.function.is_some() && node.function == adapter.function)
}

/// More than a tree has buses.
const LINKS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::gpu::Gpu;
    use crate::device::pci::Pci;

    fn function(
        id: &str,
        parent: Option<&str>,
        class: u32,
        max: (u32, u32),
        now: (u32, u32),
    ) -> Function {
        let link = |(speed, width)| Link {
            speed_mtps: Some(speed),
            width: Some(width),
        };
        let mut function = Function {
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            class_id: class,
            link_max: Some(link(max)),
            ..Function::default()
        };
        function.now.link = Some(link(now));
        function
    }

    fn machine(functions: Vec<Function>) -> Inventory {
        let adapter = Adapter {
            id: "0000:03:00.0".to_owned(),
            function: Some("0000:03:00.0".to_owned()),
            ..Adapter::default()
        };
        Inventory {
            pci: Some(Pci { functions }),
            gpu: Some(Gpu {
                adapters: vec![adapter],
                ..Gpu::default()
            }),
            ..Inventory::default()
        }
    }

    fn adapter(inventory: &Inventory) -> &Adapter {
        &inventory.gpu.as_ref().unwrap().adapters[0]
    }

    #[test]
    fn the_truth_of_a_card_with_a_switch_inside_is_told_by_the_port_above_it() {
        let (full, slow) = ((16_000, 16), (8000, 8));
        let inventory = machine(vec![
            function("0000:00:01.0", None, 0x06_0400, full, slow),
            function("0000:01:00.0", Some("0000:00:01.0"), 0x06_0400, full, slow),
            function("0000:02:00.0", Some("0000:01:00.0"), 0x06_0400, full, full),
            function("0000:03:00.0", Some("0000:02:00.0"), 0x03_0000, full, full),
        ]);
        let links = links_of_adapter(&inventory, adapter(&inventory));
        let ends: Vec<_> = links
            .iter()
            .map(|link| (link.lower.id.as_str(), link.upper.id.as_str()))
            .collect();
        assert_eq!(
            ends,
            [
                ("0000:03:00.0", "0000:02:00.0"),
                ("0000:01:00.0", "0000:00:01.0")
            ]
        );
        let slowest = slowest_link_of_adapter(&inventory, adapter(&inventory)).unwrap();
        assert_eq!(slowest.upper.id, "0000:00:01.0");
        assert!(slowest.is_narrowed() && slowest.is_slowed());
        assert!(!links[0].is_narrowed() && !links[0].is_slowed());
    }

    #[test]
    fn a_slot_with_fewer_lanes_is_no_fault_of_the_link() {
        let inventory = machine(vec![
            function("0000:00:01.0", None, 0x06_0400, (16_000, 4), (16_000, 4)),
            function(
                "0000:03:00.0",
                Some("0000:00:01.0"),
                0x03_0000,
                (16_000, 16),
                (16_000, 4),
            ),
        ]);
        let link = slowest_link_of_adapter(&inventory, adapter(&inventory)).unwrap();
        assert_eq!(link.able().width, Some(4));
        assert!(!link.is_narrowed());
    }

    #[test]
    fn parents_in_a_circle_and_functions_that_are_not_there_end_the_search() {
        let full = (16_000, 16);
        let circle = machine(vec![
            function("0000:02:00.0", Some("0000:03:00.0"), 0x06_0400, full, full),
            function("0000:03:00.0", Some("0000:02:00.0"), 0x06_0400, full, full),
        ]);
        assert!(links_of_adapter(&circle, adapter(&circle)).len() <= LINKS_MAX);
        let alone = machine(Vec::new());
        assert_eq!(links_of_adapter(&alone, adapter(&alone)), []);
        assert_eq!(function_of_adapter(&alone, adapter(&alone)), None);
        let orphan = machine(vec![function(
            "0000:03:00.0",
            Some("0000:02:00.0"),
            0x03_0000,
            full,
            full,
        )]);
        assert_eq!(links_of_adapter(&orphan, adapter(&orphan)), []);
    }
}
