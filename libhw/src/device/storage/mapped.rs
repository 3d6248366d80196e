//! Devices of the device mapper, and loop devices.

use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, Block};
use super::disk::{DeviceState, device_state};
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;
use crate::word::words;

words! {
    /// How a way to a device is used, as the device itself says (SPC-4 6.27, ALUA; `access_state`).
    pub enum AccessState {
        /// The best way.
        Optimized = "active_optimized",
        /// It works, and another is faster.
        NonOptimized = "active_non_optimized",
        /// It takes over when it is told to.
        Standby = "standby",
        /// It cannot be used.
        Unavailable = "unavailable",
        /// It only knows some of the device's blocks.
        LbaDependent = "lba_dependent",
        /// It is gone.
        Offline = "offline",
        /// It changes to another of these.
        Transitioning = "transitioning",
    }
}

/// One of several ways to a device, as SCSI's layer has it (`drivers/scsi/scsi_sysfs.c`). Whether multipath has given it
/// up stands in no file; a way that is not running it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Way {
    /// The block device, `sda`.
    pub id: String,
    /// `device/state`: whether the kernel gives it commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DeviceState>,
    /// `device/access_state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessState>,
    /// `device/preferred_path`: whether the device asks for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<bool>,
}

/// A device of the device mapper (`Documentation/ABI/testing/sysfs-block-dm`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MappedDevice {
    /// The kernel's name, `dm-0`: the block device.
    pub id: String,
    /// `dm/name`: its name in /dev/mapper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `dm/uuid`: a word for who made it, and what tells it from all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Who made it, as `dm/uuid` begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MapKind>,
    /// `dm/suspended`: whether all that would use it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// Of a logical volume: its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_group: Option<String>,
    /// Of a logical volume: its name in the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_volume: Option<String>,
    /// `slaves`: the devices that it is made of; of multipath, the ways to the one device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: MappedNow,
}

/// How a mapped device fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MappedNow {
    /// Of multipath: its ways to the one device, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
}

/// Who made a mapped device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MapKind {
    /// LVM: a logical volume.
    Lvm,
    /// multipath-tools: several ways to one device.
    Multipath,
    /// cryptsetup: an encrypted device.
    Crypt,
    /// kpartx: a partition.
    Partition,
    /// dmraid: an array of a BIOS.
    Dmraid,
    /// Another, by the word before the first dash.
    #[serde(untagged)]
    Other(String),
}

/// A loop device that has a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Loop {
    /// The kernel's name, `loop0`: the block device.
    pub id: String,
    /// `loop/backing_file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backing_file: Option<String>,
    /// `loop/offset`: where in the file it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_bytes: Option<Bytes>,
    /// `loop/sizelimit`; 0 is the file's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_limit_bytes: Option<Bytes>,
    /// `loop/autoclear`: whether it goes away with its last user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoclear: Option<bool>,
    /// `loop/dio`: whether the file is read and written past the page cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_io: Option<bool>,
}

/// The mapped devices.
pub(super) fn discover(blocks: &[Block<'_>]) -> Vec<MappedDevice> {
    let mapped = blocks.iter().filter(|block| block.own.has("dm"));
    mapped
        .map(|block| {
            let dm = block.own.below("dm");
            let (name, uuid) = (dm.text("name"), dm.text("uuid"));
            let kind = uuid.as_deref().and_then(kind);
            let volume = name
                .as_deref()
                .filter(|_| kind == Some(MapKind::Lvm))
                .and_then(volume);
            let (volume_group, logical_volume) = volume.unzip();
            let members = block.own.below("slaves").names;
            MappedDevice {
                now: now(block.own.survey, kind.as_ref(), &members),
                id: block.name.clone(),
                name,
                uuid,
                kind,
                suspended: dm.value("suspended", parse::switch),
                volume_group,
                logical_volume,
                members,
            }
        })
        .collect()
}

/// Reads again how the ways of multipath fare.
pub(super) fn refresh(devices: &mut [MappedDevice], survey: &Survey<'_>) {
    for device in devices {
        device.now = now(survey, device.kind.as_ref(), &device.members);
    }
}

fn now(survey: &Survey<'_>, kind: Option<&MapKind>, members: &[String]) -> MappedNow {
    if kind != Some(&MapKind::Multipath) {
        return MappedNow::default();
    }
    let way = |name: &String| {
        let device = Attributes::list(survey, format!("sys/block/{name}/device"));
        Way {
            id: name.clone(),
            state: device.text("state").map(device_state),
            access: device.text("access_state").map(Into::into),
            preferred: device.value("preferred_path", parse::switch),
        }
    };
    MappedNow {
        ways: members.iter().map(way).collect(),
    }
}

/// The loop devices that have a file.
pub(super) fn loops(blocks: &[Block<'_>]) -> Vec<Loop> {
    // The directory is there while there is a file.
    let loops = blocks.iter().filter(|block| block.own.has("loop"));
    loops
        .map(|block| {
            let own = block.own.below("loop");
            let bytes = |name: &str| own.value(name, parse::decimal).map(Bytes);
            Loop {
                id: block.name.clone(),
                backing_file: own.text("backing_file"),
                offset_bytes: bytes("offset"),
                size_limit_bytes: bytes("sizelimit"),
                autoclear: own.value("autoclear", parse::switch),
                direct_io: own.value("dio", parse::switch),
            }
        })
        .collect()
}

/// ```text
/// LVM-3zSHSR5Nbf4j7g6auAAefWY2CMaX01theZYEvQyecVsm2WtX3iY5q51qq5dWWOq7
/// part1-mpath-3600508b400105e210000900000490000
/// ```
fn kind(uuid: &str) -> Option<MapKind> {
    let (word, _) = uuid.split_once('-')?;
    let is_partition = word.strip_prefix("part").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|sign| sign.is_ascii_digit())
    });
    Some(match word {
        "LVM" => MapKind::Lvm,
        "mpath" => MapKind::Multipath,
        "CRYPT" => MapKind::Crypt,
        "DMRAID" => MapKind::Dmraid,
        _ if is_partition => MapKind::Partition,
        _ => MapKind::Other(word.to_owned()),
    })
}

/// Group and name of a logical volume: LVM joins them by a dash, and doubles the dashes that are in them.
///
/// ```text
/// vg--data-lv_root
/// ```
fn volume(name: &str) -> Option<(String, String)> {
    let mut rest = name.char_indices().peekable();
    while let Some((place, sign)) = rest.next() {
        if sign != '-' {
            continue;
        }
        if rest.next_if(|(_, next)| *next == '-').is_some() {
            continue;
        }
        let (group, volume) = (name.get(..place)?, name.get(place + 1..)?);
        return Some((group.replace("--", "-"), volume.replace("--", "-")));
    }
    None
}
