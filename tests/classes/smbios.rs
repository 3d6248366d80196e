//! SMBIOS tables for tests: captured ones with an entry point, and made-up ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// dmidecode's answer: of each structure its handle and its lines.
pub(crate) type Answer = Vec<(u16, BTreeMap<String, String>)>;

/// What dmidecode says of the structures of a type; `tree` is where the table's dump may lie.
pub(crate) fn answer(table: &Table, tree: &Path, kind: u8) -> Answer {
    let dump = tree.join("dump");
    std::fs::write(&dump, table.dump()).expect("a dump");
    let output = Command::new("dmidecode")
        .args(["-t", &kind.to_string(), "--from-dump"])
        .arg(&dump)
        .output()
        .expect("dmidecode");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut answer: Answer = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Handle 0x") {
            let handle = u16::from_str_radix(&rest[..4], 16).expect("a handle");
            answer.push((handle, BTreeMap::new()));
        } else if let (Some((key, value)), Some((_, lines))) = (
            line.strip_prefix('\t')
                .and_then(|line| line.split_once(':')),
            answer.last_mut(),
        ) {
            lines.insert(key.to_owned(), value.trim().to_owned());
        }
    }
    answer
}

/// A table of version 3.5, the last one that Debian's dmidecode knows well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Vec<u8>);

impl Table {
    /// A captured table, which has no entry point of its own.
    pub(crate) const fn bare(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// One array, and a socket for each row: bank, locator, mebibytes.
    pub(crate) fn board(sockets: &[(&str, &str, u16)]) -> Self {
        let mut table = Self::default();
        table.add(
            Structure::new(16, 0x17, 0x1000)
                .put(0x04, &[3, 3, 6])
                .put(0x07, &[0, 0, 0, 0x80])
                .put(0x0b, &[0xfe, 0xff])
                .put(0x0f, &(1_u64 << 40).to_le_bytes()),
        );
        for (handle, (bank, locator, mebibytes)) in (0x1100_u16..).zip(sockets) {
            let extended = *mebibytes > 0x7ffe;
            let size = if extended { 0x7fff } else { *mebibytes };
            table.add(
                Structure::new(17, 0x5c, handle)
                    .put(0x04, &[0, 0x10, 0xfe, 0xff, 72, 0, 64, 0])
                    .put(0x0c, &size.to_le_bytes())
                    .put(0x0e, &[9, 0])
                    .string(0x10, locator)
                    .string(0x11, bank)
                    .put(0x12, &[0x1a])
                    .put(0x1c, &u32::from(*mebibytes).to_le_bytes()),
            );
        }
        table.end()
    }

    /// Adds a structure.
    pub(crate) fn add(&mut self, structure: Structure) {
        self.0.extend(structure.bytes());
    }

    /// Ends it.
    pub(crate) fn end(mut self) -> Self {
        self.0.extend([127, 4, 0xff, 0xfe, 0, 0]);
        self
    }

    /// The entry point and the table, as `dmidecode --dump-bin` writes them.
    pub(crate) fn dump(&self) -> Vec<u8> {
        let mut dump = self.entry_point();
        dump.resize(32, 0);
        dump.extend(&self.0);
        dump
    }

    /// A tree with nothing else in it.
    pub(crate) fn tree(&self) -> TempDir {
        let tree = tempfile::tempdir().expect("a directory");
        self.write(tree.path());
        tree
    }

    /// Adds it to a tree.
    pub(crate) fn write(&self, tree: &Path) {
        let place = tree.join("sys/firmware/dmi/tables");
        std::fs::create_dir_all(&place).expect("a directory");
        std::fs::write(place.join("smbios_entry_point"), self.entry_point()).expect("a file");
        std::fs::write(place.join("DMI"), &self.0).expect("a file");
    }

    fn entry_point(&self) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).expect("a small table");
        let mut entry = b"_SM3_\0\x18\x03\x05\0\x01\0".to_vec();
        entry.extend(length.to_le_bytes());
        entry.extend(0x20_u64.to_le_bytes());
        let sum = entry.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        entry[5] = sum.wrapping_neg();
        entry
    }
}

/// A structure in the making.
pub(crate) struct Structure {
    fields: Vec<u8>,
    strings: Vec<String>,
}

impl Structure {
    pub(crate) fn new(kind: u8, length: u8, handle: u16) -> Self {
        let mut fields = vec![kind, length];
        fields.extend(handle.to_le_bytes());
        fields.resize(usize::from(length), 0);
        Self {
            fields,
            strings: Vec::new(),
        }
    }

    pub(crate) fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        for (place, byte) in self.fields.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
        self
    }

    fn string(mut self, at: usize, text: &str) -> Self {
        self.strings.push(text.to_owned());
        let number = u8::try_from(self.strings.len()).expect("few strings");
        self.put(at, &[number])
    }

    fn bytes(&self) -> Vec<u8> {
        let strings = self
            .strings
            .iter()
            .flat_map(|text| [text.as_bytes(), b"\0"]);
        let end: &[u8] = if self.strings.is_empty() {
            b"\0\0"
        } else {
            b"\0"
        };
        [
            self.fields.as_slice(),
            &strings.collect::<Vec<_>>().concat(),
            end,
        ]
        .concat()
    }
}

/// Numbers that look random and are the same at every run.
struct Numbers(u64);

impl Numbers {
    /// One below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).expect("an index")]
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.of(&[0, 1, 2, 3, 0x40, 0x7f, 0x80, 0xff]))
    }
}

/// Forty sticks of all versions with whatever values, in arrays of all kinds.
pub(crate) fn made_up(seed: u64) -> Table {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
    let mut table = Table::default();
    for handle in 0x1000..0x1004 {
        table.add(array(&mut numbers, handle));
        table.add(range(&mut numbers, handle));
    }
    for handle in 0x1100..0x1128 {
        table.add(stick(&mut numbers, handle));
    }
    table.end()
}

fn array(numbers: &mut Numbers, handle: u16) -> Structure {
    let location = numbers.of(&[1, 3, 4, 5, 6, 7, 8, 9, 10, 0xa0, 0xa1, 0xa2, 0xa3]);
    let capacity: u32 = numbers.of(&[1 << 20, 3 << 21, 0x8000_0000, 5 << 10]);
    let structure = Structure::new(16, 0x17, handle).put(0x04, &[location]);
    structure
        .put(
            0x05,
            &[
                numbers.of(&[1, 3, 4, 5, 6, 7]),
                numbers.of(&[1, 2, 3, 4, 5, 6, 7]),
            ],
        )
        .put(0x07, &capacity.to_le_bytes())
        .put(0x0b, &[0xfe, 0xff, numbers.of(&[1, 8, 24]), 0])
        .put(0x0f, &((numbers.below(64) + 1) << 34).to_le_bytes())
}

/// Of an array, or of a stick.
fn range(numbers: &mut Numbers, array: u16) -> Structure {
    let start = u32::try_from(numbers.below(1 << 20)).expect("32 bits") << 10;
    let size = u32::try_from(numbers.below(1 << 10) + 1).expect("32 bits") << 10;
    Structure::new(19, 0x0f, array + 0x300)
        .put(0x04, &start.to_le_bytes())
        .put(0x08, &(start + size - 1).to_le_bytes())
        .put(0x0c, &array.to_le_bytes())
        .put(0x0e, &[1])
}

fn stick(numbers: &mut Numbers, handle: u16) -> Structure {
    let length = numbers.of(&[0x15_u8, 0x17, 0x1b, 0x1c, 0x22, 0x28, 0x54, 0x5c]);
    let size: u16 = numbers.of(&[512, 16384, 0x7fff, 0x8000 | 512, 4608, 0x7fff]);
    let width = [72_u16, 64, 0xffff, 80, 0];
    let speed = [0_u16, 2400, 4800, 65534];
    let detail = u16::from_le_bytes(numbers.bytes()) & 0xfffa;
    let mut structure = Structure::new(17, length, handle)
        .put(0x04, &[numbers.of(&[0, 1, 2, 3]), 0x10, 0xfe, 0xff])
        .put(0x08, &numbers.of(&width).to_le_bytes())
        .put(0x0a, &numbers.of(&width).to_le_bytes())
        .put(0x0c, &size.to_le_bytes())
        .put(
            0x0e,
            &[numbers.of(&[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])],
        )
        .put(0x0f, &[numbers.of(&[0, 1, 5, 0xff])])
        .string(0x10, &format!("DIMM_{handle:x}"))
        .string(0x11, "BANK 7")
        .put(
            0x12,
            &[u8::try_from(numbers.below(0x24)).expect("a byte").max(1)],
        )
        .put(0x13, &detail.to_le_bytes())
        .put(0x15, &numbers.of(&speed).to_le_bytes());
    if length >= 0x1b {
        structure = structure
            .string(
                0x17,
                numbers.of(&["Samsung", "002C00B3002C", "Unknown", "Hynix"]),
            )
            .string(0x18, numbers.of(&["12BDC045", "00000000", "346C4A12  "]))
            .string(0x19, "A1_AssetTag")
            .string(0x1a, numbers.of(&["M393A2K43", "18KSF51272PZ-1G4K "]));
    }
    newer(numbers, structure, length)
}

/// What came after version 2.5.
fn newer(numbers: &mut Numbers, structure: Structure, length: u8) -> Structure {
    let speed = [0_u16, 2400, 4800, 65534];
    let volts = [0_u16, 1200, 1350, 1500, 1100];
    let mut structure = structure
        .put(0x1b, &[numbers.of(&[0, 1, 2, 4, 8])])
        .put(
            0x1c,
            &(u32::try_from(numbers.below(512) + 1).expect("32 bits") << 10).to_le_bytes(),
        )
        .put(0x20, &numbers.of(&speed).to_le_bytes())
        .put(0x22, &numbers.of(&volts).to_le_bytes())
        .put(0x24, &numbers.of(&volts).to_le_bytes())
        .put(0x26, &numbers.of(&volts).to_le_bytes())
        .put(0x28, &[numbers.of(&[1, 3, 4, 5, 6, 7])])
        .put(0x29, &[numbers.of(&[0x08, 0x18, 0x38, 0x02]), 0]);
    if length > 0x2b {
        structure = structure.string(0x2b, numbers.of(&["1.2.3", "8705"]));
    }
    for at in [0x2c, 0x2e, 0x30, 0x32] {
        structure = structure.put(
            at,
            &numbers
                .of(&[0x0000_u16, 0xce80, 0x9801, 0x2c80])
                .to_le_bytes(),
        );
    }
    for at in [0x34, 0x3c, 0x44, 0x4c] {
        let gibibytes = numbers.below(512) << 30;
        structure = structure.put(
            at,
            &numbers.of(&[0, gibibytes, u64::MAX, 512]).to_le_bytes(),
        );
    }
    structure
}
