//! SMBIOS structures as firmware leaves them: the entry point that says how many there are, and a walk over them.
//!
//! ```text
//! entry point -> type, length, handle | formatted area | strings, each ended by NUL, and one NUL more
//! ```
//!
//! From DSP0134 3.7 §5.2 (entry points) and §6.1 (structures). Whatever stands in a table, the walk ends, and says
//! where the table stops being one.

use std::fmt;

use crate::parse::{Expected, Parsed};

mod entry_point;

pub use entry_point::EntryPoint;

/// The version of the specification that a table follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Before the point.
    pub major: u8,
    /// After the point.
    pub minor: u8,
}

/// One structure.
#[derive(Clone, Copy, Debug)]
pub struct Structure<'a> {
    /// Its type: 17 is a memory device.
    pub kind: u8,
    /// Its handle, by which others refer to it.
    pub handle: u16,
    /// The formatted area with its header of four bytes.
    formatted: &'a [u8],
    strings: &'a [u8],
}

/// The structures of a table, one after the other. After an `Err` nothing follows.
#[derive(Clone, Debug)]
pub struct Structures<'a> {
    rest: &'a [u8],
    length: usize,
    left: usize,
    ends_with_marker: bool,
    broken: Option<Expected>,
}

/// Type 127, after which a table of version 3 ends (DSP0134, End-of-Table).
const END_OF_TABLE: u8 = 127;

impl<'a> Structures<'a> {
    /// Those in `table`, as far as `entry_point` says; without one all up to the end of the table.
    #[must_use]
    pub fn new(table: &'a [u8], entry_point: Option<&EntryPoint>) -> Self {
        let length = entry_point.and_then(|entry| entry.length);
        let count = entry_point.and_then(|entry| entry.count);
        let rest = table.get(..length.unwrap_or(table.len())).unwrap_or(table);
        Self {
            rest,
            length: rest.len(),
            left: count.unwrap_or(usize::MAX),
            ends_with_marker: count.is_none(),
            broken: None,
        }
    }

    /// How many bytes of the table have been walked over.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    fn structure(&mut self) -> Parsed<Structure<'a>> {
        let header = self.rest.first_chunk();
        let [kind, length, low, high] = *header.ok_or(Expected("a structure's header"))?;
        if length < 4 {
            return Err(Expected("a structure of at least four bytes"));
        }
        let whole = self.rest.split_at_checked(usize::from(length));
        let (formatted, after) = whole.ok_or(Expected("a whole structure"))?;
        let strings = strings_length(after);
        if strings.is_none() {
            self.broken = Some(Expected("two NUL bytes after a structure's strings"));
        }
        let (strings, rest) = after
            .split_at_checked(strings.unwrap_or(after.len()))
            .unwrap_or((after, &[]));
        self.rest = rest;
        Ok(Structure {
            kind,
            handle: u16::from_le_bytes([low, high]),
            formatted,
            strings,
        })
    }
}

impl<'a> Iterator for Structures<'a> {
    type Item = Parsed<Structure<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(expected) = self.broken.take() {
            self.left = 0;
            return Some(Err(expected));
        }
        // Firmware may leave room behind the structures: nothing but zeros is no structure.
        if self.left == 0 || self.rest.iter().all(|byte| *byte == 0) {
            return None;
        }
        self.left -= 1;
        let structure = self.structure();
        let last =
            |structure: &Structure<'_>| self.ends_with_marker && structure.kind == END_OF_TABLE;
        if structure.as_ref().map_or(true, last) {
            self.left = 0;
        }
        Some(structure)
    }
}

/// The bytes of a structure's strings with the NUL bytes that end them; two where there is no string.
fn strings_length(after: &[u8]) -> Option<usize> {
    memchr::memmem::find(after, b"\0\0").map(|end| end + 2)
}

impl Structure<'_> {
    /// The byte at an offset; `None` where this version of the structure ends before it.
    #[must_use]
    pub fn byte(&self, at: usize) -> Option<u8> {
        self.formatted.get(at).copied()
    }

    /// The 16 bits at an offset.
    #[must_use]
    pub fn word(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// The 32 bits at an offset.
    #[must_use]
    pub fn dword(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// The 64 bits at an offset.
    #[must_use]
    pub fn qword(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// The string whose number stands at an offset, trimmed; `None` for number 0, for one that is not there, and
    /// for an empty string.
    #[must_use]
    pub fn string(&self, at: usize) -> Option<String> {
        let index = usize::from(self.byte(at)?).checked_sub(1)?;
        let mut strings = self.strings.split(|byte| *byte == 0);
        let string = strings.nth(index)?;
        crate::parse::nonempty(&String::from_utf8_lossy(string))
    }

    /// The bytes from an offset on; `None` where this version of the structure ends before their last.
    #[must_use]
    pub fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.formatted.get(at..)?.first_chunk().copied()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests;
