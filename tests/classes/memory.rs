//! Memory against dmidecode, on captured tables and on tables that are made up, and EDAC's labels of several drivers.

use std::collections::BTreeMap;
use std::path::Path;

use libhw::device::memory::{Array, Device, ErrorCorrection, ManufacturerId, Memory, Population};
use libhw::inventory::Class;
use libhw::join::dimm::{Basis, sticks, unmatched};

use crate::smbios::{Table, answer, made_up};

#[test]
fn captured_smbios_tables_read_as_dmidecode_reads_them() {
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
    assert!(compared > 300, "only {compared} values were compared");
}

#[test]
fn made_up_smbios_tables_read_as_dmidecode_reads_them() {
    if !support::installed("dmidecode") {
        return;
    }
    let compared: usize = (0..8)
        .map(|seed| agrees(&made_up(seed), Path::new(&format!("seed {seed}"))))
        .sum();
    assert!(compared > 5000, "only {compared} values were compared");
}

/// Demands that every value is dmidecode's, and says how many there were.
fn agrees(table: &Table, name: &Path) -> usize {
    let tree = table.tree();
    let memory = crate::replayed(tree.path(), &[Class::Memory])
        .memory
        .expect("memory");
    let arrays = answer(table, tree.path(), 16);
    let devices = answer(table, tree.path(), 17);
    assert_eq!(memory.arrays.len(), arrays.len(), "{}", name.display());
    assert_eq!(memory.devices.len(), devices.len(), "{}", name.display());
    let mut compared = 0;
    for (array, (handle, lines)) in memory.arrays.iter().zip(&arrays) {
        assert_eq!(array.id, format!("{handle:#06x}"));
        compared += compare(
            &of_array(array),
            lines,
            &format!("{} {}", name.display(), array.id),
        );
    }
    for (device, (handle, lines)) in memory.devices.iter().zip(&devices) {
        assert_eq!(device.handle, *handle);
        let place = format!("{} {handle:#06x}", name.display());
        compared += compare(&of_device(device), lines, &place);
    }
    compared + ranges(&memory, table, tree.path())
}

/// Types 19 and 20: the start and the size of every range.
fn ranges(memory: &Memory, table: &Table, tree: &Path) -> usize {
    let of_arrays = memory.arrays.iter().flat_map(|array| &array.ranges);
    let of_devices = memory.devices.iter().flat_map(|device| &device.ranges);
    let mut ours: Vec<(u64, u64)> = of_arrays
        .chain(of_devices)
        .map(|range| (range.start, range.size_bytes.0))
        .collect();
    let mut theirs = Vec::new();
    for kind in [19, 20] {
        for (_, lines) in answer(table, tree, kind) {
            let number = |key: &str| u64::from_str_radix(lines[key].trim_start_matches("0x"), 16);
            let ends = (number("Starting Address"), number("Ending Address"));
            let (Ok(start), Ok(end)) = ends else { continue };
            theirs.extend((end >= start).then(|| (start, end - start + 1)));
        }
    }
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs);
    ours.len() * 2
}

/// What we say, by dmidecode's names; `None` where we say nothing.
type Ours = BTreeMap<&'static str, Option<Said>>;

/// A value in a form that can be compared with a text of dmidecode's.
enum Said {
    Text(String),
    Number(u64),
    Bytes(u64),
    Millivolts(u16),
}

/// What dmidecode writes where there is nothing to say.
const NOTHING: &[&str] = &[
    "Unknown",
    "Reserved",
    "Not Specified",
    "None",
    "<OUT OF SPEC>",
    "Not Provided",
    "No Error",
    "Undefined",
    "No Module Installed",
    "00000000",
    "NO DIMM",
    "Unknown, Unknown",
    "0",
];

fn compare(ours: &Ours, theirs: &BTreeMap<String, String>, place: &str) -> usize {
    let mut compared = 0;
    for (key, said) in ours {
        // An older or a shorter structure has no such line, and then we have no such value either.
        let Some(text) = theirs.get(*key) else {
            let ours_only = matches!(said, Some(Said::Text(text)) if !text.is_empty());
            let empty = theirs
                .get("Size")
                .is_some_and(|size| size == "No Module Installed");
            assert!(
                !ours_only || empty || *key == "Volatile Size",
                "{place}: {key} is ours alone"
            );
            continue;
        };
        compared += 1;
        let same = match said {
            None => NOTHING.contains(&text.as_str()) || text.contains("OUT OF SPEC"),
            Some(Said::Text(ours)) => {
                // Intel's own name for it lost two letters with version 3.3 of the standard.
                let text = &text.replace("Optane DC", "Optane");
                let later = text.contains("OUT OF SPEC") || text == "Reserved";
                ours.eq_ignore_ascii_case(text) || (later && ours.starts_with("0x"))
            }
            Some(Said::Number(ours)) => number(text) == Some(*ours),
            Some(Said::Bytes(ours)) => bytes(text, *ours),
            Some(Said::Millivolts(ours)) => {
                let volts: f64 = text.trim_end_matches(" V").parse().expect("volts");
                (volts * 1000.0 - f64::from(*ours)).abs() < 0.5
            }
        };
        let said = match said {
            None => "nothing".to_owned(),
            Some(Said::Text(text)) => text.clone(),
            Some(Said::Number(number) | Said::Bytes(number)) => number.to_string(),
            Some(Said::Millivolts(millivolts)) => format!("{millivolts} mV"),
        };
        assert!(same, "{place}: {key}: {said}, and dmidecode says {text:?}");
    }
    compared
}

/// The number at the start of a text, or in hexadecimal.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.split(' ').next()?.parse().ok(),
    }
}

/// dmidecode cuts what is below its unit.
fn bytes(text: &str, ours: u64) -> bool {
    if text == "None" {
        return ours == 0;
    }
    let (count, unit) = text.split_once(' ').expect("a number and a unit");
    let shift = match unit {
        "bytes" => 0,
        "kB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        "PB" => 50,
        "EB" => 60,
        other => panic!("no unit: {other}"),
    };
    count.parse() == Ok(ours >> shift)
}

fn of_array(array: &Array) -> Ours {
    let text = |value: &Option<String>| value.clone().map(Said::Text);
    let correction = array.error_correction.as_ref().map(|correction| {
        Said::Text(
            match correction {
                ErrorCorrection::None => "None",
                ErrorCorrection::Parity => "Parity",
                ErrorCorrection::SingleBitEcc => "Single-bit ECC",
                ErrorCorrection::MultiBitEcc => "Multi-bit ECC",
                ErrorCorrection::Crc => "CRC",
                ErrorCorrection::Unknown => "Unknown",
                ErrorCorrection::Other(_) => "Other",
            }
            .to_owned(),
        )
    });
    BTreeMap::from([
        ("Location", text(&array.location)),
        ("Use", text(&array.purpose)),
        ("Error Correction Type", correction),
        (
            "Maximum Capacity",
            array.capacity_max_bytes.map(|size| Said::Bytes(size.0)),
        ),
        (
            "Number Of Devices",
            array.device_count.map(|count| Said::Number(count.into())),
        ),
    ])
}

fn of_device(device: &Device) -> Ours {
    let text = |value: &Option<String>| value.clone().map(Said::Text);
    let number = |value: Option<u32>| value.map(|value| Said::Number(value.into()));
    let size = |value: Option<libhw::units::Bytes>| value.map(|size| Said::Bytes(size.0));
    let words = |words: &[String]| (!words.is_empty()).then(|| Said::Text(words.join(" ")));
    let volts = |value: Option<u16>| value.map(Said::Millivolts);
    let mut ours = BTreeMap::from([
        ("Array Handle", text(&device.array)),
        (
            "Total Width",
            number(device.total_width_bits.map(u32::from)),
        ),
        ("Data Width", number(device.data_width_bits.map(u32::from))),
        ("Size", size(device.size_bytes)),
        ("Form Factor", text(&device.form_factor)),
        ("Set", number(device.set.map(u32::from))),
        ("Locator", text(&device.locator)),
        ("Bank Locator", text(&device.bank_locator)),
        ("Type", text(&device.memory_type)),
        ("Type Detail", words(&device.type_detail)),
        ("Speed", number(device.speed_mtps)),
        (
            "Configured Memory Speed",
            number(device.configured_speed_mtps),
        ),
        ("Manufacturer", text(&device.manufacturer)),
        ("Serial Number", text(&device.serial)),
        ("Asset Tag", text(&device.asset_tag)),
        ("Part Number", text(&device.part_number)),
        ("Rank", number(device.ranks.map(u32::from))),
        ("Minimum Voltage", volts(device.voltage_min_millivolts)),
        ("Maximum Voltage", volts(device.voltage_max_millivolts)),
        (
            "Configured Voltage",
            volts(device.configured_voltage_millivolts),
        ),
        ("Memory Technology", text(&device.technology)),
        (
            "Memory Operating Mode Capability",
            words(&device.operating_modes),
        ),
        ("Firmware Version", text(&device.firmware_version)),
        ("Non-Volatile Size", size(device.non_volatile_bytes)),
        ("Volatile Size", size(device.volatile_bytes)),
        ("Cache Size", size(device.cache_bytes)),
        ("Logical Size", size(device.logical_bytes)),
    ]);
    makers(device, &mut ours);
    ours
}

fn makers(device: &Device, ours: &mut Ours) {
    let mut maker = |id: &Option<ManufacturerId>, name: &'static str, product: &'static str| {
        let place = id.as_ref().and_then(|id| Some((id.bank?, id.code?)));
        let place = place.map(|(bank, code)| Said::Text(format!("Bank {bank}, Hex 0x{code:02X}")));
        ours.insert(name, place);
        let id = id.as_ref().and_then(|id| id.product_id);
        ours.insert(product, id.map(|id| Said::Text(format!("0x{id:04X}"))));
    };
    maker(
        &device.module_manufacturer,
        "Module Manufacturer ID",
        "Module Product ID",
    );
    maker(
        &device.subsystem_controller,
        "Memory Subsystem Controller Manufacturer ID",
        "Memory Subsystem Controller Product ID",
    );
}

/// A driver's tree, the board's sockets, and of each stick what is expected: its socket, what the match rests on, and
/// how many corrected errors it has.
struct Driver {
    tree: &'static str,
    board: &'static [(&'static str, &'static str, u16)],
    sticks: &'static [(&'static str, Basis, u64)],
}

const DRIVERS: &[Driver] = &[
    Driver {
        tree: "edac-i10nm",
        board: &[
            ("NODE 0 CHANNEL 0 DIMM 0", "CPU0_DIMM_A1", 16384),
            ("NODE 0 CHANNEL 0 DIMM 1", "CPU0_DIMM_A2", 0),
            ("NODE 0 CHANNEL 1 DIMM 0", "CPU0_DIMM_B1", 0),
            ("NODE 0 CHANNEL 2 DIMM 0", "CPU0_DIMM_C1", 0),
            ("NODE 0 CHANNEL 3 DIMM 0", "CPU0_DIMM_D1", 32768),
        ],
        sticks: &[
            ("CPU0_DIMM_A1", Basis::Numbers, 0),
            ("CPU0_DIMM_D1", Basis::Numbers, 12),
        ],
    },
    Driver {
        tree: "edac-skx",
        board: &[
            ("P0_Node0_Channel0_Dimm0", "P1-DIMMA1", 16384),
            ("P0_Node0_Channel3_Dimm0", "P1-DIMMD1", 16384),
            ("P0_Node0_Channel3_Dimm1", "P1-DIMMD2", 0),
            ("P1_Node1_Channel0_Dimm0", "P2-DIMMA1", 16384),
            ("P1_Node1_Channel4_Dimm0", "P2-DIMME1", 8192),
        ],
        sticks: &[
            ("P1-DIMMA1", Basis::Numbers, 0),
            ("P1-DIMMD1", Basis::Numbers, 3),
            ("P2-DIMMA1", Basis::Numbers, 0),
            ("P2-DIMME1", Basis::Numbers, 7),
        ],
    },
    Driver {
        tree: "edac-amd64",
        board: &[
            ("P0 CHANNEL A", "DIMM 0", 0),
            ("P0 CHANNEL A", "DIMM 1", 32768),
            ("P0 CHANNEL B", "DIMM 0", 0),
            ("P0 CHANNEL B", "DIMM 1", 32768),
        ],
        sticks: &[
            ("P0 CHANNEL A/DIMM 1", Basis::Order, 1),
            ("P0 CHANNEL B/DIMM 1", Basis::Order, 6),
        ],
    },
    Driver {
        tree: "edac-ghes",
        board: &[
            ("NODE 1", "DIMM_A1", 16384),
            ("NODE 1", "DIMM_A2", 16384),
            ("NODE 2", "DIMM_B1", 0),
        ],
        sticks: &[("DIMM_A1", Basis::Label, 0), ("DIMM_A2", Basis::Label, 2)],
    },
    Driver {
        tree: "edac-ie31200",
        board: &[
            ("BANK 0", "ChannelA-DIMM0", 8192),
            ("BANK 1", "ChannelA-DIMM1", 0),
            ("BANK 2", "ChannelB-DIMM0", 8192),
            ("BANK 3", "ChannelB-DIMM1", 4096),
        ],
        sticks: &[
            ("ChannelA-DIMM0", Basis::Order, 0),
            ("ChannelB-DIMM0", Basis::Order, 4),
            ("ChannelB-DIMM1", Basis::Order, 1),
        ],
    },
];

#[test]
fn labels_of_several_edac_drivers_lead_to_the_stick() {
    for driver in DRIVERS {
        let path = crate::place("trees").join(format!("{}.ttar", driver.tree));
        let tree = support::ttar::ttar(&path);
        Table::board(driver.board).write(tree.path());
        let inventory = crate::replayed(tree.path(), &[Class::Memory]);
        assert_eq!(inventory.problems, [], "{}", driver.tree);
        let text = serde_json::to_string_pretty(&inventory).expect("JSON") + "\n";
        let golden = crate::place("golden").join(format!("{}.json", driver.tree));
        support::golden(&golden, &text);
        let memory = inventory.memory.expect("memory");
        let found: Vec<_> = sticks(&memory)
            .iter()
            .filter(|stick| stick.device.population == Population::Populated)
            .map(|stick| (stick.device.id.clone(), stick.basis, stick.corrected))
            .collect();
        let expected: Vec<_> = driver
            .sticks
            .iter()
            .map(|(id, basis, corrected)| ((*id).to_owned(), Some(*basis), Some(*corrected)))
            .collect();
        assert_eq!(found, expected, "{}", driver.tree);
        assert!(unmatched(&memory).is_empty(), "{}", driver.tree);
    }
}

#[test]
fn cxl_devices_and_blocks_of_a_synthetic_tree_read_as_its_documents_say() {
    let memory = crate::synthetic("cxl", &[Class::Memory, Class::Ras]).memory;
    let memory = memory.expect("memory");
    assert_eq!(memory.cxl[0].function.as_deref(), Some("0000:35:00.0"));
    assert_eq!(
        memory.cxl[0].volatile_bytes.map(|size| size.0),
        Some(256 << 30)
    );
    assert_eq!(memory.blocks.map(|blocks| blocks.count), Some(4));
}
