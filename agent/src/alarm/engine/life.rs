//! The life of an alarm: it rises, shifts, falls, flaps, and is over.

use crate::alarm::catalogue::Definition;
use crate::alarm::catalogue::settings::Latched;
use crate::alarm::event::{Reason, What};
use crate::alarm::instance::{Alarm, Flapping, Phase};
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;

use super::Engine;
use super::registry::Slot;
use super::track::{Telling, Track};

impl Engine {
    /// Lets count what has lasted, and does what is due for the track.
    pub(super) fn settle(&mut self, slot: Slot, track: &mut Track, definition: &Definition) {
        let settings = &definition.settings;
        let now = self.now.boottime;
        if !track.blind {
            track.level.settle(now, &track.lasting(settings));
        }
        let before = std::mem::replace(&mut track.counted, track.level.now);
        match (before, track.level.now) {
            (None, Some(severity)) => self.rise(slot, track, definition, severity),
            (Some(_), None) => self.fall(track, definition),
            (Some(before), Some(severity)) if before != severity => self.shift(track, severity),
            _ => {}
        }
        if track.rests_at(settings).is_some_and(|at| at <= now) {
            self.rest(track, definition);
        }
        if track.release_at.is_some_and(|at| at <= now) {
            track.release_at = None;
            self.announce(track, What::Released);
        }
        if track.verify_by.is_some_and(|by| by <= now) {
            self.lose_sight(
                track,
                &Text::clean("nothing was observed of it since the agent started"),
            );
        }
        self.tell_changes(track, definition);
    }

    /// The fault counts from now on.
    fn rise(&mut self, slot: Slot, track: &mut Track, definition: &Definition, severity: Severity) {
        let too_often = track
            .history
            .note(self.now.boottime, definition.settings.flap);
        track.gone_since_start = false;
        let Some(alarm) = &mut track.alarm else {
            return self.raise(slot, track, definition, too_often);
        };
        if let Some(flapping) = &mut alarm.flapping {
            flapping.transitions += 1;
            track.telling.held += 1;
        } else if alarm.phase == Phase::Latched {
            alarm.phase = Phase::Raised;
            alarm.changed = self.now;
            track.telling.changes += 1;
        }
        self.shift(track, severity);
    }

    /// It is graver or milder.
    fn shift(&mut self, track: &mut Track, severity: Severity) {
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        let milder_while_flapping = alarm.flapping.is_some() && severity < alarm.severity;
        if severity != alarm.severity && !milder_while_flapping {
            alarm.severity = severity;
            alarm.changed = self.now;
            track.telling.changes += 1;
            let hidden = alarm.cause.is_some() && !alarm.announced;
            if hidden && self.may_announce(alarm) {
                self.announce(track, What::Released);
            }
        }
    }

    /// The fault no longer counts.
    fn fall(&mut self, track: &mut Track, definition: &Definition) {
        let flap = definition.settings.flap;
        let too_often = track.history.note(self.now.boottime, flap);
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        if let Some(flapping) = &mut alarm.flapping {
            flapping.transitions += 1;
            track.telling.held += 1;
            return;
        }
        if too_often && definition.settings.latched == Latched::No {
            alarm.flapping = Some(Flapping {
                since: self.now,
                transitions: flap.map_or(0, |flap| u64::from(flap.transitions)),
            });
            alarm.phase = Phase::Raised;
            return self.tell_holders(track, What::Flapping);
        }
        let reason = match track.gone_since_start {
            true => Reason::VerifiedAfterRestart,
            false => Reason::Gone,
        };
        self.end(track, definition, reason);
    }

    /// It flapped and rests.
    fn rest(&mut self, track: &mut Track, definition: &Definition) {
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        alarm.flapping = None;
        match track.level.now {
            None => self.end(track, definition, Reason::Gone),
            Some(severity) => {
                alarm.severity = severity;
                alarm.changed = self.now;
                self.tell_holders(track, What::Settled);
            }
        }
    }

    /// The fault is over: so is the alarm, unless it is latched.
    pub(super) fn end(&mut self, track: &mut Track, definition: &Definition, reason: Reason) {
        match (definition.settings.latched, &mut track.alarm) {
            (_, None) => {}
            (Latched::No, Some(_)) => self.clear(track, reason),
            (_, Some(alarm)) => {
                alarm.phase = Phase::Latched;
                alarm.changed = self.now;
                self.tell_holders(track, What::Latched);
            }
        }
    }

    fn raise(&mut self, slot: Slot, track: &mut Track, definition: &Definition, flapping: bool) {
        let mut alarm = self.begin(track, definition, flapping);
        alarm.cause = self.find_cause(definition, &alarm.key.entity);
        alarm.masked = self.masks_of(&alarm.key);
        alarm.folded = self.is_folded(slot, track.kind, definition, &alarm);
        self.registry.note_raised(slot, track.kind, &alarm);
        let instance = alarm.instance;
        track.dwell_until = self.now.boottime.saturating_add(definition.settings.dwell);
        track.alarm = Some(Box::new(alarm));
        track.telling = Telling::default();
        self.announce(track, What::Raised);
        let entity = track.key.entity.clone();
        self.adopt(track.kind, &entity, instance);
    }

    /// A new alarm, as nothing but its own track and its definition say.
    fn begin(&mut self, track: &mut Track, definition: &Definition, flapping: bool) -> Alarm {
        let now = self.now;
        let transitions = definition
            .settings
            .flap
            .map_or(0, |flap| u64::from(flap.transitions));
        Alarm {
            instance: self.ids.next(),
            key: track.key.clone(),
            monitor: track.monitor.clone(),
            boot: self.boot,
            phase: track.phase(),
            severity: track.level.now.unwrap_or(definition.settings.severity),
            event_type: definition.event_type,
            probable_cause: definition.probable_cause,
            service_affecting: definition.service_affecting,
            text: std::mem::take(&mut track.text),
            repair: definition.repair.clone(),
            evidence: std::mem::take(&mut track.evidence),
            value: track.value,
            occurrences: track.occurrences,
            first_observed: track.first_observed.unwrap_or(now),
            raised: now,
            changed: now,
            cleared: None,
            acknowledged: None,
            masked: Vec::new(),
            stale: None,
            unverified: false,
            flapping: flapping.then_some(Flapping {
                since: now,
                transitions,
            }),
            cause: None,
            folded: false,
            announced: false,
            set_by: track.set_by.clone(),
        }
    }

    /// Tells of changes, if there are any and it is time to.
    fn tell_changes(&mut self, track: &mut Track, definition: &Definition) {
        let phase = track.phase();
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        if alarm.phase != Phase::Latched {
            alarm.phase = phase;
        }
        let telling = track.telling;
        let graver = Some(alarm.severity) > telling.severity;
        let due = telling.at.saturating_add(definition.settings.change_every);
        if telling.changes > 0 && (graver || self.now.boottime >= due) {
            self.tell_holders(track, What::Changed);
        }
    }
}
