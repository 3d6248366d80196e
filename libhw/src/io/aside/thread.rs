//! Questions asked on a thread: waited for as long as agreed, then left behind.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;

use super::{LEFT_BEHIND_MAX, NOT_ASKED};

/// The threads of one root: one that waits for more, and those that were left behind.
#[derive(Debug, Default)]
pub(in crate::io) struct Threads {
    state: Arc<Mutex<State>>,
    idle: Mutex<Option<Worker>>,
}

/// A thread's way in; the thread ends when this goes.
type Worker = Sender<Box<dyn FnOnce() + Send>>;

#[derive(Debug, Default)]
struct State {
    /// How many were started.
    started: u64,
    /// What those wait for that have no answer yet, by their number.
    left_behind: BTreeMap<u64, String>,
}

impl Threads {
    /// Whether nothing that is left behind speaks against asking.
    pub(super) fn may_ask(&self, waits_for: &str) -> Result<(), Errno> {
        may_ask(&lock(&self.state), waits_for)
    }

    /// Ends the thread that waits for more.
    pub(super) fn rest(&self) {
        lock(&self.idle).take();
    }

    /// Runs `work` on a thread and waits for it at most `limit`; `ETIMEDOUT` when it was too slow, and
    /// for as long as an earlier `work` that waits for the same is left behind.
    pub(super) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        waits_for: &str,
        work: impl FnOnce() -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, Errno> {
        let number = {
            let mut state = lock(&self.state);
            may_ask(&state, waits_for)?;
            state.started += 1;
            state.started
        };
        let (answer, wait) = mpsc::sync_channel(1);
        let state = Arc::clone(&self.state);
        let work = move || {
            let done = work();
            // Under the lock, so that who gave up sees either the answer or that it is still to be left behind. The
            // receiver is gone when the work was too slow; its answer is then nobody's.
            let mut state = lock(&state);
            state.left_behind.remove(&number);
            let _ = answer.send(done);
        };
        let worker = lock(&self.idle).take().map_or_else(start, Ok)?;
        worker.send(Box::new(work)).map_err(|_| Errno::EAGAIN)?;
        let answer = wait.recv_timeout(limit).or_else(|_| {
            let mut state = lock(&self.state);
            // It may have been told in this very moment.
            wait.try_recv().inspect_err(|_| {
                state.left_behind.insert(number, waits_for.to_owned());
            })
        });
        let answer = answer.map_err(|_| Errno::ETIMEDOUT)?;
        // Only who has answered is asked again.
        *lock(&self.idle) = Some(worker);
        answer
    }
}

fn start() -> Result<Worker, Errno> {
    let (worker, works) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let thread = std::thread::Builder::new().name("aside".into());
    #[expect(clippy::disallowed_methods, reason = "io/ may start threads")]
    let started = thread.spawn(move || {
        for work in works {
            work();
        }
    });
    started.map(|_| worker).map_err(|_| Errno::EAGAIN)
}

fn may_ask(state: &State, waits_for: &str) -> Result<(), Errno> {
    if state.left_behind.values().any(|other| other == waits_for) {
        return Err(Errno::ETIMEDOUT);
    }
    if state.left_behind.len() >= LEFT_BEHIND_MAX {
        return Err(NOT_ASKED);
    }
    Ok(())
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_left_behind_and_not_asked_for_twice() {
        let threads = Threads::default();
        let (release, held) = mpsc::channel::<()>();
        let (done, ended) = mpsc::channel();
        let slow = move || {
            let _ = held.recv();
            let _ = done.send(());
            Ok(1)
        };
        let none = Duration::ZERO;
        assert_eq!(threads.within(none, "config", slow), Err(Errno::ETIMEDOUT));
        let again = threads.within(Duration::from_secs(60), "config", || Ok(2));
        assert_eq!(again, Err(Errno::ETIMEDOUT));
        let other = threads.within(Duration::from_secs(60), "vpd", || Ok(3));
        assert_eq!(other, Ok(3));
        release.send(()).unwrap();
        ended.recv().unwrap();
    }

    #[test]
    fn an_answer_in_time_is_the_answer_and_can_be_asked_for_again() {
        let threads = Threads::default();
        let minute = Duration::from_secs(60);
        assert_eq!(threads.within(minute, "config", || Ok(7)), Ok(7));
        let failed = threads.within::<u8>(minute, "config", || Err(Errno::EIO));
        assert_eq!(failed, Err(Errno::EIO));
    }

    #[test]
    fn no_more_than_a_few_are_left_behind() {
        let threads = Threads::default();
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        for name in 0..LEFT_BEHIND_MAX {
            let held = Arc::clone(&held);
            let slow = move || {
                let _ = held.lock().map(|held| held.recv());
                Ok(())
            };
            let answer = threads.within(Duration::ZERO, &name.to_string(), slow);
            assert_eq!(answer, Err(Errno::ETIMEDOUT));
        }
        let more = |name: &str| threads.within(Duration::from_secs(60), name, || Ok(()));
        assert_eq!(more("another"), Err(NOT_ASKED));
        assert_eq!(more("0"), Err(Errno::ETIMEDOUT));
        drop(release);
        while more("another").is_err() {
            std::thread::yield_now();
        }
    }
}
