//! What the sinks ask of the database beyond their events.

use rusqlite::{OptionalExtension, params};

use super::{Error, Store, bound, signed, unsigned};

impl Store {
    /// How many events that sinks are told there are behind position `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) fn pending(&self, after: u64) -> Result<u64, Error> {
        let read = || -> rusqlite::Result<i64> {
            self.db
                .prepare_cached("SELECT count(*) FROM event WHERE position > ?1 AND told")?
                .query_row(params![signed(after)], |row| row.get(0))
        };
        let count = read().map_err(|error| self.error("count its events", error))?;
        Ok(unsigned(count))
    }

    /// The position of the last event; 0 without one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) fn last(&self) -> Result<u64, Error> {
        let read = || {
            self.db
                .prepare_cached("SELECT position FROM event ORDER BY position DESC LIMIT 1")?
                .query_row([], |row| row.get::<_, i64>(0))
                .optional()
        };
        let last = read().map_err(|error| self.error("read its last event", error))?;
        Ok(last.map_or(0, unsigned))
    }

    /// At most `limit` active alarms whose keys come after `after`: key, and state as JSON.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) fn active(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut alarms = self.db.prepare_cached(
                "SELECT key, state FROM alarm WHERE ?1 IS NULL OR key > ?1 ORDER BY key LIMIT ?2",
            )?;
            let rows = alarms.query_map(params![after, bound(limit)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            rows.collect()
        };
        read().map_err(|error| self.error("read its alarms", error))
    }
}
