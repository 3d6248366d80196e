//! What SMBIOS tells: structures of types 38 and 42.

use proptest::prelude::*;

use super::{
    Address, AddressOrigin, AddressSpace, Bmc, DeviceType, HostInterfaceType, InterfaceType,
    ProtocolType, Tree, read, told, whole,
};

const TABLE: &str = "sys/firmware/dmi/tables/DMI";

/// A structure without strings, and one that ends the table, for each.
fn table(structures: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut table = Vec::new();
    for (handle, (kind, fields)) in (0x30_u8..).zip(structures) {
        let length = u8::try_from(4 + fields.len()).unwrap();
        table.extend([*kind, length, handle, 0]);
        table.extend(fields);
        table.extend(b"SN0123\0\0");
    }
    table.extend([127, 4, 0xff, 0xfe, 0, 0]);
    table
}

fn told_by(structures: &[(u8, Vec<u8>)]) -> Bmc {
    let tree = Tree::new(&[]);
    tree.write_bytes(TABLE, &table(structures));
    let (bmc, problems) = read(&tree);
    assert_eq!(problems, []);
    bmc
}

/// Type 38: kind, base address, modifier and interrupt.
fn ipmi(kind: u8, base: u64, modifier: u8, interrupt: u8) -> (u8, Vec<u8>) {
    let mut fields = vec![kind, 0x20, 0x20, 0xff];
    fields.extend(base.to_le_bytes());
    fields.extend([modifier, interrupt]);
    (38, fields)
}

#[test]
fn a_system_interface_is_where_firmware_says() {
    let cases = [
        // The address's lowest bit stands in the modifier.
        (ipmi(1, 0xca3, 0x00, 0), AddressSpace::Io, 0xca2, Some(1)),
        (ipmi(1, 0xca3, 0x10, 0), AddressSpace::Io, 0xca3, Some(1)),
        (ipmi(3, 0xe5, 0x40, 0), AddressSpace::Io, 0xe4, Some(4)),
        (
            ipmi(2, 0xfe00_0000, 0x80, 0),
            AddressSpace::Memory,
            0xfe00_0000,
            Some(16),
        ),
        (ipmi(1, 0xca3, 0xc0, 0), AddressSpace::Io, 0xca2, None),
        (ipmi(4, 0x20, 0x00, 0), AddressSpace::I2c, 0x10, None),
    ];
    for (structure, space, base, spacing) in cases {
        let bmc = told_by(&[structure]);
        let row = &bmc.firmware_interfaces[0];
        assert_eq!(row.id, "0x0030");
        assert_eq!(row.address, Some(Address { space, base }));
        assert_eq!(row.register_spacing_bytes, spacing);
        assert_eq!(row.specification_version.as_deref(), Some("2.0"));
        assert_eq!(
            (row.ipmb_address, row.nv_storage_address),
            (Some(0x20), None)
        );
        assert_eq!(row.interrupt, None);
    }
}

#[test]
fn an_interrupt_is_told_as_far_as_it_is_specified() {
    let bmc = told_by(&[
        ipmi(1, 0xca3, 0x0b, 5),
        ipmi(1, 0xca3, 0x00, 5),
        ipmi(1, 0xca3, 0x08, 0),
    ]);
    let interrupts: Vec<_> = bmc
        .firmware_interfaces
        .iter()
        .map(|row| {
            let interrupt = row.interrupt.as_ref().unwrap();
            (
                interrupt.number,
                interrupt.level_triggered,
                interrupt.active_high,
            )
        })
        .collect();
    assert_eq!(
        interrupts,
        [
            (Some(5), Some(true), Some(true)),
            (Some(5), None, None),
            (None, Some(false), Some(false))
        ]
    );
}

#[test]
fn a_structure_of_an_old_version_ends_before_its_modifier() {
    let (kind, mut fields) = ipmi(0, 0xca3, 0, 0);
    fields.truncate(12);
    let bmc = told_by(&[(kind, fields), (38, vec![9])]);
    let [old, short] = bmc.firmware_interfaces.as_slice() else {
        panic!("{bmc:?}");
    };
    assert_eq!(old.interface_type, None);
    assert_eq!(old.address.as_ref().unwrap().base, 0xca2);
    assert_eq!((old.register_spacing_bytes, &old.interrupt), (None, &None));
    let kind = InterfaceType::Other("0x09".to_owned());
    assert_eq!(short.interface_type, Some(kind));
    assert_eq!((&short.address, short.ipmb_address), (&None, None));
}

#[test]
fn an_interface_is_the_one_that_firmware_has_at_its_address() {
    let tree = whole();
    tree.write_bytes(TABLE, &table(&[ipmi(1, 0xcb3, 0, 0), ipmi(1, 0xca3, 0, 0)]));
    let (bmc, _) = read(&tree);
    assert_eq!(
        bmc.interfaces[0].firmware_interface.as_deref(),
        Some("0x0031")
    );
    // Of the same kind, but elsewhere.
    tree.write_bytes(TABLE, &table(&[ipmi(1, 0xcb3, 0, 0)]));
    assert_eq!(read(&tree).0.interfaces[0].firmware_interface, None);
}

/// Type 42: what the interface is, its descriptor, and its protocols.
fn host(kind: u8, descriptor: &[u8], protocols: &[(u8, Vec<u8>)]) -> (u8, Vec<u8>) {
    let mut fields = vec![kind, u8::try_from(descriptor.len()).unwrap()];
    fields.extend(descriptor);
    fields.push(u8::try_from(protocols.len()).unwrap());
    for (code, data) in protocols {
        fields.extend([*code, u8::try_from(data.len()).unwrap()]);
        fields.extend(data);
    }
    (42, fields)
}

/// Redfish over IP, with IPv4 addresses.
fn redfish() -> Vec<u8> {
    let mut data: Vec<u8> = (1..=16).collect();
    let address = |bytes: [u8; 4]| [&bytes[..], &[0; 12]].concat();
    data.extend([1, 1]);
    data.extend(address([169, 254, 1, 2]));
    data.extend(address([255, 255, 255, 0]));
    data.extend([3, 1]);
    data.extend(address([169, 254, 1, 1]));
    data.extend(address([255, 255, 255, 0]));
    data.extend(443_u16.to_le_bytes());
    data.extend(7_u32.to_le_bytes());
    data.extend(b"\x07bmc.lab");
    data
}

const USB: &[u8] = &[
    4, 13, 0x6b, 0x04, 0xb0, 0xff, 1, 0x02, 0x00, 0x5e, 0x10, 0x00, 0x01,
];

#[test]
fn a_redfish_service_on_a_usb_network_is_told() {
    let bmc = told_by(&[host(0x40, USB, &[(4, redfish()), (3, vec![1, 2])])]);
    let host = &bmc.host_interfaces[0];
    assert_eq!(host.interface_type, HostInterfaceType::Network);
    let device = host.network_device.as_ref().unwrap();
    assert_eq!(device.device_type, DeviceType::Usb);
    assert_eq!((device.vendor, device.device), (Some(0x46b), Some(0xffb0)));
    assert_eq!(device.serial.as_deref(), Some("SN0123"));
    assert_eq!(device.mac_address.as_deref(), Some("02:00:5e:10:00:01"));
    let [first, second] = host.protocols.as_slice() else {
        panic!("{host:?}");
    };
    assert_eq!((&second.id, &second.redfish), (&ProtocolType::Mctp, &None));
    let service = first.redfish.as_ref().unwrap();
    assert_eq!(
        service.uuid.as_deref(),
        Some("04030201-0605-0807-090a-0b0c0d0e0f10")
    );
    assert_eq!(service.host_origin, Some(AddressOrigin::Static));
    assert_eq!(service.host_address.as_deref(), Some("169.254.1.2"));
    assert_eq!(service.host_mask.as_deref(), Some("255.255.255.0"));
    assert_eq!(service.service_origin, Some(AddressOrigin::AutoConfigure));
    assert_eq!(service.service_address.as_deref(), Some("169.254.1.1"));
    assert_eq!(
        (service.service_port, service.service_vlan),
        (Some(443), Some(7))
    );
    assert_eq!(service.service_hostname.as_deref(), Some("bmc.lab"));
}

#[test]
fn network_cards_are_told_by_their_descriptors() {
    let pci = [
        5, 22, 0x86, 0x80, 0x33, 0x15, 0x28, 0x10, 1, 0, 0x02, 0, 0x5e, 0x10, 0, 2, 0, 0, 0x81,
        0x09, 0, 0,
    ];
    // A string of USB's: its length, its type, and UTF-16.
    let old_usb = [2, 0x6b, 4, 0x10, 0, 6, 3, b'A', 0, b'7', 0];
    let bmc = told_by(&[
        host(0x40, &pci, &[]),
        host(0x40, &old_usb, &[]),
        host(0x40, &[3, 1, 0, 2, 0, 3, 0, 4, 0], &[]),
        host(0x40, &[0x80, 1, 2, 3, 4], &[]),
        host(0x40, &[9], &[]),
        host(0x40, &[], &[]),
    ]);
    let devices: Vec<_> = bmc
        .host_interfaces
        .iter()
        .map(|host| host.network_device.clone())
        .collect();
    let [
        Some(pci),
        Some(usb),
        Some(old_pci),
        Some(oem),
        Some(later),
        None,
    ] = &devices[..]
    else {
        panic!("{devices:?}");
    };
    assert_eq!(pci.function.as_deref(), Some("0000:81:01.1"));
    assert_eq!((pci.vendor, pci.device), (Some(0x8086), Some(0x1533)));
    assert_eq!(pci.mac_address.as_deref(), Some("02:00:5e:10:00:02"));
    assert_eq!(usb.serial.as_deref(), Some("A7"));
    assert_eq!((usb.device, &usb.mac_address), (Some(0x10), &None));
    assert_eq!(
        (old_pci.subsystem_vendor, old_pci.subsystem_device),
        (Some(3), Some(4))
    );
    assert_eq!((&oem.device_type, oem.vendor), (&DeviceType::Oem, None));
    assert_eq!(later.device_type, DeviceType::Other("0x09".to_owned()));
}

#[test]
fn a_host_interface_that_ends_early_tells_what_it_has() {
    let (kind, fields) = host(0x40, USB, &[(4, redfish()), (4, redfish())]);
    for length in 0..fields.len() {
        let bmc = told_by(&[(kind, fields[..length].to_vec())]);
        assert_eq!(bmc.host_interfaces.len(), 1);
    }
    let vendor = host(0xf0, &[0, 0, 2, 0xa2], &[(0xf0, vec![])]);
    let bmc = told_by(&[
        vendor,
        host(0x02, &[], &[(2, vec![])]),
        host(0x77, &[], &[]),
    ]);
    let kinds: Vec<_> = bmc
        .host_interfaces
        .iter()
        .map(|host| (host.interface_type.as_str(), host.oem_vendor))
        .collect();
    assert_eq!(kinds, [("oem", Some(674)), ("kcs", None), ("0x77", None)]);
}

#[test]
fn what_is_no_table_is_told_once() {
    let tree = Tree::new(&[]);
    let mut bytes = table(&[ipmi(1, 0xca3, 0, 0)]);
    bytes.truncate(bytes.len() - 7);
    bytes.extend([42, 200, 0]);
    tree.write_bytes(TABLE, &bytes);
    let (bmc, problems) = read(&tree);
    assert_eq!(
        told(&problems),
        [("/sys/firmware/dmi/tables/DMI", "malformed")]
    );
    assert_eq!(bmc.firmware_interfaces.len(), 1);
}

proptest! {
    #[test]
    fn no_structure_is_too_odd(
        kind in prop_oneof![Just(38_u8), Just(42)],
        mut fields in proptest::collection::vec(any::<u8>(), 0..251),
        network in any::<bool>(),
    ) {
        if let (true, Some(first)) = (network, fields.first_mut()) {
            *first = 0x40;
        }
        let bmc = told_by(&[(kind, fields)]);
        prop_assert_eq!(bmc.firmware_interfaces.len() + bmc.host_interfaces.len(), 1);
    }
}
