//! Root causes: a symptom is linked to the active alarm that explains it.

use std::sync::Arc;

use uuid::Uuid;

use crate::alarm::catalogue::row::Related;
use crate::alarm::catalogue::{Definition, Kind};
use crate::alarm::entity::Entity;
use crate::alarm::event::What;
use crate::alarm::instance::{Alarm, Phase};

use super::Engine;
use super::registry::Slot;

impl Engine {
    /// The active alarm that is why one of `definition` and `entity` is there.
    pub(super) fn find_cause(&self, definition: &Definition, entity: &Entity) -> Option<Uuid> {
        let found = definition.causes.iter().find_map(|(id, related)| {
            let kind = self.catalogue.kind(id)?;
            self.active_cause(kind, *related, entity)
        });
        found
    }

    fn active_cause(&self, kind: Kind, related: Related, entity: &Entity) -> Option<Uuid> {
        let instance = |slot: Slot| {
            let alarm = self.registry.alarm(slot)?;
            // Where the fault is gone it explains nothing.
            (alarm.phase != Phase::Latched).then_some(alarm.instance)
        };
        match related {
            Related::SameEntity => instance(self.registry.raised(kind, entity)?),
            Related::Within => std::iter::successors(Some(entity.clone()), Entity::outer)
                .find_map(|outer| instance(self.registry.raised(kind, &outer)?)),
            Related::Around => {
                let found = self.registry.raised_within(kind, entity).find_map(instance);
                found
            }
            Related::SameHost => {
                let host = entity.outermost();
                let found = self.registry.raised_within(kind, &host).find_map(instance);
                found
            }
        }
    }

    /// Whether an alarm need not be sent on its own, since its cause is: one that is graver than its cause has to be.
    pub(super) fn is_explained(&self, alarm: &Alarm) -> bool {
        let Some(cause) = alarm.cause else {
            return false;
        };
        let slot = self.registry.find_instance(cause);
        let cause = slot.and_then(|slot| self.registry.alarm(slot));
        cause.is_none_or(|cause| cause.severity >= alarm.severity)
    }

    /// An alarm was raised: those that it explains are told of the link. They stay where they were sent already.
    pub(super) fn adopt(&mut self, kind: Kind, entity: &Entity, instance: Uuid) {
        for slot in self.symptoms(kind, entity) {
            if self
                .registry
                .alarm(slot)
                .is_some_and(|alarm| alarm.cause.is_none())
            {
                self.work(slot, |engine, track, _| {
                    track.release_at = None;
                    if let Some(alarm) = &mut track.alarm {
                        alarm.cause = Some(instance);
                    }
                    engine.tell_holders(track, What::Linked);
                });
            }
        }
    }

    /// An alarm was cleared: those that it explained have another cause, or a while to go as well.
    pub(super) fn orphan(&mut self, kind: Kind, entity: &Entity, instance: Uuid) {
        for slot in self.symptoms(kind, entity) {
            if self
                .registry
                .alarm(slot)
                .is_some_and(|alarm| alarm.cause == Some(instance))
            {
                self.work(slot, |engine, track, definition| {
                    let cause = engine.find_cause(definition, &track.key.entity);
                    if let Some(alarm) = &mut track.alarm {
                        alarm.cause = cause;
                    }
                    match cause {
                        Some(_) => engine.tell_holders(track, What::Linked),
                        None => track.release_at = Some(engine.release_at()),
                    }
                });
            }
        }
    }

    /// When a symptom that has lost its cause now becomes an alarm of its own.
    pub(super) fn release_at(&self) -> std::time::Duration {
        self.now.boottime.saturating_add(self.limits.symptom_grace)
    }

    /// The raised alarms that one of `kind` and `entity` may explain.
    fn symptoms(&self, kind: Kind, entity: &Entity) -> Vec<Slot> {
        let catalogue = Arc::clone(&self.catalogue);
        let mut slots = Vec::new();
        for (symptom, related) in catalogue.symptoms(kind) {
            match related {
                Related::SameEntity => slots.extend(self.registry.raised(*symptom, entity)),
                Related::Within => slots.extend(self.registry.raised_within(*symptom, entity)),
                Related::Around => {
                    let outer = std::iter::successors(Some(entity.clone()), Entity::outer);
                    slots.extend(outer.filter_map(|outer| self.registry.raised(*symptom, &outer)));
                }
                Related::SameHost => {
                    let host = entity.outermost();
                    slots.extend(self.registry.raised_within(*symptom, &host));
                }
            }
        }
        slots
    }
}
