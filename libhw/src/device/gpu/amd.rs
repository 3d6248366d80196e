//! What amdgpu adds (`Documentation/gpu/amdgpu`): memory, firmware, partitions, XGMI, and what it measures.
//!
//! Two attributes are never read: `pcie_bw`, which makes the reader wait for a second, and `xgmi_error`, which
//! forgets its errors when it is read.

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::units::Bytes;

use super::device::Device;
use super::reading::{BadPages, ThrottleResidency};
use super::{Adapter, AdapterMemory, AdapterNow, FirmwarePart};

mod clocks;
mod metrics;
mod ras;

pub use clocks::PcieLevel;

/// What amdgpu adds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Amd {
    /// `product_number`: the board's part number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// `board_info`: `cem` (a card), `oam` (a module of a server).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// `current_compute_partition`: into how many devices the compute units are cut: `SPX`, `DPX`, `TPX`,
    /// `QPX`, `CPX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_partition: Option<String>,
    /// `available_compute_partition`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compute_partitions: Vec<String>,
    /// `current_memory_partition`: into how many memory nodes its memory is cut: `NPS1`, `NPS2`, `NPS4`, `NPS8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_partition: Option<String>,
    /// `available_memory_partition`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub memory_partitions: Vec<String>,
    /// Its place among devices that are linked by XGMI (Infinity Fabric).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xgmi: Option<Xgmi>,
    /// `ras/features`: the parts whose errors are watched, a bit each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ras_features: Option<u64>,
    /// What changes without an event.
    pub now: AmdNow,
}

/// A device's place in its XGMI hive (`Documentation/gpu/amdgpu/xgmi.rst`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Xgmi {
    /// `xgmi_hive_info/xgmi_hive_id`: the same for all that are linked with each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hive_id: Option<String>,
    /// `xgmi_device_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// `xgmi_physical_id`: the number of its socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<u32>,
    /// `xgmi_num_hops`: how far it is to each device of the hive, itself among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<u64>,
    /// `xgmi_num_links`: by how many links it is joined to each device of the hive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<u64>,
}

/// What changes in an AMD device without an event, beyond what every vendor has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AmdNow {
    /// The header of `gpu_metrics`: `1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_revision: Option<String>,
    /// `power_dpm_force_performance_level`: `auto`, `manual`, `low`, `high`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_level: Option<String>,
    /// `ras/gpu_vram_bad_pages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_pages: Option<BadPages>,
    /// `pp_dpm_pcie`: the links that it chooses from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pcie_levels: Vec<PcieLevel>,
    /// `accumulation_counter` of `gpu_metrics`: how often the residencies were summed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulation_counter: Option<u64>,
    /// The throttling residencies of `gpu_metrics`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub throttle_residencies: Vec<ThrottleResidency>,
    /// `xgmi_link_width` of `gpu_metrics`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xgmi_width: Option<u64>,
    /// `xgmi_link_speed` of `gpu_metrics`, in Gbit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xgmi_speed_gbps: Option<u64>,
    /// What its XGMI links have carried, by `gpu_metrics`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub xgmi_links: Vec<XgmiLink>,
}

/// What an XGMI link has carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct XgmiLink {
    /// Its number.
    pub id: usize,
    /// `xgmi_link_status`: whether it is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
    /// `xgmi_read_data_acc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes: Option<Bytes>,
    /// `xgmi_write_data_acc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<Bytes>,
}

/// Fills in what does not change by itself.
pub(super) fn fill(device: &Device<'_>, adapter: &mut Adapter) {
    adapter.product = device.text("product_name");
    adapter.serial = device.text("serial_number");
    adapter.vbios = device.text("vbios_version");
    adapter.unique_id = device
        .text("unique_id")
        .filter(|id| id.bytes().any(|sign| sign != b'0'));
    adapter.memory = memory(device);
    adapter.firmware = firmware(device);
    adapter.amd = Some(Amd {
        part_number: device.text("product_number"),
        board: device.text("board_info").and_then(|text| board(&text)),
        compute_partition: partition(device, "current_compute_partition"),
        compute_partitions: partitions(device, "available_compute_partition"),
        memory_partition: partition(device, "current_memory_partition"),
        memory_partitions: partitions(device, "available_memory_partition"),
        xgmi: xgmi(device),
        ras_features: ras::features(device),
        now: AmdNow::default(),
    });
}

/// What changes by itself. What it knows of memory it knows without asking the device.
pub(super) fn read_now(device: &Device<'_>, amd: &mut Amd, now: &mut AdapterNow) {
    let bytes = |name| device.value(name, parse::decimal).map(Bytes);
    now.vram_used_bytes = bytes("mem_info_vram_used");
    now.vram_visible_used_bytes = bytes("mem_info_vis_vram_used");
    now.gtt_used_bytes = bytes("mem_info_gtt_used");
    amd.now = AmdNow {
        bad_pages: ras::bad_pages(device),
        ..AmdNow::default()
    };
    if !device.may_ask() {
        return;
    }
    let percent = |name| device.ask(name, parse::decimal);
    now.busy.compute_percent = percent("gpu_busy_percent");
    now.busy.memory_percent = percent("mem_busy_percent");
    now.busy.media_percent = percent("vcn_busy_percent");
    amd.now.performance_level = device.ask("power_dpm_force_performance_level", parse::text);
    now.pcie.replays = device.ask("pcie_replay_count", parse::decimal);
    now.errors = ras::errors(device);
    clocks::read(device, amd, now);
    metrics::read(device, amd, now);
}

fn memory(device: &Device<'_>) -> Option<AdapterMemory> {
    let bytes = |name| device.value(name, parse::decimal).map(Bytes);
    let memory = AdapterMemory {
        vram_bytes: bytes("mem_info_vram_total"),
        vram_visible_bytes: bytes("mem_info_vis_vram_total"),
        gtt_bytes: bytes("mem_info_gtt_total"),
        vram_vendor: device
            .text("mem_info_vram_vendor")
            .filter(|vendor| vendor != "unknown"),
    };
    (memory != AdapterMemory::default()).then_some(memory)
}

/// `fw_version/*_fw_version`; all zeros is a part that has none.
fn firmware(device: &Device<'_>) -> Vec<FirmwarePart> {
    let part = |name: String| {
        let id = name.strip_suffix("_fw_version")?.to_owned();
        let version = device.text_in(&format!("fw_version/{name}"))?;
        let some = version
            .trim_start_matches("0x")
            .bytes()
            .any(|sign| sign != b'0');
        some.then_some(FirmwarePart {
            id,
            version,
            state: None,
        })
    };
    device
        .names_in("fw_version")
        .into_iter()
        .filter_map(part)
        .collect()
}

/// ```text
/// type : oam
/// ```
fn board(text: &str) -> Option<String> {
    let mut pairs = parse::key_values(text);
    let (_, kind) = pairs.find(|(key, _)| *key == "type")?;
    parse::nonempty(kind).filter(|kind| kind != "unknown")
}

/// A mode that the driver is sure of; reading it reaches the device.
fn partition(device: &Device<'_>, name: &str) -> Option<String> {
    let text = device.is_awake().then(|| device.text(name))??;
    (text.bytes().all(|sign| sign.is_ascii_alphanumeric()) && text != "UNKNOWN").then_some(text)
}

/// ```text
/// SPX, DPX, QPX, CPX
/// ```
fn partitions(device: &Device<'_>, name: &str) -> Vec<String> {
    let text = device.text(name).unwrap_or_default();
    let words = text.split([',', ' ']).filter_map(parse::nonempty);
    words
        .filter(|word| word.bytes().all(|sign| sign.is_ascii_alphanumeric()))
        .collect()
}

fn xgmi(device: &Device<'_>) -> Option<Xgmi> {
    if !device.has("xgmi_device_id") {
        return None;
    }
    let info = device.has("xgmi_hive_info");
    Some(Xgmi {
        hive_id: info
            .then(|| device.text_in("xgmi_hive_info/xgmi_hive_id"))
            .flatten(),
        device_id: device.text("xgmi_device_id"),
        physical_id: device.value("xgmi_physical_id", parse::decimal),
        hops: device.value("xgmi_num_hops", counts).unwrap_or_default(),
        links: device.value("xgmi_num_links", counts).unwrap_or_default(),
    })
}

/// Hexadecimal numbers.
///
/// ```text
/// 00 01 01 01
/// ```
fn counts(text: &str) -> parse::Parsed<Vec<u64>> {
    parse::trim(text)
        .split_whitespace()
        .take(HIVE_MAX)
        .map(parse::hex)
        .collect()
}

/// More devices than any hive has.
const HIVE_MAX: usize = 1024;
