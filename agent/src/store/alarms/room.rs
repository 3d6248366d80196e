//! Room for events: allocated ahead, and made at the bound.

use rusqlite::params;

use super::{Error, Store, signed, unsigned};

/// What an event takes beside its texts: its row, and a line in each index.
const OVERHEAD_BYTES: u64 = 256;

/// So many events more than are needed go at a time, so that it is not done for every one.
const SLACK: usize = 64;

/// A page of the database, of 4096 bytes, holds no less of a filler.
const FILLER_BYTES: u64 = 64 << 10;

/// So much of the log is written ahead even when the database has its size already.
const LOG_BYTES: u64 = 1 << 20;

impl Store {
    /// Allocates what is still to be reserved: fills the file, which the log has to hold too, and empties it again. The pages
    /// stay with the file, and the log's size stays until the last connection closes it.
    pub(super) fn reserve(&mut self) -> Result<(), Error> {
        let write = || {
            let (pages, _, page_bytes) = self.pages()?;
            let missing = self
                .limits
                .reserved_bytes
                .saturating_sub(pages * page_bytes);
            let transaction = self.db.unchecked_transaction()?;
            // Rows of a former attempt that was killed.
            transaction.execute("DELETE FROM reserve", [])?;
            for _ in 0..missing.max(LOG_BYTES).div_ceil(FILLER_BYTES) {
                transaction
                    .prepare_cached("INSERT INTO reserve (filler) VALUES (zeroblob(?1))")?
                    .execute(params![signed(FILLER_BYTES)])?;
            }
            transaction.commit()?;
            self.db.execute("DELETE FROM reserve", [])?;
            self.db.pragma_query(None, "wal_checkpoint", |_| Ok(()))
        };
        write().map_err(|error| self.error("allocate room in it", error))
    }

    /// Sees that what waits fits the bounds.
    pub(super) fn make_room(&mut self) -> Result<(), Error> {
        let texts: usize = self
            .waiting
            .events
            .iter()
            .map(|event| event.body.len() + 2 * (event.instance.len() + event.key.len()))
            .sum();
        let events = self.waiting.events.len();
        let bytes = texts as u64 + OVERHEAD_BYTES * events as u64;
        loop {
            let excess = self.excess(events, bytes)?;
            if excess == 0 {
                return Ok(());
            }
            let gone = match self.drop_acknowledged(excess + SLACK)? {
                0 => self.fold_one()?,
                gone => gone,
            };
            if gone == 0 {
                return Err(Error::Bound(self.path.clone()));
            }
            self.rows = self.rows.saturating_sub(gone);
        }
    }

    /// How many events must go before `events` of `bytes` fit.
    fn excess(&self, events: usize, bytes: u64) -> Result<usize, Error> {
        let rows = (self.rows + events).saturating_sub(self.limits.events_max);
        let (pages, free, page_bytes) = self
            .pages()
            .map_err(|error| self.error("measure it", error))?;
        let used = pages.saturating_sub(free) * page_bytes;
        let over = (used + bytes).saturating_sub(self.limits.bytes_max);
        let each = used / (self.rows as u64).max(1);
        let by_size = over.div_ceil(each.max(1));
        Ok(rows.max(
            usize::try_from(by_size)
                .unwrap_or(usize::MAX)
                .min(self.rows.max(1)),
        ))
    }

    /// The database's pages, those of them that are free, and the bytes of one.
    fn pages(&self) -> rusqlite::Result<(u64, u64, u64)> {
        let number = |name| {
            self.db
                .pragma_query_value(None, name, |row| row.get(0))
                .map(unsigned)
        };
        Ok((
            number("page_count")?,
            number("freelist_count")?,
            number("page_size")?,
        ))
    }

    /// Removes the oldest events that every sink has acknowledged or is not told, at most `count`; without a sink all are.
    /// Says how many.
    fn drop_acknowledged(&self, count: usize) -> Result<usize, Error> {
        let gone = self.db.prepare_cached(
            "DELETE FROM event WHERE position IN (
                 SELECT position FROM event
                 WHERE NOT told OR position <= (SELECT coalesce(min(cursor), 9223372036854775807) FROM sink)
                 ORDER BY position LIMIT ?1)",
        );
        gone.and_then(|mut gone| gone.execute(params![super::bound(count)]))
            .map_err(|error| self.error("make room in it", error))
    }

    /// Folds the events of the instance that has most, into its latest. Says how many are gone.
    fn fold_one(&mut self) -> Result<usize, Error> {
        let fold = || {
            let transaction = self.db.unchecked_transaction()?;
            let most: Result<(String, i64, i64), _> = transaction
                .prepare_cached(
                    "SELECT instance, max(position), sum(folded + 1) FROM event WHERE told
                     GROUP BY instance HAVING count(*) > 1 ORDER BY count(*) DESC, instance LIMIT 1",
                )?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            let (instance, latest, all) = match most {
                Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(0),
                most => most?,
            };
            transaction
                .prepare_cached("UPDATE event SET folded = ?2 WHERE position = ?1")?
                .execute(params![latest, all - 1])?;
            let gone = transaction
                .prepare_cached("DELETE FROM event WHERE instance = ?1 AND told AND position < ?2")?
                .execute(params![instance, latest])?;
            transaction.commit()?;
            Ok(gone)
        };
        fold().map_err(|error| self.error("make room in it", error))
    }
}
