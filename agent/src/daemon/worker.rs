//! The loop that reads: takes the inventory, keeps it true, and records what changed.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use libhw::diff::{Change, diff};
use libhw::inventory::{Class, Inventory};
use libhw::io::root::Root;
use libhw::survey::Problem;

use super::known::Known;
use super::notify;
use crate::api::{Published, Shared};
use crate::config::Config;
use crate::event::{Cause, Event, Record, kind, rfc3339};
use crate::log;
use crate::store::{Store, page};
use crate::work::Todo;

/// Classes whose lasting values change without an event: a pool is resized by writing to a file. They are
/// small, and read anew for every request.
const WITHOUT_EVENTS: &[Class] = &[Class::Hugepages];

/// How long the agent waits before it tries again to write its state.
const RETRY: Duration = Duration::from_secs(5);

/// So many changes at once are told in the log; all stand in the file of changes.
const TOLD_MAX: usize = 10;

/// So many of the last changes are looked at to see which of the first ones are known already.
const KNOWN_MAX: usize = 4096;

/// The loop that reads.
pub(super) struct Worker {
    shared: Arc<Shared>,
    root: Root,
    store: Store,
    config: Config,
    inventory: Arc<Inventory>,
    /// The inventory whose changes are all recorded: the same, unless there is no room for more.
    recorded: Arc<Inventory>,
    refresh_problems: Vec<Problem>,
    refreshed: u64,
    reloaded: u64,
    read: Instant,
    time: Timestamp,
    /// When to read everything again, if the configuration wants it.
    again: Option<Instant>,
    state_problem: Option<String>,
    /// When to try again to write, while it cannot be written.
    retry: Option<Instant>,
    /// Why the first of the changes was looked for that found no room to wait in.
    backlog: Option<Cause>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, root: Root, store: Store, config: Config) -> Self {
        Self {
            shared,
            root,
            store,
            config,
            inventory: Arc::default(),
            recorded: Arc::default(),
            refresh_problems: Vec::new(),
            refreshed: 0,
            reloaded: 0,
            read: Instant::now(),
            time: Timestamp::now(),
            again: None,
            state_problem: None,
            retry: None,
            backlog: None,
        }
    }

    /// Runs until it is told to stop.
    pub(super) fn run(mut self) {
        self.start();
        loop {
            let todo = self.shared.work.take(self.patience());
            let stop = todo.stop;
            self.turn(todo);
            if stop {
                return;
            }
        }
    }

    /// Takes the first inventory, and records what changed since the agent before.
    fn start(&mut self) {
        self.shared
            .work
            .is_busy_with("reading the stored inventory");
        let stored = self.store.inventory();
        let known = self.recent();
        if let Some(stored) = &stored {
            let time = Timestamp::try_from(stored.written).unwrap_or_default();
            let published = Published {
                inventory: Arc::new(stored.inventory.clone()),
                time,
                extent: self.store.journal().extent(),
                ..Published::clone(&self.shared.last())
            };
            self.shared.published.send_replace(Arc::new(published));
        }
        self.read_all();
        self.root.rest();
        self.recorded = match stored {
            Some(stored) => Arc::new(stored.inventory),
            None => Arc::clone(&self.inventory),
        };
        let changes = diff(&self.recorded, &self.inventory, false);
        self.recorded = Arc::clone(&self.inventory);
        let news = changes.into_iter().filter_map(|change| known.news(change));
        self.push(news.collect(), |_| Cause::Start);
        self.write(true);
        self.publish();
        log::info!("{}", notify::summary(&self.inventory));
        self.shared.wake.wake();
    }

    /// The last changes, as they are on disk.
    fn recent(&mut self) -> Known {
        let extent = self.store.journal().extent();
        let after = extent.last.saturating_sub(KNOWN_MAX as u64);
        let directory = &self.shared.state_dir;
        let page = page::read(directory, extent, &VecDeque::new(), after, KNOWN_MAX);
        Known::of(&page.map(|page| page.lines).unwrap_or_default())
    }

    /// How long to wait for work; `None` is as long as it takes.
    fn patience(&self) -> Option<Duration> {
        let next = [self.again, self.retry].into_iter().flatten().min();
        next.map(|at| at.saturating_duration_since(Instant::now()))
    }

    fn turn(&mut self, todo: Todo) {
        let past = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
        let (due, retry) = (past(self.again), past(self.retry));
        let all = match todo.reload {
            Some(_) => Some(Cause::Reload),
            None if todo.lost => Some(Cause::Lost),
            None => due.then_some(Cause::Interval),
        };
        let looks = all.is_some() || !todo.classes.is_empty();
        let reloads = todo.reload.is_some();
        if let Some((ticket, config)) = todo.reload {
            self.reconfigure(*config);
            self.reloaded = ticket;
        }
        if looks {
            if all.is_some() {
                self.read_all();
            } else {
                self.read(&todo.classes);
            }
            let fallback = all.unwrap_or(Cause::Lost);
            let cause = |change: &Change| cause(change, &todo.events);
            self.record(|change| cause(change).unwrap_or_else(|| fallback.clone()));
        }
        let refreshes = todo.refresh > self.refreshed;
        if refreshes {
            self.refresh(&todo.refreshing);
            self.refreshed = todo.refresh;
        }
        if looks || refreshes || retry || todo.stop {
            self.root.rest();
            self.write(todo.stop);
            self.publish();
        }
        if reloads {
            self.shared.wake.wake();
        }
    }

    fn reconfigure(&mut self, config: Config) {
        let fixed = |config: &Config| {
            (
                config.state_dir.clone(),
                config.socket.clone(),
                config.listen,
                config.nvml_helper.clone(),
            )
        };
        if fixed(&config) != fixed(&self.config) {
            log::warning!(
                "a new state_dir, socket, listen or nvml_helper takes effect at the next start"
            );
        }
        self.store.journal().set_max_bytes(config.changes_max_bytes);
        let inventory = Arc::make_mut(&mut self.inventory);
        for class in Class::ALL
            .iter()
            .filter(|class| !config.scope.classes.contains(class))
        {
            inventory.forget(*class);
        }
        self.config = config;
    }

    fn read_all(&mut self) {
        let classes = self.config.scope.classes.iter().copied().collect();
        self.read(&classes);
        self.again = self
            .config
            .interval
            .map(|interval| Instant::now() + interval);
    }

    fn read(&mut self, classes: &BTreeSet<Class>) {
        let inventory = Arc::make_mut(&mut self.inventory);
        for class in classes
            .iter()
            .filter(|class| self.config.scope.classes.contains(class))
        {
            let started = Instant::now();
            self.shared.work.is_busy_with(class.name());
            inventory.reread(*class, &self.root, &self.config.scope);
            let position = Class::ALL.iter().position(|other| other == class);
            let duty = position.and_then(|position| self.shared.counters.rereads.get(position));
            if let Some(duty) = duty {
                duty.add(started.elapsed());
            }
        }
        self.read = Instant::now();
        self.time = Timestamp::now();
    }

    fn refresh(&mut self, refreshing: &BTreeSet<Class>) {
        let started = Instant::now();
        self.shared.work.is_busy_with("refreshing");
        let all_recorded = Arc::ptr_eq(&self.recorded, &self.inventory);
        let classes: BTreeSet<_> = WITHOUT_EVENTS.iter().copied().collect();
        let some: Vec<Class> = refreshing.iter().copied().collect();
        let anew = Arc::make_mut(&mut self.inventory).refresh_some(&self.root, &some);
        self.refresh_problems
            .retain(|problem| !some.iter().any(|class| class.name() == problem.class));
        self.refresh_problems.extend(anew);
        self.read(&classes);
        self.shared.counters.refreshes.add(started.elapsed());
        if all_recorded {
            // What is not read anew changes below `now` only, which no change is made of.
            let before = without_events(&self.recorded);
            let after = without_events(&self.inventory);
            self.recorded = Arc::clone(&self.inventory);
            let changes = diff(&before, &after, false);
            self.push(changes, |_| Cause::Request);
        }
    }

    /// Records what changed since the last record, if there is room for it; else it is one change later.
    fn record(&mut self, cause: impl Fn(&Change) -> Cause) {
        let changes = diff(&self.recorded, &self.inventory, false);
        if !self.store.journal().has_room() {
            let first = || changes.first().map(&cause);
            self.backlog = self.backlog.take().or_else(first);
            return;
        }
        self.recorded = Arc::clone(&self.inventory);
        self.push(changes, cause);
    }

    fn push(&mut self, changes: Vec<Change>, cause: impl Fn(&Change) -> Cause) {
        if changes.is_empty() {
            return;
        }
        let time = rfc3339(Timestamp::now());
        let boot_id = self
            .inventory
            .system
            .as_ref()
            .and_then(|system| system.boot_id.clone());
        let changes = changes.into_iter().map(|change| (cause(&change), change));
        let mut told = 0;
        for (cause, change) in changes {
            told += 1;
            tell(&cause, &change, told);
            self.count(&change);
            let record = Record {
                seq: 0,
                time: time.clone(),
                boot_id: boot_id.clone(),
                cause: cause.to_string(),
                change,
            };
            if let Err(error) = self.store.journal().push(record) {
                log::error!("a change cannot be written as JSON: {error}");
            }
        }
        if told > TOLD_MAX {
            log::info!("and {} more changes; see /v1/changes", told - TOLD_MAX);
        }
        notify::status(&notify::summary(&self.inventory));
    }

    fn count(&self, change: &Change) {
        let position = Class::ALL
            .iter()
            .position(|class| class.name() == change.class);
        let counter = position.and_then(|position| self.shared.counters.changes.get(position));
        if let Some(counter) = counter {
            crate::api::count(counter);
        }
    }

    /// Writes what waits; `anyway` also writes an inventory without a change. Says once when it cannot.
    fn write(&mut self, anyway: bool) {
        let changed = anyway || !self.store.journal().pending().is_empty();
        let waits = self.retry.is_some_and(|at| at > Instant::now());
        if !anyway && (waits || !(changed || self.store.is_behind())) {
            return;
        }
        self.shared.work.is_busy_with("writing the state");
        match self.store.write(&self.recorded, changed) {
            Ok(()) => {
                self.retry = None;
                if self.state_problem.take().is_some() {
                    log::info!("the state directory can be written again; nothing was lost");
                }
                if let Some(cause) = self.backlog.take() {
                    self.record(|_| cause.clone());
                    self.write(false);
                }
            }
            Err(error) => {
                self.retry = Some(Instant::now() + RETRY);
                let place = self.shared.state_dir.display();
                let what = format!("{place} cannot be written: {error}; changes wait in memory");
                if self.state_problem.is_none() {
                    log::error!("{what}");
                }
                self.state_problem = Some(what);
            }
        }
    }

    fn publish(&mut self) {
        let pending = self.store.journal().pending();
        let pending = if pending.is_empty() {
            Arc::default()
        } else {
            Arc::new(pending.clone())
        };
        let published = Published {
            inventory: Arc::clone(&self.inventory),
            refresh_problems: self.refresh_problems.clone(),
            time: self.time,
            read: Some(self.read),
            fresh: true,
            refreshed: self.refreshed,
            reloaded: self.reloaded,
            extent: self.store.journal().extent(),
            pending,
            state_problem: self.state_problem.clone(),
        };
        self.shared.published.send_replace(Arc::new(published));
    }
}

/// Says a change, unless many came before it.
fn tell(cause: &Cause, change: &Change, number: usize) {
    let place = [&change.class, &change.table, &change.id];
    let place: Vec<_> = place
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect();
    let (place, kind) = (place.join(" "), kind(change.change));
    if number > TOLD_MAX {
        log::debug!("{place} {kind}: {cause}");
    } else {
        log::info!("{place} {kind}: {cause}");
    }
}

/// The event that tells of a change: that of the device itself, else the first that concerns its class.
fn cause(change: &Change, events: &[Event]) -> Option<Cause> {
    let concerns = |event: &&Event| {
        event
            .classes()
            .iter()
            .any(|class| class.name() == change.class)
    };
    let of_device = |event: &&Event| {
        let name = event.device();
        let (prefix, number) =
            name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len());
        name == change.id || (number == change.id && matches!(prefix, "cpu" | "node" | "policy"))
    };
    let concerned = || events.iter().filter(concerns);
    let event = concerned().find(of_device).or_else(|| concerned().next())?;
    Some(event.cause())
}

/// The classes of [`WITHOUT_EVENTS`] alone.
fn without_events(inventory: &Inventory) -> Inventory {
    Inventory {
        hugepages: inventory.hugepages.clone(),
        ..Inventory::default()
    }
}
