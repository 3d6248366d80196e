//! A set of small numbers as the kernel writes it: a cpulist or a nodelist.
//!
//! ```text
//! 0-3,8,12-15
//! ```

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of CPU or node numbers. In JSON and in tables it is the kernel's list: `"0-3,8"`; empty is `""`.
///
/// Numbers from [`IdSet::LIMIT`] on are refused: no kernel counts that far, and a hostile
/// list must not be able to take memory.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct IdSet {
    /// Bit `n % 64` of word `n / 64`; the last word is never zero, so that equal sets compare equal.
    words: Vec<u64>,
}

/// A text is no list of numbers below [`IdSet::LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAList;

impl fmt::Display for NotAList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a list such as 0-3,8")
    }
}

impl std::error::Error for NotAList {}

impl IdSet {
    /// The first number that no set can hold. Linux stops at 8192 CPUs and 1024 nodes.
    pub const LIMIT: u32 = 1 << 16;

    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Adds `id`; one that is not below [`IdSet::LIMIT`] is left out, and `false` says so.
    pub fn insert(&mut self, id: u32) -> bool {
        if id >= Self::LIMIT {
            return false;
        }
        let (word, bit) = place(id);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(slot) = self.words.get_mut(word) {
            *slot |= bit;
        }
        true
    }

    /// Takes `id` out, if it is in.
    pub fn remove(&mut self, id: u32) {
        let (word, bit) = place(id);
        if let Some(slot) = self.words.get_mut(word) {
            *slot &= !bit;
        }
        self.trim();
    }

    /// Whether `id` is in the set.
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        let (word, bit) = place(id);
        self.words.get(word).is_some_and(|slot| slot & bit != 0)
    }

    /// How many numbers are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The lowest number.
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        self.iter().next()
    }

    /// The numbers, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..)
            .step_by(64)
            .zip(&self.words)
            .flat_map(|(base, &word)| {
                std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                    .take_while(|rest| *rest != 0)
                    .map(move |rest| base + rest.trailing_zeros())
            })
    }

    /// Whether every number of this set is also in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.pairs(other).all(|(own, other)| own & !other == 0)
    }

    /// Whether the two sets share a number.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.words
            .iter()
            .zip(&other.words)
            .any(|(own, other)| own & other != 0)
    }

    /// The numbers that are in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, |own, other| own | other)
    }

    /// The numbers that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |own, other| own & other)
    }

    /// The numbers of this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |own, other| own & !other)
    }

    /// The runs of consecutive numbers, first and last of each.
    #[must_use]
    pub fn ranges(&self) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for id in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == id => *last = id,
                _ => ranges.push((id, id)),
            }
        }
        ranges
    }

    /// As the kernel writes it: `0-3,8`.
    fn text(&self) -> String {
        let mut text = String::new();
        for (first, last) in self.ranges() {
            let comma = if text.is_empty() { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = if last > first {
                write!(text, "{comma}{first}-{last}")
            } else {
                write!(text, "{comma}{first}")
            };
        }
        text
    }

    fn combine(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let mut set = Self {
            words: self
                .pairs(other)
                .map(|(own, other)| f(own, other))
                .collect(),
        };
        set.trim();
        set
    }

    fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (u64, u64)> + 'a {
        let word = |words: &[u64], index| words.get(index).copied().unwrap_or(0);
        (0..self.words.len().max(other.words.len()))
            .map(move |index| (word(&self.words, index), word(&other.words, index)))
    }

    fn trim(&mut self) {
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }
}

fn place(id: u32) -> (usize, u64) {
    ((id / 64) as usize, 1 << (id % 64))
}

/// The kernel's list format, `bitmap_parselist` without its stride form, which the kernel never prints.
///
/// Empty is the empty set, and so is `(null)`: kernels before 6.1 print a missing `nohz_full` mask so.
impl FromStr for IdSet {
    type Err = NotAList;

    fn from_str(text: &str) -> Result<Self, NotAList> {
        let mut set = Self::new();
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0');
        if text.is_empty() || text == "(null)" {
            return Ok(set);
        }
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first = number(first)?;
            let last = number(last)?;
            if first > last {
                return Err(NotAList);
            }
            for id in first..=last {
                set.insert(id);
            }
        }
        Ok(set)
    }
}

fn number(text: &str) -> Result<u32, NotAList> {
    // `u32::from_str` takes a sign, the kernel never writes one.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotAList);
    }
    text.parse()
        .ok()
        .filter(|id| *id < IdSet::LIMIT)
        .ok_or(NotAList)
}

impl fmt::Display for IdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for IdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdSet({self})")
    }
}

/// Numbers that are not below [`IdSet::LIMIT`] are left out.
impl FromIterator<u32> for IdSet {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        let mut set = Self::new();
        for id in ids {
            set.insert(id);
        }
        set
    }
}

/// By the lowest number, then as the list reads: the order in which tables are sorted.
impl Ord for IdSet {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for IdSet {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for IdSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for IdSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for IdSet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IdSet".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Numbers as the kernel lists them: 0-3,8",
            "type": "string",
            "pattern": "^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> IdSet {
        text.parse().unwrap()
    }

    #[test]
    fn what_the_kernel_prints_is_read_and_printed_again() {
        for (text, printed, len) in [
            ("", "", 0),
            ("\n", "", 0),
            (" \n\0", "", 0),
            ("(null)\n", "", 0),
            ("0\n", "0", 1),
            ("0-3\n\0", "0-3", 4),
            ("0-3,8,12-15", "0-3,8,12-15", 9),
            ("63-64", "63-64", 2),
            ("8,0,1", "0-1,8", 3),
            ("65535", "65535", 1),
        ] {
            let set: IdSet = text.parse().unwrap_or_else(|_| panic!("{text:?}"));
            assert_eq!(
                (set.to_string().as_str(), set.len()),
                (printed, len),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_the_kernel_never_prints_is_refused() {
        for text in [
            "x",
            "-1",
            "1-",
            "3-1",
            "1,,2",
            "1-2-3",
            "65536",
            "0-4294967295",
            "+1",
            "0x1",
            "1 2",
            ",",
        ] {
            assert_eq!(text.parse::<IdSet>(), Err(NotAList), "{text:?}");
        }
    }

    #[test]
    fn sets_combine() {
        let (a, b) = (set("0-3,70"), set("2-5"));
        assert_eq!(a.union(&b), set("0-5,70"));
        assert_eq!(a.intersection(&b), set("2-3"));
        assert_eq!(a.difference(&b), set("0-1,70"));
        assert!(set("70").is_subset(&a) && !a.is_subset(&b) && a.intersects(&b));
        assert!(!a.intersects(&set("71")) && IdSet::new().is_subset(&b));
        assert_eq!(a.first(), Some(0));
    }

    #[test]
    fn taking_the_last_number_out_leaves_the_empty_set() {
        let mut set = set("70");
        set.remove(70);
        assert_eq!(set, IdSet::new());
        assert!(set.is_empty());
    }

    proptest! {
        #[test]
        fn parse_of_display_is_the_same_set(ids in proptest::collection::btree_set(0..IdSet::LIMIT, 0..40)) {
            let set: IdSet = ids.iter().copied().collect();
            prop_assert_eq!(set.to_string().parse::<IdSet>().unwrap(), set.clone());
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), ids.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<IdSet>();
        }
    }
}
