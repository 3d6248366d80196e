//! What a monitor keeps from look to look, and over a restart of the agent.
//!
//! Of a counter only its growth is news. The last values are kept, so that what happened while the agent was down is seen by
//! difference. What a counter of the boot gathered between the last look and a reboot is lost with the kernel that counted it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long what is kept means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Until the next boot: the kernel's own counters begin again at 0.
    Boot,
    /// For ever: what a drive counts in its life.
    Life,
}

/// What the first sight of a counter tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// All that it holds happened in this boot, and is told.
    Tells,
    /// It is where counting begins: nobody knows over how long it gathered what it holds.
    Begins,
}

/// The last values of counters, and what was once so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remembered {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<Uuid>,
    #[serde(default)]
    of_boot: Memory,
    #[serde(default)]
    of_life: Memory,
    /// What the look under way has touched: after a complete one the rest is forgotten.
    #[serde(skip)]
    fresh: [Memory; 2],
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counters: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    marks: BTreeSet<String>,
}

impl Remembered {
    /// A look in `boot` begins. In another boot than the last one, the counters of the boot stood at 0 since.
    pub(crate) fn begin(&mut self, boot: Uuid) {
        self.fresh = <_>::default();
        if self.boot.replace(boot).is_some_and(|last| last != boot) {
            self.of_boot.marks.clear();
            self.of_boot
                .counters
                .values_mut()
                .for_each(|last| *last = 0);
        }
    }

    /// The look has ended. After one that saw all there is, what it did not touch is forgotten.
    pub(crate) fn end(&mut self, complete: bool) {
        let [of_boot, of_life] = std::mem::take(&mut self.fresh);
        for (kept, fresh) in [(&mut self.of_boot, of_boot), (&mut self.of_life, of_life)] {
            if complete {
                *kept = fresh;
            } else {
                kept.counters.extend(fresh.counters);
                kept.marks.extend(fresh.marks);
            }
        }
    }

    /// By how much the counter `name`, which stands at `value` now, grew since it was last seen; `None`, and what is known
    /// is kept, where it could not be read.
    ///
    /// One that went back was reset, or came to the end of its 32 bits; in the life of a device it is another device's.
    pub(crate) fn growth(
        &mut self,
        (span, first): (Span, First),
        name: &str,
        value: Option<u64>,
    ) -> Option<u64> {
        let last = self.memory(span).counters.get(name).copied();
        let kept = value.or(last)?;
        self.fresh(span).counters.insert(name.to_owned(), kept);
        let value = value?;
        Some(match last {
            None if first == First::Tells => value,
            None => 0,
            Some(last) if value >= last => value - last,
            Some(last) if has_wrapped(last, value) => value + (1 << 32) - last,
            Some(_) if span == Span::Boot => value,
            Some(_) => 0,
        })
    }

    /// The most that `name` ever was, what it is now counted in.
    pub(crate) fn most(&mut self, span: Span, name: &str, value: Option<u64>) -> Option<u64> {
        let most = value.max(self.memory(span).counters.get(name).copied())?;
        self.fresh(span).counters.insert(name.to_owned(), most);
        Some(most)
    }

    /// Whether it `is` so, or was once.
    pub(crate) fn ever(&mut self, span: Span, name: &str, is: bool) -> bool {
        let ever = is || self.memory(span).marks.contains(name);
        if ever {
            self.fresh(span).marks.insert(name.to_owned());
        }
        ever
    }

    const fn memory(&self, span: Span) -> &Memory {
        match span {
            Span::Boot => &self.of_boot,
            Span::Life => &self.of_life,
        }
    }

    const fn fresh(&mut self, span: Span) -> &mut Memory {
        let [of_boot, of_life] = &mut self.fresh;
        match span {
            Span::Boot => of_boot,
            Span::Life => of_life,
        }
    }
}

/// Whether a counter of 32 bits went from its last quarter into its first.
fn has_wrapped(last: u64, value: u64) -> bool {
    const QUARTER: u64 = 1 << 30;
    (3 * QUARTER..4 * QUARTER).contains(&last) && value < QUARTER
}

#[cfg(test)]
mod tests {
    use super::*;

    const TELLS: (Span, First) = (Span::Boot, First::Tells);
    const BEGINS: (Span, First) = (Span::Boot, First::Begins);
    const LIFE: (Span, First) = (Span::Life, First::Begins);

    fn after(how: (Span, First), looks: &[(u128, u64)]) -> Vec<u64> {
        let mut remembered = Remembered::default();
        let mut grown = Vec::new();
        for (boot, value) in looks {
            remembered.begin(Uuid::from_u128(*boot));
            grown.extend(remembered.growth(how, "c", Some(*value)));
            remembered.end(true);
            // As if the agent were started again between any two looks.
            let json = serde_json::to_string(&remembered).unwrap();
            remembered = serde_json::from_str(&json).unwrap();
        }
        grown
    }

    #[test]
    fn only_growth_is_told_over_restarts_resets_boots_and_the_end_of_32_bits() {
        for (how, looks, expected) in [
            (TELLS, &[(1, 3), (1, 3), (1, 5)][..], &[3, 0, 2][..]),
            (BEGINS, &[(1, 3), (1, 5)], &[0, 2]),
            // Reset within the boot: all that it holds is new.
            (BEGINS, &[(1, 9), (1, 2), (1, 3)], &[0, 2, 1]),
            // Another boot: it began at 0, even where it is already beyond where it stood.
            (BEGINS, &[(1, 9), (2, 2)], &[0, 2]),
            (TELLS, &[(1, 9), (2, 12)], &[9, 12]),
            (BEGINS, &[(1, (1 << 32) - 2), (1, 3)], &[0, 5]),
            // A drive's count goes on over a boot, and what is less is another drive's.
            (LIFE, &[(1, 9), (2, 12), (2, 4), (2, 5)], &[0, 3, 0, 1]),
        ] {
            assert_eq!(after(how, looks), expected, "{how:?} {looks:?}");
        }
    }

    #[test]
    fn a_counter_that_could_not_be_read_is_not_forgotten_and_one_that_is_gone_is() {
        let mut remembered = Remembered::default();
        let boot = Uuid::from_u128(1);
        for (value, expected) in [(Some(4), Some(0)), (None, None), (Some(6), Some(2))] {
            remembered.begin(boot);
            assert_eq!(remembered.growth(BEGINS, "c", value), expected);
            remembered.end(true);
        }
        remembered.begin(boot);
        remembered.end(false);
        assert!(remembered.of_boot.counters.contains_key("c"));
        remembered.begin(boot);
        remembered.end(true);
        assert_eq!(remembered.of_boot, Memory::default());
    }

    #[test]
    fn a_mark_of_the_boot_ends_with_it_and_one_of_life_does_not() {
        let mut remembered = Remembered::default();
        for (boot, is, expected) in [
            (1, true, (true, true)),
            (1, false, (true, true)),
            (2, false, (false, true)),
        ] {
            remembered.begin(Uuid::from_u128(boot));
            let ever = (
                remembered.ever(Span::Boot, "up", is),
                remembered.ever(Span::Life, "up", is),
            );
            remembered.end(true);
            assert_eq!(ever, expected, "{boot}");
        }
    }
}
