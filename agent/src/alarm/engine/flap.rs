//! How often an alarm came and went lately.

use std::collections::VecDeque;
use std::time::Duration;

use crate::alarm::catalogue::settings::Flap;

/// The last transitions, the oldest first; no more than flapping takes.
#[derive(Clone, Debug, Default)]
pub(super) struct History(VecDeque<Duration>);

impl History {
    /// It came or went; whether that is too often.
    pub(super) fn note(&mut self, now: Duration, flap: Option<Flap>) -> bool {
        let Some(flap) = flap else { return false };
        let enough = usize::try_from(flap.transitions).unwrap_or(usize::MAX);
        self.forget(now, flap);
        self.0.push_back(now);
        while self.0.len() > enough {
            self.0.pop_front();
        }
        self.0.len() >= enough
    }

    /// Drops what is too long ago to count.
    pub(super) fn forget(&mut self, now: Duration, flap: Flap) {
        while self
            .0
            .front()
            .is_some_and(|first| now.saturating_sub(*first) > flap.within)
        {
            self.0.pop_front();
        }
    }

    /// When the last of it is too long ago to count.
    pub(super) fn end(&self, flap: Option<Flap>) -> Option<Duration> {
        let just_after = flap?.within.saturating_add(Duration::from_nanos(1));
        self.0.back().map(|last| last.saturating_add(just_after))
    }

    /// When it last came or went.
    pub(super) fn last(&self) -> Option<Duration> {
        self.0.back().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
