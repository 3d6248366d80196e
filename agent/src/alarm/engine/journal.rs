//! Events that wait to be taken, numbered without a gap.

use uuid::Uuid;

use crate::alarm::event::{Event, EventId, What};
use crate::alarm::instance::Alarm;
use crate::alarm::time::Stamp;

/// The numbers that were given, and the events that wait.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    boot: Uuid,
    sequence: u64,
    notice: u64,
    events: Vec<Event>,
}

impl Journal {
    /// Goes on after `last` and its notice, where those are of this boot.
    pub(super) fn new(boot: Uuid, last: Option<(EventId, u64)>) -> Self {
        let last = last.filter(|(id, _)| id.boot == boot);
        Self {
            boot,
            sequence: last.map_or(0, |(id, _)| id.sequence),
            notice: last.map_or(0, |(_, notice)| notice),
            events: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, what: What, alarm: &Alarm, folded: u64, at: Stamp, told: bool) {
        self.sequence += 1;
        self.notice += u64::from(told);
        self.events.push(Event {
            id: EventId {
                boot: self.boot,
                sequence: self.sequence,
            },
            notice: told.then_some(self.notice),
            at,
            what,
            folded,
            alarm: Box::new(alarm.clone()),
        });
    }

    /// The last id and the last notice that were given; `None` before the first of this boot.
    pub(super) const fn last(&self) -> Option<(EventId, u64)> {
        let id = EventId {
            boot: self.boot,
            sequence: self.sequence,
        };
        if self.sequence > 0 {
            Some((id, self.notice))
        } else {
            None
        }
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
