//! What earlier kernels left behind when they crashed (`Documentation/ABI/testing/pstore`, systemd-pstore.service(8)).
//!
//! ```text
//! dmesg-erst-6908012345678901
//! console-ramoops-0
//! dmesg-efi_pstore-170123456701001.enc.z
//! ```

use serde::{Deserialize, Serialize};

use crate::io::pstore;
use crate::survey::Survey;
use crate::units::Bytes;

/// What earlier kernels left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Pstore {
    /// Where it is kept (`/sys/module/pstore/parameters/backend`): `erst`, `efi_pstore`, `ramoops`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The records in `/sys/fs/pstore`; only root sees them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<PstoreRecord>,
    /// What systemd has moved from there to `/var/lib/systemd/pstore`, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub archived: Vec<String>,
}

/// One record. Its content is never read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PstoreRecord {
    /// The file's name.
    pub id: String,
    /// What it is.
    pub kind: RecordKind,
    /// Whether the kernel could not unpack it.
    #[serde(default)]
    pub packed: bool,
    /// How large it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// When it was made, as the store tells it, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_unix_seconds: Option<i64>,
}

/// What a record is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// The kernel's log when it crashed.
    Dmesg,
    /// A machine check.
    Mce,
    /// The console's last lines.
    Console,
    /// The last functions that ran.
    Ftrace,
    /// What programs wrote into it.
    Pmsg,
    /// Another one: `rtas`, `powerpc-opal`.
    #[serde(untagged)]
    Other(String),
}

const RECORDS: &str = "sys/fs/pstore";
const BACKEND: &str = "sys/module/pstore/parameters/backend";
const ARCHIVE: &str = "var/lib/systemd/pstore";

/// More records than any store has room for.
const RECORDS_MAX: usize = 1 << 12;

/// None without a store and without an archive.
pub(super) fn discover(survey: &Survey<'_>) -> Option<Pstore> {
    let backend = survey.text(BACKEND).filter(|backend| backend != "(null)");
    let mut names = survey.names(RECORDS);
    names.truncate(RECORDS_MAX);
    let mut archived = survey.names(ARCHIVE);
    archived.truncate(RECORDS_MAX);
    if backend.is_none() && names.is_empty() && archived.is_empty() {
        return None;
    }
    let made = if names.is_empty() {
        None
    } else {
        survey.keep(pstore::made(survey.root(), RECORDS, &names))
    };
    let record = |name: String| {
        let made = made.as_ref().and_then(|made| made.get(&name));
        PstoreRecord {
            kind: kind(&name, backend.as_deref()),
            packed: name.ends_with(".enc.z"),
            size_bytes: made.map(|made| Bytes(made.size_bytes)),
            made_unix_seconds: made.map(|made| made.unix_seconds),
            id: name,
        }
    };
    Some(Pstore {
        records: names.into_iter().map(record).collect(),
        backend,
        archived,
    })
}

/// What stands before the backend's name; where that is not known, before the first dash.
fn kind(name: &str, backend: Option<&str>) -> RecordKind {
    let before = backend.and_then(|backend| name.split_once(&format!("-{backend}-")));
    let word = before
        .or_else(|| name.split_once('-'))
        .map_or(name, |(word, _)| word);
    match word {
        "dmesg" => RecordKind::Dmesg,
        "mce" => RecordKind::Mce,
        "console" => RecordKind::Console,
        "ftrace" => RecordKind::Ftrace,
        "pmsg" => RecordKind::Pmsg,
        other => RecordKind::Other(other.to_owned()),
    }
}
