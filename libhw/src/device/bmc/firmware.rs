//! System interfaces that firmware describes: SMBIOS type 38 (DSP0134 3.7 §7.39).

use serde::{Deserialize, Serialize};

use super::{Address, AddressSpace, Interface, InterfaceType};
use crate::dmi;
use crate::smbios::Structure;

/// A system interface that firmware describes (SMBIOS type 38).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FirmwareInterface {
    /// Its handle: `0x2600`.
    pub id: String,
    /// Its kind; absent where firmware does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_type: Option<InterfaceType>,
    /// The version of the specification that it follows: `2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specification_version: Option<String>,
    /// The BMC's address on the IPMB, in 8 bits: usually 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipmb_address: Option<u8>,
    /// The bus address of the storage that lasts; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nv_storage_address: Option<u8>,
    /// Where its registers are, or its address on the SMBus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// How many bytes lie from one register to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register_spacing_bytes: Option<u32>,
    /// The interrupt, as far as firmware specifies one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<Interrupt>,
}

/// An interrupt that firmware specifies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Interrupt {
    /// Its number; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u8>,
    /// Whether it is triggered by a level, and not by an edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_triggered: Option<bool>,
    /// Whether a high level is the active one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_high: Option<bool>,
}

/// "There is no such device."
const NO_STORAGE: u8 = 0xff;

pub(super) fn interface(structure: &Structure<'_>) -> FirmwareInterface {
    let kind = structure.byte(0x04);
    let ssif = kind == Some(4);
    // Bit 4 is the lowest bit of the address, bits 6 and 7 the spacing.
    let modifier = structure
        .byte(0x10)
        .filter(|_| structure.byte(0x11).is_some());
    let spacing = modifier.and_then(|modifier| match modifier >> 6 {
        0 => Some(1),
        1 => Some(4),
        2 => Some(16),
        _ => None,
    });
    FirmwareInterface {
        id: dmi::name_of(structure.handle),
        interface_type: kind.and_then(interface_type),
        specification_version: structure
            .byte(0x05)
            .map(|version| format!("{}.{}", version >> 4, version & 0x0f)),
        ipmb_address: structure.byte(0x06).filter(|address| *address != 0),
        nv_storage_address: structure
            .byte(0x07)
            .filter(|address| *address != NO_STORAGE),
        address: structure
            .qword(0x08)
            .and_then(|base| address(base, modifier, ssif)),
        register_spacing_bytes: spacing.filter(|_| !ssif),
        interrupt: interrupt(modifier, structure.byte(0x11)),
    }
}

/// Of 0 firmware does not know.
fn interface_type(code: u8) -> Option<InterfaceType> {
    Some(match code {
        0 => return None,
        1 => InterfaceType::Kcs,
        2 => InterfaceType::Smic,
        3 => InterfaceType::Bt,
        4 => InterfaceType::Ssif,
        code => InterfaceType::Other(format!("{code:#04x}")),
    })
}

/// The lowest bit tells I/O from memory, and stands itself in the modifier. An SSIF has its address in bits 7 to 1.
fn address(base: u64, modifier: Option<u8>, ssif: bool) -> Option<Address> {
    if ssif {
        let base = (base >> 1) & 0x7f;
        let space = AddressSpace::I2c;
        return (base != 0).then_some(Address { space, base });
    }
    if base == 0 {
        return None;
    }
    let low = modifier.map_or(0, |modifier| u64::from(modifier >> 4 & 1));
    let space = match base & 1 {
        1 => AddressSpace::Io,
        _ => AddressSpace::Memory,
    };
    Some(Address {
        space,
        base: base & !1 | low,
    })
}

/// Bit 3 says that trigger and polarity are told.
fn interrupt(modifier: Option<u8>, number: Option<u8>) -> Option<Interrupt> {
    let told = modifier.filter(|modifier| modifier & 0x08 != 0);
    let interrupt = Interrupt {
        number: number.filter(|number| *number != 0),
        level_triggered: told.map(|modifier| modifier & 0x01 != 0),
        active_high: told.map(|modifier| modifier & 0x02 != 0),
    };
    (interrupt != Interrupt::default()).then_some(interrupt)
}

/// Tells of each interface which description is its: the one of that kind at that address; where no address is known,
/// the only one of that kind, if it is the only interface of it.
pub(super) fn join(interfaces: &mut [Interface], described: &[FirmwareInterface]) {
    let kinds: Vec<Option<InterfaceType>> = interfaces
        .iter()
        .map(|interface| interface.interface_type.clone())
        .collect();
    for interface in interfaces {
        let kind = &interface.interface_type;
        let mut same = described
            .iter()
            .filter(|row| kind.is_some() && row.interface_type == *kind);
        let found = match &interface.address {
            Some(address) => same.find(|row| row.address.as_ref() == Some(address)),
            None => {
                let alone = kinds.iter().filter(|other| *other == kind).count() == 1;
                let first = same.next().filter(|_| alone);
                first.filter(|_| same.next().is_none())
            }
        };
        interface.firmware_interface = found.map(|row| row.id.clone());
    }
}
