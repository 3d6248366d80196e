//! BMCs of a synthetic tree, and firmware's tables against dmidecode.

use std::collections::BTreeMap;
use std::path::Path;

use libhw::device::bmc::{
    AddressOrigin, AddressSpace, Bmc, FirmwareInterface, HostInterface, InterfaceType,
    NetworkDevice, RedfishService,
};
use libhw::inventory::Class;
use libhw::survey::Reason;

use crate::smbios::{Structure, Table, answer};

#[test]
fn a_synthetic_server_tells_every_way_to_its_two_bmcs() {
    let inventory = crate::synthetic("bmc", &[Class::Bmc]);
    let Bmc {
        interfaces,
        controllers,
        ..
    } = inventory.bmc.expect("BMCs");
    let [kcs, ssif, bt] = interfaces.as_slice() else {
        panic!("{interfaces:?}");
    };
    assert_eq!(kcs.interface_type, Some(InterfaceType::Kcs));
    assert_eq!((kcs.irq, kcs.now.interrupts_enabled), (None, Some(false)));
    assert_eq!(kcs.now.counters["hosed_count"], 3);
    assert_eq!(ssif.interface_type, Some(InterfaceType::Ssif));
    let address = ssif.address.as_ref().expect("an address");
    assert_eq!((&address.space, address.base), (&AddressSpace::I2c, 0x10));
    assert_eq!(kcs.controller, ssif.controller);
    assert_eq!(bt.function.as_deref(), Some("0000:41:00.4"));
    assert_eq!((bt.node, bt.irq), (Some(1), Some(87)));
    let [first, second] = controllers.as_slice() else {
        panic!("{controllers:?}");
    };
    let id = first.deep.as_ref().expect("its own words");
    assert_eq!(id.firmware_revision.as_deref(), Some("2.84"));
    assert_eq!(id.manufacturer_id, Some(674));
    // The other one let us wait, and was asked no more.
    assert_eq!(second.deep.as_ref(), Some(&Default::default()));
    let [problem] = inventory.problems.as_slice() else {
        panic!("{:?}", inventory.problems);
    };
    assert!(matches!(problem.reason, Reason::TimedOut { .. }));
}

#[test]
fn firmware_s_interfaces_in_captured_tables_read_as_dmidecode_reads_them() {
    let Some(machines) = support::machines() else {
        return support::skipped(
            "no machines: set GNOMON_MACHINES to a directory with smbios/*.dmi",
        );
    };
    if !support::installed("dmidecode") {
        return;
    }
    let tables = std::fs::read_dir(machines.join("smbios")).expect("a folder of tables");
    let mut compared = 0;
    for entry in tables.flatten() {
        let bytes = std::fs::read(entry.path()).expect("a table");
        compared += agrees(&Table::bare(bytes), &entry.path());
    }
    assert!(compared >= 12, "only {compared} values were compared");
}

#[test]
fn firmware_s_interfaces_in_made_up_tables_read_as_dmidecode_reads_them() {
    if support::installed("dmidecode") {
        let compared = agrees(&made_up(), Path::new("made up"));
        assert!(compared > 900, "only {compared} values were compared");
    }
}

/// Every kind of system interface with every modifier, and of host interface with every form of address.
fn made_up() -> Table {
    let mut table = Table::default();
    let mut handle = 0;
    for kind in [1, 2, 3, 4, 7] {
        for modifier in [0x00, 0x10, 0x48, 0x8b, 0x19, 0x0a] {
            for base in [0xca2_u64, 0xca3, 0xfe00_0020] {
                handle += 1;
                let structure = Structure::new(38, 0x12, handle);
                let number = modifier ^ 5;
                table.add(
                    structure
                        .put(0x04, &[kind, 0x15, 0x20, 0xff])
                        .put(0x08, &base.to_le_bytes())
                        .put(0x10, &[modifier, number]),
                );
            }
        }
    }
    for format in [1, 2] {
        for origin in 0..=4 {
            handle += 1;
            table.add(host(
                handle,
                &[3, 0x86, 0x80, 2, 0, 3, 0, 4, 0],
                (format, origin),
            ));
            handle += 1;
            table.add(host(
                handle,
                &[2, 0x6b, 4, 0xb0, 0xff, 2, 3],
                (format, origin),
            ));
        }
    }
    table.end()
}

/// Type 42: a network card with its descriptor, and a Redfish service with addresses of a format and an origin.
fn host(handle: u16, descriptor: &[u8], (format, origin): (u8, u8)) -> Structure {
    let mut fields = vec![0x40, u8::try_from(descriptor.len()).expect("short")];
    fields.extend(descriptor);
    let mut record: Vec<u8> = (1..=16).collect();
    record.extend([origin, format]);
    record.extend(0x20..0x40_u8);
    record.extend([4 - origin, format]);
    record.extend(0x50..0x70_u8);
    record.extend([0xbb, 1, origin, 0, 0, 0, 7]);
    record.extend(b"bmc.lab");
    fields.extend([1, 4, u8::try_from(record.len()).expect("short")]);
    fields.extend(record);
    let length = u8::try_from(fields.len() + 4).expect("short");
    Structure::new(42, length, handle).put(4, &fields)
}

/// Demands that every value is dmidecode's, and says how many there were.
fn agrees(table: &Table, name: &Path) -> usize {
    let tree = table.tree();
    let bmc = crate::replayed(tree.path(), &[Class::Bmc])
        .bmc
        .expect("BMCs");
    let told = bmc.firmware_interfaces.iter();
    let told = told.map(|row| (&row.id, of_interface(row)));
    let hosts = bmc.host_interfaces.iter();
    let hosts = hosts.map(|row| (&row.id, of_host(row)));
    let ours: Vec<_> = told.chain(hosts).collect();
    let mut theirs = answer(table, tree.path(), 38);
    theirs.extend(answer(table, tree.path(), 42));
    assert_eq!(ours.len(), theirs.len(), "{}", name.display());
    let mut compared = 0;
    for ((id, ours), (handle, lines)) in ours.iter().zip(&theirs) {
        assert_eq!(**id, format!("{handle:#06x}"));
        for (key, text) in lines {
            let key = key.trim();
            if text.contains("OUT OF SPEC") || ["Protocol ID", "Vendor ID"].contains(&key) {
                continue;
            }
            let said = ours.get(key).map_or("", String::as_str);
            let place = name.display();
            assert!(
                said.eq_ignore_ascii_case(text),
                "{place} {id}: {key}: {said}, not {text}"
            );
            compared += 1;
        }
    }
    compared
}

/// What we say, by dmidecode's names.
type Ours = BTreeMap<&'static str, String>;

fn ours<const N: usize>(lines: [(&'static str, Option<String>); N]) -> Ours {
    let said = |(key, text): (&'static str, Option<String>)| Some((key, text?));
    lines.into_iter().filter_map(said).collect()
}

fn of_interface(row: &FirmwareInterface) -> Ours {
    let kind = match row.interface_type {
        Some(InterfaceType::Kcs) => "KCS (Keyboard Control Style)",
        Some(InterfaceType::Smic) => "SMIC (Server Management Interface Chip)",
        Some(InterfaceType::Bt) => "BT (Block Transfer)",
        Some(InterfaceType::Ssif) => "SSIF (SMBus System Interface)",
        _ => "Unknown",
    };
    let address = row.address.as_ref().map(|address| match address.space {
        AddressSpace::Io => format!("{:#018X} (I/O)", address.base),
        AddressSpace::I2c => format!("{:#04X} (SMBus)", address.base),
        _ => format!("{:#018X} (Memory-mapped)", address.base),
    });
    let spacing = row.register_spacing_bytes.map(|bytes| match bytes {
        1 => "Successive Byte Boundaries".to_owned(),
        4 => "32-bit Boundaries".to_owned(),
        bytes => format!("{bytes}-byte Boundaries"),
    });
    let interrupt = row.interrupt.as_ref();
    let told = |yes: &str, no: &str, value: Option<bool>| {
        value.map(|value| if value { yes } else { no }.to_owned())
    };
    let storage = row.nv_storage_address.map(|address| address.to_string());
    let without = storage.is_none().then(|| "Not Present".to_owned());
    let ipmb = row.ipmb_address.unwrap_or_default();
    ours([
        ("Interface Type", Some(kind.to_owned())),
        ("Specification Version", row.specification_version.clone()),
        ("I2C Slave Address", Some(format!("{:#04x}", ipmb >> 1))),
        ("NV Storage Device Address", storage),
        ("NV Storage Device", without),
        ("Base Address", address),
        ("Register Spacing", spacing),
        (
            "Interrupt Polarity",
            told(
                "Active High",
                "Active Low",
                interrupt.and_then(|interrupt| interrupt.active_high),
            ),
        ),
        (
            "Interrupt Trigger Mode",
            told(
                "Level",
                "Edge",
                interrupt.and_then(|interrupt| interrupt.level_triggered),
            ),
        ),
        (
            "Interrupt Number",
            interrupt.and_then(|interrupt| Some(interrupt.number?.to_string())),
        ),
    ])
}

fn of_host(row: &HostInterface) -> Ours {
    let mut said = ours([(
        "Host Interface Type",
        Some(row.interface_type.as_str().to_owned()),
    )]);
    said.extend(row.network_device.iter().flat_map(of_card));
    let services = row.protocols.iter().filter_map(|row| row.redfish.as_ref());
    said.extend(services.flat_map(of_service));
    said
}

fn of_card(card: &NetworkDevice) -> Ours {
    let hex = |id: Option<u16>| id.map(|id| format!("{id:#06x}"));
    let kind = match card.device_type.as_str() {
        "pci" => "PCI/PCIe",
        other => other,
    };
    ours([
        ("Device Type", Some(kind.to_owned())),
        ("idVendor", hex(card.vendor)),
        ("idProduct", hex(card.device)),
        ("VendorID", hex(card.vendor)),
        ("DeviceID", hex(card.device)),
        ("SubVendorID", hex(card.subsystem_vendor)),
        ("SubDeviceID", hex(card.subsystem_device)),
    ])
}

fn of_service(service: &RedfishService) -> Ours {
    let origin = |origin: &Option<AddressOrigin>| {
        let word = match origin.as_ref()? {
            AddressOrigin::Static => "Static",
            AddressOrigin::Dhcp => "DHCP",
            AddressOrigin::AutoConfigure => "AutoConf",
            AddressOrigin::HostSelected => "Host Selected",
            _ => "Unknown",
        };
        Some(word.to_owned())
    };
    let format = |address: &Option<String>| {
        let colon = address.as_ref()?.contains(':');
        Some(if colon { "IPv6" } else { "IPv4" }.to_owned())
    };
    ours([
        ("Service UUID", service.uuid.clone()),
        ("Host IP Assignment Type", origin(&service.host_origin)),
        ("Host IP Address Format", format(&service.host_address)),
        ("IPv4 Address", service.host_address.clone()),
        ("IPv6 Address", service.host_address.clone()),
        ("IPv4 Mask", service.host_mask.clone()),
        ("IPv6 Mask", service.host_mask.clone()),
        (
            "Redfish Service IP Discovery Type",
            origin(&service.service_origin),
        ),
        (
            "Redfish Service IP Address Format",
            format(&service.service_address),
        ),
        (
            "IPv4 Redfish Service Address",
            service.service_address.clone(),
        ),
        (
            "IPv6 Redfish Service Address",
            service.service_address.clone(),
        ),
        ("IPv4 Redfish Service Mask", service.service_mask.clone()),
        ("IPv6 Redfish Service Mask", service.service_mask.clone()),
        (
            "Redfish Service Port",
            service.service_port.map(|port| port.to_string()),
        ),
        (
            "Redfish Service Vlan",
            Some(service.service_vlan.unwrap_or_default().to_string()),
        ),
        ("Redfish Service Hostname", service.service_hostname.clone()),
    ])
}
