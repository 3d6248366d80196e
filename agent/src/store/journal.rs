//! The file of changes: a line of JSON each, numbered without a gap, synced before it is told.
//!
//! While there is no room the lines wait in memory, up to [`PENDING_MAX_BYTES`].

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::page::{self, Extent};
use super::{create, sync_directory};
use crate::event::Record;
use crate::log;

pub(super) const CURRENT: &str = "changes.jsonl";
pub(super) const BEFORE: &str = "changes.jsonl.1";
const TORN: &str = "changes.jsonl.torn";

/// So much waits in memory while there is no room on disk; then no change is recorded until there is, and
/// what happened meanwhile becomes one change from the last recorded state to the one then.
const PENDING_MAX_BYTES: usize = 1 << 20;

/// A longer line is none of ours: a row of the inventory has some kilobytes.
pub(super) const LINE_MAX_BYTES: u64 = 4 << 20;

/// The head of a line, which is all that finding one takes. The rest of the line is seen to be JSON.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) seq: u64,
}

impl Head {
    /// `None` for what is no whole line of ours.
    pub(super) fn of(line: &[u8]) -> Option<u64> {
        let text = str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
        serde_json::from_str(text).ok().map(|head: Self| head.seq)
    }
}

/// A change that has its number and waits for room.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) seq: u64,
    /// Its line, with the newline.
    pub(crate) line: Arc<str>,
}

/// The file of changes, open for appending.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    file: File,
    /// How much of the file is whole and synced.
    length: u64,
    max_bytes: u64,
    /// What is on disk.
    extent: Extent,
    pending: VecDeque<Waiting>,
    pending_bytes: usize,
}

impl Journal {
    /// Opens the file, and cuts off what is no whole line at its end, or does not follow the line before it.
    pub(super) fn open(directory: &Path, max_bytes: u64) -> io::Result<Self> {
        let before = page::ends(&directory.join(BEFORE))?;
        let mut file = create(&directory.join(CURRENT), false)?;
        let whole = whole(&file, before.map(|extent| extent.last))?;
        let length = file.metadata()?.len();
        if whole.length < length {
            cut(directory, &mut file, whole.length)?;
            log::warning!(
                "{}: the last {} bytes were no whole change (power failure?); kept as {TORN}",
                directory.join(CURRENT).display(),
                length - whole.length
            );
        }
        sync_directory(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            file,
            length: whole.length,
            max_bytes,
            extent: match (before, whole.extent) {
                (Some(before), Some(extent)) => Extent {
                    first: before.first,
                    last: extent.last,
                },
                (one, other) => one.or(other).unwrap_or_default(),
            },
            pending: VecDeque::new(),
            pending_bytes: 0,
        })
    }

    /// What is on disk.
    pub(crate) const fn extent(&self) -> Extent {
        self.extent
    }

    /// What waits for room on disk.
    pub(crate) const fn pending(&self) -> &VecDeque<Waiting> {
        &self.pending
    }

    /// Whether one more change may wait.
    pub(crate) const fn has_room(&self) -> bool {
        self.pending_bytes < PENDING_MAX_BYTES
    }

    /// From now on the file is bounded so.
    pub(crate) const fn set_max_bytes(&mut self, max_bytes: u64) {
        self.max_bytes = max_bytes;
    }

    /// Gives a change its number; it is written at the next [`Journal::flush`].
    pub(crate) fn push(&mut self, mut record: Record) -> io::Result<()> {
        let waiting = self.pending.back().map(|waiting| waiting.seq);
        record.seq = waiting.unwrap_or(self.extent.last) + 1;
        let line: Arc<str> = (serde_json::to_string(&record)? + "\n").into();
        self.pending_bytes += line.len();
        let seq = record.seq;
        self.pending.push_back(Waiting { seq, line });
        Ok(())
    }

    /// Writes and syncs what waits. After an error it waits on, and the file is as it was.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(last) = self.pending.back().map(|waiting| waiting.seq) else {
            return Ok(());
        };
        let text: String = self.pending.iter().map(|waiting| &*waiting.line).collect();
        let bytes = text.len() as u64;
        if self.length > 0 && self.length + bytes > self.max_bytes {
            self.rotate()?;
        }
        let written = self.file.seek(SeekFrom::Start(self.length)).and_then(|_| {
            self.file.write_all(text.as_bytes())?;
            self.file.sync_data()
        });
        if let Err(error) = written {
            // Half a line must not stay; if even this fails, the next start finds it, and so does the next try.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += bytes;
        self.extent.first = self.extent.first.max(1);
        self.extent.last = last;
        self.pending.clear();
        self.pending_bytes = 0;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let (current, before) = (self.directory.join(CURRENT), self.directory.join(BEFORE));
        fs::rename(&current, &before)?;
        // Until there is a new file, the old one stays the one that is written, under its new name.
        self.file = create(&current, true).inspect_err(|_| {
            let _ = fs::rename(&before, &current);
        })?;
        self.length = 0;
        sync_directory(&self.directory)?;
        if let Some(extent) = page::ends(&before)? {
            self.extent.first = extent.first;
        }
        Ok(())
    }
}

/// How much of a file is whole lines that follow each other.
struct Whole {
    length: u64,
    extent: Option<Extent>,
}

fn whole(file: &File, mut previous: Option<u64>) -> io::Result<Whole> {
    let mut whole = Whole {
        length: 0,
        extent: None,
    };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader
            .by_ref()
            .take(LINE_MAX_BYTES)
            .read_until(b'\n', &mut line)?;
        let Some(seq) = Head::of(&line) else {
            return Ok(whole);
        };
        if previous.is_some_and(|previous| Some(seq) != previous.checked_add(1)) {
            return Ok(whole);
        }
        previous = Some(seq);
        whole.length += read as u64;
        let first = whole.extent.map_or(seq, |extent| extent.first);
        whole.extent = Some(Extent { first, last: seq });
    }
}

/// Keeps what stands behind `length` in a file of its own, and cuts it off.
fn cut(directory: &Path, file: &mut File, length: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(length))?;
    let mut torn = create(&directory.join(TORN), true)?;
    io::copy(file, &mut torn)?;
    torn.sync_all()?;
    file.set_len(length)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
