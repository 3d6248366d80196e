//! Questions asked on a thread: waited for as long as agreed, then left behind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use nix::errno::Errno;

use super::{LEFT_BEHIND_MAX, NOT_ASKED};

/// The threads of one root.
#[derive(Debug, Default)]
pub(in crate::io) struct Threads(Arc<Mutex<State>>);

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
        may_ask(&lock(&self.0), waits_for)
    }

    /// Runs `work` on a thread of its own and waits for it at most `limit`; `ETIMEDOUT` when it was too slow, and
    /// for as long as an earlier `work` that waits for the same is left behind.
    pub(super) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        waits_for: &str,
        work: impl FnOnce() -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, Errno> {
        let number = {
            let mut state = lock(&self.0);
            may_ask(&state, waits_for)?;
            state.started += 1;
            state.started
        };
        let (answer, wait) = mpsc::sync_channel(1);
        let state = Arc::clone(&self.0);
        let thread = move || {
            let done = work();
            let mut state = lock(&state);
            state.left_behind.remove(&number);
            // The receiver is gone when the work was too slow; its answer is then nobody's.
            answer.send(done)
        };
        #[expect(clippy::disallowed_methods, reason = "io/ may start threads")]
        std::thread::Builder::new()
            .name("aside".into())
            .spawn(thread)
            .map_err(|_| Errno::EAGAIN)?;
        wait.recv_timeout(limit).unwrap_or_else(|_| {
            let mut state = lock(&self.0);
            // It may have been told in this very moment.
            wait.try_recv().unwrap_or_else(|_| {
                state.left_behind.insert(number, waits_for.to_owned());
                Err(Errno::ETIMEDOUT)
            })
        })
    }
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

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
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
