//! When to try again: later and later, and not all at the same moment.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(300);

/// A peer that asks for a longer pause is not believed.
const ASKED_MOST: Duration = Duration::from_secs(3600);

/// Doubles from a second to five minutes; what is waited lies between a half and the whole of that.
#[derive(Debug)]
pub(crate) struct Backoff {
    delay: Duration,
    random: u64,
}

impl Backoff {
    /// The jitter comes from `seed` alone.
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            delay: FIRST,
            // The generator stands still at 0.
            random: seed | 1,
        }
    }

    /// It went well.
    pub(crate) const fn reset(&mut self) {
        self.delay = FIRST;
    }

    /// How long to wait now, and at least as long as the peer asked for.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let half = self.delay / 2;
        let wait = half + half.mul_f64(self.fraction());
        self.delay = (self.delay * 2).min(MOST);
        asked.map_or(wait, |asked| wait.max(asked.min(ASKED_MOST)))
    }

    /// From 0 to 1, by Marsaglia's xorshift64.
    fn fraction(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let upper = u32::try_from(self.random >> 32).unwrap_or_default();
        f64::from(upper) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_within_bounds_and_begins_anew_after_a_success() {
        for seed in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            let mut backoff = Backoff::new(seed);
            let mut whole = FIRST;
            for _ in 0..20 {
                let wait = backoff.next(None);
                assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
                whole = (whole * 2).min(MOST);
            }
            backoff.reset();
            assert!(backoff.next(None) <= FIRST);
        }
    }

    #[test]
    fn two_seeds_wait_differently() {
        let waits = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..8).map(|_| backoff.next(None)).collect::<Vec<_>>()
        };
        assert_ne!(waits(3), waits(0xdead_beef_0000_0001));
        assert_eq!(waits(3), waits(3));
    }

    #[test]
    fn a_peer_that_asks_for_a_pause_has_it_within_reason() {
        let mut backoff = Backoff::new(7);
        let ask = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(backoff.next(ask(90)), Duration::from_secs(90));
        assert_eq!(backoff.next(ask(1 << 40)), ASKED_MOST);
        assert!(backoff.next(ask(0)) >= Duration::from_secs(2));
    }
}
