//! What a sink has yet to tell, over the store that keeps it.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::alarm::event::Event;
use crate::alarm::instance::Alarm;
use crate::log;
use crate::sink::Failure;
use crate::store::alarms::{self, Entry, Store};

/// An event and its place in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Queued {
    pub(crate) position: u64,
    pub(crate) event: Event,
}

impl Queued {
    /// The name by which consumers know a second copy.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.event.id.boot, self.event.id.sequence)
    }
}

/// Events behind a cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Events {
    pub(crate) queued: Vec<Queued>,
    /// The position up to which these are all there are; beyond the last of `queued` where others cannot be read.
    pub(crate) through: u64,
}

/// A piece of the set that control planes hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) alarms: Vec<Alarm>,
    /// Where the next piece begins; `None` where this was the last.
    pub(crate) next: Option<String>,
}

/// What a sink has not acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) events: u64,
    /// When the oldest of them happened.
    pub(crate) oldest: Option<Timestamp>,
}

/// What the sinks' threads share: the events, the active set, and how far each sink has got.
pub(crate) trait Outbox: Send + Sync {
    /// The position up to which `sink` has acknowledged. From the first call on, nothing behind it is given up.
    fn cursor(&self, sink: &str) -> Result<u64, Failure>;

    /// At most `limit` events that sinks are told behind `after`, in their order.
    fn events(&self, after: u64, limit: usize) -> Result<Events, Failure>;

    /// Keeps, before it returns, that `sink` is done with everything up to `position`.
    fn acknowledge(&self, sink: &str, position: u64) -> Result<(), Failure>;

    /// The position of the last event. What [`Outbox::announced`] says afterwards holds the effect of all up to it.
    fn last(&self) -> Result<u64, Failure>;

    /// Of at most `limit` active alarms behind `after`, those that control planes are to hold.
    fn announced(&self, after: Option<&str>, limit: usize) -> Result<Page, Failure>;

    /// What there is behind `after`.
    fn lag(&self, after: u64) -> Result<Lag, Failure>;
}

/// The outbox that is the alarms' database.
///
/// It expects what the engine's loop writes there: an [`Event`] as JSON for each entry's body, an [`Alarm`] for each state.
impl Outbox for Mutex<Store> {
    fn cursor(&self, sink: &str) -> Result<u64, Failure> {
        let store = self.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = store.progress().map_err(failure)?;
        match progress.into_iter().find(|progress| progress.sink == sink) {
            Some(progress) => Ok(progress.cursor),
            None => store
                .acknowledge(sink, 0, None)
                .map(|()| 0)
                .map_err(failure),
        }
    }

    fn events(&self, after: u64, limit: usize) -> Result<Events, Failure> {
        let store = self.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = store.events(after, limit).map_err(failure)?;
        drop(store);
        let through = entries.last().map_or(after, |entry| entry.position);
        let queued = entries.iter().filter_map(queued).collect();
        Ok(Events { queued, through })
    }

    fn acknowledge(&self, sink: &str, position: u64) -> Result<(), Failure> {
        let store = self.lock().unwrap_or_else(PoisonError::into_inner);
        store.acknowledge(sink, position, None).map_err(failure)
    }

    fn last(&self) -> Result<u64, Failure> {
        let store = self.lock().unwrap_or_else(PoisonError::into_inner);
        store.last().map_err(failure)
    }

    fn announced(&self, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
        let store = self.lock().unwrap_or_else(PoisonError::into_inner);
        let states = store.active(after, limit).map_err(failure)?;
        drop(store);
        let next = (states.len() >= limit).then(|| states.last().map(|(key, _)| key.clone()));
        let alarms = states.iter().filter_map(|(key, state)| {
            parsed::<Alarm>("the alarm", key, state).filter(super::is_held)
        });
        Ok(Page {
            alarms: alarms.collect(),
            next: next.flatten(),
        })
    }

    fn lag(&self, after: u64) -> Result<Lag, Failure> {
        let store = self.lock().unwrap_or_else(PoisonError::into_inner);
        let events = store.pending(after).map_err(failure)?;
        let oldest = store.events(after, 1).map_err(failure)?;
        drop(store);
        let oldest = oldest.iter().find_map(queued);
        Ok(Lag {
            events,
            oldest: oldest.map(|queued| queued.event.at.realtime),
        })
    }
}

/// An entry as the event that it holds. What the store folded into it counts like what the engine did.
fn queued(entry: &Entry) -> Option<Queued> {
    let name = format!("{}/{}", entry.boot, entry.sequence);
    let mut event = parsed::<Event>("the event", &name, &entry.body)?;
    event.folded = event.folded.saturating_add(entry.folded);
    Some(Queued {
        position: entry.position,
        event,
    })
}

/// What is no JSON of ours would stand in the way of all that is behind it.
fn parsed<T: serde::de::DeserializeOwned>(what: &str, name: &str, json: &str) -> Option<T> {
    serde_json::from_str(json)
        .inspect_err(|error| log::error!("{what} {name} in the store cannot be told: {error}"))
        .ok()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn failure(error: alarms::Error) -> Failure {
    Failure::new(format!("the outbox: {error}"))
}

/// An outbox in memory.
#[cfg(test)]
pub(crate) mod memory {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, MutexGuard};

    use super::{Alarm, Event, Events, Failure, Lag, Outbox, Page, Queued};

    /// What a test puts in; [`Memory::tell`] is the engine's step.
    #[derive(Debug, Default)]
    pub(crate) struct Memory(Mutex<Kept>);

    #[derive(Debug, Default)]
    struct Kept {
        events: Vec<Event>,
        active: BTreeMap<String, Alarm>,
        cursors: BTreeMap<String, u64>,
        largest: usize,
    }

    impl Memory {
        fn kept(&self) -> MutexGuard<'_, Kept> {
            self.0.lock().unwrap()
        }

        /// An event, and the alarm's state that comes with it.
        pub(crate) fn tell(&self, event: Event) {
            let mut kept = self.kept();
            let key = event.alarm.key.to_string();
            if event.alarm.is_active() {
                kept.active.insert(key, (*event.alarm).clone());
            } else {
                kept.active.remove(&key);
            }
            kept.events.push(event);
        }

        /// Changes the active set without an event, as a store that lost its events would.
        pub(crate) fn forget(&self, key: &str) {
            self.kept().active.remove(key);
        }

        pub(crate) fn acknowledged(&self, sink: &str) -> u64 {
            self.kept().cursors.get(sink).copied().unwrap_or_default()
        }

        /// The most events that were asked for at once.
        pub(crate) fn largest(&self) -> usize {
            self.kept().largest
        }
    }

    impl Outbox for Memory {
        fn cursor(&self, sink: &str) -> Result<u64, Failure> {
            Ok(self.acknowledged(sink))
        }

        fn events(&self, after: u64, limit: usize) -> Result<Events, Failure> {
            let mut kept = self.kept();
            kept.largest = kept.largest.max(limit);
            let all = (1..).zip(&kept.events);
            let behind = all.filter(|(position, event)| *position > after && event.is_told());
            let queued: Vec<_> = behind
                .take(limit)
                .map(|(position, event)| Queued {
                    position,
                    event: event.clone(),
                })
                .collect();
            let through = queued.last().map_or(after, |queued| queued.position);
            Ok(Events { queued, through })
        }

        fn acknowledge(&self, sink: &str, position: u64) -> Result<(), Failure> {
            self.kept().cursors.insert(sink.to_owned(), position);
            Ok(())
        }

        fn last(&self) -> Result<u64, Failure> {
            Ok(self.kept().events.len() as u64)
        }

        fn announced(&self, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
            let kept = self.kept();
            let behind = kept
                .active
                .iter()
                .filter(|(key, _)| after < Some(key.as_str()));
            let page: Vec<_> = behind.take(limit).collect();
            let next = page.last().map(|(key, _)| (*key).clone());
            let held = page.iter().map(|(_, alarm)| (*alarm).clone());
            Ok(Page {
                alarms: held.filter(crate::sink::is_held).collect(),
                next: next.filter(|_| page.len() == limit),
            })
        }

        fn lag(&self, after: u64) -> Result<Lag, Failure> {
            let events = self.events(after, usize::MAX >> 1)?.queued;
            self.kept().largest = 0;
            Ok(Lag {
                events: events.len() as u64,
                oldest: events.first().map(|queued| queued.event.at.realtime),
            })
        }
    }
}
