//! How large the records of the last crash are, and when they were made: their content stays where it is.
#![expect(clippy::disallowed_methods, reason = "io/ asks for metadata")]

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::io::root::Root;

/// One record's size, and the time that firmware gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) size_bytes: u64,
    pub(crate) unix_seconds: i64,
}

/// The records called `names` in `directory`, by name; one that is gone in the meantime is left out.
///
/// # Errors
/// When the record of a capture is damaged.
pub(crate) fn made(
    root: &Root,
    directory: &str,
    names: &[String],
) -> Result<Option<BTreeMap<String, Made>>> {
    let place = root.place().join(directory);
    root.probe("pstore", || {
        let of = |name: &String| {
            let metadata = std::fs::metadata(place.join(name)).ok()?;
            let made = Made {
                size_bytes: metadata.size(),
                unix_seconds: metadata.mtime(),
            };
            Some((name.clone(), made))
        };
        Ok(Some(names.iter().filter_map(of).collect()))
    })
}
