//! The memory of a pluggable module, page by page (`ETHTOOL_MSG_MODULE_EEPROM_GET`).
//!
//! Only the pages that a module of its kind has are asked for: each costs a transfer over I²C.

use std::io;

use serde::{Deserialize, Serialize};

use super::{command, header};
use crate::io::netlink::attribute::Attributes;
use crate::io::netlink::generic::Family;
use crate::io::netlink::offered;
use crate::io::octets::Octets;

/// Half a page: what one request may ask for.
const HALF: usize = 128;

const OFFSET: u16 = 2;
const LENGTH: u16 = 3;
const PAGE: u16 = 4;
const BANK: u16 = 5;
const I2C_ADDRESS: u16 = 6;
const DATA: u16 = 7;

/// Address, page and offset of a half page.
type Place = (u8, u8, u8);

/// Where the serial number stands, by form of module (SFF-8024 table 4-1): half page, and offset in it.
const SERIALS: [(&[u8], Place, usize); 3] = [
    (&[0x02, 0x03], (0x50, 0, 0), 68),
    (&[0x0c, 0x0d, 0x11], (0x50, 0, 128), 68),
    (
        &[
            0x18, 0x19, 0x1a, 0x1b, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25,
        ],
        (0x50, 0, 128),
        38,
    ),
];
const SERIAL_LENGTH: usize = 16;

/// The pages that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eeprom {
    /// By address, page and offset.
    pub pages: Vec<Page>,
    /// The serial number, which is taken out of the pages: there it would be hidden from whoever masks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

/// 128 bytes of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The I²C address: 0x50 (A0h), or 0x51 (A2h) for an SFP's diagnostics.
    pub address: u8,
    /// The page, 0 for the lower half.
    pub page: u8,
    /// Where it starts: 0 or 128.
    pub offset: u8,
    /// The bytes.
    pub bytes: Octets,
}

impl Eeprom {
    /// The half page at an address; empty when it was not read.
    #[must_use]
    pub fn half(&self, address: u8, page: u8, offset: u8) -> Vec<u8> {
        let place = (address, page, offset);
        let mut pages = self.pages.iter();
        let half = pages.find(|half| (half.address, half.page, half.offset) == place);
        half.map(|half| half.bytes.0.clone()).unwrap_or_default()
    }

    /// Adds a half page as it was read.
    pub fn add(&mut self, (address, page, offset): (u8, u8, u8), bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let form = self
            .half(0x50, 0, 0)
            .first()
            .or(bytes.first())
            .copied()
            .unwrap_or_default();
        let serial = SERIALS
            .iter()
            .find(|(forms, place, _)| forms.contains(&form) && *place == (address, page, offset));
        if let Some(range) = serial.and_then(|(_, _, at)| bytes.get_mut(*at..*at + SERIAL_LENGTH)) {
            self.serial = crate::parse::nonempty(&String::from_utf8_lossy(range));
            range.fill(b' ');
        }
        self.pages.push(Page {
            address,
            page,
            offset,
            bytes: Octets(bytes),
        });
    }
}

/// Reads a module; `None` where there is none, or the driver does not offer it.
pub(super) fn ask(family: &mut Family, name: &str) -> io::Result<Option<Eeprom>> {
    let mut eeprom = Eeprom::default();
    let Some(lower) = half(family, name, (0x50, 0, 0))? else {
        return Ok(None);
    };
    eeprom.add((0x50, 0, 0), &lower);
    for place in places(&lower) {
        if let Some(bytes) = half(family, name, place)? {
            eeprom.add(place, &bytes);
        }
    }
    Ok(Some(eeprom))
}

/// What else there is in a module, by its identifier (SFF-8024 table 4-1) and flags.
fn places(lower: &[u8]) -> Vec<(u8, u8, u8)> {
    let at = |place: usize| lower.get(place).copied().unwrap_or_default();
    match at(0) {
        // SFF-8472: byte 92 says whether there are diagnostics, at the other address.
        0x02 | 0x03 if at(92) & 0x40 != 0 => vec![(0x51, 0, 0)],
        // SFF-8636: byte 2 bit 2 says that all pages are flat.
        0x0c | 0x0d | 0x11 if at(2) & 4 != 0 => vec![(0x50, 0, 128)],
        0x0c | 0x0d | 0x11 => vec![(0x50, 0, 128), (0x50, 3, 128)],
        // CMIS: byte 2 bit 7.
        0x18..=0x1b | 0x1e..=0x25 if at(2) & 0x80 != 0 => vec![(0x50, 0, 128)],
        0x18..=0x1b | 0x1e..=0x25 => {
            vec![
                (0x50, 0, 128),
                (0x50, 1, 128),
                (0x50, 2, 128),
                (0x50, 0x11, 128),
            ]
        }
        _ => Vec::new(),
    }
}

fn half(family: &mut Family, name: &str, place: (u8, u8, u8)) -> io::Result<Option<Vec<u8>>> {
    let (address, page, offset) = place;
    let length = u32::try_from(HALF).unwrap_or_default();
    let request = header(name, 1, 0)
        .with_u32(OFFSET, offset.into())
        .with_u32(LENGTH, length)
        .with(PAGE, &[page])
        .with(BANK, &[0])
        .with(I2C_ADDRESS, &[address]);
    let answer = match family.get(command::MODULE_EEPROM, &request) {
        // What drivers say of an empty cage.
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EIO | libc::ENXIO | libc::ENODEV)
            ) =>
        {
            return Ok(None);
        }
        answer => offered(answer)?,
    };
    let data = |answer: &Vec<u8>| {
        let mut parts = Attributes::of(answer);
        let data = parts.find(|part| part.kind == DATA)?;
        Some(data.value.get(..HALF.min(data.value.len()))?.to_vec())
    };
    Ok(answer.as_ref().and_then(data))
}
