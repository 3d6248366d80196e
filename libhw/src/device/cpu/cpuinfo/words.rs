//! What a CPU's block in /proc/cpuinfo tells, and the model that it makes.

use crate::device::cpu::{Model, arm};
use crate::idset::IdSet;
use crate::parse;

/// What is told of a CPU.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    Vendor,
    RiscvVendor,
    Name,
    Family,
    Model,
    Stepping,
    Microcode,
    Flags,
    Isa,
    Bugs,
    AddressSizes,
    Implementer,
    Part,
    Variant,
    Revision,
    Machine,
}

/// How many [`Word`]s there are.
const WORDS: usize = Word::Machine as usize + 1;

impl Word {
    /// The kernel's keys. Of two for one word the first that a block has counts.
    pub(super) fn of(key: &str) -> Option<Self> {
        Some(match key {
            "vendor_id" | "vendor" => Self::Vendor,
            "mvendorid" => Self::RiscvVendor,
            "model name" | "Model Name" | "cpu model" | "cpu" | "CPU" | "Processor" | "uarch" => {
                Self::Name
            }
            "cpu family" | "CPU Family" | "CPU architecture" | "family" | "type" => Self::Family,
            "model" | "marchid" => Self::Model,
            "stepping" | "revision" | "CPU Revision" | "mimpid" => Self::Stepping,
            "microcode" => Self::Microcode,
            "flags" | "Features" | "features" | "cpucaps" | "capabilities" => Self::Flags,
            "isa" => Self::Isa,
            "bugs" => Self::Bugs,
            "address sizes" | "Address Sizes" => Self::AddressSizes,
            "CPU implementer" => Self::Implementer,
            "CPU part" => Self::Part,
            "CPU variant" => Self::Variant,
            "CPU revision" => Self::Revision,
            "machine" => Self::Machine,
            _ => return None,
        })
    }
}

/// Whether both are equal. A hundred CPUs have a hundred kilobytes of flags, which a static binary's C library would
/// compare byte by byte.
fn same(one: &[u8], other: &[u8]) -> bool {
    let ((ones, one_end), (others, other_end)) = (one.as_chunks(), other.as_chunks());
    let mut pairs = ones.iter().zip(others);
    one.len() == other.len()
        && pairs.all(|(one, other)| u128::from_ne_bytes(*one) == u128::from_ne_bytes(*other))
        && one_end == other_end
}

/// A CPU's words, as slices of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Words<'t>([Option<&'t str>; WORDS]);

impl<'t> Words<'t> {
    fn at(&self, word: Word) -> Option<&'t str> {
        self.0.get(word as usize).copied().flatten()
    }

    pub(super) fn put(&mut self, word: Word, value: &'t str) {
        if let Some(slot) = self.0.get_mut(word as usize)
            && slot.is_none()
            && !value.is_empty()
        {
            *slot = Some(value);
        }
    }

    /// Whether both say the same.
    pub(super) fn are(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.all(|(one, other)| match (one, other) {
            (Some(one), Some(other)) => same(one.as_bytes(), other.as_bytes()),
            (one, other) => one.is_none() && other.is_none(),
        })
    }

    /// These words, and for those that are missing the words for all. On POWER the machine stands among
    /// these, under names that elsewhere mean the CPU.
    pub(super) fn or(mut self, all: &Self) -> Self {
        for (index, (slot, value)) in self.0.iter_mut().zip(all.0).enumerate() {
            if index != Word::Model as usize && index != Word::Machine as usize {
                *slot = slot.or(value);
            }
        }
        self
    }

    /// A processor with these words, of no CPU yet.
    pub(super) fn model(&self) -> Model {
        let text = |word| self.at(word).map(str::to_owned);
        let bits = self.at(Word::AddressSizes).unwrap_or_default();
        let flags = match self.at(Word::Flags) {
            Some(flags) => split(flags, if flags.contains(',') { ',' } else { ' ' }),
            None => self.at(Word::Isa).map(extensions).unwrap_or_default(),
        };
        Model {
            id: 0,
            vendor: self.vendor(),
            name: self.name(),
            family: text(Word::Family),
            model: text(Word::Model)
                .or_else(|| text(Word::Part))
                .or_else(|| text(Word::Machine)),
            stepping: text(Word::Stepping).or_else(|| self.arm_revision()),
            microcode: text(Word::Microcode),
            flags,
            bugs: split(self.at(Word::Bugs).unwrap_or_default(), ' '),
            physical_address_bits: address_bits(bits, "physical"),
            virtual_address_bits: address_bits(bits, "virtual"),
            cpus: IdSet::new(),
        }
    }

    fn vendor(&self) -> Option<String> {
        let arm = self.hex(Word::Implementer).and_then(arm::vendor);
        // 0 is nobody's: a core that nobody sells, or an emulated one.
        let riscv = self.hex(Word::RiscvVendor).filter(|vendor| *vendor != 0);
        let said = self.at(Word::Vendor).or(self.at(Word::Implementer));
        let known = arm.or_else(|| named(RISCV_VENDORS, riscv?));
        let known = known.or(said).map(str::to_owned);
        known.or_else(|| Some(format!("{:#x}", riscv?)))
    }

    fn name(&self) -> Option<String> {
        let machine = self
            .at(Word::Machine)
            .and_then(|machine| parse::decimal(machine).ok());
        let known = self
            .hex(Word::Implementer)
            .zip(self.hex(Word::Part))
            .and_then(|(implementer, part)| arm::part(implementer, part))
            .or_else(|| named(S390_MACHINES, machine?));
        known.or(self.at(Word::Name)).map(str::to_owned)
    }

    /// Arm's way of writing a stepping: variant 1 and revision 2 are `r1p2`.
    fn arm_revision(&self) -> Option<String> {
        let variant = self.hex(Word::Variant)?;
        Some(format!("r{variant}p{}", self.at(Word::Revision)?))
    }

    fn hex(&self, word: Word) -> Option<u64> {
        parse::hex(self.at(word)?).ok()
    }
}

fn named(table: &'static [(u64, &'static str)], number: u64) -> Option<&'static str> {
    let row = table.iter().find(|(own, _)| *own == number);
    row.map(|(_, name)| *name)
}

/// The words of a list, sorted. They are sorted as slices first: a list that repeats itself takes no memory.
fn split(text: &str, by: char) -> Vec<String> {
    let words = text.split(|c: char| c == by || c.is_whitespace() && by == ' ');
    let mut words: Vec<&str> = words
        .map(parse::trim)
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.dedup();
    words.into_iter().map(str::to_owned).collect()
}

/// The extensions of a RISC-V `isa`, its base first of all in the text; MIPS separates with spaces.
///
/// ```text
/// rv64imafdc_zicntr_zba
/// ```
fn extensions(isa: &str) -> Vec<String> {
    split(isa, if isa.contains('_') { '_' } else { ' ' })
}

/// ```text
/// 46 bits physical, 48 bits virtual
/// ```
fn address_bits(text: &str, which: &str) -> Option<u32> {
    let part = text
        .split(',')
        .find(|part| part.trim_end().ends_with(which))?;
    parse::decimal(part.split_whitespace().next()?).ok()
}

/// JEDEC numbers as in `mvendorid` (`arch/riscv/include/asm/vendorid_list.h`).
const RISCV_VENDORS: &[(u64, &str)] = &[
    (0x029, "Microchip"),
    (0x127, "MIPS"),
    (0x31e, "Andes"),
    (0x489, "SiFive"),
    (0x5b7, "T-Head"),
    (0x61f, "Ventana"),
    (0x710, "SpacemiT"),
];

/// IBM's machine types, by which the kernel names an s390 processor.
const S390_MACHINES: &[(u64, &str)] = &[
    (2064, "IBM z900"),
    (2066, "IBM z800"),
    (2084, "IBM z990"),
    (2086, "IBM z890"),
    (2094, "IBM z9 EC"),
    (2096, "IBM z9 BC"),
    (2097, "IBM z10 EC"),
    (2098, "IBM z10 BC"),
    (2817, "IBM z196"),
    (2818, "IBM z114"),
    (2827, "IBM zEC12"),
    (2828, "IBM zBC12"),
    (2964, "IBM z13"),
    (2965, "IBM z13s"),
    (3906, "IBM z14"),
    (3907, "IBM z14 ZR1"),
    (3931, "IBM z16"),
    (3932, "IBM z16 A02"),
    (8561, "IBM z15"),
    (8562, "IBM z15 T02"),
    (9175, "IBM z17"),
];
