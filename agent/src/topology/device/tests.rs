use libhw::device::pci::{FunctionNow, Link, Pci, Sriov};

use super::*;
use crate::topology::sample::function;

fn devices(functions: Vec<Function>) -> Vec<Device> {
    let inventory = Inventory {
        pci: Some(Pci { functions }),
        ..Inventory::default()
    };
    by_node(&inventory, |_| true)
        .into_values()
        .flatten()
        .collect()
}

fn nic(id: &str) -> Function {
    Function {
        id: id.to_owned(),
        ..function(Some(0), 0)
    }
}

#[test]
fn functions_of_a_slot_are_one_device() {
    for (ids, addresses) in [
        (vec!["0000:3b:00.0"], vec!["0000:3b:00.0"]),
        (
            vec!["0000:3b:00.0", "0000:3b:00.1", "0000:3b:00.2"],
            vec!["0000:3b:00.0-2"],
        ),
        (
            vec!["0000:3b:00.0", "0000:3b:00.2"],
            vec!["0000:3b:00.0 +1"],
        ),
        (
            vec!["0000:3b:00.0", "10000:3b:00.0"],
            vec!["0000:3b:00.0", "10000:3b:00.0"],
        ),
        (vec!["odd", "odder"], vec!["odd", "odder"]),
    ] {
        let shown = devices(ids.into_iter().map(nic).collect());
        assert_eq!(
            shown
                .into_iter()
                .map(|device| device.address)
                .collect::<Vec<_>>(),
            addresses
        );
    }
}

#[test]
fn like_devices_of_a_crowd_are_one() {
    let crowd = |number: u32| {
        (0..number)
            .map(|slot| nic(&format!("0000:01:{slot:02x}.0")))
            .collect()
    };
    assert_eq!(devices(crowd(24)).len(), 24);
    let folded = devices(crowd(25));
    assert_eq!(
        (folded.len(), folded[0].address.as_str()),
        (1, "0000:01:00.0 +24")
    );
    assert!(folded[0].details.contains("\n0000:01:18.0"));
}

#[test]
fn bridges_and_virtual_functions_beside_their_physical_one_are_no_devices() {
    let bridge = function(Some(0), 4);
    let of = |physical: &str| Function {
        physical_function: Some(physical.to_owned()),
        ..nic("0000:3b:02.0")
    };
    assert!(bridge.is_bridge());
    assert_eq!(
        devices(vec![nic("0000:3b:00.0"), of("0000:3b:00.0"), bridge]).len(),
        1
    );
    assert_eq!(devices(vec![of("0000:3b:00.0")]).len(), 1);
}

#[test]
fn too_many_kinds_are_counted() {
    let many = (0..3000_u16).map(|id| Function {
        device_id: id,
        ..nic("0000:3b:00.0")
    });
    let shown = devices(many.collect());
    assert_eq!(
        (shown.len(), shown[SHOWN].address.as_str()),
        (SHOWN + 1, "1976 more kinds")
    );
}

#[test]
fn a_link_below_what_the_device_can_says_both() {
    let of = |speed, width| Link {
        speed_mtps: speed,
        width,
    };
    for (now, max, words, downgraded) in [
        (
            Some(of(Some(16_000), Some(8))),
            Some(of(Some(16_000), Some(8))),
            Some("16 GT/s ×8"),
            false,
        ),
        (
            Some(of(Some(8_000), Some(4))),
            Some(of(Some(16_000), Some(8))),
            Some("8 of 16 GT/s ×4 of ×8"),
            true,
        ),
        (
            Some(of(Some(2_500), Some(1))),
            None,
            Some("2.5 GT/s ×1"),
            false,
        ),
        (
            Some(of(Some(0), Some(0))),
            Some(of(Some(16_000), Some(8))),
            None,
            false,
        ),
        (None, Some(of(Some(16_000), Some(8))), None, false),
    ] {
        let now = FunctionNow {
            link: now,
            ..FunctionNow::default()
        };
        let function = Function {
            now,
            link_max: max,
            ..nic("0000:3b:00.0")
        };
        assert_eq!(link(&function), (words.map(str::to_owned), downgraded));
    }
}

#[test]
fn names_are_what_a_person_would_say() {
    for (vendor, device, class, name) in [
        (
            "Intel Corporation",
            "Ethernet Controller E810-C for QSFP",
            "Ethernet controller",
            "Intel E810-C for QSFP",
        ),
        (
            "Advanced Micro Devices, Inc. [AMD/ATI]",
            "Navi 21 [Radeon RX 6800]",
            "",
            "AMD Radeon RX 6800",
        ),
        (
            "Mellanox Technologies",
            "MT27800 Family [ConnectX-5]",
            "",
            "Mellanox ConnectX-5",
        ),
        (
            "Red Hat, Inc.",
            "Virtio 1.0 network device",
            "",
            "Red Hat Virtio 1.0 network device",
        ),
        (
            "Intel Corporation",
            "C620 Series SATA Controller [AHCI mode]",
            "",
            "Intel C620 Series SATA Controller [AHCI mode]",
        ),
        ("Inc.", "", "", "Inc. "),
    ] {
        let function = Function {
            vendor: Some(vendor.to_owned()),
            device: Some(device.to_owned()),
            class: Some(class.to_owned()),
            ..nic("0000:3b:00.0")
        };
        assert_eq!(short_name(&function), name);
    }
    let nameless = Function {
        vendor: None,
        device: None,
        class: None,
        ..nic("0000:3b:00.0")
    };
    assert_eq!(short_name(&nameless), "8086:1592");
}

#[test]
fn virtual_functions_are_counted() {
    let physical = |vfs| Function {
        sriov: Some(Sriov {
            vfs_total: 64,
            vfs,
            ..Sriov::default()
        }),
        ..nic("0000:3b:00.0")
    };
    assert_eq!(
        devices(vec![physical(8)])[0].virtual_functions.as_deref(),
        Some("8 VFs")
    );
    let none = &devices(vec![physical(0)])[0];
    assert!(none.virtual_functions.is_none() && none.details.contains("0 of 64 VFs"));
}
