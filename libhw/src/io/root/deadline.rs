//! Reads that may take for ever: waited for as long as agreed, then left behind.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use nix::errno::Errno;

/// The reads that are under way.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    under_way: Arc<Mutex<BTreeSet<String>>>,
}

impl Deadline {
    /// Runs `work` on a thread of its own and waits for it at most `limit`; `ETIMEDOUT` when it was too slow, and
    /// for as long as an earlier `work` of this `name` is still under way.
    pub(super) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        name: &str,
        work: impl FnOnce() -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, Errno> {
        let names = |names: &Mutex<BTreeSet<String>>,
                     change: &dyn Fn(&mut BTreeSet<String>) -> bool| {
            change(&mut names.lock().unwrap_or_else(PoisonError::into_inner))
        };
        if !names(&self.under_way, &|names| names.insert(name.to_owned())) {
            return Err(Errno::ETIMEDOUT);
        }
        let (answer, wait) = mpsc::sync_channel(1);
        let (under_way, own) = (Arc::clone(&self.under_way), name.to_owned());
        let thread = move || {
            let done = work();
            names(&under_way, &|names| names.remove(&own));
            // The receiver is gone when the work was too slow; its answer is then nobody's.
            answer.send(done)
        };
        #[expect(clippy::disallowed_methods, reason = "io/ may start threads")]
        let started = std::thread::Builder::new()
            .name("slow-read".into())
            .spawn(thread);
        if started.is_err() {
            names(&self.under_way, &|names| names.remove(name));
            return Err(Errno::EAGAIN);
        }
        wait.recv_timeout(limit).unwrap_or(Err(Errno::ETIMEDOUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_left_behind_and_not_asked_for_twice() {
        let deadline = Deadline::default();
        let (release, held) = mpsc::channel::<()>();
        let (done, ended) = mpsc::channel();
        let slow = move || {
            let _ = held.recv();
            let _ = done.send(());
            Ok(1)
        };
        let none = Duration::ZERO;
        assert_eq!(deadline.within(none, "config", slow), Err(Errno::ETIMEDOUT));
        let again = deadline.within(Duration::from_secs(60), "config", || Ok(2));
        assert_eq!(again, Err(Errno::ETIMEDOUT));
        let other = deadline.within(Duration::from_secs(60), "vpd", || Ok(3));
        assert_eq!(other, Ok(3));
        release.send(()).unwrap();
        ended.recv().unwrap();
    }

    #[test]
    fn an_answer_in_time_is_the_answer_and_can_be_asked_for_again() {
        let deadline = Deadline::default();
        let minute = Duration::from_secs(60);
        assert_eq!(deadline.within(minute, "config", || Ok(7)), Ok(7));
        let failed = deadline.within::<u8>(minute, "config", || Err(Errno::EIO));
        assert_eq!(failed, Err(Errno::EIO));
    }
}
