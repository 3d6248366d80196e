//! The system's pci.ids, a piece at a time: a megabyte and a half of which a machine needs a few lines.
//!
//! Names are the reader's and no fact of the machine that is read, so the file is this host's, whatever the
//! root, and no capture holds it.
#![expect(
    clippy::disallowed_methods,
    reason = "pci.ids is this host's own file, below no root"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;

/// The file, open.
#[derive(Debug)]
pub struct PciIds {
    file: File,
    length: u64,
}

impl PciIds {
    /// The first that there is of the places where distributions keep it.
    #[must_use]
    pub fn open() -> Option<Self> {
        PLACES.iter().find_map(|place| {
            let file = File::open(place).ok()?;
            let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some(Self {
                file,
                length: metadata.len().min(LENGTH_MAX),
            })
        })
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` from `offset` on and says how far; 0 at the end, and where it cannot be read.
    #[must_use]
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> usize {
        self.file.read_at(buffer, offset).unwrap_or(0)
    }
}

/// Debian and SUSE; Fedora and Arch (hwdata); what `update-pciids` fetched.
const PLACES: &[&str] = &[
    "/usr/share/misc/pci.ids",
    "/usr/share/hwdata/pci.ids",
    "/var/lib/pciutils/pci.ids",
];

/// The list of 2026 has 1.7 MB.
const LENGTH_MAX: u64 = 16 << 20;
