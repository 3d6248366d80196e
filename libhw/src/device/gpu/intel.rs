//! What i915 and xe add: tiles, graphics engines and their frequencies, firmware, SR-IOV.
//!
//! From `Documentation/gpu/xe/xe_gt_freq.rst`, `Documentation/ABI/testing/sysfs-driver-intel-xe-sriov` and, for i915,
//! `drivers/gpu/drm/i915/gt/intel_gt_sysfs_pm.c`. i915 has one tile and its attributes below the card's node.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::parse::{self, Parsed};
use crate::units::{Bytes, Hertz};

use super::device::Device;
use super::{Adapter, AdapterMemory, AdapterNow, ThrottleReason};

mod firmware;
mod sriov;

pub use sriov::SchedulingProfile;

/// What i915 and xe add.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Intel {
    /// The dies of the device, each with memory of its own (xe).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiles: Vec<Tile>,
    /// The groups of engines that share a frequency.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gts: Vec<Gt>,
    /// How the device's time is shared among its SR-IOV functions, the physical one first (xe).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sriov: Vec<SchedulingProfile>,
    /// `survivability_mode`: its firmware is broken, and the driver lets nothing but a new one be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survivability: Option<Survivability>,
    /// What changes without an event.
    pub now: IntelNow,
}

/// When a device's firmware was found to be broken (`drivers/gpu/drm/xe/xe_survivability_mode.c`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Survivability {
    /// As it started.
    Boot,
    /// While it ran.
    Runtime,
    /// What older kernels and newer ones say.
    #[serde(untagged)]
    Other(String),
}

/// A tile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tile {
    /// `tile0`.
    pub id: String,
    /// `tileN/physical_vram_size_bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vram_bytes: Option<Bytes>,
}

/// A group of engines that share a frequency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gt {
    /// `tile0/gt0` of xe, `gt0` of i915.
    pub id: String,
    /// `engines/*`: the sorts of its engines: `rcs` (render), `ccs` (compute), `bcs` (copy), `vcs` (video).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: GtNow,
}

/// What changes in a group of engines without an event; reading any of it wakes the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GtNow {
    /// `freq0/act_freq`, `rps_act_freq_mhz`: as it runs, 0 while it is idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_hz: Option<Hertz>,
    /// `freq0/cur_freq`, `rps_cur_freq_mhz`: what is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_hz: Option<Hertz>,
    /// `freq0/min_freq`, `rps_min_freq_mhz`: the least that is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_hz: Option<Hertz>,
    /// `freq0/max_freq`, `rps_max_freq_mhz`: the most that is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_hz: Option<Hertz>,
    /// `freq0/rp0_freq`, `rps_RP0_freq_mhz`: the most that the hardware can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rp0_hz: Option<Hertz>,
    /// `freq0/rpe_freq`, `rps_RP1_freq_mhz`: the most efficient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpe_hz: Option<Hertz>,
    /// `freq0/rpn_freq`, `rps_RPn_freq_mhz`: the least that the hardware can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpn_hz: Option<Hertz>,
    /// `gtidle/idle_status`: `gt-c0` (runs), `gt-c6` (is off).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_status: Option<String>,
    /// `gtidle/idle_residency_ms`, `rc6_residency_ms`: how long it was off in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_residency_ms: Option<u64>,
    /// `freq0/throttle/reason_*`, `throttle_reason_*`: why it runs slower than asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<BTreeSet<ThrottleReason>>,
}

/// What changes in an Intel device without an event, beyond what every vendor has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct IntelNow {
    /// `auto_link_downgrade_status`: whether its link was unstable, so that it is trained one generation slower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_downgraded: Option<bool>,
    /// `error` of i915's card: whether a state was saved when the device hung.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_saved: Option<bool>,
}

/// Fills in what does not change by itself.
pub(super) fn fill(device: &Device<'_>, adapter: &mut Adapter) {
    let tiles: Vec<Tile> = device
        .names_like("tile")
        .into_iter()
        .map(|id| tile(device, id))
        .collect();
    let vram = tiles
        .iter()
        .filter_map(|tile| tile.vram_bytes)
        .map(|bytes| bytes.0)
        .fold(0, u64::saturating_add);
    adapter.memory = (vram > 0).then(|| AdapterMemory {
        vram_bytes: Some(Bytes(vram)),
        ..AdapterMemory::default()
    });
    adapter.firmware = firmware::read(device, adapter);
    adapter.intel = Some(Intel {
        gts: gts(device, &tiles, adapter),
        tiles,
        sriov: sriov::read(device),
        survivability: device
            .text("survivability_mode")
            .map(|text| survivability(&text)),
        now: IntelNow::default(),
    });
}

/// What changes by itself; `card` is the device's DRM node.
pub(super) fn read_now(
    device: &Device<'_>,
    card: Option<&str>,
    intel: &mut Intel,
    now: &mut AdapterNow,
) {
    if !device.may_ask() {
        intel.now = IntelNow::default();
        intel
            .gts
            .iter_mut()
            .for_each(|gt| gt.now = GtNow::default());
        return;
    }
    intel.now.link_downgraded = device.ask("auto_link_downgrade_status", parse::switch);
    let card = card.map(|card| format!("drm/{card}"));
    let error = card
        .as_ref()
        .and_then(|card| device.ask_text(&format!("{card}/error")));
    intel.now.error_saved = error.map(|text| !text.starts_with("No error state collected"));
    for gt in &mut intel.gts {
        gt.now = match &card {
            Some(card) if !gt.id.contains('/') => i915(device, card, &gt.id),
            _ => xe(device, &gt.id),
        };
        if let Some(reasons) = &gt.now.throttle {
            now.throttle
                .get_or_insert_default()
                .extend(reasons.iter().cloned());
        }
    }
}

/// ```text
/// Survivability mode type: Boot
/// ```
fn survivability(text: &str) -> Survivability {
    let kind = parse::key_values(text).find(|(key, _)| *key == "Survivability mode type");
    match kind {
        Some((_, "Boot")) => Survivability::Boot,
        Some((_, "Runtime")) => Survivability::Runtime,
        _ => Survivability::Other(text.lines().next().unwrap_or_default().to_owned()),
    }
}

fn tile(device: &Device<'_>, id: String) -> Tile {
    let path = format!("{id}/physical_vram_size_bytes");
    Tile {
        vram_bytes: device.value_in(&path, size).map(Bytes),
        id,
    }
}

/// xe writes it in hexadecimal, as `%pa` does.
///
/// ```text
/// 0x0000001000000000
/// ```
fn size(text: &str) -> Parsed<u64> {
    if parse::trim(text).starts_with("0x") {
        parse::hex(text)
    } else {
        parse::decimal(text)
    }
}

fn gts(device: &Device<'_>, tiles: &[Tile], adapter: &Adapter) -> Vec<Gt> {
    let is_gt = |name: &String| numbered(name, "gt");
    let mut gts = Vec::new();
    for tile in tiles {
        for name in device.names_in(&tile.id).into_iter().filter(is_gt) {
            let id = format!("{}/{name}", tile.id);
            let mut engines = device.names_in(&format!("{id}/engines"));
            engines.retain(|name| !name.starts_with('.'));
            gts.push(Gt {
                id,
                engines,
                now: GtNow::default(),
            });
        }
    }
    if let Some(card) = card(adapter).filter(|_| tiles.is_empty()) {
        let place = format!("drm/{card}");
        let mut names = device.names_in(&format!("{place}/gt"));
        names.retain(is_gt);
        // Before Linux 5.18 there was one, and its attributes were the card's.
        if names.is_empty()
            && device
                .names_in(&place)
                .iter()
                .any(|name| name == "gt_cur_freq_mhz")
        {
            names.push("gt0".to_owned());
        }
        gts.extend(names.into_iter().map(|id| Gt {
            id,
            ..Gt::default()
        }));
    }
    gts
}

fn card(adapter: &Adapter) -> Option<&str> {
    let mut nodes = adapter.nodes.iter().map(String::as_str);
    nodes.find(|node| node.starts_with("card"))
}

fn numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|number| parse::decimal::<u8>(number).is_ok())
}

fn xe(device: &Device<'_>, id: &str) -> GtNow {
    let mhz = |name: &str| device.ask(&format!("{id}/freq0/{name}_freq"), mhz);
    let idle = |name: &str| format!("{id}/gtidle/{name}");
    GtNow {
        actual_hz: mhz("act"),
        requested_hz: mhz("cur"),
        min_hz: mhz("min"),
        max_hz: mhz("max"),
        rp0_hz: mhz("rp0"),
        rpe_hz: mhz("rpe"),
        rpn_hz: mhz("rpn"),
        idle_status: device.ask(&idle("idle_status"), parse::text),
        idle_residency_ms: device.ask(&idle("idle_residency_ms"), parse::decimal),
        throttle: throttle(device, &format!("{id}/freq0/throttle"), "reason_"),
    }
}

fn i915(device: &Device<'_>, card: &str, id: &str) -> GtNow {
    let new = device.names_in(card).iter().any(|name| name == "gt");
    let (place, prefix, idle) = match new {
        true => (format!("{card}/gt/{id}"), "rps", "rc6_residency_ms"),
        false => (card.to_owned(), "gt", "power/rc6_residency_ms"),
    };
    let mhz = |name: &str| device.ask(&format!("{place}/{prefix}_{name}_freq_mhz"), mhz);
    GtNow {
        actual_hz: mhz("act"),
        requested_hz: mhz("cur"),
        min_hz: mhz("min"),
        max_hz: mhz("max"),
        rp0_hz: mhz("RP0"),
        rpe_hz: mhz("RP1"),
        rpn_hz: mhz("RPn"),
        idle_status: None,
        idle_residency_ms: device.ask(&format!("{place}/{idle}"), parse::decimal),
        throttle: throttle(device, &place, "throttle_reason_"),
    }
}

fn mhz(text: &str) -> Parsed<Hertz> {
    let mhz: u32 = parse::decimal(text)?;
    Ok(Hertz(u64::from(mhz) * 1_000_000))
}

/// The reasons whose attribute says 1; `status` stands for all of them.
fn throttle(device: &Device<'_>, place: &str, prefix: &str) -> Option<BTreeSet<ThrottleReason>> {
    let mut told = false;
    let mut reasons = BTreeSet::new();
    for name in device.names_in(place) {
        let Some(word) = name.strip_prefix(prefix).filter(|word| *word != "status") else {
            continue;
        };
        if let Some(holds) = device.ask(&format!("{place}/{name}"), parse::switch) {
            told = true;
            reasons.extend(holds.then(|| reason(word)));
        }
    }
    told.then_some(reasons)
}

fn reason(word: &str) -> ThrottleReason {
    let known = REASONS.iter().find(|(known, _)| *known == word);
    known.map_or_else(
        || ThrottleReason::Other(word.to_owned()),
        |(_, reason)| reason.clone(),
    )
}

/// The reasons by the driver's words.
const REASONS: &[(&str, ThrottleReason)] = &[
    ("pl1", ThrottleReason::Pl1),
    ("pl2", ThrottleReason::Pl2),
    ("pl4", ThrottleReason::Pl4),
    ("thermal", ThrottleReason::Thermal),
    ("prochot", ThrottleReason::Prochot),
    ("ratl", ThrottleReason::Ratl),
    ("vr_thermalert", ThrottleReason::VrThermalert),
    ("vr_tdc", ThrottleReason::VrTdc),
    ("soc_thermal", ThrottleReason::SocThermal),
    ("soc_avg_thermal", ThrottleReason::SocAvgThermal),
    ("mem_thermal", ThrottleReason::TempMem),
    ("vr_thermal", ThrottleReason::VrThermal),
    ("iccmax", ThrottleReason::Iccmax),
    ("fastvmode", ThrottleReason::Fastvmode),
    ("psys_pl1", ThrottleReason::PsysPl1),
    ("psys_pl2", ThrottleReason::PsysPl2),
    ("psys_crit", ThrottleReason::PsysCrit),
    ("p0_freq", ThrottleReason::P0Freq),
    ("pwrbrk", ThrottleReason::Pwrbrk),
];
