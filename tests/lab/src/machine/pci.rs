//! Where PCI devices are: on the root bus, in slots, and behind switches.

use serde::{Deserialize, Serialize};

use super::cxl::CxlMemory;
use super::device::{Device, Place};
use super::error::{Checked, require};
use super::expected::{Expected, Wanted};
use super::numbers::Numbers;
use super::plan::Plan;
use super::security::Iommu;
use walk::Walk;

mod walk;

/// The place on the root bus that the lab's own channel takes.
pub const CHANNEL: u8 = 0x1e;
/// The first place that QEMU's own bridge takes.
const BRIDGE: u8 = 0x1f;
/// The number of the first bus of a node; those of other nodes follow at this distance.
const NODE_BUSES: u8 = 0x20;

/// The number of the first bus of CXL, and of its slots.
const CXL_BUSES: u8 = 0xc0;
const CXL_SLOTS: usize = 200;

/// A PCI Express slot: a root port, or the lower port of a switch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Slot {
    /// The node that it is near to; of a switch's port that of the switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// What is plugged into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The ports of the switch that is plugged into it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub switch: Vec<Slot>,
}

/// A function that the guest sees.
#[derive(Clone, Debug)]
struct Function<'a> {
    /// QEMU's name.
    id: String,
    /// QEMU's name of the bus, and the place there.
    bus: String,
    address: String,
    parent: Option<String>,
    node: Option<u32>,
    what: What<'a>,
}

#[derive(Clone, Copy, Debug)]
enum What<'a> {
    Device {
        device: &'a Device,
        interface: u8,
        on_root: bool,
    },
    /// A root complex of its own, for the buses of a node.
    Expander {
        bus: u8,
        node: u32,
    },
    RootPort {
        number: u8,
    },
    Upstream,
    Downstream {
        number: u8,
    },
    /// A root complex of its own, for CXL.
    CxlBridge {
        bus: u8,
        node: Option<u32>,
    },
    CxlPort {
        row: usize,
    },
    CxlMemory {
        row: usize,
    },
    /// Of the machine itself or of another part of it, by vendor, device, class and driver, with QEMU's name where it
    /// must be told here.
    Fixed(Option<&'static str>, Identity),
}

/// Vendor, device, class and driver.
type Identity = (u16, u16, u32, Option<&'static str>);

/// The PCI side of a machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree<'a> {
    pub(super) devices: &'a [Device],
    pub(super) slots: &'a [Slot],
    /// The CPUs of each node; none where the machine has no nodes.
    pub(super) nodes: &'a [Numbers],
    /// All CPUs.
    pub(super) cpus: &'a Numbers,
    pub(super) iommu: Option<Iommu>,
    /// Other parts of the machine that are on the root bus, with QEMU's options.
    pub(super) others: &'a [(&'static str, Identity)],
    /// What drives the SMBus of QEMU's bridge, where the machine's modules do.
    pub(super) smbus_driver: Option<&'static str>,
    pub(super) cxl: &'a [CxlMemory],
}

impl Tree<'_> {
    pub(super) fn check(&self) -> Checked {
        for (row, device) in self.devices.iter().enumerate() {
            let path = format!("devices[{row}]");
            device.check(&path, true)?;
            let lacks = device.lacks_node(None, self.nodes.len());
            require(
                !lacks,
                path,
                "with several nodes, its driver wants it in a slot of one",
            )?;
        }
        for (row, slot) in self.slots.iter().enumerate() {
            self.check_slot(slot, &format!("slots[{row}]"), slot.node)?;
        }
        let on_root = self.on_root();
        let room = usize::from(CHANNEL) - 1;
        let text = format!(
            "{on_root} devices and root ports are more than the {room} that the root bus holds"
        );
        require(on_root <= room, "slots", text)?;
        let nodes = self.slot_nodes();
        let few = nodes.0.len() <= 4;
        require(
            few,
            "slots",
            "at most four nodes can have slots of their own",
        )?;
        let deep = self.slots.iter().map(buses).sum::<usize>() < usize::from(NODE_BUSES);
        require(
            deep,
            "slots",
            format!("at most {NODE_BUSES} buses can lie behind slots"),
        )?;
        let single = self
            .devices
            .iter()
            .chain(self.slots.iter().flat_map(devices));
        let watchdogs = single
            .filter(|device| matches!(device, Device::I6300esb {}))
            .count();
        require(
            watchdogs <= 1,
            "devices",
            "there can be one watchdog i6300esb",
        )
    }

    fn check_slot(&self, slot: &Slot, path: &str, node: Option<u32>) -> Checked {
        let exists = slot
            .node
            .is_none_or(|node| (node as usize) < self.nodes.len());
        let text = slot.node.map(|node| format!("there is no node {node}"));
        require(exists, format!("{path}.node"), text.unwrap_or_default())?;
        let with_cpus = slot.node.and_then(|node| self.nodes.get(node as usize));
        let with_cpus = with_cpus.is_none_or(|cpus| !cpus.is_empty());
        require(
            with_cpus,
            format!("{path}.node"),
            "a slot is near to a node with CPUs",
        )?;
        let one = slot.device.is_none() || slot.switch.is_empty();
        require(
            one,
            path,
            "either a device or a switch is plugged into a slot",
        )?;
        let few = slot.switch.len() <= 32;
        require(
            few,
            format!("{path}.switch"),
            "a switch has at most 32 ports",
        )?;
        if let Some(device) = &slot.device {
            let path = format!("{path}.device");
            device.check(&path, false)?;
            let lacks = device.lacks_node(node, self.nodes.len());
            require(
                !lacks,
                path,
                "with several nodes, its driver wants it in a slot of one",
            )?;
        }
        for (row, port) in slot.switch.iter().enumerate() {
            let path = format!("{path}.switch[{row}]");
            let inherited = port.node.is_none() || port.node == node;
            require(
                inherited,
                format!("{path}.node"),
                "a port is near to the node of its switch",
            )?;
            self.check_slot(port, &path, node)?;
        }
        Ok(())
    }

    /// How many places of the root bus are taken.
    fn on_root(&self) -> usize {
        let ports = self.slots.iter().filter(|slot| slot.node.is_none()).count();
        self.devices.len() + ports + self.slot_nodes().0.len() + self.others.len() + self.cxl.len()
    }

    /// The nodes that have slots of their own.
    fn slot_nodes(&self) -> Numbers {
        self.slots.iter().filter_map(|slot| slot.node).collect()
    }

    /// All functions. Firmware gives bus numbers depth first, in the order of the places on each bus.
    fn functions(&self) -> Vec<Function<'_>> {
        let mut walk = Walk {
            functions: Vec::new(),
            bus: 0,
            port: 0,
            interface: 0,
        };
        let mut place = 1;
        for (row, device) in self.devices.iter().enumerate() {
            let what = walk.device(device, true);
            walk.add(
                &format!("device{row}"),
                ("pcie.0", 0, place),
                (None, None),
                what,
            );
            place += 1;
        }
        let numbered = || self.slots.iter().enumerate();
        for (row, slot) in numbered().filter(|(_, slot)| slot.node.is_none()) {
            walk.root_port(row, slot, ("pcie.0", 0), place);
            place += 1;
        }
        for (node, bus) in self
            .slot_nodes()
            .0
            .into_iter()
            .zip((NODE_BUSES..).step_by(usize::from(NODE_BUSES)))
        {
            let (id, what) = (format!("node{node}-pci"), What::Expander { bus, node });
            walk.add(&id, ("pcie.0", 0, place), (None, None), what);
            place += 1;
            walk.bus = bus;
            for ((row, slot), port) in numbered()
                .filter(|(_, slot)| slot.node == Some(node))
                .zip(0..)
            {
                walk.root_port(row, slot, (&id, bus), port);
            }
        }
        for (row, (options, identity)) in self.others.iter().enumerate() {
            let what = What::Fixed(Some(options), *identity);
            walk.add(
                &format!("other{row}"),
                ("pcie.0", 0, place),
                (None, None),
                what,
            );
            place += 1;
        }
        for (row, memory) in self.cxl.iter().enumerate() {
            walk.cxl(row, memory, place);
            place += 1;
        }
        walk.fixed(self.smbus_driver);
        walk.functions
    }

    /// Where another part of the machine is, by QEMU's options for it.
    pub(super) fn address_of(&self, options: &str) -> Option<String> {
        let functions = self.functions().into_iter();
        let mut of = functions.filter(
            |function| matches!(function.what, What::Fixed(Some(own), _) if own == options),
        );
        of.next().map(|function| function.address)
    }

    pub(super) fn plan(&self, plan: &mut Plan) {
        for function in self.functions() {
            let Function { id, bus, .. } = &function;
            match function.what {
                What::Device {
                    device,
                    interface,
                    on_root,
                } => {
                    let address = &function.address;
                    device.plan(
                        &Place {
                            id,
                            bus,
                            address,
                            on_root,
                            interface,
                        },
                        plan,
                    );
                }
                What::Expander { bus: number, node } => {
                    plan.device(format!(
                        "pxb-pcie,id={id},{bus},bus_nr={number},numa_node={node}"
                    ));
                }
                What::RootPort { number } => {
                    let slot = format!("chassis={number},slot={number}");
                    plan.device(format!("pcie-root-port,id={id},{bus},{slot}"));
                }
                What::Upstream => plan.device(format!("x3130-upstream,id={id},{bus}")),
                What::Downstream { number } => {
                    let slot = format!("chassis={number},slot={number}");
                    plan.device(format!("xio3130-downstream,id={id},{bus},{slot}"));
                }
                What::CxlBridge {
                    bus: number, node, ..
                } => {
                    let node = node
                        .map(|node| format!(",numa_node={node}"))
                        .unwrap_or_default();
                    plan.device(format!("pxb-cxl,id={id},{bus},bus_nr={number}{node}"));
                }
                What::CxlPort { row } => {
                    let slot = format!("port=0,chassis={},slot={0}", CXL_SLOTS + row);
                    plan.device(format!("cxl-rp,id={id},{bus},{slot}"));
                }
                What::CxlMemory { row } => {
                    if let Some(memory) = self.cxl.get(row) {
                        memory.plan(row, bus, plan);
                    }
                }
                What::Fixed(Some(options), _) => plan.device(format!("{options},id={id},{bus}")),
                What::Fixed(None, _) => {}
            }
        }
    }

    pub(super) fn expect(&self, expected: &mut Expected) {
        let functions = self.functions();
        expected.rows(
            "pci.functions",
            functions.iter().map(|function| &function.address),
        );
        for function in &functions {
            self.expect_function(function, expected);
        }
        let is_interface =
            |what| matches!(what, What::Device { device, .. } if device.is_interface());
        let interfaces = functions
            .iter()
            .filter(|function| is_interface(function.what))
            .count();
        // The loopback is one, too.
        expected.wants("nic.interfaces", Wanted::Count(1 + interfaces));
    }

    fn expect_function(&self, function: &Function<'_>, expected: &mut Expected) {
        let at = format!("pci.functions[{}]", function.address);
        let cpus = function.node.and_then(|node| self.nodes.get(node as usize));
        expected.is(
            format!("{at}.local_cpus"),
            cpus.unwrap_or(self.cpus).to_string(),
        );
        let mut may_be_absent = |name: &str, value: Option<serde_json::Value>| {
            let wanted = value.map_or(Wanted::Nothing, Wanted::Is);
            expected.wants(format!("{at}.{name}"), wanted);
        };
        may_be_absent("parent", function.parent.clone().map(Into::into));
        may_be_absent("node", function.node.map(Into::into));
        let group = match self.iommu {
            None => Some(Wanted::Nothing),
            Some(Iommu::Intel) => Some(Wanted::Something),
            Some(Iommu::Virtio) => None,
        };
        if let Some(group) = group {
            expected.wants(format!("{at}.iommu_group"), group);
        }
        match function.what {
            What::Device {
                device,
                interface,
                on_root,
            } => {
                let Function {
                    id, bus, address, ..
                } = function;
                let place = Place {
                    id,
                    bus,
                    address,
                    on_root,
                    interface,
                };
                device.expect(&place, expected);
                if let (Device::Nvme { .. }, Some(node)) = (device, function.node) {
                    let at = format!("storage.nvme_controllers[function={address}].node");
                    expected.is(at, node);
                }
            }
            other => {
                let (vendor, device, class, driver) = other.identity();
                expected.is(format!("{at}.vendor_id"), vendor);
                expected.is(format!("{at}.device_id"), device);
                expected.is(format!("{at}.class_id"), class);
                let driver = driver.map_or(Wanted::Nothing, |driver| Wanted::Is(driver.into()));
                expected.wants(format!("{at}.driver"), driver);
            }
        }
    }
}

impl What<'_> {
    /// Vendor, device, class and driver.
    fn identity(self) -> Identity {
        match self {
            Self::Expander { .. } => (0x1b36, 0x000b, 0x06_0000, None),
            Self::RootPort { .. } => (0x1b36, 0x000c, 0x06_0400, Some("pcieport")),
            Self::Upstream => (0x104c, 0x8232, 0x06_0400, Some("pcieport")),
            Self::Downstream { .. } => (0x104c, 0x8233, 0x06_0400, Some("pcieport")),
            Self::CxlBridge { .. } => (0x1b36, 0x000b, 0x06_0000, None),
            Self::CxlPort { .. } => (0x8086, 0x7075, 0x06_0400, Some("pcieport")),
            Self::CxlMemory { .. } => (0x8086, 0x0d93, 0x05_0210, Some("cxl_pci")),
            Self::Fixed(_, identity) => identity,
            Self::Device { .. } => (0, 0, 0, None),
        }
    }
}

/// How many buses lie behind a slot.
fn buses(slot: &Slot) -> usize {
    let inner = usize::from(!slot.switch.is_empty());
    1 + inner + slot.switch.iter().map(buses).sum::<usize>()
}

/// The devices behind a slot.
fn devices(slot: &Slot) -> Vec<&Device> {
    let below = slot.switch.iter().flat_map(devices);
    slot.device.iter().chain(below).collect()
}
