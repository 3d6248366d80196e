//! The firmware, and the product, board and chassis by their labels.
//!
//! From `Documentation/ABI/testing/sysfs-class-dmi` (SMBIOS types 0 to 3), the device tree's root, and
//! /proc/sysinfo on s390.

use super::evidence::Evidence;
use super::{Firmware, Unit};
use crate::parse;

/// DSP0134 §7.4.1, from 1 on.
const CHASSIS_TYPES: &[&str] = &[
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All in One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "SubChassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system Chassis",
    "Compact PCI",
    "Advanced TCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

/// The firmware; `None` when nothing is known of it.
pub(super) fn firmware(evidence: &Evidence<'_>) -> Option<Firmware> {
    let firmware = Firmware {
        interface: interface(evidence),
        vendor: evidence.dmi_label("bios_vendor"),
        version: evidence.dmi_label("bios_version"),
        date: evidence.dmi_label("bios_date"),
        release: evidence.dmi_label("bios_release"),
        ec_release: evidence.dmi_label("ec_firmware_release"),
    };
    (firmware != Firmware::default()).then_some(firmware)
}

/// A kernel that was started by UEFI has /sys/firmware/efi; SMBIOS without it comes from a PC's BIOS. A direct
/// boot in a small virtual machine leaves neither, and a tree without /sys/firmware cannot tell.
fn interface(evidence: &Evidence<'_>) -> Option<String> {
    let names = evidence.survey.names("sys/firmware");
    let has = |name: &str| names.iter().any(|listed| listed == name);
    // Kernels from 6.10 on make an empty device tree where the firmware gave none.
    let tree = evidence.device_tree.names();
    let described = tree
        .iter()
        .any(|name| name == "compatible" || name == "model");
    let word = if has("efi") {
        "uefi"
    } else if has("dmi") || (!names.is_empty() && evidence.dmi.is_present()) {
        "bios"
    } else if described {
        "devicetree"
    } else {
        return None;
    };
    Some(word.to_owned())
}

/// The whole product.
pub(super) fn product(evidence: &Evidence<'_>) -> Option<Unit> {
    let unit = if evidence.dmi.is_present() {
        Unit {
            vendor: evidence.dmi_label("sys_vendor"),
            name: evidence.dmi_label("product_name"),
            family: evidence.dmi_label("product_family"),
            version: evidence.dmi_label("product_version"),
            sku: evidence.dmi_label("product_sku"),
            serial: evidence.dmi_identity("product_serial"),
            uuid: evidence.dmi_identity("product_uuid"),
            ..Unit::default()
        }
    } else {
        let mainframe = of_sysinfo(evidence);
        if mainframe == Unit::default() {
            of_device_tree(evidence)
        } else {
            mainframe
        }
    };
    (unit != Unit::default()).then_some(unit)
}

/// ```text
/// Manufacturer:         IBM
/// Type:                 2964
/// Model:                703              N96
/// Sequence Code:        00000000000829E7
/// ```
fn of_sysinfo(evidence: &Evidence<'_>) -> Unit {
    Unit {
        vendor: evidence.sysinfo("Manufacturer"),
        name: evidence.sysinfo("Type"),
        version: evidence.sysinfo("Model"),
        serial: evidence.sysinfo("Sequence Code"),
        ..Unit::default()
    }
}

/// `serial-number` is the standard's property, `system-id` is IBM's.
fn of_device_tree(evidence: &Evidence<'_>) -> Unit {
    let serial = evidence.device_tree_label("serial-number");
    Unit {
        name: evidence.device_tree_label("model"),
        serial: serial.or_else(|| evidence.device_tree_label("system-id")),
        ..Unit::default()
    }
}

/// The main board.
pub(super) fn board(evidence: &Evidence<'_>) -> Option<Unit> {
    let unit = Unit {
        vendor: evidence.dmi_label("board_vendor"),
        name: evidence.dmi_label("board_name"),
        version: evidence.dmi_label("board_version"),
        serial: evidence.dmi_identity("board_serial"),
        asset_tag: evidence.dmi_label("board_asset_tag"),
        ..Unit::default()
    };
    (unit != Unit::default()).then_some(unit)
}

/// The chassis.
pub(super) fn chassis(evidence: &Evidence<'_>) -> Option<Unit> {
    let unit = Unit {
        vendor: evidence.dmi_label("chassis_vendor"),
        version: evidence.dmi_label("chassis_version"),
        serial: evidence.dmi_identity("chassis_serial"),
        asset_tag: evidence.dmi_label("chassis_asset_tag"),
        chassis_type: evidence.dmi_label("chassis_type").and_then(chassis_type),
        ..Unit::default()
    };
    (unit != Unit::default()).then_some(unit)
}

/// A number that is newer than our table stays a number; 2 says that the vendor does not know.
fn chassis_type(text: String) -> Option<String> {
    let number: Option<usize> = parse::decimal(&text).ok();
    let name = number.and_then(|number| CHASSIS_TYPES.get(number.checked_sub(1)?));
    match name {
        Some(&"Unknown") => None,
        Some(name) => Some((*name).to_owned()),
        None => Some(text),
    }
}
