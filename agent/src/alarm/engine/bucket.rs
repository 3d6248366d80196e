//! Two buckets: one that fills with tokens, and one that counts leak from.

use std::time::Duration;

use crate::alarm::catalogue::settings::Storm;

/// Tokens for what may be told: full at first.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    left: u32,
    /// Since when the next token grows.
    since: Duration,
}

impl Tokens {
    pub(super) const fn full(storm: Storm, now: Duration) -> Self {
        Self {
            left: storm.burst,
            since: now,
        }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, storm: Storm, now: Duration) -> bool {
        self.grow(storm, now);
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }

    /// When there is one.
    pub(super) fn ready_at(&self, storm: Storm, now: Duration) -> Duration {
        if self.left > 0 {
            now
        } else {
            self.since.saturating_add(storm.every)
        }
    }

    fn grow(&mut self, storm: Storm, now: Duration) {
        let passed = now.saturating_sub(self.since).as_nanos();
        let every = storm.every.as_nanos().max(1);
        let grown = u32::try_from(passed / every).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(grown).min(storm.burst);
        // What is left of the last interval counts for the next, unless the bucket is full.
        let rest = u64::try_from(passed % every).unwrap_or(0);
        self.since = if self.left == storm.burst {
            now
        } else {
            now.saturating_sub(Duration::from_nanos(rest))
        };
    }
}

/// A count that fades: `allowed` leaks out of it in `over`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Leaky {
    level: f64,
    at: Duration,
}

impl Leaky {
    /// Adds `more`; how much there is then.
    pub(super) fn add(&mut self, more: u64, allowed: f64, over: Duration, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        let leaked = allowed * passed / over.as_secs_f64().max(f64::MIN_POSITIVE);
        // More than 2^53 events between two looks count as 2^53 about.
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of faults is compared with a small limit"
        )]
        let more = more as f64;
        self.level = (self.level - leaked).max(0.0) + more;
        self.at = now;
        self.level
    }

    /// When nothing is left of it.
    pub(super) fn empty_at(&self, allowed: f64, over: Duration) -> Option<Duration> {
        let time = self.level / allowed.max(f64::MIN_POSITIVE) * over.as_secs_f64();
        let time = Duration::try_from_secs_f64(time).unwrap_or(Duration::MAX);
        (self.level > 0.0).then(|| self.at.saturating_add(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn tokens_come_back_one_by_one_and_no_part_of_an_interval_is_lost() {
        let storm = Storm {
            burst: 2,
            every: seconds(10),
        };
        let mut tokens = Tokens::full(storm, seconds(100));
        assert!(tokens.take(storm, seconds(100)) && tokens.take(storm, seconds(100)));
        assert!(!tokens.take(storm, seconds(109)));
        assert_eq!(tokens.ready_at(storm, seconds(109)), seconds(110));
        assert!(tokens.take(storm, seconds(115)));
        assert!(!tokens.take(storm, seconds(119)));
        assert!(tokens.take(storm, seconds(120)));
        assert!(tokens.take(storm, seconds(1000)) && tokens.take(storm, seconds(1000)));
        assert!(!tokens.take(storm, seconds(1000)));
    }

    #[test]
    fn a_count_fades_as_fast_as_is_allowed() {
        let mut count = Leaky::default();
        let day = seconds(86_400);
        assert!((count.add(8, 10.0, day, seconds(0)) - 8.0).abs() < 1e-9);
        assert!((count.add(4, 10.0, day, day / 2) - 7.0).abs() < 1e-9);
        let end = count.empty_at(10.0, day).unwrap();
        assert!(end > day && end < day * 2);
        assert!((count.add(1, 10.0, day, day * 9) - 1.0).abs() < 1e-9);
    }
}
