//! How grave an alarm is by now: a judgement has to last before it counts, each way.

use std::time::Duration;

use crate::alarm::severity::Severity;

/// Since the boot, in nanoseconds: five of them stand in each track.
type Nanoseconds = u64;

/// What is judged now, and what counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// What counts; `None` is no fault.
    pub(super) now: Option<Severity>,
    /// What was judged last.
    pub(super) wanted: Option<Severity>,
    /// For each severity since when the judgement is at least so grave, or is not.
    since: [Nanoseconds; Severity::ALL.len()],
}

/// How long a judgement has to last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasting {
    pub(super) raise: Duration,
    pub(super) clear: Duration,
    /// Until then a fault that counts is not over.
    pub(super) dwell_until: Duration,
}

impl Level {
    /// What is judged from now on.
    pub(super) fn want(&mut self, wanted: Option<Severity>, now: Duration) {
        for (severity, since) in Severity::ALL.iter().zip(&mut self.since) {
            if (self.wanted >= Some(*severity)) != (wanted >= Some(*severity)) {
                *since = nanoseconds(now);
            }
        }
        self.wanted = wanted;
    }

    /// What is not judged so begins to be so now: what was before is not known.
    pub(super) fn restart_absence(&mut self, now: Duration) {
        for (severity, since) in Severity::ALL.iter().zip(&mut self.since) {
            if self.wanted < Some(*severity) {
                *since = nanoseconds(now);
            }
        }
    }

    /// A fault that is over as it is seen, such as a counter that went up: it counts at once, and has to stay away.
    pub(super) fn pulse(&mut self, severity: Severity, now: Duration) {
        self.now = self.now.max(Some(severity));
        self.wanted = None;
        for (_, since) in Severity::ALL
            .iter()
            .zip(&mut self.since)
            .filter(|(one, _)| **one <= severity)
        {
            *since = nanoseconds(now);
        }
    }

    /// It counts at once.
    pub(super) fn force(&mut self, severity: Option<Severity>, now: Duration) {
        self.now = severity;
        self.wanted = severity;
        self.since = [nanoseconds(now); Severity::ALL.len()];
    }

    /// Lets count what has lasted.
    pub(super) fn settle(&mut self, now: Duration, lasting: &Lasting) {
        let lasted = |since: Nanoseconds, long: Duration| now >= at(since).saturating_add(long);
        let rows = || Severity::ALL.iter().zip(&self.since).rev();
        let up = rows().find(|(severity, since)| {
            self.wanted >= Some(**severity) && lasted(**since, lasting.raise)
        });
        let up = up.map(|(severity, _)| *severity);
        if up > self.now {
            self.now = up;
            return;
        }
        let held = rows().find(|(severity, since)| {
            self.now >= Some(**severity)
                && (self.wanted >= Some(**severity) || !lasted(**since, lasting.clear))
        });
        match held {
            Some((severity, _)) => self.now = Some(*severity),
            None if now >= lasting.dwell_until => self.now = None,
            None => {}
        }
    }

    /// When the next judgement will have lasted.
    pub(super) fn due(&self, now: Duration, lasting: &Lasting) -> Option<Duration> {
        let rows = || Severity::ALL.iter().zip(&self.since);
        let up = rows()
            .filter(|(severity, _)| Some(**severity) > self.now && self.wanted >= Some(**severity))
            .map(|(_, since)| at(*since).saturating_add(lasting.raise))
            .min();
        let down = rows()
            .find(|(severity, _)| Some(**severity) == self.now && self.wanted < Some(**severity))
            .map(|(_, since)| at(*since).saturating_add(lasting.clear))
            .map(|due| if due <= now { lasting.dwell_until } else { due });
        up.into_iter().chain(down).min()
    }

    /// Whether nothing is wrong, nor about to be.
    pub(super) const fn is_sound(&self) -> bool {
        self.now.is_none() && self.wanted.is_none()
    }
}

const fn at(since: Nanoseconds) -> Duration {
    Duration::from_nanos(since)
}

fn nanoseconds(time: Duration) -> Nanoseconds {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
