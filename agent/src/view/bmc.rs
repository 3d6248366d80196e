//! The BMC: the ways to it, and what it says of itself.

use libhw::device::bmc::{
    Address, AddressSpace, Bmc, Controller, FirmwareInterface, HostInterface, Interface,
    InterfaceType, NetworkDevice, ProtocolType, RedfishService,
};
use libhw::inventory::Inventory;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(bmc) = &inventory.bmc else {
        return;
    };
    if *bmc == Bmc::default() {
        return;
    }
    page.title("BMC");
    page.table(&interfaces(bmc));
    page.table(&controllers(bmc, detail));
    page.table(&host_interfaces(bmc, detail));
    if detail {
        page.table(&counters(bmc));
    }
}

/// `KCS (ipmi0), Redfish on USB`; of what only firmware tells, that it has no driver.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let bmc = inventory.bmc.as_ref()?;
    let driven = bmc.interfaces.iter().map(|interface| {
        let kind = interface.interface_type.as_ref().map(kind);
        let kind = kind.unwrap_or_else(|| "IPMI".to_owned());
        format!("{kind} ({})", interface.id)
    });
    let undriven = undriven(bmc).map(|described| {
        let kind = described.interface_type.as_ref().map(kind);
        format!(
            "{} without a driver",
            kind.unwrap_or_else(|| "IPMI".to_owned())
        )
    });
    let redfish = bmc.host_interfaces.iter().filter_map(|host| {
        service(host)?;
        let place = host.network_device.as_ref().map(|device| {
            let place = device.device_type.as_str().to_uppercase();
            format!(" on {place}")
        });
        Some(format!("Redfish{}", place.unwrap_or_default()))
    });
    let parts = driven.chain(undriven).chain(redfish).map(Some);
    some(joined(parts, ", "))
}

/// What firmware describes and no interface is.
fn undriven(bmc: &Bmc) -> impl Iterator<Item = &FirmwareInterface> {
    let taken = |id: &String| {
        let mut of = bmc.interfaces.iter();
        of.any(|interface| interface.firmware_interface.as_ref() == Some(id))
    };
    // Where it cannot be told which is whose, one of the same kind is taken for it.
    let alike = |row: &FirmwareInterface| {
        let mut of = bmc.interfaces.iter();
        of.any(|interface| {
            interface.firmware_interface.is_none() && interface.interface_type == row.interface_type
        })
    };
    let rows = bmc.firmware_interfaces.iter();
    rows.filter(move |row| !taken(&row.id) && !alike(row))
}

fn interfaces(bmc: &Bmc) -> Table {
    let mut table = Table::new(&[
        Column::Left("interface"),
        Column::Left("type"),
        Column::Left("address"),
        Column::Right("IRQ"),
        Column::Left("driver"),
        Column::Left("device"),
        Column::Left("function"),
        Column::Left("file"),
        Column::Left("BMC"),
        Column::Wrap("state"),
    ]);
    for interface in &bmc.interfaces {
        table.row(interface_row(bmc, interface));
    }
    for described in undriven(bmc) {
        let interrupt = described.interrupt.as_ref();
        let number = interrupt.and_then(|interrupt| interrupt.number);
        table.row([
            format!("SMBIOS {}", described.id).into(),
            Cell::of(described.interface_type.as_ref().map(kind).as_ref()),
            Cell::of(described.address.as_ref().map(address).as_ref()),
            Cell::of(number.as_ref()),
            Cell::default(),
            Cell::default(),
            Cell::default(),
            Cell::default(),
            Cell::default(),
            Cell::new("no driver", Paint::Faint),
        ]);
    }
    table
}

fn interface_row(bmc: &Bmc, interface: &Interface) -> [Cell; 10] {
    let described = bmc
        .firmware_interfaces
        .iter()
        .find(|row| interface.firmware_interface.as_ref() == Some(&row.id));
    let by_firmware = described.and_then(|row| row.address.as_ref());
    let at = interface.address.as_ref().or(by_firmware).map(address);
    [
        interface.id.as_str().into(),
        Cell::of(interface.interface_type.as_ref().map(kind).as_ref()),
        Cell::of(at.as_ref()),
        Cell::of(interface.irq.as_ref()),
        Cell::of(interface.driver.as_ref()),
        Cell::of(interface.device.as_ref()),
        Cell::of(interface.function.as_ref()),
        Cell::of(interface.device_file.as_ref()),
        Cell::of(interface.controller.as_ref()),
        state(interface),
    ]
}

/// The counters that tell of trouble, worst first.
const TROUBLE: [(&str, &str); 4] = [
    ("hosed_count", "out of step"),
    ("hosed", "out of step"),
    ("send_errors", "send errors"),
    ("receive_errors", "receive errors"),
];

/// What went wrong, and how the driver waits.
fn state(interface: &Interface) -> Cell {
    let now = &interface.now;
    let wrong = TROUBLE.iter().filter_map(|(name, words)| {
        let count = now.counters.get(*name).filter(|count| **count > 0)?;
        Some(format!("{words}: {count}"))
    });
    let wrong: Vec<String> = wrong.collect();
    let paint = if wrong.is_empty() {
        Paint::Plain
    } else {
        Paint::Warning
    };
    let waits = now
        .interrupts_enabled
        .map(|on| if on { "interrupts" } else { "polled" }.to_owned());
    Cell::new(
        joined(wrong.into_iter().map(Some).chain([waits]), ", "),
        paint,
    )
}

fn controllers(bmc: &Bmc, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("BMC"),
        Column::Left("firmware"),
        Column::Left("IPMI"),
        Column::Right("manufacturer"),
        Column::Right("product"),
        Column::Right("device"),
        Column::Wrap("supports"),
        Column::Left("GUID"),
    ]);
    for controller in &bmc.controllers {
        if let Some(row) = controller_row(controller, detail) {
            table.row(row);
        }
    }
    table
}

fn controller_row(controller: &Controller, detail: bool) -> Option<[Cell; 8]> {
    let deep = controller.deep.as_ref()?;
    let support = deep.additional_device_support.iter().flatten();
    let support: Vec<String> = support.map(ToString::to_string).collect();
    let aux = deep.aux_firmware_revision.as_ref().filter(|_| detail);
    let device = |id: u8| match deep.revision {
        Some(revision) => format!("{id}, revision {revision}"),
        None => id.to_string(),
    };
    let product = deep.product_id.map(|product| format!("{product:#06x}"));
    Some([
        controller.id.as_str().into(),
        joined([deep.firmware_revision.as_ref(), aux], " ").into(),
        Cell::of(deep.ipmi_version.as_ref()),
        Cell::of(deep.manufacturer_id.as_ref()),
        Cell::of(product.as_ref()),
        Cell::of(deep.device_id.map(device).as_ref()),
        support.join(", ").into(),
        Cell::of(deep.guid.as_ref().filter(|_| detail)),
    ])
}

fn host_interfaces(bmc: &Bmc, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("host interface"),
        Column::Left("type"),
        Column::Wrap("device"),
        Column::Wrap("protocols"),
        Column::Wrap("this end"),
        Column::Wrap("Redfish service"),
        Column::Left("UUID"),
    ]);
    for host in &bmc.host_interfaces {
        table.row(host_row(host, detail));
    }
    table
}

fn host_row(host: &HostInterface, detail: bool) -> [Cell; 7] {
    let redfish = service(host);
    let protocols: Vec<String> = host
        .protocols
        .iter()
        .map(|protocol| match protocol.id {
            ProtocolType::RedfishOverIp => "Redfish over IP".to_owned(),
            ProtocolType::Ipmi => "IPMI".to_owned(),
            ProtocolType::Mctp => "MCTP".to_owned(),
            _ => protocol.id.to_string(),
        })
        .collect();
    let this_end = redfish.map(|service| {
        let origin = service.host_origin.as_ref().map(ToString::to_string);
        joined([service.host_address.clone(), origin], ", ")
    });
    let uuid = redfish.and_then(|service| service.uuid.as_ref());
    [
        format!("SMBIOS {}", host.id).into(),
        host.interface_type.to_string().into(),
        Cell::of(host.network_device.as_ref().map(device).as_ref()),
        protocols.join(", ").into(),
        Cell::of(this_end.as_ref()),
        Cell::of(redfish.map(place).as_ref()),
        Cell::of(uuid.filter(|_| detail)),
    ]
}

fn service(host: &HostInterface) -> Option<&RedfishService> {
    let mut protocols = host.protocols.iter();
    protocols.find_map(|protocol| protocol.redfish.as_ref())
}

/// `USB 046b:ffb0 02:00:5e:10:00:01`.
fn device(device: &NetworkDevice) -> String {
    let ids = device.vendor.zip(device.device);
    let ids = ids.map(|(vendor, device)| format!("{vendor:04x}:{device:04x}"));
    joined(
        [
            Some(device.device_type.as_str().to_uppercase()),
            ids,
            device.function.clone(),
            device.mac_address.clone(),
        ],
        " ",
    )
}

/// `169.254.1.1:443`, by name where it has one.
fn place(service: &RedfishService) -> String {
    let name = service.service_hostname.as_ref();
    let address = name.or(service.service_address.as_ref());
    let port = service.service_port.map(|port| format!(":{port}"));
    let Some(address) = address else {
        let origin = service.service_origin.as_ref();
        return origin.map(ToString::to_string).unwrap_or_default();
    };
    match address.contains(':') {
        true => format!("[{address}]{}", port.unwrap_or_default()),
        false => format!("{address}{}", port.unwrap_or_default()),
    }
}

fn counters(bmc: &Bmc) -> Table {
    let mut table = Table::new(&[
        Column::Left("interface"),
        Column::Left("counted"),
        Column::Right("count"),
    ]);
    for interface in &bmc.interfaces {
        let counters = interface.now.counters.iter();
        for (name, count) in counters.filter(|(_, count)| **count > 0) {
            table.row([
                interface.id.as_str().into(),
                name.replace('_', " ").into(),
                count.to_string().into(),
            ]);
        }
    }
    table
}

fn kind(kind: &InterfaceType) -> String {
    kind.as_str().to_uppercase()
}

fn address(address: &Address) -> String {
    let base = address.base;
    match &address.space {
        AddressSpace::Io => format!("I/O {base:#x}"),
        AddressSpace::I2c => format!("I2C {base:#04x}"),
        space => format!("{space} {base:#x}"),
    }
}
