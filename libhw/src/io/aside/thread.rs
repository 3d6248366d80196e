//! Questions asked on a thread: waited for as long as agreed, then left behind.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use nix::errno::Errno;

use super::{LEFT_BEHIND_MAX, NOT_ASKED};

/// What is under way.
#[derive(Debug, Default)]
pub(in crate::io) struct Threads {
    under_way: Arc<Mutex<BTreeSet<String>>>,
}

impl Threads {
    /// Runs `work` on a thread of its own and waits for it at most `limit`; `ETIMEDOUT` when it was too slow, and
    /// for as long as an earlier `work` of this `name` is still under way.
    pub(super) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        name: &str,
        work: impl FnOnce() -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, Errno> {
        {
            let mut under_way = lock(&self.under_way);
            if under_way.contains(name) {
                return Err(Errno::ETIMEDOUT);
            }
            if under_way.len() >= LEFT_BEHIND_MAX {
                return Err(NOT_ASKED);
            }
            under_way.insert(name.to_owned());
        }
        let (answer, wait) = mpsc::sync_channel(1);
        let (under_way, own) = (Arc::clone(&self.under_way), name.to_owned());
        let thread = move || {
            let done = work();
            lock(&under_way).remove(&own);
            // The receiver is gone when the work was too slow; its answer is then nobody's.
            answer.send(done)
        };
        #[expect(clippy::disallowed_methods, reason = "io/ may start threads")]
        let started = std::thread::Builder::new()
            .name("aside".into())
            .spawn(thread);
        if started.is_err() {
            lock(&self.under_way).remove(name);
            return Err(Errno::EAGAIN);
        }
        wait.recv_timeout(limit).unwrap_or(Err(Errno::ETIMEDOUT))
    }
}

fn lock(names: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
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
