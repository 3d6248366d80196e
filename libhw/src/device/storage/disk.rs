//! Whole block devices.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ata::AtaHealth;
use super::attributes::Block;
use super::opal::{self, Opal};
use super::partition::Content;
use super::scsi::ScsiHealth;
use super::statistics::{self, SECTOR, Statistics};
use super::transport::{self, Transport};
use super::udev::Properties;
use super::{ata, scsi};
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// A whole block device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Disk {
    /// The kernel's name, `sda`, `nvme0n1`, `dm-0`.
    pub id: String,
    /// `dev`: major and minor number, `8:0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_number: Option<String>,
    /// `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// How it is reached; none of a virtual device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// `device/vendor` of SCSI, `ATA` for all ATA drives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// `device/model`, of MMC `device/name`. SCSI cuts it after 16 characters; in a deep look ATA's is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The version of the drive's firmware: `device/rev`, `device/firmware_rev`, `device/fwrev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// The drive's serial number: `device/serial`, `device/vpd_pg80`, or udev's. A virtio disk's own `serial` asks the
    /// host, and is read only with `deep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its World Wide Name, or what else tells it from all others: `wwid`, `device/wwid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wwn: Option<String>,
    /// The PCI function that it hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Host, channel, target and LUN of a SCSI device, `0:0:0:0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scsi_address: Option<String>,
    /// `device/state` of SCSI: whether the kernel gives it commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DeviceState>,
    /// `removable`: whether its medium can be taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removable: Option<bool>,
    /// `ro`: whether it can only be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// `hidden`: whether it has no device file, since it is only a way to another device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// `queue/rotational`; hypervisors say so of everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotational: Option<bool>,
    /// `queue/logical_block_size`: the smallest piece that can be addressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_block_bytes: Option<Bytes>,
    /// `queue/physical_block_size`: the smallest piece that is written without reading first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_block_bytes: Option<Bytes>,
    /// `queue/minimum_io_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_io_bytes: Option<Bytes>,
    /// `queue/optimal_io_size`; 0 is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimal_io_bytes: Option<Bytes>,
    /// `queue/read_ahead_kb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_ahead_bytes: Option<Bytes>,
    /// `queue/nr_requests`: how many requests its queue takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_requests: Option<u64>,
    /// The chosen word of `queue/scheduler`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<String>,
    /// `queue/write_cache`: how the kernel deals with the drive's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_cache: Option<WriteCache>,
    /// `queue/fua`: whether single writes can be sent past the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_unit_access: Option<bool>,
    /// `queue/discard_granularity`; 0 is no discard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_granularity_bytes: Option<Bytes>,
    /// `queue/discard_max_bytes`: the most that one discard takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_max_bytes: Option<Bytes>,
    /// `queue/dax`: whether it can be mapped into memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dax: Option<bool>,
    /// `queue/zoned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoned: Option<Zoned>,
    /// `queue/chunk_sectors`: of a zoned device the size of a zone, of a striped one that of a stripe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_bytes: Option<Bytes>,
    /// `queue/nr_zones`, of a zoned device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones: Option<u64>,
    /// `slaves`: the block devices that it is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slaves: Vec<String>,
    /// `holders`: the block devices that are made of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<String>,
    /// What udev found on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// What an ATA drive says of its health; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ata: Option<AtaHealth>,
    /// What a SCSI drive says of its health; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scsi: Option<ScsiHealth>,
    /// The lock of a self-encrypting drive; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opal: Option<Opal>,
    /// What changes without an event.
    #[serde(default)]
    pub now: DiskNow,
}

/// What changes in a disk without an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DiskNow {
    /// What went to and fro.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
    /// How commands to a SCSI device ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorCounts>,
}

/// How commands to a SCSI device ended, since it was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ErrorCounts {
    /// `device/iorequest_cnt`: commands given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// `device/iodone_cnt`: commands that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// `device/ioerr_cnt`: commands that ended in an error; some are commands that a drive does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// `device/iotmo_cnt`: commands that did not end in time (Linux 6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<u64>,
}

/// Whether the kernel gives a SCSI device commands (`drivers/scsi/scsi_sysfs.c`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// It does.
    Running,
    /// It was given up after errors that would not end.
    Offline,
    /// The way to it is gone for good.
    TransportOffline,
    /// The way to it is gone for now.
    Blocked,
    /// It is being set up.
    Created,
    /// It is being set up, and the way to it is gone for now.
    CreatedBlocked,
    /// It is held still.
    Quiesce,
    /// It is going away.
    Cancel,
    /// It is gone.
    Deleted,
    /// A word that no kernel had when this was written.
    #[serde(untagged)]
    Other(String),
}

/// How the kernel deals with a drive's cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WriteCache {
    /// The drive keeps writes for a while: the kernel flushes.
    WriteBack,
    /// What was written is safe.
    WriteThrough,
    /// A word that no kernel had when this was written.
    #[serde(untagged)]
    Other(String),
}

/// How a device with zones is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Zoned {
    /// It has none.
    None,
    /// Zones should be written in order.
    HostAware,
    /// Zones must be written in order.
    HostManaged,
    /// A word that no kernel had when this was written.
    #[serde(untagged)]
    Other(String),
}

/// The disks; virtual ones of size 0 are left out, but for arrays and mapped devices, which have members.
pub(super) fn discover(
    survey: &Survey<'_>,
    blocks: &[Block<'_>],
    all: &HashMap<String, Statistics>,
) -> Vec<Disk> {
    let mut disks = Vec::new();
    for block in blocks {
        let empty = || size(block) == Some(Bytes(0));
        let bare = !["device", "md", "dm"]
            .iter()
            .any(|name| block.own.has(name));
        if bare && empty() {
            continue;
        }
        let mut disk = disk(survey, block);
        disk.now = now(block, all);
        if survey.deep() && block.own.has("device") {
            ask(survey, block, &mut disk);
        }
        disks.push(disk);
    }
    disks
}

/// Reads statistics again, and health where it was read before.
pub(super) fn refresh(disks: &mut [Disk], survey: &Survey<'_>, all: &HashMap<String, Statistics>) {
    let blocks = super::attributes::blocks(survey);
    for disk in disks {
        let Some(block) = blocks.iter().find(|block| block.name == disk.id) else {
            continue;
        };
        disk.now = now(block, all);
        if let Some(health) = &mut disk.ata {
            ata::refresh(survey, &block.file(), health);
        }
        if let Some(health) = &mut disk.scsi {
            scsi::refresh(survey, &block.file(), health);
        }
    }
}

fn size(block: &Block<'_>) -> Option<Bytes> {
    let sectors: Option<u64> = block.own.value("size", parse::decimal);
    sectors.map(|sectors| Bytes(sectors.saturating_mul(SECTOR)))
}

fn disk(survey: &Survey<'_>, block: &Block<'_>) -> Disk {
    let device_number = block.own.text("dev");
    let properties = Properties::of(survey, device_number.as_deref());
    let device_link = block.own.link("device");
    let ways = [block.way.as_deref(), device_link.as_deref()];
    let mut disk = Disk {
        id: block.name.clone(),
        size_bytes: size(block),
        transport: block.way.as_deref().and_then(transport::of),
        function: ways
            .into_iter()
            .flatten()
            .find_map(parse::function_above)
            .map(str::to_owned),
        removable: block.own.value("removable", parse::switch),
        read_only: block.own.value("ro", parse::switch),
        hidden: block.own.value("hidden", parse::switch),
        slaves: block.own.below("slaves").names,
        holders: block.own.below("holders").names,
        content: Content::of(&properties),
        device_number,
        ..Disk::default()
    };
    identify(block, device_link.as_deref(), &properties, &mut disk);
    queue(block, &mut disk);
    disk
}

/// A virtio disk's serial number has twenty characters.
const SERIAL_MAX: usize = 256;

/// What tells the drive, as the kernel keeps it.
fn identify(
    block: &Block<'_>,
    device_link: Option<&str>,
    properties: &Properties,
    disk: &mut Disk,
) {
    let device = block.own.below("device");
    let first = |names: &[&str]| names.iter().find_map(|name| device.text(name));
    disk.vendor = device.text("vendor");
    // MMC's model is its name; a mapped device's or array's is its own class's.
    disk.model = first(&["model", "name"]);
    disk.firmware = first(&["firmware_rev", "rev", "fwrev"]);
    let page = || {
        let read = || block.own.survey.root().bytes(&device.path("vpd_pg80"));
        let bytes = device
            .has("vpd_pg80")
            .then(|| block.own.survey.keep(read()))?;
        // Four bytes of header, then the number (SPC-4 §7.8.15).
        parse::nonempty(&String::from_utf8_lossy(bytes?.get(4..)?))
    };
    let kept = &["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT"];
    disk.serial = device
        .text("serial")
        .or_else(page)
        .or_else(|| properties.first(kept))
        .or_else(|| own_serial(block, device_link, properties));
    disk.wwn = block
        .own
        .text("wwid")
        .or_else(|| device.text("wwid"))
        .or_else(|| properties.first(&["ID_WWN_WITH_EXTENSION", "ID_WWN"]));
    let last = device_link.and_then(|link| link.rsplit('/').next());
    let is_address = |text: &&str| text.split(':').count() == 4;
    disk.scsi_address = last.filter(is_address).map(str::to_owned);
    let is_scsi = disk.scsi_address.is_some() || device_link.is_none();
    disk.state = is_scsi
        .then(|| device.text("state"))
        .flatten()
        .map(device_state);
}

/// The number that a virtio disk has beside its other attributes: each read asks the host, which may take its time.
fn own_serial(
    block: &Block<'_>,
    device_link: Option<&str>,
    properties: &Properties,
) -> Option<String> {
    let device = device_link?.rsplit('/').next()?;
    device.strip_prefix("virtio")?;
    let survey = block.own.survey;
    let ask = || {
        let path = block.own.path("serial");
        let bytes = survey.root().slow_bytes(&path, SERIAL_MAX);
        parse::nonempty(&String::from_utf8_lossy(&survey.keep(bytes)?))
    };
    let asked = (survey.deep() && block.own.has("serial")).then(ask);
    asked.flatten().or_else(|| properties.first(&["ID_SERIAL"]))
}

fn queue(block: &Block<'_>, disk: &mut Disk) {
    let queue = block.own.below("queue");
    let bytes = |name: &str| queue.value(name, parse::decimal).map(Bytes);
    let switch = |name: &str| queue.value(name, parse::switch);
    disk.rotational = switch("rotational");
    disk.logical_block_bytes = bytes("logical_block_size");
    disk.physical_block_bytes = bytes("physical_block_size");
    disk.minimum_io_bytes = bytes("minimum_io_size");
    disk.optimal_io_bytes = bytes("optimal_io_size");
    disk.read_ahead_bytes = queue
        .value("read_ahead_kb", parse::decimal)
        .map(Bytes::from_kib);
    disk.queue_requests = queue.value("nr_requests", parse::decimal);
    disk.scheduler = queue.value("scheduler", scheduler);
    disk.write_cache = queue.text("write_cache").map(|word| match word.as_str() {
        "write back" => WriteCache::WriteBack,
        "write through" => WriteCache::WriteThrough,
        _ => WriteCache::Other(word),
    });
    disk.force_unit_access = switch("fua");
    disk.discard_granularity_bytes = bytes("discard_granularity");
    disk.discard_max_bytes = bytes("discard_max_bytes");
    disk.dax = switch("dax");
    disk.zoned = queue.text("zoned").map(|word| match word.as_str() {
        "none" => Zoned::None,
        "host-aware" => Zoned::HostAware,
        "host-managed" => Zoned::HostManaged,
        _ => Zoned::Other(word),
    });
    let chunk: Option<u64> = queue.value("chunk_sectors", parse::decimal);
    disk.chunk_bytes = chunk
        .filter(|sectors| *sectors > 0)
        .map(|sectors| Bytes(sectors.saturating_mul(SECTOR)));
    let zones = queue.value("nr_zones", parse::decimal);
    disk.zones = zones.filter(|zones| *zones > 0);
}

/// The chosen word, or the only one: a device without a choice of schedulers writes a bare `none`.
///
/// ```text
/// [none] mq-deadline
/// ```
fn scheduler(text: &str) -> Parsed<String> {
    let alone = || parse::nonempty(text).filter(|word| !word.contains(['[', ' ']));
    parse::chosen(text).or_else(|_| alone().ok_or(Expected("words, one of them in brackets")))
}

pub(super) fn device_state(word: String) -> DeviceState {
    match word.as_str() {
        "running" => DeviceState::Running,
        "offline" => DeviceState::Offline,
        "transport-offline" => DeviceState::TransportOffline,
        "blocked" => DeviceState::Blocked,
        "created" => DeviceState::Created,
        "created-blocked" => DeviceState::CreatedBlocked,
        "quiesce" => DeviceState::Quiesce,
        "cancel" => DeviceState::Cancel,
        "deleted" => DeviceState::Deleted,
        _ => DeviceState::Other(word),
    }
}

fn now(block: &Block<'_>, all: &HashMap<String, Statistics>) -> DiskNow {
    let stat = || block.own.value("stat", statistics::parse);
    let scsi = block.own.names.iter().any(|name| name == "device");
    let device = if scsi {
        block.own.below("device")
    } else {
        return DiskNow {
            statistics: all.get(&block.name).copied().or_else(stat),
            errors: None,
        };
    };
    // In hexadecimal, with 0x.
    let count = |name: &str| device.value(name, parse::hex);
    let errors = ErrorCounts {
        requests: count("iorequest_cnt"),
        done: count("iodone_cnt"),
        errors: count("ioerr_cnt"),
        timeouts: count("iotmo_cnt"),
    };
    DiskNow {
        statistics: all.get(&block.name).copied().or_else(stat),
        errors: (errors != ErrorCounts::default()).then_some(errors),
    }
}

/// Asks the drive itself. A USB bridge that knows a command by halves can fall silent over it, so none is asked.
fn ask(survey: &Survey<'_>, block: &Block<'_>, disk: &mut Disk) {
    let file = block.file();
    let drive = matches!(
        disk.transport,
        Some(Transport::Sata | Transport::Sas | Transport::Fc | Transport::Iscsi | Transport::Scsi)
    );
    if drive && disk.vendor.as_deref() == Some("ATA") {
        disk.ata = ata::ask(survey, &file);
        if let Some(model) = disk.ata.as_ref().and_then(|ata| ata.model.clone()) {
            disk.model = Some(model);
        }
    } else if drive {
        disk.scsi = scsi::ask(survey, &file);
    }
    if drive || disk.transport == Some(Transport::Nvme) {
        disk.opal = opal::ask(survey, &file);
    }
}
