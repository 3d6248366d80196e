//! SMBIOS tables that the test makes: what is written is what is read.

use proptest::prelude::*;

use super::{Memory, Problem, read};
use crate::device::memory::{Device, ErrorCorrection, ManufacturerId, Population};
use crate::tree::{Tree, told};
use crate::units::Bytes;

const ENTRY_POINT: &str = "sys/firmware/dmi/tables/smbios_entry_point";
const TABLE: &str = "sys/firmware/dmi/tables/DMI";

/// A structure in the making: fields by offset, strings in order.
#[derive(Clone, Debug)]
struct Made {
    fields: Vec<u8>,
    strings: Vec<String>,
}

impl Made {
    fn new(kind: u8, length: u8, handle: u16) -> Self {
        let mut fields = vec![0; usize::from(length)];
        fields[0] = kind;
        fields[1] = length;
        fields[2..4].copy_from_slice(&handle.to_le_bytes());
        Self {
            fields,
            strings: Vec::new(),
        }
    }

    /// Puts bytes at an offset, as far as the structure reaches.
    fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        for (place, byte) in self.fields.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
        self
    }

    fn word(self, at: usize, value: u16) -> Self {
        self.put(at, &value.to_le_bytes())
    }

    fn dword(self, at: usize, value: u32) -> Self {
        self.put(at, &value.to_le_bytes())
    }

    fn qword(self, at: usize, value: u64) -> Self {
        self.put(at, &value.to_le_bytes())
    }

    fn string(mut self, at: usize, text: &str) -> Self {
        if text.is_empty() {
            return self;
        }
        self.strings.push(text.to_owned());
        let number = u8::try_from(self.strings.len()).unwrap();
        self.put(at, &[number])
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.fields.clone();
        for string in &self.strings {
            bytes.extend(string.as_bytes());
            bytes.push(0);
        }
        bytes.extend(if self.strings.is_empty() {
            &[0, 0][..]
        } else {
            &[0]
        });
        bytes
    }
}

/// A tree with these structures in a table of version 3.7.
fn tree(structures: &[Made]) -> Tree {
    let mut table: Vec<u8> = structures.iter().flat_map(Made::bytes).collect();
    table.extend([127, 4, 0xff, 0xfe, 0, 0]);
    let mut entry = b"_SM3_\0\x18\x03\x07\0\x01\0".to_vec();
    entry.extend(u32::try_from(table.len()).unwrap().to_le_bytes());
    entry.extend([0; 8]);
    let sum = entry.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    entry[5] = sum.wrapping_neg();
    let tree = Tree::new(&[]);
    tree.write_bytes(ENTRY_POINT, &entry);
    tree.write_bytes(TABLE, &table);
    tree
}

fn memory(structures: &[Made]) -> Memory {
    let (memory, problems) = read(&tree(structures));
    assert_eq!(told(&problems), []);
    memory
}

/// Type 17 of version 3.7, with a size in mebibytes.
fn stick(handle: u16, locator: &str, mebibytes: u16) -> Made {
    Made::new(17, 0x64, handle)
        .word(0x04, 0x1000)
        .word(0x06, 0xfffe)
        .word(0x0c, mebibytes)
        .string(0x10, locator)
}

fn of(structure: Made) -> Device {
    memory(&[structure]).devices.remove(0)
}

#[test]
fn sizes_are_read_in_all_three_units() {
    let at = |size: u16, extended: u32| {
        let device = of(stick(1, "A", size).dword(0x1c, extended));
        (device.population, device.size_bytes.map(|size| size.0))
    };
    assert_eq!(at(0, 0), (Population::Empty, None));
    assert_eq!(at(0xffff, 0), (Population::Unknown, None));
    assert_eq!(at(16384, 0), (Population::Populated, Some(16 << 30)));
    assert_eq!(
        at(0x8000 | 512, 0),
        (Population::Populated, Some(512 << 10))
    );
    assert_eq!(
        at(0x7fff, 131_072),
        (Population::Populated, Some(128 << 30))
    );
    assert_eq!(
        at(0x7fff, 0x8000_0001),
        (Population::Populated, Some(1 << 20))
    );
    assert_eq!(at(0x7fff, 0), (Population::Unknown, None));
    // Before there was an extended field.
    let short = of(Made::new(17, 0x15, 1).word(0x0c, 0x7fff));
    assert_eq!(short.size_bytes, Some(Bytes(32_767 << 20)));
    assert_eq!(at(0x8000, 0), (Population::Unknown, None));
}

#[test]
fn speeds_beyond_16_bits_stand_in_the_extended_fields() {
    let at = |speed: u16, extended: u32| {
        let made = stick(1, "A", 1).word(0x15, speed).word(0x20, speed);
        let device = of(made.dword(0x54, extended).dword(0x58, extended));
        (device.speed_mtps, device.configured_speed_mtps)
    };
    assert_eq!(at(0, 7), (None, None));
    assert_eq!(at(4800, 7), (Some(4800), Some(4800)));
    assert_eq!(at(0xffff, 70_000), (Some(70_000), Some(70_000)));
    assert_eq!(at(0xffff, 0), (None, None));
}

#[test]
fn widths_tell_whether_there_are_check_bits() {
    let at = |total: u16, data: u16| of(stick(1, "A", 1).word(0x08, total).word(0x0a, data));
    assert_eq!(at(72, 64).check_bits, Some(true));
    assert_eq!(at(80, 64).check_bits, Some(true));
    assert_eq!(at(64, 64).check_bits, Some(false));
    assert_eq!(at(0xffff, 64).check_bits, None);
    assert_eq!(at(0, 64).total_width_bits, None);
}

#[test]
fn a_maker_has_a_name_even_where_only_its_number_is_written() {
    let device = of(stick(1, "A", 1).word(0x2c, 0xce80).word(0x2e, 0x1234));
    assert_eq!(device.vendor.as_deref(), Some("Samsung"));
    assert_eq!(device.manufacturer, None);
    let samsung = ManufacturerId {
        bank: Some(1),
        code: Some(0xce),
        name: Some("Samsung".to_owned()),
        product_id: Some(0x1234),
    };
    assert_eq!(device.module_manufacturer, Some(samsung));
    let device = of(stick(1, "A", 1).string(0x17, "002C00B3002C"));
    assert_eq!(device.vendor.as_deref(), Some("Micron Technology"));
    assert_eq!(device.manufacturer.as_deref(), Some("002C00B3002C"));
    let device = of(stick(1, "A", 1)
        .string(0x17, "Hynix")
        .word(0x5c, 0x9d86)
        .word(0x5e, 0xff00));
    assert_eq!(
        (device.vendor, device.manufacturer.as_deref()),
        (None, Some("Hynix"))
    );
    let pmic = device.pmic0.unwrap();
    assert_eq!(
        (pmic.bank, pmic.code, pmic.product_id),
        (Some(7), Some(0x9d), None)
    );
    assert_eq!(device.rcd.map(|rcd| rcd.product_id), None);
}

#[test]
fn what_vendors_leave_where_nothing_is_is_no_value() {
    let device = of(stick(1, "DIMM 0", 0)
        .string(0x17, "Not Specified")
        .string(0x18, "00000000")
        .string(0x19, "To Be Filled By O.E.M.")
        .string(0x1a, "  "));
    assert_eq!(device.locator.as_deref(), Some("DIMM 0"));
    assert_eq!((device.manufacturer, device.serial), (None, None));
    assert_eq!((device.asset_tag, device.part_number), (None, None));
}

#[test]
fn ids_are_locators_where_these_are_unique() {
    let named = |made: &[(&str, &str)]| {
        let structures: Vec<Made> = (1_u16..)
            .zip(made)
            .map(|(handle, (locator, bank))| stick(handle, locator, 1).string(0x11, bank))
            .collect();
        let devices = memory(&structures).devices.into_iter();
        devices.map(|device| device.id).collect::<Vec<_>>()
    };
    assert_eq!(named(&[("A1", ""), ("A2", "")]), ["A1", "A2"]);
    let banks = [("DIMM 0", "P0 CHANNEL A"), ("DIMM 0", "P0 CHANNEL B")];
    assert_eq!(
        named(&banks),
        ["P0 CHANNEL A/DIMM 0", "P0 CHANNEL B/DIMM 0"]
    );
    let same = [("DIMM", "BANK"), ("DIMM", "BANK"), ("", "")];
    assert_eq!(named(&same), ["DIMM@0x0001", "DIMM@0x0002", "0x0003"]);
}

/// An array and a stick, where they are, and what went wrong with them.
fn with_errors() -> [Made; 7] {
    let array = Made::new(16, 0x17, 0x1000)
        .put(0x04, &[3, 3, 6])
        .dword(0x07, 0x8000_0000)
        .word(0x0b, 0x18)
        .word(0x0d, 24)
        .qword(0x0f, 3 << 40);
    let mapped = Made::new(19, 0x1f, 0x1300)
        .dword(0x04, u32::MAX)
        .word(0x0c, 0x1000)
        .put(0x0e, &[2])
        .qword(0x0f, 1 << 40)
        .qword(0x17, (1 << 40) + (1 << 30) - 1);
    let placed = Made::new(20, 0x23, 0x1400)
        .dword(0x04, 0x10_0000)
        .dword(0x08, 0x1f_ffff)
        .word(0x0c, 0x1100)
        .put(0x10, &[1, 2, 0xff]);
    let backwards = Made::new(20, 0x13, 0x1401)
        .dword(0x04, 9)
        .dword(0x08, 3)
        .word(0x0c, 0x1100);
    let failed = Made::new(33, 0x1f, 0x18)
        .put(0x04, &[0x0e, 3, 3])
        .dword(0x07, 0xdead)
        .qword(0x0b, 0x8000_0000_0000_0000)
        .qword(0x13, 0x1234_5678_9abc)
        .dword(0x1b, 4096);
    let narrow = Made::new(18, 0x17, 0x19)
        .put(0x04, &[0x06, 4, 4])
        .dword(0x0b, 0x1000)
        .dword(0x0f, 0x8000_0000)
        .dword(0x13, 0x8000_0000);
    let stick = stick(0x1100, "A1", 1024).word(0x06, 0x19);
    [array, stick, mapped, placed, backwards, failed, narrow]
}

#[test]
fn errors_and_addresses_go_to_the_device_and_the_array_that_they_are_about() {
    let memory = memory(&with_errors());
    assert_eq!(memory.smbios_version.as_deref(), Some("3.7"));
    let array = &memory.arrays[0];
    assert_eq!(
        (array.id.as_str(), array.device_count),
        ("0x1000", Some(24))
    );
    assert_eq!(
        array.location.as_deref(),
        Some("System Board Or Motherboard")
    );
    assert_eq!(array.purpose.as_deref(), Some("System Memory"));
    assert_eq!(array.error_correction, Some(ErrorCorrection::MultiBitEcc));
    assert_eq!(array.capacity_max_bytes, Some(Bytes(3 << 40)));
    let range = &array.ranges[0];
    assert_eq!((range.start, range.size_bytes.0), (1 << 40, 1 << 30));
    assert_eq!(range.partition_width, Some(2));
    let error = array.error.as_ref().unwrap();
    assert_eq!(error.kind.as_deref(), Some("Uncorrectable error"));
    assert_eq!((error.syndrome, error.array_address), (Some(0xdead), None));
    assert_eq!(error.device_address, Some(0x1234_5678_9abc));
    assert_eq!(error.resolution_bytes, Some(Bytes(4096)));
    let device = &memory.devices[0];
    assert_eq!(device.array.as_deref(), Some("0x1000"));
    let error = device.error.as_ref().unwrap();
    assert_eq!(error.kind.as_deref(), Some("Single-bit error"));
    assert_eq!(error.granularity.as_deref(), Some("Memory partition level"));
    assert_eq!(error.operation.as_deref(), Some("Write"));
    assert_eq!(
        (error.array_address, error.device_address),
        (Some(0x1000), None)
    );
    let [range] = device.ranges.as_slice() else {
        panic!("{device:?}");
    };
    assert_eq!((range.start, range.size_bytes.0), (1 << 30, 1 << 30));
    assert_eq!(
        (range.row_position, range.interleave_position),
        (Some(1), Some(2))
    );
    assert_eq!(range.interleave_depth, None);
}

#[test]
fn a_damaged_table_keeps_what_stands_before_the_damage() {
    let good = stick(1, "A1", 1024);
    let tree = tree(&[good.clone(), good]);
    let bytes = stick(1, "A1", 1024).bytes();
    tree.write_bytes(TABLE, &[bytes.clone(), vec![17, 2, 0, 0]].concat());
    let (memory, problems) = read(&tree);
    assert_eq!(memory.devices.len(), 1);
    assert_eq!(
        told(&problems),
        [("/sys/firmware/dmi/tables/DMI", "malformed")]
    );
    assert!(
        problems[0].to_string().contains("byte 104 of 108"),
        "{}",
        problems[0]
    );
    // Without an entry point the table is read to its end.
    tree.write_bytes(TABLE, &bytes);
    tree.write(ENTRY_POINT, "no entry point");
    let (memory, problems) = read(&tree);
    assert_eq!((memory.devices.len(), memory.smbios_version), (1, None));
    let path = "/sys/firmware/dmi/tables/smbios_entry_point";
    assert_eq!(told(&problems), [(path, "malformed")]);
}

fn nothing_is_lost(made: &Made) -> (Memory, Vec<Problem>) {
    read(&tree(std::slice::from_ref(made)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stick_that_is_emitted_is_read_as_it_was_meant(
        (mebibytes, ranks, total, data) in (1_u16..0x7fff, 0_u8..16, 1_u16..0xffff, 1_u16..0xffff),
        (speed, configured, volts) in (1_u16..0xffff, 1_u16..0xffff, 1_u16..2000),
        (part, serial, bank) in ("[A-Z]{3}[0-9]{5}-[A-Z]{2}", "[1-9A-F]{8}", "BANK [0-9]"),
        (volatile, cache) in (0..1_u64 << 50, 0..1_u64 << 50),
        length in prop::sample::select(vec![0x15_u8, 0x1b, 0x1c, 0x22, 0x28, 0x54, 0x5c, 0x64]),
    ) {
        let made = Made::new(17, length, 0x1100)
            .word(0x08, total)
            .word(0x0a, data)
            .word(0x0c, mebibytes)
            .put(0x0e, &[0x09, 1])
            .string(0x10, "DIMM_A1")
            .string(0x11, &bank)
            .put(0x12, &[0x22])
            .word(0x15, speed)
            .string(0x18, &serial)
            .string(0x1a, &part)
            .put(0x1b, &[0xf0 | ranks])
            .word(0x20, configured)
            .word(0x22, volts)
            .qword(0x3c, volatile)
            .qword(0x44, cache);
        let (memory, problems) = nothing_is_lost(&made);
        prop_assert!(problems.is_empty());
        let device = &memory.devices[0];
        // A field is there when the structure reaches to its end.
        let has = |end: u8| length >= end;
        prop_assert_eq!(&device.id, "DIMM_A1");
        prop_assert_eq!(device.size_bytes, Some(Bytes(u64::from(mebibytes) << 20)));
        prop_assert_eq!(device.total_width_bits, Some(total));
        prop_assert_eq!(device.check_bits, Some(total > data));
        prop_assert_eq!(device.bank_locator.as_ref(), Some(&bank));
        prop_assert_eq!(device.memory_type.as_deref(), Some("DDR5"));
        prop_assert_eq!(device.speed_mtps, has(0x17).then_some(u32::from(speed)));
        prop_assert_eq!(device.serial.as_ref(), has(0x19).then_some(&serial));
        prop_assert_eq!(device.part_number.as_ref(), has(0x1b).then_some(&part));
        prop_assert_eq!(device.ranks, has(0x1c).then_some(ranks).filter(|ranks| *ranks > 0));
        prop_assert_eq!(device.configured_speed_mtps, has(0x22).then_some(u32::from(configured)));
        prop_assert_eq!(device.voltage_min_millivolts, has(0x24).then_some(volts));
        prop_assert_eq!(device.volatile_bytes, has(0x44).then_some(Bytes(volatile)));
        prop_assert_eq!(device.cache_bytes, has(0x4c).then_some(Bytes(cache)));
    }
}
