//! Partitions, and what is found on a device.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, Block};
use super::statistics::{self, SECTOR, Statistics};
use super::udev::Properties;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// A partition of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Partition {
    /// The kernel's name, `sda1`.
    pub id: String,
    /// The disk that it is a part of.
    pub disk: String,
    /// `partition`: its number in the disk's table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// `dev`: major and minor number, `8:1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_number: Option<String>,
    /// `start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_bytes: Option<Bytes>,
    /// `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `ro`: whether it can only be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Its name in the disk's table (GPT): `PARTNAME` of `uevent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its identity in the disk's table: `PARTUUID` of `uevent`, or udev's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// What the disk's table says that it is for: a UUID of GPT's, or `0x83` and its like of MBR's (udev's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What udev found on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// `holders`: the block devices that are made of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: PartitionNow,
}

/// What changes in a partition without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PartitionNow {
    /// What went to and fro.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
}

/// What is on a block device, as udev found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Content {
    /// `ID_FS_TYPE`: `ext4`, `LVM2_member`, `linux_raid_member`, `crypto_LUKS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `ID_FS_VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `ID_FS_UUID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// `ID_PART_TABLE_TYPE`: `gpt`, `dos`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_table: Option<String>,
    /// `ID_PART_TABLE_UUID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_table_uuid: Option<String>,
}

impl Content {
    /// What udev's properties say; `None` when that is nothing.
    pub(super) fn of(properties: &Properties) -> Option<Self> {
        // A partition's table properties are its disk's.
        let whole = properties.first(&["ID_PART_ENTRY_UUID"]).is_none();
        let content = Self {
            kind: properties.first(&["ID_FS_TYPE"]),
            version: properties.first(&["ID_FS_VERSION"]),
            uuid: properties.first(&["ID_FS_UUID"]),
            partition_table: properties.first(&["ID_PART_TABLE_TYPE"]).filter(|_| whole),
            partition_table_uuid: properties.first(&["ID_PART_TABLE_UUID"]).filter(|_| whole),
        };
        (content != Self::default()).then_some(content)
    }
}

/// The partitions of all disks.
pub(super) fn discover(
    survey: &Survey<'_>,
    blocks: &[Block<'_>],
    statistics: &HashMap<String, Statistics>,
) -> Vec<Partition> {
    let mut partitions = Vec::new();
    for block in blocks {
        let mut own: Vec<Partition> = block
            .partitions()
            .filter_map(|name| partition(survey, block, name, statistics))
            .collect();
        own.sort_by_key(|partition| partition.number);
        partitions.append(&mut own);
    }
    partitions
}

/// Reads the statistics again.
pub(super) fn refresh(
    partitions: &mut [Partition],
    survey: &Survey<'_>,
    all: &HashMap<String, Statistics>,
) {
    for partition in partitions {
        let stat = || {
            let path = format!("sys/block/{}/{}/stat", partition.disk, partition.id);
            survey.value(&path, statistics::parse)
        };
        partition.now.statistics = all.get(&partition.id).copied().or_else(stat);
    }
}

fn partition(
    survey: &Survey<'_>,
    block: &Block<'_>,
    name: &str,
    all: &HashMap<String, Statistics>,
) -> Option<Partition> {
    let own = Attributes::list(survey, block.own.path(name));
    if !own.has("partition") {
        return None;
    }
    let sectors = |name: &str| {
        let count: Option<u64> = own.value(name, parse::decimal);
        count.map(|count| Bytes(count.saturating_mul(SECTOR)))
    };
    let device_number = own.text("dev");
    let properties = Properties::of(survey, device_number.as_deref());
    let uevent = uevent(&own);
    let told = |key: &str| uevent.get(key).cloned();
    let stat = || own.value("stat", statistics::parse);
    Some(Partition {
        id: name.to_owned(),
        disk: block.name.clone(),
        number: own.value("partition", parse::decimal),
        start_bytes: sectors("start"),
        size_bytes: sectors("size"),
        read_only: own.value("ro", parse::switch),
        label: told("PARTNAME"),
        uuid: told("PARTUUID").or_else(|| properties.first(&["ID_PART_ENTRY_UUID"])),
        kind: properties.first(&["ID_PART_ENTRY_TYPE"]),
        content: Content::of(&properties),
        holders: own.below("holders").names,
        now: PartitionNow {
            statistics: all.get(name).copied().or_else(stat),
        },
        device_number,
    })
}

/// The lines of `uevent`.
///
/// ```text
/// PARTNAME=EFI System Partition
/// ```
fn uevent(own: &Attributes<'_>) -> BTreeMap<String, String> {
    let text = own.text("uevent").unwrap_or_default();
    let pair = |line: &str| {
        let (key, value) = line.split_once('=')?;
        Some((key.to_owned(), parse::nonempty(value)?))
    };
    text.lines().filter_map(pair).take(64).collect()
}
