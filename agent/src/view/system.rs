//! The machine as a whole: a block of facts.

use libhw::device::system::{Firmware, Hypervisor, HypervisorKind, System, Unit};
use libhw::inventory::Inventory;

use crate::table::{Cell, Page, Table};
use crate::view::words::{joined, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(system) = &inventory.system else {
        return;
    };
    page.title("System");
    let mut facts = Table::facts();
    facts.fact("Host", host(system));
    facts.fact("Kernel", kernel(system));
    facts.fact("Product", unit(system.product.as_ref()));
    facts.fact("Model", Cell::of(system.devicetree_model.as_ref()));
    facts.fact("Board", unit(system.board.as_ref()));
    facts.fact("Chassis", unit(system.chassis.as_ref()));
    facts.fact(
        "Firmware",
        system.firmware.as_ref().map(firmware).unwrap_or_default(),
    );
    facts.fact(
        "Runs on",
        system
            .hypervisor
            .as_ref()
            .map(hypervisor)
            .unwrap_or_default(),
    );
    if detail {
        facts.fact("Compatible", system.devicetree_compatible.join(", "));
        facts.fact(
            "UUID",
            Cell::of(system.product.as_ref().and_then(|unit| unit.uuid.as_ref())),
        );
        facts.fact("Machine id", Cell::of(system.machine_id.as_ref()));
        facts.fact("Boot id", Cell::of(system.boot_id.as_ref()));
    }
    page.table(&facts);
}

/// Product, guest, architecture, kernel and firmware.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let system = inventory.system.as_ref()?;
    let guest = |guest: &Hypervisor| format!("guest of {}", guest.vendor);
    let release = |release: &String| format!("Linux {release}");
    let parts = [
        Some(unit(system.product.as_ref())),
        system.devicetree_model.clone(),
        system.hypervisor.as_ref().map(guest),
        system.architecture.clone(),
        system.kernel_release.as_ref().map(release),
        system.firmware.as_ref().map(firmware),
    ];
    some(joined(parts, " · "))
}

fn host(system: &System) -> String {
    let architecture = system.architecture.as_ref().map(|name| format!("({name})"));
    joined([system.hostname.clone(), architecture], " ")
}

fn kernel(system: &System) -> String {
    joined(
        [
            system.kernel_release.as_deref(),
            system.kernel_version.as_deref(),
        ],
        " ",
    )
}

/// `Dell Inc. PowerEdge R750, version 1, serial ABC, asset tag 7`.
fn unit(unit: Option<&Unit>) -> String {
    let Some(unit) = unit else {
        return String::new();
    };
    let said =
        |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word} {value}"));
    let name = joined([unit.vendor.as_deref(), unit.name.as_deref()], " ");
    let parts = [
        Some(name).filter(|name| !name.is_empty()),
        unit.chassis_type.clone(),
        said("family", &unit.family),
        said("version", &unit.version),
        said("SKU", &unit.sku),
        said("serial", &unit.serial),
        said("asset tag", &unit.asset_tag),
    ];
    joined(parts, ", ")
}

/// `UEFI, Dell Inc. 1.8.2, release 1.8, of 09/14/2022`.
fn firmware(firmware: &Firmware) -> String {
    let said =
        |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word} {value}"));
    let interface = firmware.interface.as_deref().map(|name| match name {
        "uefi" => "UEFI".to_owned(),
        "bios" => "BIOS".to_owned(),
        "devicetree" => "device tree".to_owned(),
        other => other.to_owned(),
    });
    let name = joined(
        [firmware.vendor.as_deref(), firmware.version.as_deref()],
        " ",
    );
    let parts = [
        interface,
        Some(name).filter(|name| !name.is_empty()),
        said("release", &firmware.release),
        said("of", &firmware.date),
        said("embedded controller", &firmware.ec_release),
    ];
    joined(parts, ", ")
}

fn hypervisor(hypervisor: &Hypervisor) -> String {
    let kind = match hypervisor.kind {
        HypervisorKind::Full => "full virtualisation",
        HypervisorKind::Para => "paravirtualised",
        HypervisorKind::Partition => "a partition",
    };
    format!("{}, {kind}", hypervisor.vendor)
}
