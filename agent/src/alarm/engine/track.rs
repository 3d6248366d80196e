//! What the engine knows of one key.

use std::time::Duration;

use crate::alarm::catalogue::Kind;
use crate::alarm::catalogue::settings::Settings;
use crate::alarm::instance::{Alarm, Phase};
use crate::alarm::key::Key;
use crate::alarm::observation::{Evidence, MonitorName};
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;
use crate::alarm::time::Stamp;

use super::bucket::Leaky;
use super::flap::History;
use super::level::{Lasting, Level};

/// A key of which there is something to remember: a fault that has yet to last, an alarm, or how often it came and went.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) key: Key,
    pub(super) kind: Kind,
    pub(super) monitor: MonitorName,
    pub(super) level: Level,
    /// What counted when it was last looked at.
    pub(super) counted: Option<Severity>,
    /// Until then its alarm is not over.
    pub(super) dwell_until: Duration,
    /// Nobody knows how it is now: time that passes proves nothing.
    pub(super) blind: bool,
    pub(super) history: History,
    pub(super) count: Leaky,
    /// When it was last told of.
    pub(super) observed: Duration,
    /// When the fault was first seen that is there or about to be.
    pub(super) first_observed: Option<Stamp>,
    pub(super) text: Text,
    pub(super) evidence: Vec<Evidence>,
    pub(super) value: Option<f64>,
    pub(super) occurrences: u64,
    /// Who set it by an order.
    pub(super) set_by: Option<Text>,
    pub(super) alarm: Option<Box<Alarm>>,
    pub(super) telling: Telling,
    /// When an alarm that was loaded is stale, unless something is observed of it.
    pub(super) verify_by: Option<Duration>,
    /// It was loaded, and its fault is gone since.
    pub(super) gone_since_start: bool,
    /// When a symptom without a cause becomes an alarm of its own.
    pub(super) release_at: Option<Duration>,
    /// Whether it is among those that make room for others.
    pub(super) spare: bool,
    /// The timer that is set for it.
    pub(super) due: Option<Duration>,
}

/// What of an alarm's changes was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Telling {
    /// When a raise or a change was last told.
    pub(super) at: Duration,
    /// How grave it was then.
    pub(super) severity: Option<Severity>,
    /// Changes since, none of them told.
    pub(super) changes: u64,
    /// What was held back while it flapped.
    pub(super) held: u64,
}

impl Track {
    pub(super) fn new(key: Key, kind: Kind, monitor: MonitorName) -> Self {
        Self {
            key,
            kind,
            monitor,
            level: Level::default(),
            counted: None,
            dwell_until: Duration::ZERO,
            blind: false,
            history: History::default(),
            count: Leaky::default(),
            observed: Duration::ZERO,
            first_observed: None,
            text: Text::default(),
            evidence: Vec::new(),
            value: None,
            occurrences: 0,
            set_by: None,
            alarm: None,
            telling: Telling::default(),
            verify_by: None,
            gone_since_start: false,
            release_at: None,
            spare: false,
            due: None,
        }
    }

    pub(super) const fn lasting(&self, settings: &Settings) -> Lasting {
        Lasting {
            raise: settings.raise_for,
            clear: settings.clear_for,
            dwell_until: self.dwell_until,
        }
    }

    pub(super) fn is_flapping(&self) -> bool {
        self.alarm
            .as_ref()
            .is_some_and(|alarm| alarm.flapping.is_some())
    }

    /// Its alarm is over.
    pub(super) fn forget_alarm(&mut self) {
        self.telling = Telling::default();
        self.first_observed = None;
        self.occurrences = 0;
        self.value = None;
        self.verify_by = None;
        self.gone_since_start = false;
        self.release_at = None;
        self.set_by = None;
        self.dwell_until = Duration::ZERO;
    }

    /// When a flapping alarm has rested for long enough.
    pub(super) fn rests_at(&self, settings: &Settings) -> Option<Duration> {
        let flap = settings
            .flap
            .filter(|_| self.is_flapping() && !self.blind)?;
        Some(
            self.history
                .last()
                .unwrap_or_default()
                .saturating_add(flap.quiet),
        )
    }

    /// Whether nothing has to be remembered of it.
    pub(super) fn is_over(&self, settings: &Settings, now: Duration) -> bool {
        self.alarm.is_none()
            && self.level.is_sound()
            && self.history.is_empty()
            && self.count_ends(settings).is_none_or(|end| end <= now)
    }

    /// Whether all that is remembered of it is that it came and went.
    pub(super) fn is_spare(&self, settings: &Settings) -> bool {
        self.alarm.is_none() && self.level.is_sound() && self.count_ends(settings).is_none()
    }

    fn count_ends(&self, settings: &Settings) -> Option<Duration> {
        self.count.empty_at(allowed(settings), settings.over?)
    }

    /// When it has to be looked at again, if nothing is told of it before.
    pub(super) fn next(&self, settings: &Settings, now: Duration) -> Option<Duration> {
        let level = match self.blind {
            true => None,
            false => self.level.due(now, &self.lasting(settings)),
        };
        let changes = self.alarm.is_some() && self.telling.changes > 0;
        let change = changes.then(|| self.telling.at.saturating_add(settings.change_every));
        let end = match (&self.alarm, self.level.is_sound()) {
            (None, true) => self
                .history
                .end(settings.flap)
                .max(self.count_ends(settings)),
            _ => None,
        };
        let all = [
            level,
            change,
            end,
            self.rests_at(settings),
            self.verify_by,
            self.release_at,
        ];
        all.into_iter().flatten().min()
    }

    /// The phase of its alarm, by what is judged.
    pub(super) fn phase(&self) -> Phase {
        match (self.level.now, self.level.wanted) {
            (Some(_), None) if !self.is_flapping() => Phase::Clearing,
            _ => Phase::Raised,
        }
    }
}

/// How many of a counter's increases are allowed in its window: those of the mildest band.
pub(super) fn allowed(settings: &Settings) -> f64 {
    settings.bands.rows().last().map_or(1.0, |band| band.raise)
}
