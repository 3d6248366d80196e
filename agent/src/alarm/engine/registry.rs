//! All tracks: by key, by instance, the raised ones in the order of their entities, and when each is due.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::time::Duration;

use uuid::Uuid;

use crate::alarm::catalogue::Kind;
use crate::alarm::counts::Counts;
use crate::alarm::entity::Entity;
use crate::alarm::instance::Alarm;
use crate::alarm::key::Key;

use super::track::Track;

/// The place of a track.
pub(super) type Slot = u32;

/// What is due at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Track(Slot),
    Storm(Kind),
    Masks,
    Refusals,
}

/// A track that is being worked on is taken out, and kept again afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    tracks: Vec<Option<Box<Track>>>,
    free: Vec<Slot>,
    slots: HashMap<Key, Slot>,
    instances: HashMap<Uuid, Slot>,
    raised: BTreeMap<(Kind, Entity), Slot>,
    spare: BTreeSet<Slot>,
    timers: BTreeSet<(Duration, Timer)>,
    counts: Counts,
}

impl Registry {
    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn find(&self, key: &Key) -> Option<Slot> {
        self.slots.get(key).copied()
    }

    pub(super) fn find_instance(&self, instance: Uuid) -> Option<Slot> {
        self.instances.get(&instance).copied()
    }

    pub(super) fn peek(&self, slot: Slot) -> Option<&Track> {
        self.tracks.get(place(slot))?.as_deref()
    }

    pub(super) fn alarm(&self, slot: Slot) -> Option<&Alarm> {
        self.peek(slot)?.alarm.as_deref()
    }

    /// All active alarms, by id and entity.
    pub(super) fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.raised.values().filter_map(|slot| self.alarm(*slot))
    }

    /// The places of all tracks for which `wanted` holds.
    pub(super) fn slots(&self, wanted: impl Fn(&Track) -> bool) -> Vec<Slot> {
        let tracks = (0..).zip(&self.tracks);
        let matching = tracks.filter(|(_, track)| track.as_deref().is_some_and(&wanted));
        matching.map(|(slot, _)| slot).collect()
    }

    /// The raised alarm of exactly this entity.
    pub(super) fn raised(&self, kind: Kind, entity: &Entity) -> Option<Slot> {
        self.raised.get(&(kind, entity.clone())).copied()
    }

    /// The raised alarms of `kind` in and within `outer`.
    pub(super) fn raised_within<'a>(
        &'a self,
        kind: Kind,
        outer: &'a Entity,
    ) -> impl Iterator<Item = Slot> + 'a {
        let from = Bound::Included((kind, outer.clone()));
        let rows = self.raised.range((from, Bound::Unbounded));
        rows.take_while(move |((one, entity), _)| *one == kind && entity.is_within(outer))
            .map(|(_, slot)| *slot)
    }

    /// Makes a place for a new key.
    pub(super) fn insert(&mut self, track: Track) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.tracks.push(None);
            Slot::try_from(self.tracks.len() - 1).unwrap_or(Slot::MAX)
        });
        self.slots.insert(track.key.clone(), slot);
        self.put(slot, Box::new(track));
        slot
    }

    /// Takes a track out.
    pub(super) fn take(&mut self, slot: Slot) -> Option<Box<Track>> {
        let track = self.tracks.get_mut(place(slot))?.take()?;
        if let Some(alarm) = &track.alarm {
            self.counts.remove(alarm);
        }
        Some(track)
    }

    /// Keeps a track again, to be looked at when it is `due`.
    pub(super) fn keep(
        &mut self,
        slot: Slot,
        mut track: Box<Track>,
        due: Option<Duration>,
        spare: bool,
    ) {
        if track.due != due {
            if let Some(before) = track.due {
                self.timers.remove(&(before, Timer::Track(slot)));
            }
            if let Some(due) = due {
                self.timers.insert((due, Timer::Track(slot)));
            }
            track.due = due;
        }
        if track.spare != spare {
            match spare {
                true => self.spare.insert(slot),
                false => self.spare.remove(&slot),
            };
            track.spare = spare;
        }
        self.put(slot, track);
    }

    /// Forgets a track that was taken out.
    pub(super) fn forget(&mut self, slot: Slot, track: &Track) {
        if let Some(due) = track.due {
            self.timers.remove(&(due, Timer::Track(slot)));
        }
        self.spare.remove(&slot);
        self.slots.remove(&track.key);
        self.free.push(slot);
    }

    /// Forgets one of which nothing but its past is known; whether there was one.
    pub(super) fn make_room(&mut self) -> bool {
        let Some(slot) = self.spare.first().copied() else {
            return false;
        };
        match self.take(slot) {
            Some(track) => self.forget(slot, &track),
            None => {
                self.spare.remove(&slot);
            }
        }
        true
    }

    /// An alarm was raised for a track that is taken out.
    pub(super) fn note_raised(&mut self, slot: Slot, kind: Kind, alarm: &Alarm) {
        self.raised.insert((kind, alarm.key.entity.clone()), slot);
        self.instances.insert(alarm.instance, slot);
    }

    /// It is over.
    pub(super) fn note_cleared(&mut self, kind: Kind, alarm: &Alarm) {
        self.raised.remove(&(kind, alarm.key.entity.clone()));
        self.instances.remove(&alarm.instance);
    }

    pub(super) fn set_timer(&mut self, due: Duration, timer: Timer) {
        self.timers.insert((due, timer));
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        self.timers.retain(|(_, one)| *one != timer);
    }

    /// When the next is due.
    pub(super) fn due(&self) -> Option<Duration> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Takes the first that is due.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Timer> {
        let due = self
            .timers
            .first()
            .filter(|(due, _)| *due <= now)
            .copied()?;
        self.timers.remove(&due);
        if let Timer::Track(slot) = due.1
            && let Some(track) = self.tracks.get_mut(place(slot)).and_then(Option::as_mut)
        {
            track.due = None;
        }
        Some(due.1)
    }

    fn put(&mut self, slot: Slot, track: Box<Track>) {
        if let Some(alarm) = &track.alarm {
            self.counts.add(alarm);
        }
        if let Some(place) = self.tracks.get_mut(place(slot)) {
            *place = Some(track);
        }
    }
}

fn place(slot: Slot) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}
