//! What is no identity: what vendors leave in a field that they did not fill in, and words that name a make.

use std::collections::{BTreeMap, HashSet};

use super::identity::{Kind, signs};
use super::place;
use crate::io::capture::members::Member;
use crate::placeholder::is_placeholder;

/// Whether no unit can be told by it: empty, a placeholder, one sign over and over, a run of digits as on a
/// keyboard, or an address of many stations.
pub(super) fn is_nobodys(kind: Kind, text: &str, signs: &str) -> bool {
    let mut all = signs.bytes();
    let first = all.next();
    let hexadecimal = |digits: usize| {
        signs.len() != digits || !signs.bytes().all(|sign| sign.is_ascii_hexdigit())
    };
    let misfit = match kind {
        Kind::Mac => hexadecimal(12) || is_group(signs),
        Kind::Uuid => hexadecimal(32),
        Kind::Eui64 => hexadecimal(16),
        Kind::Wwn => hexadecimal(16) && hexadecimal(32),
        Kind::Serial => text.len() > 256 || is_counted(signs),
        Kind::Name => text.len() > 256,
    };
    misfit || all.all(|sign| Some(sign) == first) || is_placeholder(signs)
}

/// The group bit is the lowest of the first byte (IEEE 802 §8.2.2).
fn is_group(signs: &str) -> bool {
    let second = signs.chars().nth(1).and_then(|sign| sign.to_digit(16));
    second.is_some_and(|digit| digit & 1 == 1)
}

/// `12345678`, `0123456789`, and so on.
fn is_counted(signs: &str) -> bool {
    let runs = ["01234567890123456789", "12345678901234567890"];
    signs.len() >= 3 && runs.iter().any(|run| run.starts_with(signs))
}

/// The words in the places that name makes, models and versions, in lower case.
pub(super) fn words(members: &BTreeMap<String, Member>) -> HashSet<String> {
    let mut words = HashSet::new();
    for (path, member) in members {
        if let Member::File(bytes) = member
            && place::is_label(path)
        {
            let text = String::from_utf8_lossy(bytes);
            words.extend(
                text.split(|c: char| !c.is_ascii_alphanumeric())
                    .filter(|word| !word.is_empty())
                    .map(str::to_ascii_lowercase),
            );
            words.insert(signs(&text));
        }
    }
    words
}
