//! The tables, and the steps from one version of them to the next.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, error, unsigned};

/// What makes each version from the one before it; the first makes it from nothing. A step that was released is never
/// changed: another is added.
const STEPS: &[&str] = &["
    CREATE TABLE alarm (key TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE event (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        boot TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        told INTEGER NOT NULL,
        instance TEXT NOT NULL,
        key TEXT NOT NULL,
        body TEXT NOT NULL,
        folded INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX event_of_instance ON event (instance, told, position);
    CREATE INDEX event_of_key ON event (key, position);
    CREATE TABLE sink (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, state TEXT) STRICT, WITHOUT ROWID;
    CREATE TABLE mark (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE reserve (filler BLOB NOT NULL) STRICT;
"];

/// Brings the tables to the present version, each step whole or not at all.
pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<(), Error> {
    let failed = |source| error(path, "bring it to the present version", source);
    let version: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed)?;
    let known = STEPS.len();
    let version = usize::try_from(unsigned(version)).unwrap_or(usize::MAX);
    if version > known {
        return Err(Error::Newer {
            path: path.to_owned(),
            version: u32::try_from(version).unwrap_or(u32::MAX),
            known: u32::try_from(known).unwrap_or(u32::MAX),
        });
    }
    for (index, step) in STEPS.iter().enumerate().skip(version) {
        let run = |db: &mut Connection| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(
                None,
                "user_version",
                i64::try_from(index + 1).unwrap_or(i64::MAX),
            )?;
            transaction.commit()
        };
        run(db).map_err(failed)?;
    }
    Ok(())
}
