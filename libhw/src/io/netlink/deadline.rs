//! Questions that a driver may never answer: waited for as long as agreed, then left behind.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use nix::errno::Errno;

/// How many questions were left behind and are still with the kernel. They hold its lock for all of the network,
/// so until they end no other is asked.
static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);

/// Runs `ask` on a thread of its own and waits for it at most `limit`.
///
/// # Errors
/// Those of `ask`; `ETIMEDOUT` when it was too slow, and as long as an earlier one is left behind.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    ask: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if LEFT_BEHIND.load(Ordering::Acquire) > 0 {
        return Err(Errno::ETIMEDOUT.into());
    }
    let (answer, wait) = mpsc::sync_channel(1);
    // 0: under way, 1: one of the two sides is done with the other.
    let parted = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&parted);
    let thread = move || {
        let done = answer.send(ask());
        if theirs.swap(1, Ordering::AcqRel) == 1 {
            LEFT_BEHIND.fetch_sub(1, Ordering::AcqRel);
        }
        done
    };
    #[expect(clippy::disallowed_methods, reason = "io/ may start threads")]
    std::thread::Builder::new()
        .name("netlink".into())
        .spawn(thread)?;
    wait.recv_timeout(limit).unwrap_or_else(|_| {
        LEFT_BEHIND.fetch_add(1, Ordering::AcqRel);
        if parted.swap(1, Ordering::AcqRel) == 1 {
            LEFT_BEHIND.fetch_sub(1, Ordering::AcqRel);
        }
        Err(Errno::ETIMEDOUT.into())
    })
}
