//! What was saved, taken up again: alarms are unverified until something is observed of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarm::catalogue::settings::Latched;
use crate::alarm::event::{EventId, Reason};
use crate::alarm::instance::{Alarm, Phase};
use crate::alarm::mask::Mask;
use crate::alarm::time::Stamp;

use super::Engine;
use super::track::{Telling, Track};

/// What a store gives back at a start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// The active alarms, as their last events have them.
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) masks: Vec<Mask>,
    /// The last event, and the last number of a notice of its boot.
    pub(crate) last: Option<(EventId, u64)>,
}

impl Engine {
    /// Takes up what was saved.
    pub(super) fn restore(&mut self, saved: Saved) {
        let now = self.now;
        for mut mask in saved.masks {
            if mask.boot != self.boot {
                mask.until = mask.until.map(|until| moved(until, mask.at, now));
                mask.boot = self.boot;
            }
            self.masks.push(mask);
        }
        let instances: Vec<_> = saved.alarms.iter().map(|alarm| alarm.instance).collect();
        for mut alarm in saved.alarms {
            alarm
                .masked
                .retain(|id| self.masks.iter().any(|mask| mask.id == *id));
            alarm.cause = alarm.cause.filter(|cause| instances.contains(cause));
            self.resume(alarm);
        }
        self.end_masks();
    }

    fn resume(&mut self, mut alarm: Alarm) {
        let catalogue = std::sync::Arc::clone(&self.catalogue);
        let kind = catalogue.kind(&alarm.key.alarm);
        let definition = kind.and_then(|kind| Some((kind, catalogue.definition(kind)?)));
        let Some((kind, definition)) = definition else {
            alarm.end(self.now);
            let (told, reason) = (alarm.is_announced(), Reason::Undefined);
            let what = crate::alarm::event::What::Cleared { reason };
            return self.journal.push(what, &alarm, 0, self.now, told);
        };
        let now = self.now.boottime;
        let same_boot = alarm.boot == self.boot;
        let mut track = Track::new(alarm.key.clone(), kind, alarm.monitor.clone());
        let there = alarm.phase != Phase::Latched;
        track.level.force(there.then_some(alarm.severity), now);
        track.counted = track.level.now;
        track.observed = now;
        track.first_observed = Some(alarm.first_observed);
        track.occurrences = alarm.occurrences;
        track.value = alarm.value;
        track.telling = Telling {
            at: now,
            severity: Some(alarm.severity),
            ..Telling::default()
        };
        if there && alarm.set_by.is_none() {
            track.blind = true;
            alarm.unverified = true;
            track.verify_by = alarm
                .stale
                .is_none()
                .then(|| now.saturating_add(self.limits.verify_within));
        }
        if same_boot {
            track.dwell_until = alarm
                .raised
                .boottime
                .saturating_add(definition.settings.dwell);
        }
        let hidden = !alarm.masked.is_empty() || alarm.cause.is_some() || alarm.folded;
        if !hidden && !alarm.announced {
            track.release_at = Some(self.release_at());
        }
        let rebooted = !same_boot && !there && definition.settings.latched == Latched::Boot;
        let (instance, folded) = (alarm.instance, alarm.folded);
        track.alarm = Some(Box::new(alarm));
        let slot = self.registry.insert(track);
        if let Some(alarm) = self.registry.alarm(slot).cloned() {
            self.registry.note_raised(slot, kind, &alarm);
        }
        if folded {
            self.fold(slot, kind, definition, instance);
        }
        self.work(slot, |engine, track, _| {
            if rebooted {
                engine.clear(track, Reason::Rebooted);
            }
        });
    }
}

/// The end of a mask of another boot, by the wall clock, and never later than it could have been.
fn moved(until: Stamp, at: Stamp, now: Stamp) -> Stamp {
    let whole = until.boottime.saturating_sub(at.boottime);
    let left = until.realtime.duration_since(now.realtime);
    let left = Duration::try_from(left)
        .unwrap_or(Duration::ZERO)
        .min(whole);
    Stamp {
        boottime: now.boottime.saturating_add(left),
        ..until
    }
}
