//! What outlives the agent of its alarms: the active ones, every event, and how far each sink has got.
//!
//! ```text
//! alarm   key → state                            the set that is active, replaced row by row
//! event   position, boot, sequence, body, ...    history and outbox in one: what a sink has not acknowledged is its outbox
//! sink    name → cursor, state                   the position of the last event that it acknowledged
//! mark    name → value                           what else the engine wants to know after a restart
//! ```
//!
//! A step of the engine is one transaction: an alarm's new state is never on disk without the event that tells of it,
//! nor the event without the state. It is synced before [`Store::flush`] returns, and several steps share one sync.
//!
//! The file is bounded in rows and in bytes. At the bound the oldest events go that every sink has acknowledged; where
//! there are none, the events of one alarm's instance become its latest one, which says how many it stands for. Room is
//! allocated ahead ([`Limits::reserved_bytes`], in the database and in its log), so that a disk that others have filled
//! still takes events.
//!
//! What cannot be written waits in memory, and the next flush tries again. Only a full disk together with a kill
//! loses what waits; the monitors then see the same faults again at the next start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};
use thiserror::Error;

mod outbox;
mod room;
mod schema;

/// How long another program, such as sqlite3, may hold the database before that is an error.
const BUSY: Duration = Duration::from_secs(5);

/// The log is written back into the database whenever it has so many pages.
const CHECKPOINT_PAGES: u32 = 256;

/// Its pages in memory, in KiB.
const CACHE_KIB: u32 = 512;

const INSERT: &str = "INSERT INTO event (boot, sequence, told, instance, key, body, folded)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// How large the database may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Events that are kept.
    pub(crate) events_max: usize,
    /// The database's file.
    pub(crate) bytes_max: u64,
    /// What is allocated of it ahead; an event has about a kilobyte.
    pub(crate) reserved_bytes: u64,
    /// Events that wait in memory before those of one instance are folded.
    pub(crate) waiting_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events_max: 50_000,
            bytes_max: 64 << 20,
            reserved_bytes: 4 << 20,
            waiting_max: 10_000,
        }
    }
}

/// Why the database cannot be used, or takes nothing at the moment.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The disk or its quota is full.
    #[error("{}: no space left; what is to be written waits in memory", .0.display())]
    Full(PathBuf),
    /// Every event that is kept is of another alarm and unacknowledged, and there are as many as may be.
    #[error("{}: as many unacknowledged events as may be kept; a sink must acknowledge some", .0.display())]
    Bound(PathBuf),
    /// A later version wrote it.
    #[error("{}: of version {version}, and this agent knows {known}; use a later agent, or move the file away", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The latest that is known here.
        known: u32,
    },
    /// SQLite's own words.
    #[error("{}: cannot {what}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        what: &'static str,
        /// Why not.
        source: rusqlite::Error,
    },
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its place among all events, over boots, given when it is written; 0 before.
    pub(crate) position: u64,
    /// The boot in which it happened.
    pub(crate) boot: String,
    /// Its number in that boot.
    pub(crate) sequence: u64,
    /// Whether sinks are told of it; else it is for the history alone.
    pub(crate) told: bool,
    /// The alarm's instance.
    pub(crate) instance: String,
    /// The alarm's key.
    pub(crate) key: String,
    /// The event as JSON.
    pub(crate) body: String,
    /// How many earlier events of the instance this one stands for.
    pub(crate) folded: u64,
}

/// What one step of the engine, or several, changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// An alarm's new state as JSON, by key; `None` for one that is no longer active.
    pub(crate) alarms: BTreeMap<String, Option<String>>,
    /// The events, in their order.
    pub(crate) events: Vec<Entry>,
    /// New values of marks, by name.
    pub(crate) marks: BTreeMap<String, String>,
}

impl Batch {
    /// Whether it changes nothing.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.alarms.is_empty() && self.events.is_empty() && self.marks.is_empty()
    }

    /// Adds what came later.
    fn extend(&mut self, later: Self) {
        self.alarms.extend(later.alarms);
        self.events.extend(later.events);
        self.marks.extend(later.marks);
    }

    /// Leaves the latest event of each instance, and of those that sinks are told the latest, which then stands for the others.
    fn fold(&mut self) {
        let mut before: BTreeMap<(String, bool), u64> = BTreeMap::new();
        for event in &self.events {
            *before
                .entry((event.instance.clone(), event.told))
                .or_default() += event.folded + 1;
        }
        let mut latest = Vec::with_capacity(before.len());
        for mut event in std::mem::take(&mut self.events).into_iter().rev() {
            if let Some(all) = before.remove(&(event.instance.clone(), event.told)) {
                event.folded = all - 1;
                latest.push(event);
            }
        }
        latest.reverse();
        self.events = latest;
    }
}

/// What was found when the database was opened.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The active alarms: key, and state as JSON.
    pub(crate) alarms: Vec<(String, String)>,
    /// The marks, by name.
    pub(crate) marks: BTreeMap<String, String>,
    /// Where a damaged database was put, which this one replaces.
    pub(crate) damaged: Option<PathBuf>,
    /// Whether the room that is to be allocated ahead is there.
    pub(crate) reserved: bool,
}

/// How far a sink has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The sink.
    pub(crate) sink: String,
    /// The position of the last event that it acknowledged; 0 for none.
    pub(crate) cursor: u64,
    /// What it wants to know after a restart, as JSON.
    pub(crate) state: Option<String>,
}

/// The database, open for one agent.
#[derive(Debug)]
pub(crate) struct Store {
    db: Connection,
    path: PathBuf,
    limits: Limits,
    waiting: Batch,
    /// How many events there are.
    rows: usize,
}

impl Store {
    /// Opens or makes the database at `path`. One that is damaged is put aside and replaced.
    ///
    /// # Errors
    /// When it is of a later version, or can be neither read nor made.
    pub(crate) fn open(path: &Path, limits: Limits) -> Result<(Self, Found), Error> {
        let mut damaged = None;
        let db = match connect(path, limits) {
            Err(error) if is_damage(&error) => {
                damaged = Some(put_aside(path)?);
                connect(path, limits)?
            }
            other => other?,
        };
        let mut store = Self {
            db,
            path: path.to_owned(),
            limits,
            waiting: Batch::default(),
            rows: 0,
        };
        let mut found = store.found()?;
        found.damaged = damaged;
        found.reserved = store.reserve().is_ok();
        Ok((store, found))
    }

    fn found(&mut self) -> Result<Found, Error> {
        let read = |db: &Connection| -> rusqlite::Result<(Found, i64)> {
            let mut alarms = db.prepare("SELECT key, state FROM alarm ORDER BY key")?;
            let alarms = alarms.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut marks = db.prepare("SELECT name, value FROM mark")?;
            let marks = marks.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let found = Found {
                alarms: alarms.collect::<rusqlite::Result<_>>()?,
                marks: marks.collect::<rusqlite::Result<_>>()?,
                ..Found::default()
            };
            Ok((
                found,
                db.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?,
            ))
        };
        let (found, rows) = read(&self.db).map_err(|error| self.error("read it", error))?;
        self.rows = usize::try_from(rows).unwrap_or_default();
        Ok(found)
    }

    /// Takes over what is to be written by the next [`Store::flush`].
    pub(crate) fn put(&mut self, batch: Batch) {
        self.waiting.extend(batch);
        if self.waiting.events.len() > self.limits.waiting_max {
            self.waiting.fold();
        }
    }

    /// Whether something waits to be written.
    #[must_use]
    pub(crate) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes what waits, in one transaction, and syncs it. Returns the position of the last event, if there was one.
    ///
    /// # Errors
    /// Nothing of it is on disk then; it waits, and the next call tries again.
    pub(crate) fn flush(&mut self) -> Result<Option<u64>, Error> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        self.make_room()?;
        let last = self.write();
        let last = last.map_err(|error| self.error("write to it", error))?;
        self.rows += self.waiting.events.len();
        self.waiting = Batch::default();
        Ok(last)
    }

    fn write(&mut self) -> rusqlite::Result<Option<u64>> {
        let transaction = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (key, state) in &self.waiting.alarms {
            match state {
                Some(state) => transaction
                    .prepare_cached("INSERT OR REPLACE INTO alarm (key, state) VALUES (?1, ?2)")?
                    .execute(params![key, state])?,
                None => transaction
                    .prepare_cached("DELETE FROM alarm WHERE key = ?1")?
                    .execute(params![key])?,
            };
        }
        let mut last = None;
        for event in &self.waiting.events {
            let position = transaction.prepare_cached(INSERT)?.insert(params![
                event.boot,
                signed(event.sequence),
                event.told,
                event.instance,
                event.key,
                event.body,
                signed(event.folded)
            ])?;
            last = Some(unsigned(position));
        }
        for (name, value) in &self.waiting.marks {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO mark (name, value) VALUES (?1, ?2)")?
                .execute(params![name, value])?;
        }
        transaction.commit()?;
        Ok(last)
    }

    /// At most `limit` events that sinks are told, behind position `after`, in their order: a sink's outbox, when `after` is
    /// its cursor.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) fn events(&self, after: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let mut events = self.db.prepare_cached(
                "SELECT position, boot, sequence, told, instance, key, body, folded FROM event
                 WHERE position > ?1 AND told ORDER BY position LIMIT ?2",
            )?;
            let rows = events.query_map(params![signed(after), bound(limit)], entry)?;
            rows.collect()
        };
        read().map_err(|error| self.error("read its events", error))
    }

    /// At most `limit` events before position `before`, the latest first; of one alarm, where `key` names it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) fn history(
        &self,
        key: Option<&str>,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let mut events = self.db.prepare_cached(
                "SELECT position, boot, sequence, told, instance, key, body, folded FROM event
                 WHERE position < ?1 AND (?2 IS NULL OR key = ?2) ORDER BY position DESC LIMIT ?3",
            )?;
            let rows = events.query_map(params![signed(before), key, bound(limit)], entry)?;
            rows.collect()
        };
        read().map_err(|error| self.error("read its history", error))
    }

    /// Keeps that `sink` has acknowledged every event up to position `cursor`, and what it wants to know after a restart.
    /// A cursor never goes back.
    ///
    /// # Errors
    /// When it cannot be written. The sink is then told the same events again.
    pub(crate) fn acknowledge(
        &self,
        sink: &str,
        cursor: u64,
        state: Option<&str>,
    ) -> Result<(), Error> {
        let write = || {
            self.db
                .prepare_cached(
                    "INSERT INTO sink (name, cursor, state) VALUES (?1, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE
                     SET cursor = max(cursor, excluded.cursor), state = coalesce(excluded.state, state)",
                )?
                .execute(params![sink, signed(cursor), state])
        };
        write()
            .map(drop)
            .map_err(|error| self.error("keep a sink's progress in it", error))
    }

    /// Forgets a sink that is no longer configured: nothing is kept for it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn forget(&self, sink: &str) -> Result<(), Error> {
        let gone = self
            .db
            .execute("DELETE FROM sink WHERE name = ?1", params![sink]);
        gone.map(drop)
            .map_err(|error| self.error("forget a sink in it", error))
    }

    /// How far each sink has got, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) fn progress(&self) -> Result<Vec<Progress>, Error> {
        let read = || -> rusqlite::Result<Vec<Progress>> {
            let mut sinks = self
                .db
                .prepare_cached("SELECT name, cursor, state FROM sink ORDER BY name")?;
            let rows = sinks.query_map([], |row| {
                Ok(Progress {
                    sink: row.get(0)?,
                    cursor: unsigned(row.get(1)?),
                    state: row.get(2)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|error| self.error("read its sinks", error))
    }

    fn error(&self, what: &'static str, source: rusqlite::Error) -> Error {
        error(&self.path, what, source)
    }
}

/// A connection that syncs every transaction, to a database of the present version.
fn connect(path: &Path, limits: Limits) -> Result<Connection, Error> {
    let open = || {
        let db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        // The first statement that reads the file: here it shows that it is no database.
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        db.pragma_update(None, "cache_size", -i64::from(CACHE_KIB))?;
        db.pragma_update(None, "temp_store", "MEMORY")?;
        db.pragma_update(None, "trusted_schema", false)?;
        let page_bytes: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = limits.bytes_max / unsigned(page_bytes).max(1);
        db.pragma_update_and_check(None, "max_page_count", signed(pages.max(1)), |_| Ok(()))?;
        let sound: String = db.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        Ok((db, sound))
    };
    let (mut db, sound) = open().map_err(|source| error(path, "open it", source))?;
    if sound != "ok" {
        let source = rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
            Some(sound),
        );
        return Err(error(path, "trust it", source));
    }
    schema::migrate(&mut db, path)?;
    Ok(db)
}

fn error(path: &Path, what: &'static str, source: rusqlite::Error) -> Error {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full(path),
        _ => Error::Database { path, what, source },
    }
}

fn is_damage(error: &Error) -> bool {
    let Error::Database { source, .. } = error else {
        return false;
    };
    matches!(
        source.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Moves a damaged database away, with its log; where an earlier one lies, that one is replaced.
fn put_aside(path: &Path) -> Result<PathBuf, Error> {
    let with = |path: &Path, ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let aside = with(path, ".damaged");
    for ending in ["", "-wal", "-shm"] {
        let moved = std::fs::rename(with(path, ending), with(&aside, ending));
        if let Err(reason) = moved
            && reason.kind() != std::io::ErrorKind::NotFound
        {
            let source = rusqlite::Error::ToSqlConversionFailure(Box::new(reason));
            return Err(error(path, "put what is damaged aside", source));
        }
    }
    Ok(aside)
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        position: unsigned(row.get(0)?),
        boot: row.get(1)?,
        sequence: unsigned(row.get(2)?),
        told: row.get(3)?,
        instance: row.get(4)?,
        key: row.get(5)?,
        body: row.get(6)?,
        folded: unsigned(row.get(7)?),
    })
}

/// SQLite's integers have a sign; no number of ours comes near it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
