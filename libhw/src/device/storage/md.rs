//! RAID arrays of the md driver (`Documentation/admin-guide/md.rst`).

use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, Block};
use super::statistics::SECTOR;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// A RAID array. All of it is read again by a refresh: that it degrades or is rebuilt is worth telling, and the
/// kernel announces it to those alone who watch its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Array {
    /// The kernel's name, `md0`: the block device.
    pub id: String,
    /// `md/uuid` (Linux 6.16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// `md/level`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<ArrayLevel>,
    /// `md/array_state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ArrayState>,
    /// `md/metadata_version`: `1.2`, `external:imsm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_version: Option<String>,
    /// `md/raid_disks`: how many devices it is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raid_disks: Option<u32>,
    /// How many it was made for before the reshape that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raid_disks_before: Option<u32>,
    /// `md/degraded`: how many of them are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<u32>,
    /// `md/sync_action`: what it is busy with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_action: Option<SyncAction>,
    /// `md/chunk_size`: how much lies on one device before the next has its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_bytes: Option<Bytes>,
    /// The devices (`md/dev-*`), by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ArrayNow,
}

/// What changes in an array all the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ArrayNow {
    /// `md/sync_completed`: how much of each device is done with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_done_bytes: Option<Bytes>,
    /// How much of each device there is to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_total_bytes: Option<Bytes>,
    /// `md/sync_speed`: how much of each device is done in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_bytes_per_second: Option<u64>,
    /// `md/mismatch_cnt`: what the last check found to differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mismatch_bytes: Option<Bytes>,
}

/// A device of an array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    /// The block device.
    pub id: String,
    /// `slot`: its place in the array; none of a spare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
    /// `state`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<MemberState>,
    /// `errors`: reads that failed and were put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:literal $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
            /// A word that no kernel had when this was written.
            #[serde(untagged)]
            Other(String),
        }

        impl $name {
            fn of(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word.to_owned()),
                }
            }
        }
    };
}

words! {
    /// How an array spreads what is written.
    ArrayLevel {
        /// One device after the other.
        "linear" Linear,
        /// In stripes.
        "raid0" Raid0,
        /// The same on every device.
        "raid1" Raid1,
        /// In stripes, with parity on one device.
        "raid4" Raid4,
        /// In stripes, with parity.
        "raid5" Raid5,
        /// In stripes, with two parities.
        "raid6" Raid6,
        /// In stripes, each twice or more.
        "raid10" Raid10,
        /// Several ways to one device.
        "multipath" Multipath,
        /// No array itself: what arrays of external metadata lie in.
        "container" Container,
        /// For tests.
        "faulty" Faulty,
    }
}

words! {
    /// What an array does.
    ArrayState {
        /// It has no devices.
        "clear" Clear,
        /// It has devices and does not run.
        "inactive" Inactive,
        /// All that would use it waits.
        "suspended" Suspended,
        /// It can only be read.
        "readonly" Readonly,
        /// It can only be read until the first write.
        "read-auto" ReadAuto,
        /// It runs, and nothing is on its way to it.
        "clean" Clean,
        /// It runs.
        "active" Active,
        /// A write waits for its metadata.
        "write-pending" WritePending,
        /// It runs, and nothing was written for a while.
        "active-idle" ActiveIdle,
        /// A device failed that it cannot do without.
        "broken" Broken,
    }
}

words! {
    /// What an array is busy with.
    SyncAction {
        /// Nothing.
        "idle" Idle,
        /// It makes all devices agree.
        "resync" Resync,
        /// It rebuilds a device.
        "recover" Recover,
        /// It looks whether all devices agree.
        "check" Check,
        /// It looks, and makes them agree.
        "repair" Repair,
        /// Its shape is being changed.
        "reshape" Reshape,
        /// It may not begin anything.
        "frozen" Frozen,
    }
}

words! {
    /// What a device does in an array.
    MemberState {
        /// It was given up.
        "faulty" Faulty,
        /// It is in use and up to date.
        "in_sync" InSync,
        /// It is read only where it must be.
        "write_mostly" WriteMostly,
        /// It failed, and whoever keeps the metadata has not noted it yet.
        "blocked" Blocked,
        /// It waits, or is being rebuilt.
        "spare" Spare,
        /// A write failed.
        "write_error" WriteError,
        /// It is to be replaced.
        "want_replacement" WantReplacement,
        /// It replaces another.
        "replacement" Replacement,
        /// It is given up at the first error.
        "failfast" Failfast,
        /// It keeps the journal.
        "journal" Journal,
        /// Others keep its list of bad blocks.
        "external_bbl" ExternalBbl,
    }
}

/// The arrays.
pub(super) fn discover(blocks: &[Block<'_>]) -> Vec<Array> {
    let is_array = |block: &&Block<'_>| block.own.has("md");
    let array = |block: &Block<'_>| array(&block.name, &block.own.below("md"));
    blocks.iter().filter(is_array).map(array).collect()
}

/// Reads them again.
pub(super) fn refresh(arrays: &mut [Array], survey: &Survey<'_>) {
    for array in arrays {
        let base = format!("sys/block/{}/md", array.id);
        *array = self::array(&array.id, &Attributes::list(survey, base));
    }
}

fn array(id: &str, md: &Attributes<'_>) -> Array {
    let disks = md.value("raid_disks", disks).unwrap_or_default();
    let completed = md.value("sync_completed", completed).flatten();
    let chunk: Option<u64> = md.value("chunk_size", parse::decimal);
    let speed = md.value("sync_speed", number_or_none).flatten();
    let mismatch: Option<u64> = md.value("mismatch_cnt", parse::decimal);
    Array {
        id: id.to_owned(),
        uuid: md.text("uuid"),
        level: md.text("level").as_deref().map(ArrayLevel::of),
        state: md.text("array_state").as_deref().map(ArrayState::of),
        metadata_version: md.text("metadata_version"),
        raid_disks: disks.0,
        raid_disks_before: disks.1,
        degraded: md.value("degraded", parse::decimal),
        sync_action: md.text("sync_action").as_deref().map(SyncAction::of),
        chunk_bytes: chunk.filter(|size| *size > 0).map(Bytes),
        members: members(md),
        now: ArrayNow {
            sync_done_bytes: completed.map(|(done, _)| done),
            sync_total_bytes: completed.map(|(_, total)| total),
            sync_bytes_per_second: speed.map(|kib| kib.saturating_mul(1024)),
            mismatch_bytes: mismatch.map(|sectors| Bytes(sectors.saturating_mul(SECTOR))),
        },
    }
}

fn members(md: &Attributes<'_>) -> Vec<Member> {
    let names = md.names.iter();
    let names = names.filter_map(|name| Some((name, name.strip_prefix("dev-")?)));
    names
        .map(|(directory, id)| {
            let own = md.below(directory);
            let state = own.text("state").unwrap_or_default();
            let words = state.split(',').filter(|word| !word.is_empty());
            let slot: Option<Option<u64>> = own.value("slot", number_or_none);
            Member {
                id: id.to_owned(),
                slot: slot.flatten().and_then(|slot| slot.try_into().ok()),
                state: words.map(MemberState::of).collect(),
                errors: own.value("errors", parse::decimal),
            }
        })
        .collect()
}

/// How many devices, and how many before while that changes.
///
/// ```text
/// 11 (10)
/// ```
fn disks(text: &str) -> Parsed<(Option<u32>, Option<u32>)> {
    let (now, before) = text.split_once('(').unwrap_or((text, ""));
    let before = before.trim_end_matches([')', '\n']);
    let before = if before.is_empty() {
        None
    } else {
        Some(parse::decimal(before)?)
    };
    Ok((Some(parse::decimal(now)?), before))
}

/// How far it is, in sectors; `none` when nothing is under way, `delayed` when it waits for another array.
///
/// ```text
/// 1569888 / 2093056
/// ```
fn completed(text: &str) -> Parsed<Option<(Bytes, Bytes)>> {
    const EXPECTED: Expected = Expected("sectors done / sectors in all, none or delayed");
    if matches!(parse::trim(text), "none" | "delayed") {
        return Ok(None);
    }
    let (done, total) = text.split_once('/').ok_or(EXPECTED)?;
    let bytes = |text: &str| -> Parsed<Bytes> {
        let sectors: u64 = parse::decimal(text).map_err(|_| EXPECTED)?;
        Ok(Bytes(sectors.saturating_mul(SECTOR)))
    };
    Ok(Some((bytes(done)?, bytes(total)?)))
}

fn number_or_none(text: &str) -> Parsed<Option<u64>> {
    if parse::trim(text) == "none" {
        return Ok(None);
    }
    parse::decimal(text)
        .map(Some)
        .map_err(|_| Expected("a decimal number, or none"))
}
