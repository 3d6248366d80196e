//! Intel Data Streaming and In-Memory Analytics Accelerators
//! (`Documentation/ABI/stable/sysfs-driver-dma-idxd`, `include/uapi/linux/idxd.h`).

use serde::{Deserialize, Serialize};

use super::{Accelerator, Crypto, Kind, QueueMode, State};
use crate::directory::Directory;
use crate::idset::IdSet;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// A DSA or IAA device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Dsa {
    /// The kernel's name: `dsa0`, `iax1`; also the id of its accelerator.
    pub id: String,
    /// Its PCI function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `version` of its hardware: `1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `max_engines`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engines_max: Option<u32>,
    /// `max_groups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_max: Option<u32>,
    /// `max_work_queues`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_queues_max: Option<u32>,
    /// `max_work_queues_size`: entries of all work queues together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_queue_entries_max: Option<u32>,
    /// `max_batch_size`: descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_max: Option<u32>,
    /// `max_transfer_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_max_bytes: Option<Bytes>,
    /// `configurable`: whether it can be set up from here; on a guest it often cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configurable: Option<bool>,
    /// `pasid_enabled`: whether programs can share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pasid_enabled: Option<bool>,
    /// `op_cap`: what it does, in the kernel's words; `opcode-0x..` for one that is not known here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: DsaNow,
}

/// What changes in such a device without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DsaNow {
    /// `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// `clients`: how many have its work queues open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<u32>,
    /// `errors`: the last error that no descriptor could tell of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SoftwareError>,
    /// `cmd_status`: what went wrong with the last command or configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
}

/// The register SWERROR, when it holds an error (Intel DSA specification §9.2.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SoftwareError {
    /// The error's code.
    pub code: u32,
    /// The opcode of the descriptor, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<u32>,
    /// The number of the work queue, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_queue: Option<u32>,
    /// Whether more errors came before this one was cleared.
    #[serde(default)]
    pub overflow: bool,
}

/// What went wrong with the last command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Command {
    /// `cmd_status` in hexadecimal.
    pub value: String,
    /// What it means, where the kernel names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
}

/// An engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DsaEngine {
    /// The kernel's name: `engine0.1`.
    pub id: String,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsa: Option<String>,
    /// The group that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A group of engines and work queues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DsaGroup {
    /// The kernel's name: `group0.1`.
    pub id: String,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsa: Option<String>,
    /// `read_buffers_allowed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_buffers_allowed: Option<u32>,
    /// `read_buffers_reserved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_buffers_reserved: Option<u32>,
}

/// A work queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkQueue {
    /// The kernel's name: `wq0.1`.
    pub id: String,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsa: Option<String>,
    /// The group that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `name` that its owner gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `type`: `kernel`, `user`; absent before it is set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// `mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<QueueMode>,
    /// `driver_name`: the driver that is to have it: `user`, `dmaengine`, `crypto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `size`: entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u32>,
    /// `priority` among those of its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// `threshold`: entries that may be filled through a limited portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// `block_on_fault`: whether it may wait for a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_on_fault: Option<bool>,
    /// What changes without an event.
    #[serde(default)]
    pub now: WorkQueueNow,
}

/// What changes in a work queue without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct WorkQueueNow {
    /// `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// `clients`: how many have it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<u32>,
}

const DEVICES: &str = "sys/bus/dsa/devices";

/// `enum dsa_opcode` and `enum iax_opcode`, which share no number that means two things.
const OPERATIONS: &[(u32, &str)] = &[
    (0x00, "noop"),
    (0x01, "batch"),
    (0x02, "drain"),
    (0x03, "memmove"),
    (0x04, "memfill"),
    (0x05, "compare"),
    (0x06, "compval"),
    (0x07, "cr_delta"),
    (0x08, "ap_delta"),
    (0x09, "dualcast"),
    (0x0a, "transl_fetch"),
    (0x10, "crcgen"),
    (0x11, "copy_crc"),
    (0x12, "dif_check"),
    (0x13, "dif_ins"),
    (0x14, "dif_strp"),
    (0x15, "dif_updt"),
    (0x17, "dix_gen"),
    (0x20, "cflush"),
    (0x42, "decompress"),
    (0x43, "compress"),
    (0x44, "crc64"),
    (0x48, "zero_decomp_32"),
    (0x49, "zero_decomp_16"),
    (0x4c, "zero_comp_32"),
    (0x4d, "zero_comp_16"),
    (0x50, "scan"),
    (0x51, "set_member"),
    (0x52, "extract"),
    (0x53, "select"),
    (0x54, "rle_burst"),
    (0x55, "find_unique"),
    (0x56, "expand"),
];

/// `enum idxd_scmd_stat`: what the driver itself found wrong.
const COMMANDS: &[(u64, &str)] = &[
    (0x8000_0010, "device is enabled already"),
    (0x8000_0020, "device is not enabled"),
    (0x8000_0021, "work queue is enabled already"),
    (0x8002_0000, "device could not be registered for DMA"),
    (0x8003_0000, "work queue has no group"),
    (0x8004_0000, "work queue has no name"),
    (0x8005_0000, "shared virtual memory is not there"),
    (0x8006_0000, "work queue has no threshold"),
    (0x8007_0000, "portal could not be mapped"),
    (0x8008_0000, "work queue got no resources"),
    (0x8009_0000, "counter could not be allocated"),
    (0x800a_0000, "DMA channel could not be registered"),
    (0x800b_0000, "character device could not be made"),
    (0x800c_0000, "shared work queues are not supported"),
    (0x800d_0000, "no work queue is configured"),
    (0x800e_0000, "work queue has no size"),
    (0x800f_0000, "work queue may not be privileged"),
    (0x8010_0000, "interrupt could not be had"),
    (0x8011_0000, "no IOMMU for a program's work queue"),
    (0x8012_0000, "event log could not be set up"),
    (0x8020_0000, "work queue has no driver's name"),
];

/// Adds every device with its parts.
pub(super) fn discover(survey: &Survey<'_>, crypto: &mut Crypto) {
    for name in survey.names(DEVICES) {
        let directory = || Directory::list(survey, format!("{DEVICES}/{name}"));
        let numbers = name.trim_start_matches(|sign: char| sign.is_ascii_alphabetic());
        match name.get(..name.len() - numbers.len()) {
            Some("dsa") => device(&directory(), Kind::Dsa, crypto),
            Some("iax") => device(&directory(), Kind::Iaa, crypto),
            Some("engine") => crypto.dsa_engines.push(engine(&directory())),
            Some("group") => crypto.dsa_groups.push(group(&directory())),
            Some("wq") => crypto.work_queues.push(work_queue(&directory())),
            _ => {}
        }
    }
}

fn device(directory: &Directory<'_>, kind: Kind, crypto: &mut Crypto) {
    let number = |name: &str| directory.value(name, parse::decimal::<u32>);
    let dsa = Dsa {
        id: directory.name().to_owned(),
        function: directory.function(),
        version: directory.value("version", parse::hex).map(version),
        engines_max: number("max_engines"),
        groups_max: number("max_groups"),
        work_queues_max: number("max_work_queues"),
        work_queue_entries_max: number("max_work_queues_size"),
        batch_max: number("max_batch_size"),
        transfer_max_bytes: directory
            .value("max_transfer_size", parse::decimal)
            .map(Bytes),
        configurable: directory.value("configurable", parse::switch),
        pasid_enabled: directory.value("pasid_enabled", parse::switch),
        operations: operations(&directory.value("op_cap", bits).unwrap_or_default()),
        now: DsaNow {
            state: directory.text("state").map(|word| state(&word)),
            clients: number("clients"),
            error: directory
                .value("errors", bits)
                .and_then(|bits| software_error(&bits)),
            command: directory.value("cmd_status", parse::hex).and_then(command),
        },
    };
    let mut row = Accelerator {
        function: dsa.function.clone(),
        node: directory
            .value("numa_node", parse::decimal_or_none)
            .flatten(),
        driver: Some("idxd".to_owned()),
        ..Accelerator::new(&dsa.id, kind)
    };
    row.now.state.clone_from(&dsa.now.state);
    crypto.accelerators.push(row);
    crypto.dsa.push(dsa);
}

/// `0x100` is 1.0.
fn version(value: u64) -> String {
    format!("{}.{}", value >> 8, value & 0xff)
}

/// The driver's words, told as those of every accelerator.
fn state(word: &str) -> State {
    match word {
        "enabled" => State::Up,
        "disabled" => State::Down,
        other => State::from(other),
    }
}

/// 256 bits: in groups of 32, highest first, or before Linux 6.0 four numbers of 64, lowest first.
///
/// ```text
/// 00000000,00000000,00000000,00000000,00000000,00000000,00000001,003f03ff
/// 0x1003f03ff 0 0 0
/// ```
fn bits(text: &str) -> Parsed<IdSet> {
    if text.contains(',') {
        return parse::bitmap(text);
    }
    let expected = Expected("256 bits");
    let mut set = IdSet::new();
    for (word, lowest) in text.split_whitespace().zip((0_u32..256).step_by(64)) {
        let word = parse::hex(word).map_err(|_| expected)?;
        for bit in (0..64).filter(|bit| word >> bit & 1 == 1) {
            set.insert(lowest + bit);
        }
    }
    Ok(set)
}

fn operations(set: &IdSet) -> Vec<String> {
    let name = |opcode: u32| {
        let known = OPERATIONS.iter().find(|(number, _)| *number == opcode);
        known.map_or_else(
            || format!("opcode-{opcode:#04x}"),
            |(_, name)| (*name).to_owned(),
        )
    };
    set.iter().map(name).collect()
}

/// Bit 0 valid, 1 overflow, 2 descriptor known, 3 work queue known, 15:8 code, 23:16 work queue, 39:32 operation.
fn software_error(set: &IdSet) -> Option<SoftwareError> {
    let byte = |lowest: u32| {
        let set = (0..8).filter(|bit| set.contains(lowest + bit));
        set.fold(0, |byte, bit| byte | 1 << bit)
    };
    set.contains(0).then(|| SoftwareError {
        code: byte(8),
        operation: set.contains(2).then(|| byte(32)),
        work_queue: set.contains(3).then(|| byte(16)),
        overflow: set.contains(1),
    })
}

fn command(value: u64) -> Option<Command> {
    let known = COMMANDS.iter().find(|(number, _)| *number == value);
    (value != 0).then(|| Command {
        value: format!("{value:#x}"),
        meaning: known.map(|(_, meaning)| (*meaning).to_owned()),
    })
}

/// The device of a part: the kernel's names of both have the same number, whichever kind the device is; where
/// the part stands tells which.
fn owner(part: &Directory<'_>) -> Option<String> {
    let target = part.target()?;
    let mut parts = target.rsplit('/').skip(1);
    let is_device = |name: &&str| name.starts_with("dsa") || name.starts_with("iax");
    parts.find(is_device).map(str::to_owned)
}

/// `group_id`, as the group's own name: `engine0.1` in group 2 is in `group0.2`.
fn group_of(part: &Directory<'_>) -> Option<String> {
    let number = part.value("group_id", parse::decimal_or_none).flatten()?;
    let (device, _) = part.name().split_once('.')?;
    let device = device.trim_start_matches(|sign: char| sign.is_ascii_alphabetic());
    Some(format!("group{device}.{number}"))
}

fn engine(directory: &Directory<'_>) -> DsaEngine {
    DsaEngine {
        id: directory.name().to_owned(),
        dsa: owner(directory),
        group: group_of(directory),
    }
}

fn group(directory: &Directory<'_>) -> DsaGroup {
    DsaGroup {
        id: directory.name().to_owned(),
        dsa: owner(directory),
        read_buffers_allowed: directory.value("read_buffers_allowed", parse::decimal),
        read_buffers_reserved: directory.value("read_buffers_reserved", parse::decimal),
    }
}

fn work_queue(directory: &Directory<'_>) -> WorkQueue {
    let number = |name: &str| directory.value(name, parse::decimal::<u32>);
    WorkQueue {
        id: directory.name().to_owned(),
        dsa: owner(directory),
        group: group_of(directory),
        name: directory.text("name"),
        usage: directory.text("type").filter(|word| word != "none"),
        mode: directory.text("mode").map(QueueMode::from),
        driver: directory.text("driver_name"),
        entries: number("size"),
        priority: number("priority"),
        threshold: number("threshold"),
        block_on_fault: directory.value("block_on_fault", parse::switch),
        now: WorkQueueNow {
            state: directory.text("state").map(|word| state(&word)),
            clients: number("clients"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_of_256_bits_are_read() {
        let new = "00000000,00000000,00000000,00000000,00000000,00000000,00000001,003f03ff\n";
        let old = "0x1003f03ff 0 0 0\n";
        let (new, old) = (bits(new).unwrap(), bits(old).unwrap());
        assert_eq!(new, old);
        let names = operations(&new);
        assert!(names.contains(&"memmove".to_owned()));
        assert_eq!(names.last().map(String::as_str), Some("cflush"));
        assert_eq!(operations(&"254".parse().unwrap()), ["opcode-0xfe"]);
        for text in ["x", "0x1 y", "1,,2"] {
            assert!(bits(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_that_is_not_valid_is_none() {
        assert_eq!(software_error(&bits("0x0 0 0 0").unwrap()), None);
        assert_eq!(software_error(&bits("0x300 0 0 0").unwrap()), None);
        let error = software_error(&bits("0x430002120f 0 0 0").unwrap());
        let expected = SoftwareError {
            code: 0x12,
            operation: Some(0x43),
            work_queue: Some(2),
            overflow: true,
        };
        assert_eq!(error, Some(expected));
    }

    #[test]
    fn a_command_that_went_well_is_none() {
        assert_eq!(command(0), None);
        let failed = command(0x8003_0000).unwrap();
        assert_eq!(failed.meaning.as_deref(), Some("work queue has no group"));
        assert_eq!(command(0x22).unwrap().meaning, None);
    }
}
