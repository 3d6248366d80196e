//! What drives a sink: takes from the outbox, tells, acknowledges, waits.
//!
//! [`Runner::step`] is told the time and says when it wants to be called again, so that a day's outage is a loop of a
//! test; [`start`] is the thread around it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::event::rfc3339;
use crate::log::{self, Level as Grade};
use crate::sink::backoff::Backoff;
use crate::sink::outbox::Outbox;
use crate::sink::status::{LastError, Status};
use crate::sink::{Delivery, Failure, Level, Now, Refused, Sink, Why};

/// So many events are in memory at a time.
pub(crate) const BATCH: usize = 100;

/// So many batches are told before the thread looks whether it is to stop.
const BATCHES: usize = 8;

/// Where lines for the log go.
type Say = Box<dyn FnMut(Grade, &str) + Send>;

/// A sink, how far it has got, and how it fares.
pub(crate) struct Runner {
    name: String,
    sink: Box<dyn Sink>,
    outbox: Arc<dyn Outbox>,
    status: Arc<Mutex<Status>>,
    say: Say,
    backoff: Backoff,
    /// As the outbox has it; `None` before it was asked.
    cursor: Option<u64>,
    /// Whether the peer holds the set.
    connected: bool,
    /// Whether the last refusal is already in the log.
    refusing: bool,
    retry_at: Option<Duration>,
    repeat_at: Option<Duration>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Runner of {}", self.name)
    }
}

impl Runner {
    /// A runner that has reached nobody yet. `seed` spreads the attempts of many nodes.
    pub(crate) fn new(name: &str, sink: Box<dyn Sink>, outbox: Arc<dyn Outbox>, seed: u64) -> Self {
        let status = Status {
            name: name.to_owned(),
            ..Status::default()
        };
        Self {
            name: name.to_owned(),
            sink,
            outbox,
            status: Arc::new(Mutex::new(status)),
            say: Box::new(|grade, line| log::say(grade, format_args!("{line}"))),
            backoff: Backoff::new(seed),
            cursor: None,
            connected: false,
            refusing: false,
            retry_at: None,
            repeat_at: None,
        }
    }

    /// Does what is due at `now`, and says when it wants to be called again; `None` is when there is an event.
    pub(crate) fn step(&mut self, now: Now) -> Option<Duration> {
        let due = match self.turn(now) {
            Ok(due) => due,
            Err(failure) => Some(self.fail(&failure, now)),
        };
        self.tell_lag(now);
        due
    }

    /// Takes leave of the peer.
    pub(crate) fn close(&mut self) {
        self.sink.close();
        self.status().connected_since = None;
    }

    fn turn(&mut self, now: Now) -> Result<Option<Duration>, Failure> {
        if let Some(at) = self.retry_at.filter(|at| now.monotonic < *at) {
            return Ok(Some(at));
        }
        self.retry_at = None;
        self.cursor()?;
        self.hold(now)?;
        let more = self.drain(now)?;
        let tend_at = self.sink.tend(now)?;
        self.backoff.reset();
        let more_at = more.then_some(now.monotonic);
        Ok([more_at, tend_at, self.repeat_at]
            .into_iter()
            .flatten()
            .min())
    }

    fn cursor(&mut self) -> Result<u64, Failure> {
        if let Some(cursor) = self.cursor {
            return Ok(cursor);
        }
        let cursor = self.outbox.cursor(&self.name)?;
        self.cursor = Some(cursor);
        Ok(cursor)
    }

    /// Tells the whole set, where that is due.
    fn hold(&mut self, now: Now) -> Result<(), Failure> {
        let repeat = self.repeat_at.is_some_and(|at| now.monotonic >= at);
        let why = match (self.connected, repeat) {
            (false, _) => Why::Connected,
            (true, true) => Why::Repeat,
            (true, false) => return Ok(()),
        };
        let outbox = Arc::clone(&self.outbox);
        let mut level = Level::new(&*outbox)?;
        let refused = self.sink.hold(&mut level, why, now)?;
        self.refuse(&refused);
        self.repeat_at = self.sink.repeat().map(|every| now.monotonic + every);
        if !self.connected {
            self.connected = true;
            self.status().connected_since = Some(rfc3339(now.realtime));
            let line = format!("sink {}: connected", self.name);
            (self.say)(Grade::Info, &line);
        }
        Ok(())
    }

    /// Tells what waits; whether there may be more.
    fn drain(&mut self, now: Now) -> Result<bool, Failure> {
        for _ in 0..BATCHES {
            let cursor = self.cursor()?;
            let events = self.outbox.events(cursor, BATCH)?;
            if events.queued.is_empty() {
                if events.through > cursor {
                    self.acknowledge(events.through)?;
                }
                return Ok(false);
            }
            let delivery = self.sink.deliver(&events.queued, now);
            let through = delivery.through.unwrap_or(cursor);
            let told = events.queued.iter();
            let told = told.filter(|queued| queued.position <= through).count();
            self.settle(delivery, told, through)?;
        }
        Ok(true)
    }

    fn settle(&mut self, delivery: Delivery, told: usize, through: u64) -> Result<(), Failure> {
        let refused = delivery.refused.len();
        let delivered = told.saturating_sub(refused) as u64;
        if delivered > 0 {
            self.refusing = false;
        }
        self.refuse(&delivery.refused);
        if told > 0 {
            self.acknowledge(through)?;
            self.backoff.reset();
            self.status().delivered += delivered;
        }
        match delivery.failure {
            Some(failure) => Err(failure),
            None if told == 0 => Err(Failure::new("the peer acknowledged nothing")),
            None => Ok(()),
        }
    }

    fn acknowledge(&mut self, through: u64) -> Result<(), Failure> {
        self.outbox.acknowledge(&self.name, through)?;
        self.cursor = Some(through);
        Ok(())
    }

    /// Counts what the peer will never take; of a row of refusals the first is told.
    fn refuse(&mut self, refused: &[Refused]) {
        self.status().refused += refused.len() as u64;
        let Some(first) = refused.first().filter(|_| !self.refusing) else {
            return;
        };
        self.refusing = true;
        let Refused { name, why } = first;
        let line = format!("sink {}: {name} refused for good: {why}", self.name);
        (self.say)(Grade::Warning, &line);
    }

    fn fail(&mut self, failure: &Failure, now: Now) -> Duration {
        let wait = self.backoff.next(failure.again_after);
        let at = now.monotonic + wait;
        self.retry_at = Some(at);
        self.repeat_at = None;
        let was_connected = std::mem::take(&mut self.connected);
        let mut status = self.status();
        status.connected_since = None;
        let again = status.last_error.as_ref();
        let is_new = was_connected || again.is_none_or(|last| last.what != failure.what);
        status.last_error = Some(LastError {
            time: rfc3339(now.realtime),
            what: failure.what.clone(),
        });
        drop(status);
        if is_new {
            let line = format!(
                "sink {}: {}; what it has to tell waits",
                self.name, failure.what
            );
            (self.say)(Grade::Warning, &line);
        }
        at
    }

    fn tell_lag(&mut self, now: Now) {
        let Ok(lag) = self.outbox.lag(self.cursor.unwrap_or_default()) else {
            return;
        };
        let age = lag.oldest.map(|oldest| now.realtime.duration_since(oldest));
        let mut status = self.status();
        status.lag_events = lag.events;
        status.lag_seconds = age.map_or(0, |age| u64::try_from(age.as_secs()).unwrap_or_default());
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sink's thread.
#[derive(Debug)]
pub(crate) struct Running {
    bell: SyncSender<()>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<Status>>,
    thread: JoinHandle<()>,
}

impl Running {
    /// There are events.
    pub(crate) fn ring(&self) {
        // A bell that has rung already is enough.
        let _ = self.bell.try_send(());
    }

    /// How the sink fares.
    pub(crate) fn status(&self) -> Status {
        let status = self.status.lock();
        status.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the thread: at once where it waits, and else when the request that is under way has ended.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.ring();
        if self.thread.join().is_err() {
            log::error!("a sink's thread ended in a panic");
        }
    }
}

/// Starts the thread of a sink.
///
/// # Errors
/// The kernel gives no thread.
pub(crate) fn start(mut runner: Runner) -> std::io::Result<Running> {
    let (bell, rung) = mpsc::sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    let status = Arc::clone(&runner.status);
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new()
        .name(format!("sink {}", runner.name))
        .spawn(move || run(&mut runner, &rung, &stopped))?;
    Ok(Running {
        bell,
        stop,
        status,
        thread,
    })
}

fn run(runner: &mut Runner, rung: &Receiver<()>, stop: &AtomicBool) {
    let began = Instant::now();
    while !stop.load(Ordering::Acquire) {
        let due = runner.step(Now {
            monotonic: began.elapsed(),
            realtime: Timestamp::now(),
        });
        let is_over = match due {
            None => rung.recv().is_err(),
            Some(at) => {
                let wait = at.saturating_sub(began.elapsed());
                rung.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected)
            }
        };
        if is_over {
            break;
        }
    }
    runner.close();
}

#[cfg(test)]
mod tests;
