//! Finds every identity in every way that it may be written, in one pass, and writes its pseudonym the same way.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::Span;
use super::identity::{Identity, Kind, Notation, hex, in_order, signs};
use crate::error::{Error, Result};

/// Fewer different digits than that may be any number.
const DIGITS_MIN: usize = 4;

/// A serial number of this length, with letters and digits, is found within a longer word too.
const UNMISTAKABLE: usize = 10;

/// The identities, and the automaton that finds them.
#[derive(Debug)]
pub(super) struct Search {
    automaton: AhoCorasick,
    needles: Vec<Needle>,
    identities: Vec<Identity>,
    by_signs: HashMap<String, usize>,
}

/// One way to write one identity.
#[derive(Debug)]
struct Needle {
    bytes: Vec<u8>,
    /// How much stands before the identity itself.
    before: usize,
    identity: usize,
    notation: Notation,
    edge: Edge,
}

/// What must not stand beside a needle, since it would then be part of something else.
#[derive(Clone, Copy, Debug)]
enum Edge {
    Anything,
    Digit,
    Word,
}

/// An identity where it stands.
#[derive(Debug)]
pub(super) struct Found {
    range: Range<usize>,
    identity: usize,
    notation: Notation,
}

impl Search {
    pub(super) fn new(identities: Vec<Identity>) -> Result<Self> {
        let mut needles = Vec::new();
        for (number, identity) in identities.iter().enumerate() {
            if !identity.local {
                needles_of(number, identity, &mut needles);
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(needles.iter().map(|needle| &needle.bytes))
            .map_err(|_| Error::TooManyIdentities {
                limit: identities.len(),
            })?;
        let by_signs = identities
            .iter()
            .enumerate()
            .map(|(number, identity)| (identity.signs.clone(), number))
            .collect();
        Ok(Self {
            automaton,
            needles,
            identities,
            by_signs,
        })
    }

    /// The identity of a known place.
    pub(super) fn at(&self, bytes: &[u8], span: Span) -> Option<Found> {
        let piece = bytes.get(span.range.clone())?;
        let signs = match span.notation {
            Notation::Text => signs(&String::from_utf8_lossy(piece)),
            notation => hex(&in_order(piece, notation)),
        };
        Some(Found {
            range: span.range,
            identity: *self.by_signs.get(&signs)?,
            notation: span.notation,
        })
    }

    /// Writes pseudonyms over those identities that are `known` to stand in `bytes`, and those that are found.
    pub(super) fn replace(
        &self,
        bytes: &mut [u8],
        known: &[Found],
        masked: &mut BTreeSet<usize>,
    ) -> bool {
        self.replace_in(bytes, known, is_text(bytes), masked)
    }

    /// As [`Search::replace`], in bytes that are no text even if they look like it.
    pub(super) fn replace_bytes(&self, bytes: &mut [u8], masked: &mut BTreeSet<usize>) -> bool {
        self.replace_in(bytes, &[], false, masked)
    }

    fn replace_in(
        &self,
        bytes: &mut [u8],
        known: &[Found],
        text: bool,
        masked: &mut BTreeSet<usize>,
    ) -> bool {
        let mut found: Vec<Found> = self
            .automaton
            .find_overlapping_iter(&*bytes)
            .filter_map(|hit| {
                let needle = self.needles.get(hit.pattern().as_usize())?;
                let stands = needle.stands(bytes, hit.range()) && !(text && needle.is_bytes());
                stands.then_some(Found {
                    range: hit.start() + needle.before..hit.end(),
                    identity: needle.identity,
                    notation: needle.notation,
                })
            })
            .collect();
        // From the left, the longer one first; what is known before what is found.
        found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
        let mut known: Vec<&Found> = known.iter().collect();
        known.sort_by_key(|known| known.range.start);
        let mut end = 0;
        let mut changed = false;
        for found in &found {
            let before = known.partition_point(|known| known.range.start < found.range.end);
            let last = before.checked_sub(1).and_then(|last| known.get(last));
            let free = last.is_none_or(|last| last.range.end <= found.range.start);
            if free && found.range.start >= end {
                end = found.range.end;
                changed |= self.write(bytes, found, masked);
            }
        }
        for known in known {
            changed |= self.write(bytes, known, masked);
        }
        changed
    }

    fn write(&self, bytes: &mut [u8], found: &Found, masked: &mut BTreeSet<usize>) -> bool {
        let (Some(piece), Some(identity)) = (
            bytes.get_mut(found.range.clone()),
            self.identities.get(found.identity),
        ) else {
            return false;
        };
        match found.notation {
            Notation::Text => write_text(piece, &identity.pseudonym),
            notation => {
                let pseudonym = in_order(&unhex(&identity.pseudonym), notation);
                for (to, from) in piece.iter_mut().zip(pseudonym) {
                    *to = from;
                }
            }
        }
        masked.insert(found.identity);
        true
    }
}

impl Needle {
    fn is_bytes(&self) -> bool {
        self.notation != Notation::Text
    }

    fn stands(&self, bytes: &[u8], range: Range<usize>) -> bool {
        if self.is_bytes() {
            return bytes.get(range) == Some(&self.bytes);
        }
        let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
        let beside = [before, bytes.get(range.end)];
        beside.into_iter().flatten().all(|byte| match self.edge {
            Edge::Anything => true,
            Edge::Digit => !byte.is_ascii_hexdigit(),
            Edge::Word => !byte.is_ascii_alphanumeric(),
        })
    }
}

fn needles_of(number: usize, identity: &Identity, needles: &mut Vec<Needle>) {
    let mut add = |bytes: Vec<u8>, before, notation, edge| {
        needles.push(Needle {
            bytes,
            before,
            identity: number,
            notation,
            edge,
        });
    };
    let signs = identity.signs.as_str();
    let texts = match identity.kind {
        Kind::Mac => [(2, ":"), (2, "-"), (4, ".")]
            .map(|by| grouped(signs, by))
            .to_vec(),
        Kind::Eui64 | Kind::Wwn => [(2, ":"), (2, "-"), (4, ":")]
            .map(|by| grouped(signs, by))
            .to_vec(),
        Kind::Uuid => vec![dashed(signs)],
        Kind::Serial | Kind::Name => {
            for spelling in spellings(identity) {
                add(spelling.into_bytes(), 0, Notation::Text, edge(signs));
            }
            return;
        }
    };
    for text in texts {
        add(text.into_bytes(), 0, Notation::Text, Edge::Digit);
    }
    let different: BTreeSet<u8> = signs.bytes().collect();
    if different.len() < DIGITS_MIN {
        return;
    }
    add(signs.as_bytes().to_vec(), 0, Notation::Text, Edge::Digit);
    if identity.kind == Kind::Wwn {
        // udev's scsi-3...: the digit says what sort of name follows.
        add(
            format!("3{signs}").into_bytes(),
            1,
            Notation::Text,
            Edge::Digit,
        );
    }
    let other = match identity.kind {
        Kind::Uuid => Notation::Mixed,
        _ => Notation::Reversed,
    };
    for notation in [Notation::Bytes, other] {
        add(
            in_order(&unhex(signs), notation),
            0,
            notation,
            Edge::Anything,
        );
    }
}

/// How a text stands elsewhere: as it was found, and as udev writes it in names.
fn spellings(identity: &Identity) -> BTreeSet<String> {
    let found = identity.spellings.iter();
    found
        .flat_map(|text| [text.clone(), text.replace(' ', "_")])
        .collect()
}

fn edge(signs: &str) -> Edge {
    let mixed = signs.bytes().any(|sign| sign.is_ascii_digit())
        && signs.bytes().any(|sign| sign.is_ascii_alphabetic());
    if mixed && signs.len() >= UNMISTAKABLE {
        Edge::Anything
    } else {
        Edge::Word
    }
}

fn grouped(signs: &str, (length, separator): (usize, &str)) -> String {
    let mut text = String::new();
    for (place, sign) in signs.chars().enumerate() {
        if place > 0 && place % length == 0 {
            text.push_str(separator);
        }
        text.push(sign);
    }
    text
}

fn dashed(signs: &str) -> String {
    let mut text = String::new();
    for (place, sign) in signs.chars().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(sign);
    }
    text
}

fn unhex(signs: &str) -> Vec<u8> {
    let digit = |sign: char| u8::try_from(sign.to_digit(16)?).ok();
    let digits: Vec<u8> = signs.chars().filter_map(digit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}

/// Writes the signs of a pseudonym over those of `piece`, in its case, and leaves what stands between them.
fn write_text(piece: &mut [u8], pseudonym: &str) {
    let upper =
        piece.iter().any(u8::is_ascii_uppercase) && !piece.iter().any(u8::is_ascii_lowercase);
    let signs = piece.iter_mut().filter(|byte| byte.is_ascii_alphanumeric());
    for (to, from) in signs.zip(pseudonym.bytes()) {
        *to = if to.is_ascii_uppercase() || (upper && to.is_ascii_digit()) {
            from.to_ascii_uppercase()
        } else {
            from
        };
    }
}

/// Whether only text stands in it, and so no identity as bytes.
fn is_text(bytes: &[u8]) -> bool {
    let odd = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t' | b'\r' | 0);
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(odd)
}
