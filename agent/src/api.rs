//! What the agent answers over HTTP: the inventory, its changes, health, metrics and the page.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use libhw::inventory::{Class, Inventory};
use libhw::survey::Problem;
use tokio::sync::{Notify, watch};

use crate::store::journal::Waiting;
use crate::store::page::Extent;
use crate::work::{Pulse, Work};

pub(crate) mod health;
pub(crate) mod http;
pub(crate) mod metrics;
pub(crate) mod page;
pub(crate) mod route;

/// How long a request waits for what is to be read for it; then it gets the last that was read.
const REFRESH_LIMIT: Duration = Duration::from_millis(1000);

/// What the loops of the agent share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the worker has last read.
    pub(crate) published: watch::Sender<Arc<Published>>,
    /// Work for the worker.
    pub(crate) work: Work,
    /// Whether the loop that waits for uevents and signals lives; [`Shared::wake`] wakes it.
    pub(crate) watcher: Pulse,
    /// Whether the loop that answers requests lives, and what wakes it.
    pub(crate) api: Pulse,
    pub(crate) api_wake: Notify,
    /// A connection has ended.
    pub(crate) parted: Notify,
    /// Wakes the loop that waits for uevents and signals.
    pub(crate) wake: Waker,
    pub(crate) counters: Counters,
    /// Whether this is a captured tree, which has no uevents.
    pub(crate) replay: bool,
    /// Why no uevents come, when they should.
    pub(crate) deaf: Mutex<Option<String>>,
    pub(crate) state_dir: PathBuf,
    pub(crate) started: Instant,
}

/// Wakes a loop that polls the other end.
#[derive(Debug)]
pub(crate) struct Waker(pub(crate) std::os::unix::net::UnixStream);

impl Waker {
    /// Wakes it. When the pipe is full it is about to wake anyway.
    pub(crate) fn wake(&self) {
        use std::io::Write;
        let _ = (&self.0).write(&[1]);
    }
}

/// The inventory and what belongs to it, as one consistent whole.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) inventory: Arc<Inventory>,
    /// What the last refresh could not have; the inventory has its own beside these.
    pub(crate) refresh_problems: Vec<Problem>,
    /// When it was last known to be true.
    pub(crate) time: Timestamp,
    /// The same by a clock that nobody sets; `None` for what an earlier agent has stored.
    pub(crate) read: Option<Instant>,
    /// Whether this agent has read it; else it is what the last one stored.
    pub(crate) fresh: bool,
    /// The last request for a refresh that this answers.
    pub(crate) refreshed: u64,
    /// The last request for a reload that this follows.
    pub(crate) reloaded: u64,
    /// The changes on disk.
    pub(crate) extent: Extent,
    /// The changes that wait for room on disk.
    pub(crate) pending: Arc<VecDeque<Waiting>>,
    /// Why the state directory cannot be written, while it cannot.
    pub(crate) state_problem: Option<String>,
}

impl Published {
    /// How old it is.
    pub(crate) fn age(&self) -> Duration {
        if let Some(read) = self.read {
            return read.elapsed();
        }
        // Of a clock that was set back nothing better is known than 0.
        let age = Timestamp::now().duration_since(self.time);
        Duration::try_from(age).unwrap_or_default()
    }

    /// All that could not be had.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.inventory.problems.clone();
        problems.extend(self.refresh_problems.iter().cloned());
        problems.sort();
        problems.dedup();
        problems
    }
}

/// How many requests there were and how long they took, by path and status.
pub(crate) type Requests = BTreeMap<(&'static str, u16), (u64, Duration)>;

/// What the agent counts of itself, from its start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) uevents: AtomicU64,
    pub(crate) uevents_lost: AtomicU64,
    pub(crate) rereads: [Duty; Class::ALL.len()],
    pub(crate) refreshes: Duty,
    pub(crate) changes: [AtomicU64; Class::ALL.len()],
    pub(crate) connections_refused: AtomicU64,
    pub(crate) requests: Mutex<Requests>,
}

/// How often something was done, and how long it took in all.
#[derive(Debug, Default)]
pub(crate) struct Duty {
    pub(crate) count: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Duty {
    pub(crate) fn add(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Shared {
    /// The last that was read.
    pub(crate) fn last(&self) -> Arc<Published> {
        self.published.borrow().clone()
    }

    /// What there is now of some classes: what changes without an event is read for this request, unless the worker is too
    /// busy; then it is the last that was read, and its age tells.
    pub(crate) async fn now(&self, classes: &[Class]) -> Arc<Published> {
        let mut published = self.published.subscribe();
        let ticket = self.work.refresh(classes);
        let answered = published.wait_for(|published| published.refreshed >= ticket);
        let answered = tokio::time::timeout(REFRESH_LIMIT, answered).await;
        match answered {
            Ok(Ok(published)) => published.clone(),
            _ => self.last(),
        }
    }
}
