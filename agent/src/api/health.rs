//! `/healthz`: whether every loop of the agent lives, and what keeps it from doing all of its work.

use std::time::Duration;

use serde::Serialize;

use super::Shared;
use crate::event;
use crate::work::lock;

/// How long a loop has to show that it lives.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// A worker that reads one thing for longer hangs: the slowest attribute known takes 14 s.
const READING_LIMIT: Duration = Duration::from_secs(20);

/// How the agent does.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    status: Status,
    version: &'static str,
    /// Whether this is a captured tree, and not the host.
    replay: bool,
    uptime_seconds: u64,
    loops: Loops,
    inventory: Inventory,
    uevents: Uevents,
    state: State,
}

/// The agent in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// All is well with the agent; the host may have problems, which the inventory tells.
    Ok,
    /// It works, but not as it should: see the problems of `uevents` and `state`.
    Degraded,
    /// A loop does not answer.
    Failing,
}

#[derive(Debug, Serialize)]
struct Loops {
    api: Loop,
    watcher: Loop,
    inventory: Loop,
}

#[derive(Debug, Serialize)]
struct Loop {
    alive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy_with: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Inventory {
    /// Whether this agent has read it, and not the one before.
    fresh: bool,
    time: String,
    age_ms: u64,
    problems: usize,
}

#[derive(Debug, Serialize)]
struct Uevents {
    /// Whether the kernel's uevents are heard; a captured tree has none.
    watched: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct State {
    directory: String,
    writable: bool,
    /// Changes that wait in memory for room on disk.
    waiting: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Health {
    /// Asks every loop, and waits a moment for each.
    pub(crate) async fn of(shared: &Shared) -> Self {
        let watcher = shared.watcher.ask();
        shared.wake.wake();
        let worker = shared.work.ping();
        let watcher = shared.watcher.wait(watcher, ANSWER_LIMIT).await;
        let mut answered = shared.work.pulse.wait(worker, ANSWER_LIMIT).await;
        let busy = shared.work.busy().filter(|_| !answered);
        // What reads for long is not dead yet.
        answered |= busy.is_some_and(|(time, _)| time < READING_LIMIT);
        let loops = Loops {
            api: Loop::new(true),
            watcher: Loop::new(watcher),
            inventory: Loop {
                alive: answered,
                busy_with: busy.map(|(_, what)| what),
                busy_ms: busy.map(|(time, _)| milliseconds(time)),
            },
        };
        Self::new(shared, loops)
    }

    fn new(shared: &Shared, loops: Loops) -> Self {
        let published = shared.last();
        let deaf = lock(&shared.deaf).clone();
        let status = if !(loops.watcher.alive && loops.inventory.alive) {
            Status::Failing
        } else if deaf.is_some() || published.state_problem.is_some() {
            Status::Degraded
        } else {
            Status::Ok
        };
        Self {
            status,
            version: env!("CARGO_PKG_VERSION"),
            replay: shared.replay,
            uptime_seconds: shared.started.elapsed().as_secs(),
            loops,
            inventory: Inventory {
                fresh: published.fresh,
                time: event::rfc3339(published.time),
                age_ms: milliseconds(published.age()),
                problems: published.problems().len(),
            },
            uevents: Uevents {
                watched: deaf.is_none() && !shared.replay,
                problem: deaf,
            },
            state: State {
                directory: shared.state_dir.display().to_string(),
                writable: published.state_problem.is_none(),
                waiting: published.pending.len(),
                problem: published.state_problem.clone(),
            },
        }
    }

    /// The agent in one word.
    pub(crate) const fn status(&self) -> Status {
        self.status
    }

    /// Whether this is a captured tree, and not the host.
    pub(crate) const fn is_replay(&self) -> bool {
        self.replay
    }

    /// What a person should know, a line each.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let dead = |name: &str, seen: &Loop| {
            let busy = seen
                .busy_with
                .map(|what| format!(", {what}"))
                .unwrap_or_default();
            (!seen.alive).then(|| format!("the {name} loop does not answer{busy}"))
        };
        let mut complaints = Vec::new();
        complaints.extend(dead("watcher", &self.loops.watcher));
        complaints.extend(dead("inventory", &self.loops.inventory));
        complaints.extend(self.uevents.problem.clone());
        complaints.extend(self.state.problem.clone());
        complaints
    }
}

impl Loop {
    const fn new(alive: bool) -> Self {
        Self {
            alive,
            busy_with: None,
            busy_ms: None,
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
