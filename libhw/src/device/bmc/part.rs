//! A part of a structure, whose length the structure tells: what lies behind its end is not its own.

use crate::smbios::Structure;

/// The bytes of a structure's formatted area from `start` to before `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    structure: &'a Structure<'a>,
    start: usize,
    end: usize,
}

impl<'a> Part<'a> {
    pub(super) const fn new(structure: &'a Structure<'a>, start: usize, length: usize) -> Self {
        Self {
            structure,
            start,
            end: start.saturating_add(length),
        }
    }

    /// The bytes at an offset in the part.
    pub(super) fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let start = self.start.checked_add(at)?;
        let whole = start.checked_add(N)? <= self.end;
        whole.then(|| self.structure.array(start))?
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.array::<1>(at).map(|[byte]| byte)
    }

    pub(super) fn word(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(super) fn dword(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// The structure's string whose number stands at an offset in the part.
    pub(super) fn string(&self, at: usize) -> Option<String> {
        self.byte(at)?;
        self.structure.string(self.start + at)
    }

    /// So many bytes from an offset on, as far as they are there.
    pub(super) fn bytes(&self, at: usize, length: usize) -> Vec<u8> {
        (0..length)
            .map_while(|index| self.byte(at + index))
            .collect()
    }
}
