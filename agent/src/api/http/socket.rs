//! The UNIX socket: made with its rights, one that a dead agent left behind is replaced, a live one is not.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, umask};
use thiserror::Error;

/// Owner and group may connect: `0777` without these bits is `0660` for a socket's purposes.
const UMASK: Mode = Mode::from_bits_truncate(0o117);

/// Why there is no socket.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// Somebody answers there.
    #[error("socket {}: an agent answers there already; stop it, or set another socket", .0.display())]
    InUse(PathBuf),
    /// What is there is no socket, and not ours to remove.
    #[error("socket {}: something that is no socket is in its place; remove it, or set another socket", .0.display())]
    NoSocket(PathBuf),
    /// It cannot be made.
    #[error("socket {}: cannot {what}", path.display())]
    Unusable {
        path: PathBuf,
        what: &'static str,
        source: io::Error,
    },
}

/// A listening socket, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode: what stands there later may be another's.
    place: (u64, u64),
}

impl Socket {
    /// Listens at `path`, with mode 0660. The umask is the process's: no other thread may make files meanwhile.
    pub(crate) fn bind(path: &Path) -> Result<Self, Error> {
        let unusable = |what| {
            move |source| Error::Unusable {
                path: path.to_owned(),
                what,
                source,
            }
        };
        if let Some(directory) = path.parent() {
            let make = DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(directory);
            make.map_err(unusable("make its directory"))?;
        }
        remove_stale(path)?;
        let before = umask(UMASK);
        let listener = UnixListener::bind(path);
        umask(before);
        let listener = listener.map_err(unusable("make it"))?;
        listener.set_nonblocking(true).map_err(unusable("use it"))?;
        let about = fs::symlink_metadata(path).map_err(unusable("look at it"))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            place: (about.dev(), about.ino()),
        })
    }

    /// The listening socket itself.
    pub(crate) fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let about = fs::symlink_metadata(&self.path);
        if about.is_ok_and(|about| (about.dev(), about.ino()) == self.place) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket at which nobody listens any more.
fn remove_stale(path: &Path) -> Result<(), Error> {
    let unusable = |what, source| Error::Unusable {
        path: path.to_owned(),
        what,
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable("look at it", error)),
        Ok(about) if !about.file_type().is_socket() => {
            return Err(Error::NoSocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(Error::InUse(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| unusable("remove the stale one", error))
        }
        Err(error) => Err(unusable("tell whether it is in use", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_of_a_dead_agent_is_replaced_and_that_of_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/agent.sock");
        let first = Socket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o660);
        assert!(matches!(Socket::bind(&path), Err(Error::InUse(_))));
        // A listener that is dropped leaves its socket behind, as a killed agent does.
        drop(UnixListener::bind(directory.path().join("stale")).unwrap());
        Socket::bind(&directory.path().join("stale")).unwrap();
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        fs::write(&path, "kept").unwrap();
        assert!(matches!(Socket::bind(&path), Err(Error::NoSocket(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    }

    #[test]
    fn a_socket_that_was_replaced_meanwhile_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let socket = Socket::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        drop(socket);
        assert!(path.exists());
    }
}
