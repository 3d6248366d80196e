//! A secret that stands in a file of its own: it is never in the configuration, on a command line, or in a text of ours.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use serde::Deserialize;
use thiserror::Error;

/// A longer secret is none: a token of many claims has two kilobytes.
const SECRET_MAX_BYTES: u64 = 8192;

/// Readable or writable by whoever is neither the owner nor of the group.
const OTHERS: u32 = 0o006;

/// Why a secret is not used. What the file holds is never told.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{}: cannot be read", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{}: mode {mode:04o} lets everybody at a secret; chmod o-rw it", file.display())]
    Open { file: PathBuf, mode: u32 },
    #[error("{}: no regular file", .0.display())]
    NoFile(PathBuf),
    #[error("{}: expected one line of 1 to {SECRET_MAX_BYTES} printable ASCII characters", .0.display())]
    Malformed(PathBuf),
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretFile(PathBuf);

/// A secret. It has no text form; [`Secret::expose`] is where it leaves.
pub(crate) struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The secret itself, for the peer alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl SecretFile {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The secret as the file holds it now: one that is replaced is taken at the next use.
    ///
    /// # Errors
    /// The file is missing, open to everybody, no regular file, or holds no line of text.
    pub(crate) fn read(&self) -> Result<Secret, Error> {
        let unreadable = |source| Error::Unreadable {
            file: self.0.clone(),
            source,
        };
        let file = self.open()?;
        let mut bytes = Vec::new();
        file.take(SECRET_MAX_BYTES + 2)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        let line = text.trim_end_matches(['\r', '\n']);
        let printable = line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if line.is_empty() || line.len() as u64 > SECRET_MAX_BYTES || !printable {
            return Err(Error::Malformed(self.0.clone()));
        }
        Ok(Secret(line.to_owned()))
    }

    /// Whether the file, where there is one already, is closed to everybody else.
    ///
    /// # Errors
    /// As [`SecretFile::read`], but for a file that is not there yet.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.open() {
            Err(Error::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    fn open(&self) -> Result<File, Error> {
        let unreadable = |source| Error::Unreadable {
            file: self.0.clone(),
            source,
        };
        // A FIFO of that name would else be waited for.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&self.0)
            .map_err(unreadable)?;
        let about = file.metadata().map_err(unreadable)?;
        if !about.is_file() {
            return Err(Error::NoFile(self.0.clone()));
        }
        let mode = about.mode() & 0o7777;
        if mode & OTHERS != 0 {
            let file = self.0.clone();
            return Err(Error::Open { file, mode });
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_one_line_of_a_file_that_others_cannot_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let secret = SecretFile(path.clone());
        assert!(secret.check().is_ok());
        assert!(matches!(secret.read(), Err(Error::Unreadable { .. })));
        for (bytes, mode, expected) in [
            (b"s3cret\n".as_slice(), 0o600, Ok("s3cret")),
            (b"s3cret", 0o640, Ok("s3cret")),
            (b"s3cret", 0o644, Err("lets everybody at a secret")),
            (b"", 0o600, Err("expected one line")),
            (b"s3cret\nX-Header: 1\n", 0o600, Err("expected one line")),
            (b"s3\xffret", 0o600, Err("expected one line")),
            (&[b's'; 8193], 0o600, Err("expected one line")),
        ] {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match (secret.read(), expected) {
                (Ok(found), Ok(line)) => assert_eq!(found.expose(), line),
                (Err(error), Err(says)) => {
                    let error = error.to_string();
                    assert!(error.contains(says), "{error}");
                    assert!(!error.contains("s3cret"), "{error}");
                }
                (found, expected) => panic!("{found:?} and not {expected:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(matches!(SecretFile(fifo).read(), Err(Error::NoFile(_))));
    }

    #[test]
    fn a_secret_has_no_text() {
        assert_eq!(format!("{:?}", Secret("s3cret".to_owned())), "Secret");
    }
}
