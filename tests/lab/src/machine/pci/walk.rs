//! Goes over the described tree and gives out places, bus numbers and names.

use super::{BRIDGE, CHANNEL, CXL_BUSES, Function, Slot, What};
use crate::machine::cxl::CxlMemory;
use crate::machine::device::Device;

/// What was given out so far.
pub(super) struct Walk<'a> {
    pub(super) functions: Vec<Function<'a>>,
    pub(super) bus: u8,
    pub(super) port: u8,
    pub(super) interface: u8,
}

impl<'a> Walk<'a> {
    pub(super) fn device(&mut self, device: &'a Device, on_root: bool) -> What<'a> {
        self.interface += u8::from(device.is_interface());
        What::Device {
            device,
            interface: self.interface,
            on_root,
        }
    }

    /// Adds a function on a bus, by the bus's name and number and the place on it, with its parent and node, and tells
    /// its address.
    pub(super) fn add(
        &mut self,
        id: &str,
        on: (&str, u8, u8),
        of: (Option<&str>, Option<u32>),
        what: What<'a>,
    ) -> String {
        let (bus, number, place) = on;
        let address = format!("0000:{number:02x}:{place:02x}.0");
        self.functions.push(Function {
            id: id.to_owned(),
            bus: format!("bus={bus},addr={place:#x}"),
            address: address.clone(),
            parent: of.0.map(str::to_owned),
            node: of.1,
            what,
        });
        address
    }

    pub(super) fn root_port(&mut self, row: usize, slot: &'a Slot, on: (&str, u8), place: u8) {
        let id = format!("slot{row}");
        self.port += 1;
        let what = What::RootPort { number: self.port };
        let address = self.add(&id, (on.0, on.1, place), (None, slot.node), what);
        self.below(&id, slot, &address, slot.node);
    }

    /// What is plugged into a port: on a bus of its own.
    pub(super) fn below(&mut self, id: &str, slot: &'a Slot, port: &str, node: Option<u32>) {
        self.bus += 1;
        let bus = self.bus;
        if let Some(device) = &slot.device {
            let what = self.device(device, false);
            self.add(
                &format!("{id}-device"),
                (id, bus, 0),
                (Some(port), node),
                what,
            );
        }
        if slot.switch.is_empty() {
            return;
        }
        let switch = format!("{id}-switch");
        let upstream = self.add(&switch, (id, bus, 0), (Some(port), node), What::Upstream);
        self.bus += 1;
        let inner = self.bus;
        for (row, port) in slot.switch.iter().enumerate() {
            let place = u8::try_from(row).unwrap_or(u8::MAX);
            let id = format!("{id}.{row}");
            self.port += 1;
            let what = What::Downstream { number: self.port };
            let address = self.add(&id, (&switch, inner, place), (Some(&upstream), node), what);
            self.below(&id, port, &address, node);
        }
    }

    pub(super) fn cxl(&mut self, row: usize, memory: &CxlMemory, place: u8) {
        let (id, bus) = (format!("cxl{row}"), CXL_BUSES);
        let bridge = What::CxlBridge {
            bus,
            node: memory.node,
        };
        self.add(&id, ("pcie.0", 0, place), (None, None), bridge);
        let (port, of) = (format!("{id}-port"), (None, memory.node));
        let address = self.add(&port, (&id, bus, 0), of, What::CxlPort { row });
        let of = (Some(address.as_str()), memory.node);
        self.add(
            &format!("{id}-memory"),
            (&port, bus + 1, 0),
            of,
            What::CxlMemory { row },
        );
    }

    /// What every machine has: the host bridge, the lab's channel, and QEMU's bridge to what is older than PCI,
    /// with its SMBus.
    pub(super) fn fixed(&mut self, smbus_driver: Option<&'static str>) {
        for (place, function, device, vendor, class, driver) in [
            (0, 0, 0x29c0, 0x8086, 0x06_0000, None),
            (CHANNEL, 0, 0x1003, 0x1af4, 0x07_8000, Some("virtio-pci")),
            (BRIDGE, 0, 0x2918, 0x8086, 0x06_0100, None),
            (BRIDGE, 2, 0x2922, 0x8086, 0x01_0601, Some("ahci")),
            (BRIDGE, 3, 0x2930, 0x8086, 0x0c_0500, smbus_driver),
        ] {
            let what = What::Fixed(None, (vendor, device, class, driver));
            self.add("", ("", 0, place), (None, None), what);
            if let Some(added) = self.functions.last_mut() {
                added.address = format!("0000:00:{place:02x}.{function}");
            }
        }
    }
}
