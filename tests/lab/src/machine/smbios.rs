//! What firmware says of the machine (SMBIOS, DSP0134).

use serde::{Deserialize, Serialize};

use super::error::{Checked, require};
use super::expected::{Expected, Wanted};
use super::plan::{Content, Plan, escape};
use super::size::Size;

/// Labels and memory sticks, as firmware tells them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smbios {
    /// The firmware itself (type 0).
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub firmware: Labels,
    /// The product (type 1).
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub product: Labels,
    /// The board (type 2).
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub board: Labels,
    /// The chassis (type 3).
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub chassis: Labels,
    /// The processors (type 4).
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub processor: Labels,
    /// The sockets for memory, with their sticks (type 17); without any QEMU makes one for all memory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimms: Vec<Dimm>,
}

/// What stands on the label of a thing; not every thing has every line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Labels {
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was made, `mm/dd/yyyy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Its serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Its stock-keeping unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Its family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The owner's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_tag: Option<String>,
    /// The part's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// A socket for memory: without a size it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dimm {
    /// What is printed beside the socket.
    pub locator: String,
    /// The bank's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
    /// The size of the stick, in whole MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Who made the stick.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Its part number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Its serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The most that it can do, in millions of transfers per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_mtps: Option<u16>,
    /// What firmware runs it at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured_speed_mtps: Option<u16>,
    /// How many ranks it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranks: Option<u8>,
}

/// A line of a label: its name here and in the inventory, and how it is read.
type Line = (&'static str, fn(&Labels) -> &Option<String>);

const VENDOR: Line = ("vendor", |labels| &labels.vendor);
const NAME: Line = ("name", |labels| &labels.name);
const VERSION: Line = ("version", |labels| &labels.version);
const DATE: Line = ("date", |labels| &labels.date);
const SERIAL: Line = ("serial", |labels| &labels.serial);
const UUID: Line = ("uuid", |labels| &labels.uuid);
const SKU: Line = ("sku", |labels| &labels.sku);
const FAMILY: Line = ("family", |labels| &labels.family);
const ASSET: Line = ("asset_tag", |labels| &labels.asset_tag);
const PART: Line = ("part", |labels| &labels.part);
const LINES: [Line; 10] = [
    VENDOR, NAME, VERSION, DATE, SERIAL, UUID, SKU, FAMILY, ASSET, PART,
];

/// A thing with a label: its name here and in the inventory, its type, and QEMU's names of its lines.
struct Thing {
    name: &'static str,
    kind: u8,
    lines: &'static [(Line, &'static str)],
}

const THINGS: [Thing; 5] = [
    Thing {
        name: "firmware",
        kind: 0,
        lines: &[(VENDOR, "vendor"), (VERSION, "version"), (DATE, "date")],
    },
    Thing {
        name: "product",
        kind: 1,
        lines: &[
            (VENDOR, "manufacturer"),
            (NAME, "product"),
            (VERSION, "version"),
            (SERIAL, "serial"),
            (UUID, "uuid"),
            (SKU, "sku"),
            (FAMILY, "family"),
        ],
    },
    Thing {
        name: "board",
        kind: 2,
        lines: &[
            (VENDOR, "manufacturer"),
            (NAME, "product"),
            (VERSION, "version"),
            (SERIAL, "serial"),
            (ASSET, "asset"),
        ],
    },
    Thing {
        name: "chassis",
        kind: 3,
        lines: &[
            (VENDOR, "manufacturer"),
            (VERSION, "version"),
            (SERIAL, "serial"),
            (SKU, "sku"),
            (ASSET, "asset"),
        ],
    },
    Thing {
        name: "processor",
        kind: 4,
        lines: &[
            (VENDOR, "manufacturer"),
            (VERSION, "version"),
            (SERIAL, "serial"),
            (ASSET, "asset"),
            (PART, "part"),
        ],
    },
];

/// The handle that QEMU's own tables know the array of all memory by.
const ARRAY: u16 = 0x1000;
const FIRST_DEVICE: u16 = 0x1100;
/// Codes of §7.17 and §7.18.
const NO_ERROR_TOLD: u16 = 0xfffe;
const ON_BOARD: u8 = 3;
const SYSTEM_MEMORY: u8 = 3;
const MULTI_BIT_ECC: u8 = 6;
const FORM_DIMM: u8 = 9;
const DDR4: u8 = 0x1a;
const SYNCHRONOUS_REGISTERED: u16 = 0x2080;

impl Labels {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Smbios {
    fn labels(&self) -> [&Labels; 5] {
        [
            &self.firmware,
            &self.product,
            &self.board,
            &self.chassis,
            &self.processor,
        ]
    }

    pub(super) fn check(&self) -> Checked {
        for (thing, labels) in THINGS.iter().zip(self.labels()) {
            for (name, line) in LINES {
                let Some(text) = line(labels) else { continue };
                let path = format!("smbios.{}.{name}", thing.name);
                let has = thing.lines.iter().any(|((known, _), _)| *known == name);
                require(has, path.clone(), "QEMU has no such line on this label")?;
                let plain =
                    !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                require(
                    plain && text.len() <= 64,
                    path,
                    "1 to 64 letters, digits and signs are needed",
                )?;
            }
        }
        for (row, dimm) in self.dimms.iter().enumerate() {
            let path = format!("smbios.dimms[{row}]");
            let once = self
                .dimms
                .iter()
                .filter(|other| other.locator == dimm.locator)
                .count()
                == 1;
            let named = !dimm.locator.is_empty() && once;
            require(
                named,
                format!("{path}.locator"),
                "each socket needs a name of its own",
            )?;
            let whole = dimm.size.is_none_or(|size| {
                size.0 > 0 && size.is_multiple_of(Size::mib(1)) && size < Size::gib(31)
            });
            require(
                whole,
                format!("{path}.size"),
                "a whole number of MiB below 31G is needed",
            )?;
            let ranks = dimm.ranks.is_none_or(|ranks| (1..=8).contains(&ranks));
            require(ranks, format!("{path}.ranks"), "a stick has 1 to 8 ranks")?;
        }
        Ok(())
    }

    pub(super) fn plan(&self, plan: &mut Plan) {
        for (thing, labels) in THINGS.iter().zip(self.labels()) {
            let told = thing.lines.iter().filter_map(|((_, line), option)| {
                let text = line(labels).as_ref()?;
                Some(format!(",{option}={}", escape(text)))
            });
            let told: String = told.collect();
            if !told.is_empty() {
                plan.option("smbios", format!("type={}{told}", thing.kind));
            }
        }
        if self.dimms.is_empty() {
            return;
        }
        let file = plan.file("smbios-array.bin", Content::Bytes(self.array()));
        plan.option("smbios", format!("file={file}"));
        for (dimm, row) in self.dimms.iter().zip(0_u16..) {
            let content = Content::Bytes(dimm.structure(FIRST_DEVICE + row));
            let file = plan.file(&format!("smbios-dimm{row}.bin"), content);
            plan.option("smbios", format!("file={file}"));
        }
    }

    /// The array of all sockets (type 16).
    fn array(&self) -> Vec<u8> {
        let sizes = self.dimms.iter().filter_map(|dimm| dimm.size);
        let kib = sizes.map(|size| size.0 >> 10).sum::<u64>();
        let kib = u32::try_from(kib).unwrap_or(u32::MAX >> 1).to_le_bytes();
        let count = u16::try_from(self.dimms.len()).unwrap_or(u16::MAX);
        let mut bytes = vec![16, 0x17];
        bytes.extend(ARRAY.to_le_bytes());
        bytes.extend([ON_BOARD, SYSTEM_MEMORY, MULTI_BIT_ECC]);
        bytes.extend(kib);
        bytes.extend(NO_ERROR_TOLD.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend([0, 0]);
        bytes
    }

    pub(super) fn expect(&self, expected: &mut Expected) {
        for (thing, labels) in THINGS.iter().zip(self.labels()) {
            // The inventory tells nothing of the table of processors.
            for ((name, line), _) in thing.lines.iter().filter(|_| thing.name != "processor") {
                if let Some(text) = line(labels) {
                    expected.is(format!("system.{}.{name}", thing.name), text.as_str());
                }
            }
        }
        if self.dimms.is_empty() {
            return;
        }
        expected.rows(
            "memory.devices",
            self.dimms.iter().map(|dimm| &dimm.locator),
        );
        expected.is("memory.arrays[0x1000].device_count", self.dimms.len());
        expected.is("memory.arrays[0x1000].error_correction", "multi_bit_ecc");
        for dimm in &self.dimms {
            dimm.expect(expected);
        }
    }
}

impl Dimm {
    /// The structure of type 17, as of version 2.8.
    fn structure(&self, handle: u16) -> Vec<u8> {
        let mut texts: Vec<String> = Vec::new();
        let mut text = |text: Option<&String>| -> u8 {
            let Some(text) = text else { return 0 };
            texts.push(text.clone());
            u8::try_from(texts.len()).unwrap_or(0)
        };
        let mib = self.size.map_or(0, |size| size.0 >> 20);
        let width = |bits: u16| if self.size.is_some() { bits } else { 0 };
        let mut bytes = vec![17, 0x28];
        for word in [handle, ARRAY, NO_ERROR_TOLD, width(72), width(64)] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(u16::try_from(mib).unwrap_or_default().to_le_bytes());
        bytes.extend([
            FORM_DIMM,
            0,
            text(Some(&self.locator)),
            text(self.bank.as_ref()),
            DDR4,
        ]);
        bytes.extend(SYNCHRONOUS_REGISTERED.to_le_bytes());
        bytes.extend(self.speed_mtps.unwrap_or(0).to_le_bytes());
        bytes.extend([text(self.vendor.as_ref()), text(self.serial.as_ref()), 0]);
        bytes.extend([text(self.part.as_ref()), self.ranks.unwrap_or(0)]);
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(self.configured_speed_mtps.unwrap_or(0).to_le_bytes());
        for millivolts in [1200_u16; 3] {
            bytes.extend(millivolts.to_le_bytes());
        }
        for text in texts {
            bytes.extend(text.bytes());
            bytes.push(0);
        }
        bytes.push(0);
        bytes
    }

    fn expect(&self, expected: &mut Expected) {
        let at = format!("memory.devices[{}]", self.locator);
        expected.is(format!("{at}.locator"), self.locator.as_str());
        expected.is(format!("{at}.array"), "0x1000");
        let population = if self.size.is_some() {
            "populated"
        } else {
            "empty"
        };
        expected.is(format!("{at}.population"), population);
        let mut told = |name: &str, value: Option<serde_json::Value>| {
            let wanted = value.map_or(Wanted::Nothing, Wanted::Is);
            expected.wants(format!("{at}.{name}"), wanted);
        };
        told("bank_locator", self.bank.clone().map(Into::into));
        let Some(size) = self.size else { return };
        told("size_bytes", Some(size.0.into()));
        told("manufacturer", self.vendor.clone().map(Into::into));
        told("part_number", self.part.clone().map(Into::into));
        told("serial", self.serial.clone().map(Into::into));
        told("speed_mtps", self.speed_mtps.map(Into::into));
        told(
            "configured_speed_mtps",
            self.configured_speed_mtps.map(Into::into),
        );
        told("ranks", self.ranks.map(Into::into));
        told("memory_type", Some("DDR4".into()));
        told("form_factor", Some("DIMM".into()));
        told("total_width_bits", Some(72.into()));
        told("data_width_bits", Some(64.into()));
        told("configured_voltage_millivolts", Some(1200.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stick_is_a_structure_of_forty_bytes_and_its_texts() {
        let dimm = Dimm {
            locator: "DIMM_A1".to_owned(),
            size: Some(Size::gib(1)),
            serial: Some("S1".to_owned()),
            ranks: Some(2),
            ..Dimm::default()
        };
        let bytes = dimm.structure(0x1101);
        assert_eq!(bytes[..4], [17, 0x28, 0x01, 0x11]);
        assert_eq!(bytes[0x0c..0x0e], 1024_u16.to_le_bytes());
        assert_eq!((bytes[0x10], bytes[0x18], bytes[0x1b]), (1, 2, 2));
        assert_eq!(bytes[0x28..], *b"DIMM_A1\0S1\0\0");
        assert_eq!(
            Smbios {
                dimms: vec![dimm],
                ..Smbios::default()
            }
            .array()
            .len(),
            0x17 + 2
        );
    }
}
