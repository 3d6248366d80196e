//! What outlives the agent: the last inventory and every change, in the state directory.
//!
//! ```text
//! lock                the agent that uses the directory holds a lock on it (flock(2))
//! inventory.json      the last inventory, replaced as a whole
//! changes.jsonl       every change, a line each, appended and synced before it is told
//! changes.jsonl.1     the changes before those, once changes.jsonl has reached its bound
//! changes.jsonl.torn  what a power failure left behind the last whole line, if it ever did
//! ```
//!
//! A change is written before the inventory that contains it: after a kill between the two it is found
//! again at the next start, and recognised.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use libhw::inventory::{Inventory, SCHEMA_VERSION};
use nix::fcntl::{Flock, FlockArg, OFlag};
use nix::sys::statvfs::statvfs;
use thiserror::Error;

use crate::log;

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the loop that runs the alarm engine is built on it"
    )
)]
pub(crate) mod alarms;
pub(crate) mod journal;
pub(crate) mod page;

use journal::Journal;

const INVENTORY: &str = "inventory.json";

/// What is written and synced to see that the directory can be written.
const PROBE_BYTES: usize = 64 << 10;

/// With less free the agent does not start: it could not keep what it is for.
const FREE_MIN_BYTES: u64 = 1 << 20;

/// Larger is no inventory of ours: one of 1024 CPUs has 1 MB.
const INVENTORY_MAX_BYTES: u64 = 256 << 20;

/// Why the state directory cannot be used.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// Somebody else has the lock.
    #[error("state directory {}: another agent uses it; stop that one, or set another state_dir", .0.display())]
    InUse(PathBuf),
    /// There is next to no room.
    #[error(
        "state directory {}: full, {free_bytes} bytes are free and {FREE_MIN_BYTES} are needed", directory.display()
    )]
    Full { directory: PathBuf, free_bytes: u64 },
    /// It cannot be made, opened, written or read.
    #[error("state directory {}: cannot {what}", directory.display())]
    Unusable {
        directory: PathBuf,
        what: &'static str,
        source: io::Error,
    },
}

/// The state directory, locked.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    journal: Journal,
    /// Whether the stored inventory is older than the last one that was to be stored.
    stale: bool,
    _lock: Flock<File>,
}

/// The inventory as an earlier agent left it, and when.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) inventory: Inventory,
    pub(crate) written: SystemTime,
}

impl Store {
    /// Takes the directory for this agent alone, makes it if need be, sees that it can be written, and
    /// repairs what a power failure left.
    pub(crate) fn open(directory: &Path, changes_max_bytes: u64) -> Result<Self, Error> {
        let unusable = |what| {
            move |source| Error::Unusable {
                directory: directory.to_owned(),
                what,
                source,
            }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(unusable("make it"))?;
        let lock = lock(directory)?;
        let free_bytes = probe(directory).map_err(unusable("write to it"))?;
        if free_bytes.is_some_and(|free| free < FREE_MIN_BYTES) {
            return Err(Error::Full {
                directory: directory.to_owned(),
                free_bytes: free_bytes.unwrap_or_default(),
            });
        }
        let journal =
            Journal::open(directory, changes_max_bytes).map_err(unusable("read its changes"))?;
        Ok(Self {
            directory: directory.to_owned(),
            journal,
            stale: false,
            _lock: lock,
        })
    }

    /// The inventory that is stored. One that cannot be read is put aside, and told.
    pub(crate) fn inventory(&self) -> Option<Stored> {
        let path = self.directory.join(INVENTORY);
        match read_inventory(&path) {
            Ok(stored) => stored,
            Err(error) => {
                let aside = path.with_extension("json.damaged");
                log::warning!("{}: {error}; kept as {}", path.display(), aside.display());
                if let Err(error) = fs::rename(&path, &aside) {
                    log::warning!("{}: cannot be put aside: {error}", path.display());
                }
                None
            }
        }
    }

    /// The changes.
    pub(crate) const fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// Whether something waits to be written.
    pub(crate) fn is_behind(&self) -> bool {
        self.stale || !self.journal.pending().is_empty()
    }

    /// Writes the changes that wait. They make the stored inventory stale, until [`Store::write`] has written a new one.
    ///
    /// After an error nothing is lost: they wait, and the next call tries again.
    pub(crate) fn write_changes(&mut self) -> io::Result<()> {
        self.stale |= !self.journal.pending().is_empty();
        self.journal.flush()
    }

    /// Writes the changes that wait, and then the inventory, if one of them changed it, or `anyway`.
    ///
    /// After an error nothing is lost: both wait, and the next call tries again.
    pub(crate) fn write(&mut self, inventory: &Inventory, anyway: bool) -> io::Result<()> {
        self.stale |= anyway;
        self.write_changes()?;
        if self.stale {
            replace(&self.directory, INVENTORY, |file| {
                let mut json = inventory.emit()?;
                json.push(b'\n');
                file.write_all(&json)
            })?;
            self.stale = false;
        }
        Ok(())
    }
}

fn lock(directory: &Path) -> Result<Flock<File>, Error> {
    let unusable = |source| Error::Unusable {
        directory: directory.to_owned(),
        what: "write to it",
        source,
    };
    let file = create(&directory.join("lock"), false).map_err(unusable)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        nix::errno::Errno::EWOULDBLOCK => Error::InUse(directory.to_owned()),
        errno => unusable(errno.into()),
    })
}

/// A file that only we may read, and that is no link to elsewhere.
fn create(path: &Path, truncate: bool) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(truncate)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
}

/// Writes and syncs a file, and tells how much room is left where the file system knows it.
fn probe(directory: &Path) -> io::Result<Option<u64>> {
    let path = directory.join("probe");
    let written = create(&path, true).and_then(|mut file| {
        file.write_all(&[0; PROBE_BYTES])?;
        file.sync_all()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)?;
    let space = statvfs(directory)?;
    let free = space
        .blocks_available()
        .saturating_mul(space.fragment_size());
    Ok((space.blocks() > 0).then_some(free))
}

/// Replaces a file as a whole: a reader, and a power failure, see the old one or the new one.
fn replace(
    directory: &Path,
    name: &str,
    fill: impl FnOnce(&mut io::BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let new = directory.join(format!("{name}.new"));
    let written = create(&new, true).and_then(|file| {
        let mut out = io::BufWriter::new(&file);
        fill(&mut out)?;
        out.flush()?;
        drop(out);
        file.sync_all()?;
        fs::rename(&new, directory.join(name))?;
        sync_directory(directory)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn read_inventory(path: &Path) -> io::Result<Option<Stored>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let about = file.metadata()?;
    if about.len() > INVENTORY_MAX_BYTES {
        return Err(io::Error::other("larger than any inventory"));
    }
    let mut json = Vec::new();
    file.take(INVENTORY_MAX_BYTES).read_to_end(&mut json)?;
    let inventory = Inventory::parse(&json)?;
    if inventory.schema_version != SCHEMA_VERSION {
        let what = format!(
            "schema_version {} is not {SCHEMA_VERSION}, which this agent writes",
            inventory.schema_version
        );
        return Err(io::Error::other(what));
    }
    Ok(Some(Stored {
        inventory,
        written: about.modified()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_there_at_the_next_start() {
        let directory = tempfile::tempdir().unwrap();
        let inventory = Inventory {
            numa: Some(libhw::device::numa::Numa::default()),
            ..Inventory::default()
        };
        let mut store = Store::open(directory.path(), 1 << 20).unwrap();
        assert!(store.inventory().is_none());
        store.write(&inventory, true).unwrap();
        assert!(!store.is_behind());
        drop(store);
        let store = Store::open(directory.path(), 1 << 20).unwrap();
        assert_eq!(store.inventory().unwrap().inventory, inventory);
    }

    #[test]
    fn two_agents_do_not_share_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let first = Store::open(directory.path(), 1 << 20).unwrap();
        let error = Store::open(directory.path(), 1 << 20).unwrap_err();
        assert!(matches!(error, Error::InUse(_)), "{error}");
        drop(first);
        Store::open(directory.path(), 1 << 20).unwrap();
    }

    #[test]
    fn an_inventory_that_cannot_be_read_is_put_aside_and_not_lost() {
        let directory = tempfile::tempdir().unwrap();
        for text in [
            "{",
            "{\"schema_version\":999,\"kind\":\"gnomon.inventory\"}",
        ] {
            fs::write(directory.path().join(INVENTORY), text).unwrap();
            let store = Store::open(directory.path(), 1 << 20).unwrap();
            assert!(store.inventory().is_none());
            let aside = directory.path().join("inventory.json.damaged");
            assert_eq!(fs::read_to_string(aside).unwrap(), text);
        }
    }

    #[test]
    fn a_place_that_is_no_directory_says_so_in_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "kept").unwrap();
        for place in [file.clone(), file.join("below")] {
            let error = Store::open(&place, 1 << 20).unwrap_err();
            let line = error.to_string();
            assert!(
                line.starts_with(&format!("state directory {}", place.display())),
                "{line}"
            );
            assert_eq!(line.lines().count(), 1);
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    }
}
