//! Sockets and sticks: SMBIOS type 17 (DSP0134 3.7 §7.18).

use serde::{Deserialize, Serialize};

use super::words::{self, bits, word};
use super::{ErrorRecord, Range, jep106};
use crate::placeholder::is_placeholder;
use crate::smbios::Structure;
use crate::units::Bytes;

/// A socket and its stick, or memory that is soldered on (SMBIOS type 17, DSP0134 §7.18).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// Its locator; where that is not unique, with the bank's in front; where that is not either, with the handle.
    pub id: String,
    /// Its handle.
    pub handle: u16,
    /// The array that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// What is printed on the board beside the socket: `DIMM_A1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    /// The bank: `P0_Node0_Channel0_Dimm0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_locator: Option<String>,
    /// Whether something is plugged in.
    pub population: Population,
    /// How large it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `DIMM`, `SODIMM`, `Die`, ... (§7.18.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form_factor: Option<String>,
    /// `DDR4`, `DDR5`, `HBM3`, `Logical non-volatile device`, ... (§7.18.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_type: Option<String>,
    /// `Synchronous`, `Registered (Buffered)`, `LRDIMM`, ... (§7.18.3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub type_detail: Vec<String>,
    /// Bits that are stored at a time, check bits included: 72.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_width_bits: Option<u16>,
    /// Bits of data among them: 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_width_bits: Option<u16>,
    /// Whether it stores check bits beside the data: the total width is the larger one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_bits: Option<bool>,
    /// Devices of the same set are populated together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<u8>,
    /// The most that it can do, in millions of transfers per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mtps: Option<u32>,
    /// What firmware runs it at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured_speed_mtps: Option<u32>,
    /// Who made it, as the table writes it: a name, or digits that stand for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Who made it by JEP-106: from [`Device::module_manufacturer`], or where `manufacturer` holds digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The owner's tag, or what firmware writes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_tag: Option<String>,
    /// Its part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// How many ranks it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranks: Option<u8>,
    /// The least voltage that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_min_millivolts: Option<u16>,
    /// The most that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_max_millivolts: Option<u16>,
    /// What firmware runs it at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured_voltage_millivolts: Option<u16>,
    /// `DRAM`, `NVDIMM-N`, `Intel Optane persistent memory`, ... (§7.18.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technology: Option<String>,
    /// `Volatile memory`, `Byte-accessible persistent memory`, ... (§7.18.7).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operating_modes: Vec<String>,
    /// The version of its firmware, where it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// Who made the module, and which product it is (§7.18.8, §7.18.9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_manufacturer: Option<ManufacturerId>,
    /// Who made the controller of a module that has one (§7.18.10, §7.18.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_controller: Option<ManufacturerId>,
    /// Who made the power management chip, and its revision (since version 3.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pmic0: Option<ManufacturerId>,
    /// Who made the registering clock driver, and its revision (since version 3.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rcd: Option<ManufacturerId>,
    /// How much of it keeps its content without power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_volatile_bytes: Option<Bytes>,
    /// How much of it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volatile_bytes: Option<Bytes>,
    /// How much of it is a cache of other memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_bytes: Option<Bytes>,
    /// How large it is as a logical device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_bytes: Option<Bytes>,
    /// The last error that firmware knows of (SMBIOS types 18 and 33).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// Where it appears among the addresses (SMBIOS type 20).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

/// Whether something is plugged into a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Population {
    /// It has a size.
    Populated,
    /// Its size is 0: no module is installed.
    Empty,
    /// Something is installed whose size firmware does not know.
    #[default]
    Unknown,
}

/// A manufacturer by its JEP-106 id, with the id or revision that the manufacturer gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ManufacturerId {
    /// The bank of JEP-106, from 1: one more than the number of continuation codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<u8>,
    /// The code within the bank, with its parity bit: 0x2c.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// The name, where it is one of memory's makers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The product's id, or a chip's revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<u16>,
}

/// A device as its structure tells it: without what other structures say of it, and without an id of its own.
pub(super) fn device(structure: &Structure<'_>) -> Device {
    let (population, size_bytes) = size(structure);
    let (total_width_bits, data_width_bits) = (width(structure, 0x08), width(structure, 0x0a));
    let module_manufacturer = manufacturer(structure, 0x2c, 0x2e, 0);
    let maker = label(structure, 0x17);
    let named = module_manufacturer
        .as_ref()
        .and_then(|module| module.name.clone());
    Device {
        handle: structure.handle,
        locator: structure.string(0x10),
        bank_locator: label(structure, 0x11),
        population,
        size_bytes,
        form_factor: word(words::FORM_FACTOR, structure.byte(0x0e)),
        memory_type: word(words::MEMORY_TYPE, structure.byte(0x12)),
        type_detail: bits(words::TYPE_DETAIL, structure.word(0x13)),
        check_bits: total_width_bits
            .zip(data_width_bits)
            .map(|(total, data)| total > data),
        total_width_bits,
        data_width_bits,
        set: structure
            .byte(0x0f)
            .filter(|set| !matches!(*set, 0 | u8::MAX)),
        speed_mtps: speed(structure, 0x15, 0x54),
        configured_speed_mtps: speed(structure, 0x20, 0x58),
        vendor: named.or_else(|| jep106::name_in(maker.as_deref()?)),
        manufacturer: maker,
        serial: label(structure, 0x18).filter(|serial| serial.bytes().any(|digit| digit != b'0')),
        asset_tag: label(structure, 0x19),
        part_number: label(structure, 0x1a),
        ranks: structure
            .byte(0x1b)
            .map(|attributes| attributes & 0x0f)
            .filter(|ranks| *ranks > 0),
        voltage_min_millivolts: known(structure.word(0x22)),
        voltage_max_millivolts: known(structure.word(0x24)),
        configured_voltage_millivolts: known(structure.word(0x26)),
        module_manufacturer,
        ..recent(structure)
    }
}

/// What came with versions 3.2 and 3.7.
fn recent(structure: &Structure<'_>) -> Device {
    let portion = |at| {
        let bytes = structure.qword(at).filter(|bytes| *bytes != u64::MAX);
        bytes.map(Bytes)
    };
    Device {
        technology: word(words::TECHNOLOGY, structure.byte(0x28)),
        operating_modes: bits(words::OPERATING_MODE, structure.word(0x29)),
        firmware_version: label(structure, 0x2b),
        subsystem_controller: manufacturer(structure, 0x30, 0x32, 0),
        pmic0: manufacturer(structure, 0x5c, 0x5e, REVISION_UNKNOWN),
        rcd: manufacturer(structure, 0x60, 0x62, REVISION_UNKNOWN),
        non_volatile_bytes: portion(0x34),
        volatile_bytes: portion(0x3c),
        cache_bytes: portion(0x44),
        logical_bytes: portion(0x4c),
        ..Device::default()
    }
}

/// A chip's revision that firmware does not know.
const REVISION_UNKNOWN: u16 = 0xff00;

/// Of the size: firmware does not know, and "it stands in the extended field".
const SIZE_UNKNOWN: u16 = 0xffff;
const SIZE_EXTENDED: u16 = 0x7fff;

/// Bit 15 of the size: it counts kibibytes, not mebibytes.
const SIZE_IN_KIB: u16 = 0x8000;

fn size(structure: &Structure<'_>) -> (Population, Option<Bytes>) {
    let kib = match (structure.word(0x0c), structure.dword(0x1c)) {
        (None | Some(SIZE_UNKNOWN), _) => return (Population::Unknown, None),
        (Some(0), _) => return (Population::Empty, None),
        // Before version 2.7 there was no such field, and the number was a size like any other.
        (Some(SIZE_EXTENDED), Some(mib)) => u64::from(mib & 0x7fff_ffff) << 10,
        (Some(size), _) if size & SIZE_IN_KIB != 0 => u64::from(size ^ SIZE_IN_KIB),
        (Some(size), _) => u64::from(size) << 10,
    };
    match kib {
        0 => (Population::Unknown, None),
        kib => (Population::Populated, Some(Bytes::from_kib(kib))),
    }
}

fn width(structure: &Structure<'_>, at: usize) -> Option<u16> {
    known(structure.word(at)).filter(|bits| *bits != u16::MAX)
}

/// A speed, or the one in the extended field, which a speed of 65535 points to.
fn speed(structure: &Structure<'_>, at: usize, extended: usize) -> Option<u32> {
    let speed = match structure.word(at)? {
        u16::MAX => structure.dword(extended)? & 0x7fff_ffff,
        speed => u32::from(speed),
    };
    (speed > 0).then_some(speed)
}

/// 0 says that firmware does not know.
fn known(value: Option<u16>) -> Option<u16> {
    value.filter(|value| *value != 0)
}

/// A string that names something: not what vendors leave where nothing is.
fn label(structure: &Structure<'_>, at: usize) -> Option<String> {
    structure.string(at).filter(|text| !is_placeholder(text))
}

/// A manufacturer's id, of which 0 says nothing, and the number after it, of which `unknown` says nothing.
fn manufacturer(
    structure: &Structure<'_>,
    at: usize,
    product: usize,
    unknown: u16,
) -> Option<ManufacturerId> {
    let id = known(structure.word(at)).map(u16::to_le_bytes);
    let product_id = structure.word(product).filter(|id| *id != unknown);
    // The first byte counts continuation codes, its highest bit makes parity odd.
    let place = id.map(|[continued, code]| ((continued & 0x7f) + 1, code));
    if place.is_none() && product_id.is_none_or(|id| id == 0) {
        return None;
    }
    Some(ManufacturerId {
        bank: place.map(|(bank, _)| bank),
        code: place.map(|(_, code)| code),
        name: place.and_then(|(bank, code)| jep106::name(bank, code)),
        product_id,
    })
}
