//! What the loops of the agent ask of each other: work for the one that reads the inventory, and signs of
//! life from all.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libhw::inventory::Class;
use tokio::sync::Notify;

use crate::config::Config;
use crate::event::Event;

/// So many events of a burst are remembered as causes; the classes of all are.
const EVENTS_MAX: usize = 256;

/// What the kernel told of.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Classes to read again.
    pub(crate) classes: BTreeSet<Class>,
    /// The events that said so.
    pub(crate) events: Vec<Event>,
    /// There were more events than these.
    pub(crate) cut: bool,
}

impl Told {
    fn add(&mut self, event: Event) {
        let before = self.classes.len();
        self.classes.extend(event.classes());
        if self.events.len() < EVENTS_MAX || self.classes.len() > before {
            self.events.push(event);
        } else {
            self.cut = true;
        }
    }

    /// Adds what was told later.
    pub(crate) fn extend(&mut self, later: Self) {
        self.classes.extend(later.classes);
        self.events.extend(later.events);
        self.cut |= later.cut;
    }
}

/// What is to be done, merged: a thousand uevents are one reading, so nothing piles up while one hangs.
#[derive(Debug, Default)]
pub(crate) struct Todo {
    /// What is to be read again since the kernel told of it.
    pub(crate) told: Told,
    /// Some events never came: everything is to be read again.
    pub(crate) lost: bool,
    /// A new configuration, and the number of the request for it.
    pub(crate) reload: Option<(u64, Box<Config>)>,
    /// Refresh what changes without an event; the number goes with the answer.
    pub(crate) refresh: u64,
    /// The classes to refresh.
    pub(crate) refreshing: BTreeSet<Class>,
    /// Finish.
    pub(crate) stop: bool,
    /// Something is there, if only a question whether anybody lives.
    woken: bool,
}

/// The place where work is left and taken.
#[derive(Debug, Default)]
pub(crate) struct Work {
    todo: Mutex<Todo>,
    wake: Condvar,
    tickets: AtomicU64,
    busy: Mutex<Option<(Instant, &'static str)>>,
    /// Whether the worker lives.
    pub(crate) pulse: Pulse,
}

impl Work {
    /// Leaves work.
    pub(crate) fn add(&self, change: impl FnOnce(&mut Todo)) {
        let mut todo = lock(&self.todo);
        change(&mut todo);
        todo.woken = true;
        self.wake.notify_one();
    }

    /// Leaves the events of a burst.
    pub(crate) fn add_events(&self, events: Vec<Event>, lost: bool) {
        self.add(|todo| {
            todo.lost |= lost;
            for event in events {
                todo.told.add(event);
            }
        });
    }

    /// Asks for a refresh of some classes, and returns the number that the answer will have at least.
    pub(crate) fn refresh(&self, classes: &[Class]) -> u64 {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed) + 1;
        self.add(|todo| {
            todo.refresh = todo.refresh.max(ticket);
            todo.refreshing.extend(classes);
        });
        ticket
    }

    /// Asks for a sign of life; returns what to wait for at [`Work::pulse`].
    pub(crate) fn ping(&self) -> u64 {
        let ticket = self.pulse.ask();
        self.add(|_| {});
        ticket
    }

    /// Takes all that there is; waits for it, at most `limit` where there is one.
    pub(crate) fn take(&self, limit: Option<Duration>) -> Todo {
        *lock(&self.busy) = None;
        self.pulse.answer();
        let mut todo = lock(&self.todo);
        if !todo.woken {
            todo = match limit {
                None => {
                    let waited = self.wake.wait_while(todo, |todo| !todo.woken);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
                Some(limit) => {
                    let waited = self
                        .wake
                        .wait_timeout_while(todo, limit, |todo| !todo.woken);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        self.pulse.answer();
        std::mem::take(&mut todo)
    }

    /// Takes what was told meanwhile, unless there is more to be done than to read that.
    pub(crate) fn more(&self) -> Told {
        let mut todo = lock(&self.todo);
        if todo.stop || todo.lost || todo.reload.is_some() || !todo.refreshing.is_empty() {
            return Told::default();
        }
        std::mem::take(&mut todo.told)
    }

    /// The worker says what it does from now on.
    pub(crate) fn is_busy_with(&self, what: &'static str) {
        *lock(&self.busy) = Some((Instant::now(), what));
    }

    /// What the worker does, and for how long already.
    pub(crate) fn busy(&self) -> Option<(Duration, &'static str)> {
        let busy = *lock(&self.busy);
        busy.map(|(since, what)| (since.elapsed(), what))
    }
}

/// The data behind a lock. A thread that died holding it has left nothing half done in ours.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Questions whether a loop lives, and its answers.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    asked: AtomicU64,
    answered: AtomicU64,
    heard: Notify,
}

impl Pulse {
    /// Asks; the loop must be woken besides. Returns what to wait for.
    pub(crate) fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The loop has come round.
    pub(crate) fn answer(&self) {
        let asked = self.asked.load(Ordering::Acquire);
        if self.answered.swap(asked, Ordering::AcqRel) != asked {
            self.heard.notify_waiters();
        }
    }

    /// Whether every question was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.has_answered(self.asked.load(Ordering::Acquire))
    }

    fn has_answered(&self, ticket: u64) -> bool {
        self.answered.load(Ordering::Acquire) >= ticket
    }

    /// Waits for the answer to question `ticket`; whether it came within `limit`.
    pub(crate) async fn wait(&self, ticket: u64, limit: Duration) -> bool {
        let answered = async {
            loop {
                let heard = self.heard.notified();
                if self.has_answered(ticket) {
                    return;
                }
                heard.await;
            }
        };
        tokio::time::timeout(limit, answered).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_events_are_one_piece_of_work() {
        let work = Work::default();
        let event = Event::Uevent(libhw::watch::Uevent {
            subsystem: "pci".into(),
            ..<_>::default()
        });
        for _ in 0..1000 {
            work.add_events(vec![event.clone()], false);
        }
        let ticket = work.refresh(&[Class::Cpu]);
        let todo = work.take(None);
        assert!(todo.told.classes.contains(&Class::Pci));
        assert!(!todo.told.classes.contains(&Class::System));
        assert_eq!(todo.told.events.len(), EVENTS_MAX);
        assert_eq!(todo.refresh, ticket);
        assert!(!work.take(Some(Duration::ZERO)).woken);
    }

    #[test]
    fn a_loop_that_comes_round_answers_all_questions() {
        let work = Work::default();
        work.ping();
        work.ping();
        assert!(!work.pulse.is_answered());
        work.is_busy_with("reading");
        assert_eq!(work.busy().map(|(_, what)| what), Some("reading"));
        work.take(None);
        assert!(work.pulse.is_answered());
        work.take(Some(Duration::ZERO));
        assert_eq!(work.busy(), None);
    }
}
