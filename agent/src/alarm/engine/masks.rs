//! Masks: what they match lives on, and control planes are not told.

use std::time::Duration;

use uuid::Uuid;

use crate::alarm::event::What;
use crate::alarm::key::Key;
use crate::alarm::mask::Mask;

use super::Engine;
use super::registry::Timer;

impl Engine {
    /// The masks that match a key.
    pub(super) fn masks_of(&self, key: &Key) -> Vec<Uuid> {
        let matching = self.masks.iter().filter(|mask| mask.what.holds(key));
        matching.map(|mask| mask.id).collect()
    }

    /// Puts a mask on, and takes back what it matches.
    pub(super) fn put_on(&mut self, mask: Mask) {
        let (id, what) = (mask.id, mask.what.clone());
        self.masks.push(mask);
        self.set_mask_timer();
        let matching = self
            .registry
            .slots(|track| track.alarm.is_some() && what.holds(&track.key));
        for slot in matching {
            self.work(slot, |engine, track, _| {
                let Some(alarm) = &mut track.alarm else {
                    return;
                };
                let first = alarm.masked.is_empty();
                alarm.masked.push(id);
                let told = std::mem::take(&mut alarm.announced);
                if first {
                    engine.tell(track, What::Masked, told);
                }
            });
        }
    }

    /// Takes a mask off, and announces what is still there.
    pub(super) fn take_off(&mut self, id: Uuid) {
        self.masks.retain(|mask| mask.id != id);
        self.set_mask_timer();
        let masked = self.registry.slots(|track| {
            track
                .alarm
                .as_ref()
                .is_some_and(|alarm| alarm.masked.contains(&id))
        });
        for slot in masked {
            self.work(slot, |engine, track, _| {
                let Some(alarm) = &mut track.alarm else {
                    return;
                };
                alarm.masked.retain(|one| *one != id);
                if alarm.masked.is_empty() {
                    engine.announce(track, What::Unmasked);
                }
            });
        }
    }

    /// Takes off the masks whose time is over.
    pub(super) fn end_masks(&mut self) {
        let now = self.now.boottime;
        let over = |mask: &&Mask| mask.until.is_some_and(|until| until.boottime <= now);
        let over: Vec<Uuid> = self.masks.iter().filter(over).map(|mask| mask.id).collect();
        for id in over {
            self.take_off(id);
        }
        self.set_mask_timer();
    }

    pub(super) fn set_mask_timer(&mut self) {
        self.registry.cancel(Timer::Masks);
        let first: Option<Duration> = self
            .masks
            .iter()
            .filter_map(|mask| Some(mask.until?.boottime))
            .min();
        if let Some(due) = first {
            self.registry.set_timer(due, Timer::Masks);
        }
    }
}
