//! Changing settings of the running kernel: the one thing that is not reading.

use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::Flock;

use super::{Root, shown};
use crate::error::{Error, Result};
use crate::io::aside::{self, Ask};
use crate::io::sys;
use crate::io::tree::Tree;

/// What a test has the kernel do: the directory, the path in it, and what was written.
#[cfg(test)]
pub(crate) type Kernel = fn(&std::path::Path, &str, &str) -> std::result::Result<(), Errno>;

/// The right to change settings while nobody else does, of [`Root::hold`].
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "held until it is dropped")] Flock<OwnedFd>);

impl Root {
    /// Changes a setting of the running kernel, in /sys or /proc: `text` in one write. What it then is has to be read back.
    ///
    /// Nothing else can be written: not on a captured tree, not elsewhere, not through a link that leads out. It is written
    /// aside, since a driver may wait for a device that is stuck; whole seconds of `limit` count, at least one.
    ///
    /// # Errors
    /// Captured, outside, the kernel's answer, or that there was none in time.
    pub fn write(&self, path: &str, text: &str, limit: Duration) -> Result<()> {
        let ask = Ask::Write {
            path: path.to_owned(),
            text: text.to_owned(),
            limit_s: limit.as_secs().max(1),
        };
        let mut silent = false;
        let written = self.change(path, |_| {
            // Another one would wait for the same, or for those that are left behind.
            self.aside.may_ask(&ask).map_err(|_| Errno::EBUSY)?;
            let answer = self.written(&ask);
            silent = answer == Err(Errno::ETIMEDOUT);
            match serde_json::from_slice(&answer?).map_err(|_| aside::NO_ANSWER)? {
                None => Ok(()),
                Some(errno) => Err(Errno::from_raw(errno)),
            }
        });
        match written {
            Err(_) if silent => Err(Error::Unanswered {
                path: shown(path),
                limit: ask.limit(),
            }),
            written => written,
        }
    }

    fn written(&self, ask: &Ask) -> std::result::Result<Vec<u8>, Errno> {
        #[cfg(test)]
        if let (Some(kernel), Ask::Write { path, text, .. }) = (self.kernel, ask) {
            let (place, path, text) = (self.place.clone(), path.clone(), text.clone());
            return self.aside.ask_instead(ask, move || {
                let answer = kernel(&place, &path, &text).err();
                Ok(serde_json::to_vec(&answer.map(|errno| errno as i32)).unwrap())
            });
        }
        self.aside.ask(&self.tree, ask)
    }

    /// Whether a setting could be written, as far as can be told without doing it.
    ///
    /// # Errors
    /// As [`Root::write`].
    pub fn can_write(&self, path: &str) -> Result<()> {
        self.change(path, |tree| tree.open_setting(path, sys::SETTING).map(drop))
    }

    /// Keeps others that ask for it from changing settings, of this process and of all, until the answer is dropped.
    ///
    /// # Errors
    /// [`Error::Change`] with `EWOULDBLOCK` where another holds it; as [`Root::write`].
    pub fn hold(&self) -> Result<Hold> {
        self.change("sys", |tree| sys::hold(tree.open_to_hold("sys")?).map(Hold))
    }

    fn change<T>(
        &self,
        path: &str,
        change: impl FnOnce(&Tree) -> std::result::Result<T, Errno>,
    ) -> Result<T> {
        if !self.live {
            return Err(Error::NotLive { path: shown(path) });
        }
        change(&self.tree).map_err(|errno| match errno {
            aside::NO_ANSWER => Error::Change {
                path: shown(path),
                source: std::io::Error::other(
                    "the process that was to write it ended without an answer",
                ),
            },
            Errno::EXDEV => Error::Outside { path: shown(path) },
            errno => Error::Change {
                path: shown(path),
                source: errno.into(),
            },
        })
    }

    /// A directory in place of this host.
    #[cfg(test)]
    pub(crate) fn at_live(directory: &std::path::Path) -> Self {
        Self::at(directory, true).unwrap()
    }

    /// Resolves by hand from now on, as where openat2 is missing.
    #[cfg(test)]
    pub(crate) fn forbid_openat2(&self) {
        self.tree.forbid_openat2();
    }

    /// A directory in place of this host, in which `kernel` does what the kernel would when a setting is written.
    #[cfg(test)]
    pub(crate) fn acting(directory: &std::path::Path, kernel: Kernel) -> Self {
        let mut root = Self::at(directory, true).unwrap();
        root.kernel = Some(kernel);
        root
    }
}
