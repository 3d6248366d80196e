//! Sets of numbers as the kernel lists them: `0-3,8`.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Numbers of CPUs, nodes or memory blocks; in a description a text: `0-3,8`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(pub BTreeSet<u32>);

impl Numbers {
    /// The first `count` numbers.
    #[must_use]
    pub fn below(count: u32) -> Self {
        (0..count).collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lowest.
    #[must_use]
    pub fn lowest(&self) -> Option<u32> {
        self.0.first().copied()
    }

    /// Runs of consecutive numbers, in order.
    #[must_use]
    pub fn runs(&self) -> Vec<RangeInclusive<u32>> {
        let mut runs: Vec<RangeInclusive<u32>> = Vec::new();
        for &number in &self.0 {
            match runs.last_mut() {
                Some(run) if run.end() + 1 == number => *run = *run.start()..=number,
                _ => runs.push(number..=number),
            }
        }
        runs
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, run) in self.runs().iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match run.start() == run.end() {
                true => write!(f, "{comma}{}", run.start())?,
                false => write!(f, "{comma}{}-{}", run.start(), run.end())?,
            }
        }
        Ok(())
    }
}

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = BTreeSet::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let wrong = || format!("`{text}` is no list such as 0-3,8");
            let first: u32 = first.parse().map_err(|_| wrong())?;
            let last: u32 = last.parse().map_err(|_| wrong())?;
            // No machine here has more, and a typing error shall not fill the memory.
            if first > last || last > 1 << 16 {
                return Err(wrong());
            }
            numbers.extend(first..=last);
        }
        Ok(Self(numbers))
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_as_it_was_written() {
        for text in ["", "0", "0-1", "0-3,8", "1,3,5-7"] {
            assert_eq!(text.parse::<Numbers>().unwrap().to_string(), text);
        }
        assert_eq!("3,2,1,9".parse::<Numbers>().unwrap().to_string(), "1-3,9");
        for text in [",", "1,", "a", "3-1", "1-", "-1", "0-4000000000"] {
            assert!(text.parse::<Numbers>().is_err(), "{text}");
        }
    }
}
