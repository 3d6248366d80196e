//! Changing settings of the running kernel: the one thing that is not reading.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::Flock;

use super::{Root, shown};
use crate::error::{Error, Result};
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
    /// Nothing else can be written: not on a captured tree, not elsewhere, not through a link that leads out.
    ///
    /// # Errors
    /// Captured, outside, or the kernel's answer.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        self.change(path, |tree| {
            #[cfg(test)]
            if let Some(kernel) = self.kernel {
                return kernel(&self.place, path, text);
            }
            tree.write(path, text.as_bytes())
        })
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
