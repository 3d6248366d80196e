//! From what monitors say to events: a function of its state, what it is told, and the time.
//!
//! ```text
//!            lasts raise_for           lasts clear_for
//! (sound) -- fault --> (pending) --> Raised --> Clearing --> cleared
//!                                      ^  \        |
//!                       fault is back  |   \       +--> Latched -- an order, or a boot --> cleared
//!                                      +----\------+
//!                                            too often: flapping, which counts as raised until it rests
//! ```
//!
//! Beside its phase an alarm may be acknowledged, masked, stale, a symptom of another, or folded in a storm; none of these
//! ends it. It never ends because a probe died: then it is stale, and time that passes proves nothing.
//!
//! Time is a [`Stamp`] that is given with each call. A call with an earlier boottime counts as one at the latest there was.
//! Observations of a counter are not kept over a restart, nor is what has yet to last.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::alarm::catalogue::settings::Settings;
use crate::alarm::catalogue::{Catalogue, Definition};
use crate::alarm::counts::Counts;
use crate::alarm::entity::Entity;
use crate::alarm::event::{Event, EventId, Reason, What};
use crate::alarm::instance::Alarm;
use crate::alarm::mask::Mask;
use crate::alarm::observation::Report;
use crate::alarm::time::Stamp;

mod bucket;
mod cause;
mod flap;
mod ids;
mod journal;
mod judge;
mod level;
mod life;
mod masks;
mod orders;
mod registry;
mod restore;
mod storm;
mod track;

use ids::Ids;
use journal::Journal;
use registry::{Registry, Slot, Timer};
pub(crate) use restore::Saved;
use storm::{Refusals, Storms};
use track::Track;

/// What bounds the engine as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// So many keys are remembered: alarms, faults that have yet to last, and what came and went lately. A key more is
    /// refused, and `agent.alarm.refused` counts it.
    pub(crate) keys_max: usize,
    pub(crate) masks_max: usize,
    /// An alarm that was loaded is stale when nothing is observed of it for so long.
    pub(crate) verify_within: Duration,
    /// A symptom becomes an alarm of its own when its cause is over for so long.
    pub(crate) symptom_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            keys_max: 20_000,
            masks_max: 256,
            verify_within: Duration::from_secs(300),
            symptom_grace: Duration::from_secs(30),
        }
    }
}

/// Where the engine runs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The outermost pair of its own alarms.
    pub(crate) host: Entity,
    /// The kernel's boot_id.
    pub(crate) boot: Uuid,
    /// Random bits, others at each start.
    pub(crate) seed: [u64; 2],
}

/// The alarms of this node.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    catalogue: Arc<Catalogue>,
    limits: Limits,
    host: Entity,
    boot: Uuid,
    ids: Ids,
    now: Stamp,
    registry: Registry,
    masks: Vec<Mask>,
    storms: Storms,
    refusals: Refusals,
    journal: Journal,
}

impl Engine {
    /// An engine that goes on from what was saved; [`Saved::default`] is nothing.
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        limits: Limits,
        place: Place,
        saved: Saved,
        now: Stamp,
    ) -> Self {
        let mut engine = Self {
            catalogue,
            limits,
            host: place.host,
            boot: place.boot,
            ids: Ids::new(place.seed),
            now,
            registry: Registry::default(),
            masks: Vec::new(),
            storms: Storms::default(),
            refusals: Refusals::default(),
            journal: Journal::new(place.boot, saved.last),
        };
        engine.restore(saved);
        engine.report_own();
        engine
    }

    /// Takes in what a monitor says.
    pub(crate) fn handle(&mut self, report: Report, now: Stamp) {
        self.advance(now);
        match report {
            Report::Observed(observation) => self.observe(observation),
            Report::Complete(round) => self.complete(&round),
            Report::Failed(failure) => self.fail(&failure),
        }
        self.report_own();
    }

    /// Does what is due, and gives what happened since the last call, in order. The caller keeps all of it, in one
    /// transaction with [`Engine::masks`] where those changed, before anybody is told.
    pub(crate) fn poll(&mut self, now: Stamp) -> Vec<Event> {
        self.advance(now);
        self.report_own();
        self.journal.take()
    }

    /// The boottime at which [`Engine::poll`] has something to do; in the past where events wait.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        if self.journal.is_empty() {
            self.registry.due()
        } else {
            Some(self.now.boottime)
        }
    }

    /// How many alarms there are. It costs nothing.
    pub(crate) const fn counts(&self) -> Counts {
        self.registry.counts()
    }

    /// All active alarms, by id and entity.
    pub(crate) fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.registry.alarms()
    }

    /// The active alarm of this instance.
    pub(crate) fn alarm(&self, instance: Uuid) -> Option<&Alarm> {
        self.registry.alarm(self.registry.find_instance(instance)?)
    }

    /// All masks, the oldest first.
    pub(crate) fn masks(&self) -> &[Mask] {
        &self.masks
    }

    /// The last event that was numbered in this boot, and the last notice: see [`Saved::last`].
    pub(crate) const fn last(&self) -> Option<(EventId, u64)> {
        self.journal.last()
    }

    /// How many keys are remembered.
    pub(crate) fn keys(&self) -> usize {
        self.registry.len()
    }

    /// Does what was due before `now`.
    fn advance(&mut self, now: Stamp) {
        let boottime = now.boottime.max(self.now.boottime);
        self.now = Stamp { boottime, ..now };
        while let Some(timer) = self.registry.take_due(boottime) {
            match timer {
                Timer::Track(slot) => self.look_again(slot),
                Timer::Storm(kind) => self.drain_storm(kind),
                Timer::Masks => self.end_masks(),
                Timer::Refusals => self.count_refusals(),
            }
        }
    }

    /// Works on a track: `change` it, and let count what has lasted.
    fn work(&mut self, slot: Slot, change: impl FnOnce(&mut Self, &mut Track, &Definition)) {
        let Some(mut track) = self.registry.take(slot) else {
            return;
        };
        let catalogue = Arc::clone(&self.catalogue);
        let Some(definition) = catalogue.definition(track.kind) else {
            return self.registry.forget(slot, &track);
        };
        change(self, &mut track, definition);
        self.settle(slot, &mut track, definition);
        self.keep(slot, track, &definition.settings);
    }

    fn look_again(&mut self, slot: Slot) {
        self.work(slot, |_, _, _| {});
    }

    fn keep(&mut self, slot: Slot, mut track: Box<Track>, settings: &Settings) {
        let now = self.now.boottime;
        if let Some(flap) = settings.flap.filter(|_| track.alarm.is_none()) {
            track.history.forget(now, flap);
        }
        if track.is_over(settings, now) {
            return self.registry.forget(slot, &track);
        }
        let due = track.next(settings, now);
        let spare = track.is_spare(settings);
        self.registry.keep(slot, track, due, spare);
    }

    /// Writes an event of the track's alarm, which stands for all its changes so far; `told`: to sinks as well.
    fn tell(&mut self, track: &mut Track, what: What, told: bool) {
        let Some(alarm) = &track.alarm else { return };
        let own = u64::from(what == What::Changed);
        let folded = (track.telling.changes + track.telling.held).saturating_sub(own);
        self.journal.push(what, alarm, folded, self.now, told);
        track.telling = track::Telling {
            at: self.now.boottime,
            severity: Some(alarm.severity),
            changes: 0,
            held: 0,
        };
    }

    /// The same, to those who hold the alarm.
    fn tell_holders(&mut self, track: &mut Track, what: What) {
        let told = track
            .alarm
            .as_ref()
            .is_some_and(|alarm| alarm.is_announced());
        self.tell(track, what, told);
    }

    /// Shows the alarm to control planes, if nothing hides it; an event says so either way.
    fn announce(&mut self, track: &mut Track, what: What) {
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        alarm.announced = self.may_announce(alarm);
        self.tell_holders(track, what);
    }

    /// Whether nothing hides it: no mask, no storm, and no cause that is as grave.
    fn may_announce(&self, alarm: &Alarm) -> bool {
        alarm.masked.is_empty() && !alarm.folded && !self.is_explained(alarm)
    }

    /// Ends the track's alarm.
    fn clear(&mut self, track: &mut Track, reason: Reason) {
        let (now, kind) = (self.now, track.kind);
        let Some(alarm) = &mut track.alarm else {
            return;
        };
        alarm.end(now);
        let (instance, entity) = (alarm.instance, alarm.key.entity.clone());
        self.tell_holders(track, What::Cleared { reason });
        if let Some(alarm) = track.alarm.take() {
            self.registry.note_cleared(kind, &alarm);
        }
        track.forget_alarm();
        self.orphan(kind, &entity, instance);
    }
}

/// The kinds of alarms that the engine raises itself are neither folded nor refused.
fn is_own(definition: &Definition) -> bool {
    definition.id == storm::STORM || definition.id == storm::REFUSED
}

#[cfg(test)]
mod tests;
