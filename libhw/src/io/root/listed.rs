//! Names that a capture has no file for: discovery listed them and never read what they name, or found nothing to save.
//! A file that stands for them in the tree would be mistaken for what it says, so they stand in the record.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::io::sys::EntryKind;
use crate::io::tree::Tree;

/// The file of the record: a JSON object from a directory's real place to names in it.
pub(in crate::io) const LISTED: &str = "gnomon/listed.json";

/// The names by the real place of their directory.
#[derive(Debug, Default)]
pub(in crate::io) struct Listed(BTreeMap<String, Vec<String>>);

impl Listed {
    /// Reads `{"sys/class/tpm/tpm0":["cancel","pcrs"]}`.
    ///
    /// # Errors
    /// When it is something else, or a name is none that a directory can hold.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let malformed = |text: &str| {
            Error::malformed(
                &format!("/{LISTED}"),
                "a JSON object of names by directory",
                text,
            )
        };
        let names: BTreeMap<String, Vec<String>> =
            serde_json::from_str(text).map_err(|_| malformed(text))?;
        match names.values().flatten().find(|name| !is_name(name)) {
            Some(name) => Err(malformed(name)),
            None => Ok(Self(names)),
        }
    }

    /// Adds what was listed in the directory at `path`, in order.
    pub(super) fn add_to(&self, entries: &mut Vec<(String, EntryKind)>, tree: &Tree, path: &str) {
        if self.0.is_empty() {
            return;
        }
        let names = tree
            .resolve(path)
            .ok()
            .and_then(|place| self.0.get(&place.real));
        let Some(names) = names else {
            return;
        };
        entries.extend(names.iter().map(|name| (name.clone(), EntryKind::Other)));
        // Of two of one name the first is that of the tree, since the order of equal ones is kept.
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|later, first| later.0 == first.0);
    }
}

/// The longest name, the kernel's own limit.
const NAME_MAX: usize = 255;

/// Whether a directory can hold it: one part of a path, and no way to another.
fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && name.len() <= NAME_MAX && !name.contains(['/', '\0'])
}
