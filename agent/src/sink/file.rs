//! JSON lines in a file, or on the standard output: one event each, as the store has it.
//!
//! What is acknowledged is on disk. A file that was moved away or removed is made anew, so that logrotate needs no signal;
//! a line that a power failure cut is ended, and its event comes again behind it.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::config::sink::FileSink;
use crate::sink::outbox::Queued;
use crate::sink::{Delivery, Failure, Level, Now, Refused, Sink, Why};

/// The sink.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    open: Option<fs::File>,
}

impl File {
    pub(super) fn new(config: FileSink) -> Self {
        Self {
            path: config.path,
            open: None,
        }
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.path == Path::new("-") {
            let mut stdout = io::stdout().lock();
            return stdout.write_all(lines).and_then(|()| stdout.flush());
        }
        let mut file = match self.open.take() {
            Some(file) if is_at(&file, &self.path) => file,
            _ => append(&self.path)?,
        };
        let before = file.metadata()?.len();
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // All of it comes again: no half of a line stays where that can be helped.
            let _ = file.set_len(before);
            return Err(error);
        }
        self.open = Some(file);
        Ok(())
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::new(format!("{}: {error}", self.path.display()))
    }
}

impl Sink for File {
    /// A file keeps what it was told: there is nothing to compare it with.
    fn hold(&mut self, _: &mut Level<'_>, _: Why, _: Now) -> Result<Vec<Refused>, Failure> {
        self.write(b"").map_err(|error| self.failure(&error))?;
        Ok(Vec::new())
    }

    fn deliver(&mut self, batch: &[Queued], _: Now) -> Delivery {
        let mut lines = Vec::new();
        for queued in batch {
            if let Err(error) = serde_json::to_writer(&mut lines, &queued.event) {
                return Delivery::none(Failure::new(error.to_string()));
            }
            lines.push(b'\n');
        }
        match self.write(&lines) {
            Ok(()) => Delivery::all(batch),
            Err(error) => Delivery::none(self.failure(&error)),
        }
    }
}

fn is_at(file: &fs::File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// Opens or makes a regular file, whose next byte begins a line, and whose name is on disk.
fn append(path: &Path) -> io::Result<fs::File> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(OFlag::O_NOFOLLOW.bits() | OFlag::O_NONBLOCK.bits())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("no regular file"));
    }
    if let Some(directory) = path.parent() {
        fs::File::open(directory)?.sync_all()?;
    }
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
