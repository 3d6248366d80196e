//! Pseudonyms in place of what tells one machine from all others: serial numbers, addresses, UUIDs, names.
//!
//! First every identity is collected: from the places that are known to hold one, and by shape (MAC address, UUID,
//! WWN) from everything else. Then each is replaced wherever and however it is written: in texts and binary
//! tables, in names of files and links, in what links say, and in the answers of probes.
//!
//! A pseudonym is made by HMAC-SHA256 with a secret of the machine's own. A plain hash could be undone by trying
//! all 2^48 MAC addresses, or all the serial numbers that a vendor gives out; with the machine id as its key
//! that is out of reach for whoever has only the capture, while every capture of one machine still tells the
//! same identities by the same pseudonyms. It has the length and the kinds of characters of what it
//! replaces, so that whatever read the one reads the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::io::root::{PROBES, Root};

use super::members::Member;

mod answer;
mod identity;
mod label;
mod lldp;
mod pci;
mod place;
mod search;
mod secret;
mod shape;
mod smbios;
mod wipe;

#[cfg(test)]
use identity::in_order;
use identity::{Identities, Notation};
use search::{Found, Search};

/// What the machine itself is called by, and which may stand in what is captured even if these are not.
const OWN_NAMES: [&str; 8] = [
    "etc/machine-id",
    "etc/hostname",
    "proc/sys/kernel/hostname",
    "proc/sys/kernel/random/boot_id",
    "sys/class/dmi/id/product_uuid",
    "sys/class/dmi/id/product_serial",
    "sys/class/dmi/id/board_serial",
    "sys/class/dmi/id/chassis_serial",
];

/// Everything that is to be replaced, and by what.
#[derive(Debug)]
pub(super) struct Mask {
    search: Search,
}

impl Mask {
    /// The identities in `members`, with pseudonyms made by `key` or else by the machine's own secret.
    pub(super) fn of(
        root: &Root,
        members: &BTreeMap<String, Member>,
        key: Option<&[u8]>,
    ) -> Result<Self> {
        let mut identities = Identities::new(label::words(members));
        for path in OWN_NAMES {
            if let Ok(Some(bytes)) = root.bytes(path) {
                place::collect(path, &bytes, &mut identities);
            }
        }
        for (path, member) in members {
            for name in path.split('/') {
                identities.add_name(name);
            }
            match member {
                Member::Directory(names) => {
                    for name in names {
                        identities.add_name(name);
                    }
                }
                Member::Link(target) => shape::collect(target.as_bytes(), &mut identities),
                Member::File(bytes) => {
                    place::collect(path, bytes, &mut identities);
                    if path.starts_with(PROBES) {
                        answer::collect(bytes, &mut identities);
                    }
                    shape::collect(bytes, &mut identities);
                }
            }
        }
        let key = match key {
            Some(key) => secret::of_key(key),
            None => secret::of_machine(root, &identities),
        };
        let search = Search::new(identities.with_pseudonyms(&key)?)?;
        Ok(Self { search })
    }

    /// The members as they may be shown; the identities that were found are added to `masked`.
    pub(super) fn members(
        &self,
        members: BTreeMap<String, Member>,
        masked: &mut BTreeSet<usize>,
    ) -> BTreeMap<String, Member> {
        let mut shown = BTreeMap::new();
        for (path, member) in members {
            let member = match member {
                Member::Directory(names) => {
                    let names = names.iter().map(|name| self.text(name, masked));
                    Member::Directory(names.collect())
                }
                Member::Link(target) => Member::Link(self.path(&target, masked)),
                Member::File(bytes) => {
                    Member::File(self.file(&path, wipe::wiped(&path, bytes), masked))
                }
            };
            shown.insert(self.path(&path, masked), member);
        }
        shown
    }

    /// A text as it may be shown.
    pub(super) fn text(&self, text: &str, masked: &mut BTreeSet<usize>) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.search.replace(&mut bytes, &[], masked);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A path, part by part: so that what is below a directory stays below it.
    fn path(&self, path: &str, masked: &mut BTreeSet<usize>) -> String {
        let parts: Vec<String> = path
            .split('/')
            .map(|part| self.text(part, masked))
            .collect();
        parts.join("/")
    }

    fn file(&self, path: &str, mut bytes: Vec<u8>, masked: &mut BTreeSet<usize>) -> Vec<u8> {
        if path.starts_with(PROBES)
            && let Some(shown) = answer::replaced(&bytes, &self.search, masked)
        {
            return shown;
        }
        let known: Vec<Found> = place::spans(path, &bytes)
            .into_iter()
            .filter_map(|span| self.search.at(&bytes, span))
            .collect();
        let changed = self.search.replace(&mut bytes, &known, masked);
        if changed && place::is_vpd(path) {
            pci::mend_vpd(&mut bytes);
        }
        bytes
    }
}

/// A piece of a file that is an identity, and how it is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    range: std::ops::Range<usize>,
    kind: identity::Kind,
    notation: Notation,
}

#[cfg(test)]
mod tests;
