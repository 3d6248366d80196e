//! Reading changes back, a page at a time, beside the agent that writes them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::journal::{BEFORE, CURRENT, Head, LINE_MAX_BYTES, Waiting};

/// A page ends before it has more bytes than this, whatever its limit.
const PAGE_MAX_BYTES: usize = 4 << 20;

/// Closer than this, lines are found by reading on.
const NEAR_BYTES: u64 = 64 << 10;

/// The numbers of the first and the last change; both 0 when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// Some changes, as lines of JSON without the newline, in order.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) lines: Vec<String>,
    /// How many changes are kept in all.
    pub(crate) total: u64,
    /// What to ask for `after` to get the next page; `None` when this was the last.
    pub(crate) next: Option<u64>,
}

/// The changes after number `after`, at most `limit`: those of `extent` on disk, then those that wait.
pub(crate) fn read(
    directory: &Path,
    extent: Extent,
    pending: &VecDeque<Waiting>,
    after: u64,
    limit: usize,
) -> io::Result<Page> {
    let mut taking = Taking {
        after: after.max(extent.first.saturating_sub(1)),
        last: extent.last,
        limit,
        bytes: 0,
        lines: Vec::new(),
    };
    if taking.after < extent.last {
        // Opened in this order, a rotation in between shows the same file twice and hides none.
        let current = open(&directory.join(CURRENT))?;
        let before = open(&directory.join(BEFORE))?;
        for file in [before, current].into_iter().flatten() {
            taking.take_from(&file)?;
        }
    }
    for waiting in pending {
        taking.last = waiting.seq;
        taking.take(waiting.seq, waiting.line.trim_end());
    }
    let kept = |extent: Extent| extent.last - extent.first + u64::from(extent.last > 0);
    let last = pending.back().map_or(extent.last, |waiting| waiting.seq);
    Ok(Page {
        next: (!taking.lines.is_empty() && taking.after < last).then_some(taking.after),
        lines: taking.lines,
        total: kept(extent) + pending.len() as u64,
    })
}

/// The first and last change of a file; `None` when there is no file, or no change in it.
pub(super) fn ends(path: &Path) -> io::Result<Option<Extent>> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    let (mut first, mut last) = (None, None);
    each_line(&file, 0, |seq, _| {
        first = Some(seq);
        false
    })?;
    each_line(&file, locate(&file, u64::MAX)?, |seq, _| {
        last = Some(seq);
        true
    })?;
    Ok(first.zip(last).map(|(first, last)| Extent { first, last }))
}

struct Taking {
    /// The last one taken.
    after: u64,
    last: u64,
    limit: usize,
    bytes: usize,
    lines: Vec<String>,
}

impl Taking {
    fn take_from(&mut self, file: &File) -> io::Result<()> {
        let from = locate(file, self.after.saturating_add(1))?;
        each_line(file, from, |seq, line| {
            seq <= self.after || self.take(seq, line)
        })
    }

    /// Whether there is room for more.
    fn take(&mut self, seq: u64, line: &str) -> bool {
        let full = self.lines.len() >= self.limit
            || (self.bytes + line.len() > PAGE_MAX_BYTES && !self.lines.is_empty());
        if full || seq > self.last {
            return false;
        }
        if seq > self.after {
            self.bytes += line.len();
            self.lines.push(line.to_owned());
            self.after = seq;
        }
        true
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The start of a line at or before the first change whose number is `seq` or more, and near to it.
fn locate(file: &File, seq: u64) -> io::Result<u64> {
    let (mut low, mut high) = (0, file.metadata()?.size());
    while high - low > NEAR_BYTES {
        let middle = low + (high - low) / 2;
        match line_after(file, middle)? {
            Some((start, found)) if found < seq && start < high => low = start,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first line that starts behind `offset`: where, and its number.
fn line_after(file: &File, offset: u64) -> io::Result<Option<(u64, u64)>> {
    let mut reader = BufReader::with_capacity(4096, file);
    reader.seek(SeekFrom::Start(offset))?;
    let mut line = Vec::new();
    let skipped = reader
        .by_ref()
        .take(LINE_MAX_BYTES)
        .read_until(b'\n', &mut line)?;
    line.clear();
    reader.take(LINE_MAX_BYTES).read_until(b'\n', &mut line)?;
    Ok(Head::of(&line).map(|seq| (offset + skipped as u64, seq)))
}

/// Calls `visit` for every whole line from `offset` on, as long as it wants more.
fn each_line(
    mut file: &File,
    offset: u64,
    mut visit: impl FnMut(u64, &str) -> bool,
) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        reader
            .by_ref()
            .take(LINE_MAX_BYTES)
            .read_until(b'\n', &mut line)?;
        let Some(seq) = Head::of(&line) else {
            return Ok(());
        };
        let text = str::from_utf8(&line).map_err(io::Error::other)?;
        if !visit(seq, text.trim_end()) {
            return Ok(());
        }
    }
}
