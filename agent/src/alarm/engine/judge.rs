//! What an observation changes of its track.

use std::sync::Arc;

use crate::alarm::catalogue::Definition;
use crate::alarm::catalogue::settings::Settings;
use crate::alarm::event::{Reason, What};
use crate::alarm::instance::{Phase, Stale};
use crate::alarm::observation::{Bands, EVIDENCE_MAX, Failure, Observation, Round, Seen};
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;

use super::registry::Slot;
use super::track::{Track, allowed};
use super::{Engine, is_own};

impl Engine {
    pub(super) fn observe(&mut self, observation: Observation) {
        let catalogue = Arc::clone(&self.catalogue);
        let kind = catalogue.kind(&observation.key.alarm);
        let Some((kind, definition)) =
            kind.and_then(|kind| Some((kind, catalogue.definition(kind)?)))
        else {
            return self.refuse_undefined();
        };
        let slot = match self.registry.find(&observation.key) {
            Some(slot) => slot,
            None if !is_news(&observation.seen, &definition.settings) => return,
            None => {
                let monitor = observation.monitor.clone();
                let track = Track::new(observation.key.clone(), kind, monitor);
                match self.admit(track, definition) {
                    Some(slot) => slot,
                    None => return self.refuse_key(),
                }
            }
        };
        self.work(slot, |engine, track, definition| {
            engine.judge(track, observation, definition)
        });
    }

    /// A place for a new track, if there is one.
    pub(super) fn admit(&mut self, track: Track, definition: &Definition) -> Option<Slot> {
        let full = self.registry.len() >= self.limits.keys_max;
        let room = !full || is_own(definition) || self.registry.make_room();
        room.then(|| self.registry.insert(track))
    }

    fn judge(&mut self, track: &mut Track, observation: Observation, definition: &Definition) {
        let now = self.now.boottime;
        let settings = &definition.settings;
        track.observed = now;
        if track.monitor != observation.monitor {
            track.monitor = observation.monitor.clone();
        }
        let counts = matches!(observation.seen, Seen::Increase(_));
        let fault = match &observation.seen {
            Seen::Unknown(reason) => return self.lose_sight(track, reason),
            Seen::Value { value, .. } if !value.is_finite() => {
                return self.lose_sight(track, &Text::clean("the value measured is no number"));
            }
            Seen::Fault(severity) => want(track, Some(severity.unwrap_or(settings.severity)), now),
            Seen::Absent => want(track, None, now),
            Seen::Value { value, bands } => {
                let severity = limits(settings, bands.as_deref()).judge(*value, track.level.wanted);
                set_value(track, *value);
                want(track, severity, now)
            }
            Seen::Increase(0) => want(track, None, now),
            Seen::Increase(more) => count(track, *more, settings, now),
        };
        if std::mem::take(&mut track.blind) {
            track.level.restart_absence(now);
        }
        self.see_again(track, fault);
        if fault || (counts && observation.seen != Seen::Increase(0)) {
            track.first_observed.get_or_insert(observation.at);
        } else if track.alarm.is_none() && track.level.is_sound() && !counts {
            track.first_observed = None;
            track.occurrences = 0;
        }
        if fault {
            self.describe(track, observation);
        }
    }

    /// Takes over what an observation of a fault says of it.
    fn describe(&self, track: &mut Track, observation: Observation) {
        let mut evidence = observation.evidence;
        evidence.truncate(EVIDENCE_MAX);
        match &mut track.alarm {
            Some(alarm) => {
                alarm.occurrences = track.occurrences;
                alarm.evidence = evidence;
                if alarm.text != observation.text {
                    alarm.text = observation.text;
                    alarm.changed = self.now;
                    track.telling.changes += 1;
                }
            }
            None => {
                track.text = observation.text;
                track.evidence = evidence;
            }
        }
    }

    /// Something is known of it again.
    fn see_again(&mut self, track: &mut Track, fault: bool) {
        track.verify_by = None;
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        let (stale, unverified) = (
            alarm.stale.take().is_some(),
            std::mem::take(&mut alarm.unverified),
        );
        track.gone_since_start = !fault && (track.gone_since_start || unverified);
        if fault && (stale || unverified) {
            let told = stale && alarm.is_announced();
            self.tell(track, What::Verified, told);
        } else if stale {
            track.telling.changes += 1;
        }
    }

    /// Nobody knows any longer how it is.
    pub(super) fn lose_sight(&mut self, track: &mut Track, reason: &Text) {
        track.blind = true;
        track.verify_by = None;
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        if alarm.stale.is_none() && alarm.set_by.is_none() {
            alarm.stale = Some(Stale {
                since: self.now,
                reason: reason.clone(),
            });
            self.tell_holders(track, What::Stale);
        }
    }

    /// Ends what a monitor's complete round did not tell of.
    pub(super) fn complete(&mut self, round: &Round) {
        let began = round.began.boottime;
        let gone = self.registry.slots(|track| {
            track.monitor == round.monitor
                && track.observed < began
                && round.scope.holds(&track.key)
        });
        for slot in gone {
            self.work(slot, Self::vanish);
        }
    }

    fn vanish(&mut self, track: &mut Track, definition: &Definition) {
        track.blind = false;
        track.level.force(None, self.now.boottime);
        track.counted = None;
        if let Some(alarm) = &mut track.alarm {
            if alarm.phase == Phase::Latched {
                return;
            }
            alarm.flapping = None;
            alarm.stale = None;
            alarm.unverified = false;
            self.end(track, definition, Reason::Vanished);
        }
    }

    /// Marks as stale what a failed probe would have told of.
    pub(super) fn fail(&mut self, failure: &Failure) {
        let lost = self
            .registry
            .slots(|track| track.monitor == failure.monitor && failure.scope.holds(&track.key));
        for slot in lost {
            self.work(slot, |engine, track, _| {
                engine.lose_sight(track, &failure.reason)
            });
        }
    }
}

/// Whether an observation of a key that is not known tells of a fault.
fn is_news(seen: &Seen, settings: &Settings) -> bool {
    match seen {
        Seen::Fault(_) => true,
        Seen::Absent | Seen::Unknown(_) => false,
        Seen::Increase(more) => *more > 0,
        Seen::Value { value, bands } => limits(settings, bands.as_deref())
            .judge(*value, None)
            .is_some(),
    }
}

/// The bands that count.
fn limits<'a>(settings: &'a Settings, own: Option<&'a Bands>) -> &'a Bands {
    match own {
        Some(own) if !settings.bands_first => own,
        _ => &settings.bands,
    }
}

/// Whether a fault is judged.
fn want(track: &mut Track, wanted: Option<Severity>, now: std::time::Duration) -> bool {
    if wanted.is_some() && track.level.wanted.is_none() {
        track.occurrences += 1;
    }
    track.level.want(wanted, now);
    wanted.is_some()
}

/// Whether a counter's increase is a fault.
fn count(track: &mut Track, more: u64, settings: &Settings, now: std::time::Duration) -> bool {
    track.occurrences = track.occurrences.saturating_add(more);
    let severity = match settings.over {
        None => Some(settings.severity),
        Some(over) => {
            let level = track.count.add(more, allowed(settings), over, now);
            settings.bands.judge(level, None)
        }
    };
    if let Some(severity) = severity {
        track.level.pulse(severity, now);
    }
    severity.is_some()
}

fn set_value(track: &mut Track, value: f64) {
    track.value = Some(value);
    if let Some(alarm) = &mut track.alarm {
        alarm.value = Some(value);
    }
}
