//! Identities: what they are made of, which of them are looked for everywhere, and their pseudonyms.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::{Error, Result};

use super::secret::{Key, Stream};

/// More than any machine has; each costs memory for as long as the capture takes.
const IDENTITIES_MAX: usize = 65_536;

/// The longest text that is looked for elsewhere than where it stands.
const TEXT_MAX: usize = 64;

/// What sort of identity it is. Of two sorts that one text was taken for, the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An Ethernet address: 12 hexadecimal digits.
    Mac,
    /// 32 hexadecimal digits.
    Uuid,
    /// An EUI-64 or an InfiniBand GUID: 16 hexadecimal digits.
    Eui64,
    /// A World Wide Name: 16 or 32 hexadecimal digits, of which the first says how it was made.
    Wwn,
    /// Any text that a vendor tells one unit by.
    Serial,
    /// The name that an owner gave to a machine.
    Name,
}

/// How an identity is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Notation {
    /// As text, with whatever stands between its letters and digits, in either case.
    Text,
    /// As bytes, the first first.
    Bytes,
    /// As bytes, the last first.
    Reversed,
    /// As bytes, the first three fields of a UUID with their last byte first (SMBIOS 3.7 §7.2.1).
    Mixed,
}

/// One identity and its pseudonym.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) kind: Kind,
    /// Its letters and digits, in lower case.
    pub(super) signs: String,
    /// As many letters and digits.
    pub(super) pseudonym: String,
    /// How it was written, where that cannot be told from the signs.
    pub(super) spellings: BTreeSet<String>,
    /// Whether it is only replaced where it is known to stand: elsewhere it might be anything.
    pub(super) local: bool,
}

/// The identities of a machine, as they are collected.
#[derive(Debug)]
pub(super) struct Identities {
    found: BTreeMap<String, (Kind, BTreeSet<String>)>,
    /// Words that name makes, models and versions.
    labels: HashSet<String>,
    /// Names of files, links and directories, in lower case.
    names: HashSet<String>,
}

impl Identities {
    pub(super) fn new(labels: HashSet<String>) -> Self {
        Self {
            found: BTreeMap::new(),
            labels,
            names: HashSet::new(),
        }
    }

    /// Takes note of the name of a file, and of the identities in it.
    pub(super) fn add_name(&mut self, name: &str) {
        if self.names.insert(name.to_lowercase()) {
            super::shape::collect(name.as_bytes(), self);
        }
    }

    /// Adds an identity as it is written, unless nobody could be told by it.
    pub(super) fn add(&mut self, kind: Kind, text: &str) {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        let signs = signs(text);
        // One more than are allowed is enough to know.
        if super::label::is_nobodys(kind, text, &signs) || self.found.len() > IDENTITIES_MAX {
            return;
        }
        let (known, spellings) = self.found.entry(signs).or_insert((kind, BTreeSet::new()));
        *known = kind.min(*known);
        if matches!(kind, Kind::Serial | Kind::Name) {
            spellings.insert(text.to_owned());
        }
    }

    /// Adds an identity that is written as bytes.
    pub(super) fn add_bytes(&mut self, kind: Kind, bytes: &[u8], notation: Notation) {
        self.add(kind, &hex(&in_order(bytes, notation)));
    }

    /// The signs of all of them, in order.
    pub(super) fn signs(&self) -> impl Iterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }

    /// Gives each its pseudonym, and no two the same.
    pub(super) fn with_pseudonyms(self, key: &Key) -> Result<Vec<Identity>> {
        if self.found.len() > IDENTITIES_MAX {
            return Err(Error::TooManyIdentities {
                limit: IDENTITIES_MAX,
            });
        }
        let mut taken = HashSet::new();
        let mut identities = Vec::with_capacity(self.found.len());
        for (signs, (kind, spellings)) in &self.found {
            let mut pseudonym = String::new();
            for attempt in 0..16 {
                pseudonym = match self.mac_within(*kind, signs) {
                    Some((mac, filler)) if attempt == 0 => around(key, &mac, filler),
                    _ => pseudonym_of(*kind, signs, &mut key.stream(signs, attempt)),
                };
                if pseudonym != *signs && taken.insert(pseudonym.clone()) {
                    break;
                }
            }
            identities.push(Identity {
                kind: *kind,
                signs: signs.clone(),
                pseudonym,
                spellings: spellings.clone(),
                local: self.is_local(*kind, signs),
            });
        }
        Ok(identities)
    }

    /// Whether replacing it everywhere could hit what is no identity: a number among numbers, the name of a
    /// maker, the kernel's name for a device.
    fn is_local(&self, kind: Kind, signs: &str) -> bool {
        if !matches!(kind, Kind::Serial | Kind::Name) {
            return false;
        }
        let letters = signs.bytes().any(|sign| sign.is_ascii_alphabetic());
        let digits = signs.bytes().any(|sign| sign.is_ascii_digit());
        let long_enough = match kind {
            Kind::Name => letters && signs.len() >= 4,
            _ => signs.len() >= if letters && digits { 5 } else { 8 },
        };
        let in_the_tree = kind == Kind::Name || is_device_name(signs);
        !long_enough
            || signs.len() > TEXT_MAX
            || self.labels.contains(signs)
            || (in_the_tree && self.names.contains(signs))
    }

    /// The address that an EUI-64 was made of, and what was put into its middle (`ff:fe`, or `ff:ff` in PCI).
    fn mac_within<'a>(&self, kind: Kind, signs: &'a str) -> Option<(String, &'a str)> {
        let filler = signs.get(6..10).filter(|_| kind == Kind::Eui64)?;
        if !matches!(filler, "fffe" | "ffff") {
            return None;
        }
        Some((format!("{}{}", signs.get(..6)?, signs.get(10..)?), filler))
    }
}

fn around(key: &Key, mac: &str, filler: &str) -> String {
    let mac = pseudonym_of(Kind::Mac, mac, &mut key.stream(mac, 0));
    let (maker, unit) = mac.split_at_checked(6).unwrap_or_default();
    format!("{maker}{filler}{unit}")
}

/// `cpu12`, `nvme0`, `eth1`: a short word with a short number.
fn is_device_name(signs: &str) -> bool {
    let word = signs.trim_end_matches(|sign: char| sign.is_ascii_digit());
    let number = signs.len() - word.len();
    word.len() >= 2
        && word.bytes().all(|sign| sign.is_ascii_lowercase())
        && (1..=4).contains(&number)
}

/// The letters and digits of a text, in lower case: all that its spellings have in common.
pub(super) fn signs(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|sign| sign.to_ascii_lowercase())
        .collect()
}

/// Hexadecimal digits of bytes.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes of a notation in the order in which they are written as text; and back again.
pub(super) fn in_order(bytes: &[u8], notation: Notation) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match notation {
        Notation::Reversed => bytes.reverse(),
        Notation::Mixed => {
            for field in [0..4, 4..6, 6..8] {
                if let Some(field) = bytes.get_mut(field) {
                    field.reverse();
                }
            }
        }
        Notation::Text | Notation::Bytes => {}
    }
    bytes
}

fn pseudonym_of(kind: Kind, signs: &str, stream: &mut Stream<'_>) -> String {
    let hexadecimal = signs.bytes().all(|sign| sign.is_ascii_hexdigit());
    let mut pseudonym = String::with_capacity(signs.len());
    for (place, sign) in signs.bytes().enumerate() {
        let random = stream.next();
        let nibble = |value: u32| char::from_digit(value & 0xf, 16).unwrap_or('0');
        let value = |sign: u8| char::from(sign).to_digit(16).unwrap_or(0);
        pseudonym.push(match (kind, place) {
            // Locally administered, and of one station.
            (Kind::Mac | Kind::Eui64, 0) => '0',
            (Kind::Mac | Kind::Eui64, 1) => '2',
            // The version, and the two bits of the variant (RFC 9562 §4).
            (Kind::Uuid, 12) | (Kind::Wwn, 0) => char::from(sign),
            (Kind::Uuid, 16) => nibble(value(sign) & 0xc | u32::from(random) & 0x3),
            (Kind::Serial | Kind::Name, _) => char::from(match sign {
                b'0'..=b'9' => b'0' + random % 10,
                _ if hexadecimal => b'a' + random % 6,
                _ => b'a' + random % 26,
            }),
            _ => nibble(u32::from(random)),
        });
    }
    pseudonym
}
