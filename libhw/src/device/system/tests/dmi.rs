use super::*;

#[test]
fn dmi_names_firmware_product_board_and_chassis() {
    let tree = Tree::new(&[]);
    for (name, text) in [
        ("bios_vendor", "Dell Inc.\n"),
        ("bios_version", "2.2.11\n"),
        ("bios_date", "06/13/2019\n"),
        ("bios_release", "2.2\n"),
        ("ec_firmware_release", "1.3\n"),
        ("sys_vendor", "Dell Inc.\n"),
        ("product_name", "PowerEdge  R740\n"),
        ("product_family", "To be filled by O.E.M.\n"),
        ("product_serial", "ABC1234\n"),
        ("product_uuid", "ffffffff-ffff-ffff-ffff-ffffffffffff\n"),
        ("board_name", "01YM03\n"),
        ("board_version", "S4881 \nomputer Corp\n"),
        ("board_asset_tag", "\n"),
        ("chassis_type", "23\n"),
        ("chassis_vendor", "Default string\n"),
    ] {
        tree.write(&format!("sys/devices/virtual/dmi/id/{name}"), text);
    }
    tree.directory("sys/firmware/efi");
    let (system, problems) = read(&tree);
    assert_eq!(problems, []);
    let firmware = system.firmware.unwrap();
    assert_eq!(firmware.interface.as_deref(), Some("uefi"));
    assert_eq!(firmware.release.as_deref(), Some("2.2"));
    assert_eq!(firmware.ec_release.as_deref(), Some("1.3"));
    let product = system.product.unwrap();
    assert_eq!(product.name.as_deref(), Some("PowerEdge R740"));
    assert_eq!((product.family, product.uuid), (None, None));
    assert_eq!(product.serial.as_deref(), Some("ABC1234"));
    assert_eq!(system.board.unwrap().version.as_deref(), Some("S4881"));
    let chassis = system.chassis.unwrap();
    assert_eq!(chassis.chassis_type.as_deref(), Some("Rack Mount Chassis"));
    assert_eq!(chassis.vendor, None);
}

#[test]
fn a_pc_without_uefi_has_a_bios_and_a_chassis_type_of_the_future_stays_a_number() {
    for (text, expected) in [
        ("2\n", None),
        ("36\n", Some("Stick PC")),
        ("99\n", Some("99")),
        ("x\n", Some("x")),
    ] {
        let files = [
            ("sys/class/dmi/id/chassis_type", text),
            ("sys/firmware/dmi/tables/DMI", ""),
        ];
        let system = system(&files);
        assert_eq!(system.firmware.unwrap().interface.as_deref(), Some("bios"));
        let kind = system.chassis.and_then(|chassis| chassis.chassis_type);
        assert_eq!(kind.as_deref(), expected);
    }
}

#[test]
fn identities_that_are_denied_or_take_too_long_are_problems() {
    let tree = Tree::new(&[
        ("sys/class/dmi/id/product_name", "X\n"),
        ("sys/class/dmi/id/product_uuid", "x\n"),
        ("sys/class/dmi/id/product_serial", "x\n"),
    ]);
    tree.fail(&[
        ("sys/class/dmi/id/product_serial", 13),
        ("sys/class/dmi/id/product_uuid", 110),
    ]);
    let (system, problems) = read(&tree);
    assert_eq!(
        told(&problems),
        [
            ("/sys/class/dmi/id/product_serial", "denied"),
            ("/sys/class/dmi/id/product_uuid", "timed out"),
        ]
    );
    assert_eq!(system.product.unwrap().name.as_deref(), Some("X"));
}

#[test]
fn what_a_vendor_did_not_fill_in_is_left_out() {
    for text in [
        "",
        " \n\0",
        "To Be Filled By O.E.M.",
        "Not Specified",
        "Default string",
        "None",
        "N/A",
        "........",
        "0000000000",
        "XXXXXXXX",
        "00000000-0000-0000-0000-000000000000",
        "1234567890",
        "-",
        "\0\0",
    ] {
        assert_eq!(label(text), None, "{text:?}");
    }
    for (text, kept) in [
        ("None of yours", "None of yours"),
        ("A02 \n", "A02"),
        ("0", "0"),
        ("X11\tDPG", "X11 DPG"),
        ("007", "007"),
        ("FFF0", "FFF0"),
    ] {
        assert_eq!(label(text).as_deref(), Some(kept), "{text:?}");
    }
}
