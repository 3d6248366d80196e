use libhw::device::memory::{
    Array, Blocks, EdacController, EdacControllerNow, EdacDimm, EdacDimmNow, MemoryNow,
};

use super::*;
use crate::table::Style;

fn inventory() -> Inventory {
    let stick = |id: &str, gib: u64, population: Population| Device {
        id: id.to_owned(),
        locator: Some(id.to_owned()),
        population,
        size_bytes: (gib > 0).then_some(Bytes(gib << 30)),
        memory_type: Some("DDR4".to_owned()),
        form_factor: Some("DIMM".to_owned()),
        speed_mtps: Some(3200),
        configured_speed_mtps: Some(2933),
        ..Device::default()
    };
    let errors = EdacDimmNow {
        corrected: Some(3),
        uncorrected: Some(0),
    };
    let memory = Memory {
        total_bytes: Some(Bytes(31 << 30)),
        arrays: vec![Array {
            error_correction: Some(ErrorCorrection::MultiBitEcc),
            ..Array::default()
        }],
        devices: vec![
            stick("A1", 16, Population::Populated),
            stick("A2", 16, Population::Populated),
            stick("A3", 0, Population::Empty),
        ],
        edac_controllers: vec![EdacController {
            id: "mc0".to_owned(),
            now: EdacControllerNow {
                corrected: Some(3),
                counting_seconds: Some(300_000),
                ..EdacControllerNow::default()
            },
            ..EdacController::default()
        }],
        edac_dimms: vec![EdacDimm {
            id: "mc0/dimm0".to_owned(),
            controller: "mc0".to_owned(),
            label: Some("A1".to_owned()),
            now: errors,
            ..EdacDimm::default()
        }],
        blocks: Some(Blocks {
            count: 248,
            size_bytes: Some(Bytes(128 << 20)),
            ..Blocks::default()
        }),
        now: MemoryNow {
            hardware_corrupted_bytes: Some(Bytes(4096)),
            ..MemoryNow::default()
        },
        ..Memory::default()
    };
    Inventory {
        memory: Some(memory),
        ..Inventory::default()
    }
}

fn shown(inventory: &Inventory, detail: bool) -> String {
    let mut page = Page::new();
    view(inventory, detail, &mut page);
    page.into_text(Style::default())
}

#[test]
fn sticks_stand_with_their_errors_and_empty_sockets_are_counted() {
    let inventory = inventory();
    assert_eq!(
        summary(&inventory).as_deref(),
        Some("2 sticks, 32 GiB DDR4, 1 socket empty, 3 corrected errors")
    );
    let text = shown(&inventory, false);
    for part in [
        "2 sticks, 32 GiB DDR4, 1 socket empty",
        "4 KiB given up",
        "multi-bit ECC",
        "2933 of 3200 MT/s",
        "mc0/dimm0",
        "3 days",
        "248 × 128 MiB",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("A3"), "{text}");
    assert!(shown(&inventory, true).contains("A3"));
}

#[test]
fn without_tables_there_is_still_what_the_kernel_uses() {
    let memory = Memory {
        total_bytes: Some(Bytes(31 << 30)),
        ..Memory::default()
    };
    let inventory = Inventory {
        memory: Some(memory),
        ..Inventory::default()
    };
    assert_eq!(summary(&inventory).as_deref(), Some("31 GiB usable"));
    assert_eq!(summary(&Inventory::default()), None);
}
