//! What a person or a program orders.

use uuid::Uuid;

use crate::alarm::event::{Reason, What};
use crate::alarm::instance::{Acknowledgement, Alarm, Phase};
use crate::alarm::key::Key;
use crate::alarm::mask::{Mask, Matcher};
use crate::alarm::observation::MonitorName;
use crate::alarm::order::{Demand, Done, Order, Refusal};
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;
use crate::alarm::time::Stamp;

use super::Engine;
use super::registry::Slot;
use super::track::Track;

impl Engine {
    /// Carries out an order; the events that come of it are had from [`Engine::poll`].
    ///
    /// # Errors
    /// It is refused, and nothing has changed.
    pub(crate) fn operate(&mut self, order: Order, now: Stamp) -> Result<Done, Refusal> {
        self.advance(now);
        let Order { by, note, what } = order;
        let done = match what {
            Demand::Acknowledge(instance) => {
                self.acknowledge(instance, Some(self.acknowledgement(by, note)))
            }
            Demand::Unacknowledge(instance) => self.acknowledge(instance, None),
            Demand::Clear(instance) => self.clear_by_order(instance, by, note),
            Demand::Set {
                key,
                severity,
                text,
            } => self.set(key, severity, text, by),
            Demand::Mask { what, lasting } => self.mask(what, lasting, by, note),
            Demand::Unmask(id) => self.unmask(id),
        };
        self.report_own();
        done
    }

    fn acknowledgement(&self, by: Text, note: Text) -> Acknowledgement {
        Acknowledgement {
            by,
            at: self.now,
            note,
        }
    }

    fn acknowledge(
        &mut self,
        instance: Uuid,
        by: Option<Acknowledgement>,
    ) -> Result<Done, Refusal> {
        let (slot, alarm) = self.active(instance)?;
        if alarm.acknowledged.is_none() && by.is_none() {
            return Ok(Done::Alarm(instance));
        }
        self.work(slot, |engine, track, _| {
            let Some(alarm) = &mut track.alarm else {
                return;
            };
            alarm.acknowledged = by;
            let what = match alarm.acknowledged {
                Some(_) => What::Acknowledged,
                None => What::Unacknowledged,
            };
            engine.tell_holders(track, what);
        });
        Ok(Done::Alarm(instance))
    }

    fn clear_by_order(&mut self, instance: Uuid, by: Text, note: Text) -> Result<Done, Refusal> {
        let (slot, alarm) = self.active(instance)?;
        let there = alarm.phase == Phase::Raised && alarm.flapping.is_none();
        if there && alarm.stale.is_none() && alarm.set_by.is_none() {
            return Err(Refusal::StillThere(alarm.key.clone()));
        }
        self.work(slot, |engine, track, _| {
            track.level.force(None, engine.now.boottime);
            track.counted = None;
            track.blind = false;
            engine.clear(track, Reason::Order { by, note });
        });
        Ok(Done::Alarm(instance))
    }

    fn set(
        &mut self,
        key: Key,
        severity: Option<Severity>,
        text: Text,
        by: Text,
    ) -> Result<Done, Refusal> {
        let catalogue = std::sync::Arc::clone(&self.catalogue);
        let kind = catalogue.kind(&key.alarm);
        let definition = kind.and_then(|kind| Some((kind, catalogue.definition(kind)?)));
        let Some((kind, definition)) = definition else {
            return Err(Refusal::NoDefinition(key.alarm));
        };
        if !definition.custom {
            return Err(Refusal::NotCustom(key));
        }
        let severity = severity.unwrap_or(definition.settings.severity);
        let slot = match self.registry.find(&key) {
            Some(slot) => slot,
            None => {
                let track = Track::new(key.clone(), kind, MonitorName::new("operator"));
                let full = Refusal::Full(self.limits.keys_max);
                self.admit(track, definition).ok_or(full)?
            }
        };
        self.work(slot, |engine, track, _| {
            track.observed = engine.now.boottime;
            track.first_observed.get_or_insert(engine.now);
            track.level.force(Some(severity), engine.now.boottime);
            track.occurrences += 1;
            match &mut track.alarm {
                Some(alarm) if alarm.text != text => {
                    alarm.text = text;
                    alarm.changed = engine.now;
                    track.telling.changes += 1;
                }
                Some(_) => {}
                None => track.text = text,
            }
            track.set_by = Some(by);
        });
        let alarm = self
            .registry
            .find(&key)
            .and_then(|slot| self.registry.alarm(slot));
        alarm
            .map(|alarm| Done::Alarm(alarm.instance))
            .ok_or(Refusal::Full(self.limits.keys_max))
    }

    fn mask(
        &mut self,
        what: Matcher,
        lasting: Option<std::time::Duration>,
        by: Text,
        note: Text,
    ) -> Result<Done, Refusal> {
        if what.alarm.is_none() && what.within.is_none() {
            return Err(Refusal::MaskAll);
        }
        if lasting.is_some_and(|lasting| lasting.is_zero()) {
            return Err(Refusal::MaskNoTime);
        }
        if let Some(alarm) = what
            .alarm
            .as_ref()
            .filter(|alarm| self.catalogue.kind(alarm).is_none())
        {
            return Err(Refusal::NoDefinition(alarm.clone()));
        }
        if self.masks.len() >= self.limits.masks_max {
            return Err(Refusal::TooManyMasks(self.masks.len()));
        }
        let id = self.ids.next();
        let until = lasting.map(|lasting| Stamp {
            realtime: self
                .now
                .realtime
                .saturating_add(lasting)
                .unwrap_or(self.now.realtime),
            boottime: self.now.boottime.saturating_add(lasting),
            quality: self.now.quality,
        });
        let (at, boot) = (self.now, self.boot);
        self.put_on(Mask {
            id,
            what,
            by,
            note,
            at,
            boot,
            until,
        });
        Ok(Done::Mask(id))
    }

    fn unmask(&mut self, id: Uuid) -> Result<Done, Refusal> {
        if !self.masks.iter().any(|mask| mask.id == id) {
            return Err(Refusal::NoMask(id));
        }
        self.take_off(id);
        Ok(Done::Mask(id))
    }

    fn active(&self, instance: Uuid) -> Result<(Slot, &Alarm), Refusal> {
        let slot = self.registry.find_instance(instance);
        let found = slot.and_then(|slot| Some((slot, self.registry.alarm(slot)?)));
        found.ok_or(Refusal::NoAlarm(instance))
    }
}
