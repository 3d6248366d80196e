//! The loop that reads: takes the inventory, keeps it true, and records what changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use libhw::diff::{Change, diff, diff_class};
use libhw::inventory::{Class, Inventory};
use libhw::io::root::Root;
use libhw::survey::Problem;

use super::known::Known;
use super::notify;
use super::order::{cause, next, uevents};
use crate::api::{Published, Shared};
use crate::config::Config;
use crate::event::{Cause, Event, Record, kind, rfc3339};
use crate::log;
use crate::store::{Store, page};
use crate::work::{Todo, Told};

/// Classes whose lasting values change without an event: a pool is resized by writing to a file. They are
/// small, and read anew for every request.
const WITHOUT_EVENTS: &[Class] = &[Class::Hugepages];

/// Those of them whose drivers are asked once all else is read: what came and what went is known without.
const SKIMMED: &[Class] = &[Class::Nic];

/// How long events that follow each other may keep a class waiting that is read late.
const TURN: Duration = Duration::from_millis(250);

/// How long it waits for more to do before it stores the inventory and rests: a thing that is plugged is told of in parts.
const SETTLE: Duration = Duration::from_millis(250);

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
    /// The inventory whose changes are all recorded, where that is not the same: there was no room for more.
    recorded: Option<Arc<Inventory>>,
    refresh_problems: Vec<Problem>,
    refreshed: u64,
    reloaded: u64,
    read: Instant,
    time: Timestamp,
    /// When to read everything again, if the configuration wants it.
    again: Option<Instant>,
    state_problem: Option<String>,
    /// When to store the inventory and rest.
    settle: Option<Instant>,
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
            recorded: None,
            refresh_problems: Vec::new(),
            refreshed: 0,
            reloaded: 0,
            read: Instant::now(),
            time: Timestamp::now(),
            again: None,
            settle: None,
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
        for class in self.config.scope.classes.clone() {
            let anew = self.read(class, None);
            self.take(class, anew);
        }
        self.root.rest();
        self.look_again();
        let before = stored.map_or_else(
            || Arc::clone(&self.inventory),
            |stored| Arc::new(stored.inventory),
        );
        let changes = diff(&before, &self.inventory, false);
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
        let next = [self.again, self.settle, self.retry];
        let next = next.into_iter().flatten().min();
        next.map(|at| at.saturating_duration_since(Instant::now()))
    }

    fn turn(&mut self, todo: Todo) {
        let past = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
        let all = match todo.reload {
            Some(_) => Some(Cause::Reload),
            None if todo.lost => Some(Cause::Lost),
            None => past(self.again).then_some(Cause::Interval),
        };
        let looks = all.is_some() || !todo.told.classes.is_empty();
        let (whole, reloads) = (all.is_some(), todo.reload.is_some());
        if let Some((ticket, config)) = todo.reload {
            self.reconfigure(*config);
            self.reloaded = ticket;
        }
        if let Some(cause) = all {
            let told = Told {
                classes: self.config.scope.classes.iter().copied().collect(),
                cut: true,
                ..todo.told
            };
            self.look(told, &cause);
            self.look_again();
        } else if looks {
            self.look(todo.told, &Cause::Lost);
        }
        let refreshes = todo.refresh > self.refreshed;
        if refreshes {
            self.refresh(&todo.refreshing);
            self.refreshed = todo.refresh;
        }
        // Events of a device follow each other; all else is done when it is done.
        if todo.stop || whole || refreshes || past(self.settle) || past(self.retry) {
            self.settle = None;
            self.root.rest();
            self.write(todo.stop);
            self.publish();
        } else if looks {
            self.settle.get_or_insert_with(|| Instant::now() + SETTLE);
            self.publish();
        }
        if reloads {
            self.shared.wake.wake();
        }
    }

    /// Reads what the kernel told of, and tells of meanwhile. What changed in a class is on disk and told before the next is
    /// read. A change that no event explains has the cause `otherwise`.
    fn look(&mut self, mut told: Told, otherwise: &Cause) {
        let until = Instant::now() + TURN;
        // Each class that was read, and how many events there were then; and those that were read in part.
        let mut read: BTreeMap<Class, usize> = BTreeMap::new();
        let mut rest = BTreeSet::new();
        while let Some(class) = next(&told.classes, &read).or_else(|| rest.first().copied()) {
            let whole = !told.classes.remove(&class) && rest.remove(&class);
            let known = read.insert(class, told.events.len()).unwrap_or_default();
            if self.config.scope.classes.contains(&class) {
                let skimmed = (!whole).then(|| self.skim(class)).flatten();
                if skimmed.is_some() {
                    rest.insert(class);
                }
                let new = told.events.get(known..).filter(|_| !told.cut);
                let anew = skimmed.unwrap_or_else(|| self.read(class, new));
                let cause = |change: &Change| cause(change, &told.events);
                self.record(class, anew, |change| {
                    cause(change).unwrap_or_else(|| otherwise.clone())
                });
            }
            if Instant::now() < until {
                told.extend(self.shared.work.more());
            }
        }
    }

    /// Sets the time at which all is read again, if the configuration wants it.
    fn look_again(&mut self) {
        let interval = self.config.interval;
        self.again = interval.map(|interval| Instant::now() + interval);
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

    /// A class as it is now, alone. Where these `events` tell of all that changed, only that is read again.
    fn read(&self, class: Class, events: Option<&[Event]>) -> Inventory {
        let started = Instant::now();
        self.shared.work.is_busy_with(class.name());
        let (root, scope) = (&self.root, &self.config.scope);
        let mut anew = self.inventory.only(class);
        match events.and_then(|events| uevents(class, events)) {
            Some(events) => anew.update(class, &events, root, scope),
            None => anew.reread(class, root, scope),
        }
        let position = Class::ALL.iter().position(|other| *other == class);
        let duty = position.and_then(|position| self.shared.counters.rereads.get(position));
        if let Some(duty) = duty {
            duty.add(started.elapsed());
        }
        anew
    }

    /// A class with what came and without what went, where its drivers have to be asked for the rest.
    fn skim(&self, class: Class) -> Option<Inventory> {
        if !SKIMMED.contains(&class) {
            return None;
        }
        self.shared.work.is_busy_with(class.name());
        let mut anew = self.inventory.only(class);
        let skimmed = anew.skim(class, &self.root, &self.config.scope);
        skimmed.then_some(anew)
    }

    /// Puts a class as it was read into the inventory.
    fn take(&mut self, class: Class, mut anew: Inventory) {
        Arc::make_mut(&mut self.inventory).take(class, &mut anew);
        self.read = Instant::now();
        self.time = Timestamp::now();
    }

    fn refresh(&mut self, refreshing: &BTreeSet<Class>) {
        let started = Instant::now();
        self.shared.work.is_busy_with("refreshing");
        for class in WITHOUT_EVENTS {
            if self.config.scope.classes.contains(class) {
                let anew = self.read(*class, None);
                self.record(*class, anew, |_| Cause::Request);
            }
        }
        let some = refreshing.iter().copied();
        let some: Vec<Class> = some
            .filter(|class| !WITHOUT_EVENTS.contains(class))
            .collect();
        let anew = Arc::make_mut(&mut self.inventory).refresh_some(&self.root, &some);
        self.refresh_problems
            .retain(|problem| !some.iter().any(|class| class.name() == problem.class));
        self.refresh_problems.extend(anew);
        self.shared.counters.refreshes.add(started.elapsed());
    }

    /// Records what changed in a class that was read, if there is room for it; else it is one change later.
    fn record(&mut self, class: Class, anew: Inventory, cause: impl Fn(&Change) -> Cause) {
        let changes = diff_class(&self.inventory, &anew, class, false);
        let first = changes.first().map(&cause);
        let has_room = self.recorded.is_none() && self.store.journal().has_room();
        if has_room {
            // First the record, which somebody waits for: the copy of an inventory that is being read takes its time.
            self.push(changes, cause);
            self.write_changes();
        } else if let Some(first) = &first {
            self.backlog.get_or_insert_with(|| first.clone());
            self.recorded
                .get_or_insert_with(|| Arc::clone(&self.inventory));
        }
        self.take(class, anew);
        if first.is_some() {
            self.publish();
        }
    }

    /// Records what found no room before.
    fn catch_up(&mut self) {
        if !self.store.journal().has_room() {
            return;
        }
        let (Some(recorded), Some(cause)) = (self.recorded.take(), self.backlog.take()) else {
            return;
        };
        let changes = diff(&recorded, &self.inventory, false);
        self.push(changes, |_| cause.clone());
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

    /// Writes the changes that wait, now that there are new ones.
    fn write_changes(&mut self) {
        let waits = self.retry.is_some_and(|at| at > Instant::now());
        if !waits && !self.store.journal().pending().is_empty() {
            self.shared.work.is_busy_with("writing the changes");
            let written = self.store.write_changes();
            self.wrote(written);
        }
    }

    /// Writes what waits; `anyway` also writes an inventory without a change.
    fn write(&mut self, anyway: bool) {
        let waits = self.retry.is_some_and(|at| at > Instant::now());
        if !anyway && (waits || !self.store.is_behind()) {
            return;
        }
        self.shared.work.is_busy_with("writing the state");
        let recorded = self.recorded.as_ref().unwrap_or(&self.inventory);
        let written = self.store.write(recorded, anyway);
        self.wrote(written);
        if self.retry.is_none() && self.recorded.is_some() {
            self.catch_up();
            self.write(false);
        }
    }

    /// Says once when the state cannot be written, and once when it can again.
    fn wrote(&mut self, written: io::Result<()>) {
        let Err(error) = written else {
            self.retry = None;
            if self.state_problem.take().is_some() {
                log::info!("the state directory can be written again; nothing was lost");
            }
            return;
        };
        self.retry = Some(Instant::now() + RETRY);
        let place = self.shared.state_dir.display();
        let what = format!("{place} cannot be written: {error}; changes wait in memory");
        if self.state_problem.is_none() {
            log::error!("{what}");
        }
        self.state_problem = Some(what);
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
