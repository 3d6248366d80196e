//! Board management controllers of Intel cards, what they keep, and the retimers behind them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sensor::{self, Source};
use super::{Boot, Fpga, Image, RetimerMode};
use crate::directory::Directory;
use crate::idset::IdSet;
use crate::parse;

/// A board management controller of a card (`Documentation/ABI/testing/sysfs-driver-intel-m10-bmc`, XRT's xmc).
/// All but its name only in a deep look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Controller {
    /// Its card and the kernel's name: `region0/spi4.0`.
    pub id: String,
    /// Its card.
    pub card: String,
    /// `bmc_version` or `max10_version`: its hardware's build, as the kernel has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_raw: Option<String>,
    /// The same as vendors print it: `D.2.0.6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// `bmcfw_version`: its firmware, as the kernel has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_raw: Option<String>,
    /// The same as vendors print it: `D.2.0.20`. Of XRT, `bmc_ver`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// `exp_bmc_ver` of XRT: the firmware that the shell wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_expected: Option<String>,
    /// `serial_num` of XRT: the board's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// `pcb_info`: the board's revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board_revision: Option<String>,
    /// `mac_address`: the first of the board's Ethernet addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// `mac_count`: how many there are from it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_count: Option<u32>,
    /// How often each flash was written (`*flash_count`): `user`, `qspi`, `smbus`, or `staging` for the one
    /// that has no name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flash_counts: BTreeMap<String, u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ControllerNow,
}

/// What changes in a controller without an event. Only in a deep look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ControllerNow {
    /// `update/status`: `idle`, or what the update does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// `update/error`: why the last update failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_error: Option<String>,
}

/// The slot for the key that one sort of image must be signed by
/// (`Documentation/ABI/testing/sysfs-driver-intel-m10-bmc-sec-update`). Only in a deep look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Key {
    /// Its card and the sort of image: `bmc`, `sr` (static region), `pr` (partial reconfiguration).
    pub id: String,
    /// Its card.
    pub card: String,
    /// `*_root_entry_hash`, or `*_root_hash` of the older driver; absent when none is programmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_hash: Option<String>,
    /// Whether a root key is programmed; until then any image is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programmed: Option<bool>,
    /// `*_canceled_csks`: the code signing keys that are no longer accepted.
    #[serde(default, skip_serializing_if = "IdSet::is_empty")]
    pub canceled: IdSet,
}

/// An Ethernet retimer of a card. Only in a deep look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Retimer {
    /// Its card and its letter: `region0/A`.
    pub id: String,
    /// Its card.
    pub card: String,
    /// The firmware of its two sides, SBus and SerDes: `101c.1064`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `retimer_A_mode`, `retimer_B_mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RetimerMode>,
}

/// How many directories lie at most between a feature and the controller: two of the bus driver's, `spi_master`,
/// `spi4`, `spi4.0`.
const DEPTH_MAX: usize = 6;

/// More controllers than any card has.
const CONTROLLERS_MAX: usize = 8;

/// What only a controller has.
const MARKS: [&str; 3] = ["bmc_version", "max10_version", "bmcfw_version"];

/// What `*_root_entry_hash` says while there is none.
const NOT_PROGRAMMED: &str = "hash not programmed";

/// The controllers below the engine and its features: the directories on the way to them are called after the
/// bus. Links are not followed: `device`, `driver` and `subsystem` are never on the way.
pub(super) fn find<'a>(engine: &Directory<'a>, features: &[Directory<'a>]) -> Vec<Directory<'a>> {
    let mut found = Vec::new();
    for feature in features {
        descend(feature, DEPTH_MAX, &mut found);
    }
    for bus in engine.all_below(is_bus) {
        descend(&bus, DEPTH_MAX, &mut found);
    }
    found
}

fn descend<'a>(directory: &Directory<'a>, depth: usize, found: &mut Vec<Directory<'a>>) {
    if found.len() >= CONTROLLERS_MAX {
        return;
    }
    if MARKS.iter().any(|mark| directory.has(mark)) {
        found.push(directory.clone());
    } else if depth > 0 {
        for below in directory.all_below(is_bus) {
            descend(&below, depth - 1, found);
        }
    }
}

fn is_bus(name: &str) -> bool {
    name.contains("spi")
}

/// Adds a controller and all that is behind it.
pub(super) fn read(card: &str, directory: &Directory<'_>, deep: bool, fpga: &mut Fpga) {
    let source = Source::controller(deep);
    for device in directory.all_below(|name| name.contains("hwmon")) {
        fpga.sensors.extend(sensor::hwmon(card, &device, source));
    }
    fpga.sensors
        .extend(sensor::numbered(card, directory, source));
    let mut controller = Controller {
        id: format!("{card}/{}", directory.name()),
        card: card.to_owned(),
        ..Controller::default()
    };
    if deep {
        facts(directory, &mut controller);
        for secure in secure(directory) {
            if let Some(security) = secure.below("security") {
                controller.flash_counts.extend(flash_counts(&security));
                fpga.keys.extend(keys(card, &security));
            }
            if let Some(update) = secure.below("update") {
                controller.now.update = update.slow_text("status");
                controller.now.update_error = update.slow_text("error");
            }
        }
        fpga.retimers.extend(retimers(card, directory));
    }
    fpga.controllers.push(controller);
}

fn facts(directory: &Directory<'_>, controller: &mut Controller) {
    controller.build_raw = directory
        .slow_text("bmc_version")
        .or_else(|| directory.slow_text("max10_version"));
    let old = directory.below("bmcfw_flash_ctrl");
    controller.firmware_raw = directory
        .slow_text("bmcfw_version")
        .or_else(|| old.and_then(|old| old.slow_text("bmcfw_version")));
    controller.build = controller.build_raw.as_deref().and_then(version);
    controller.firmware = controller.firmware_raw.as_deref().and_then(version);
    controller.board_revision = directory.slow_text("pcb_info");
    controller.mac_address = directory.slow_text("mac_address");
    controller.mac_count = directory.slow_value("mac_count", parse::decimal);
}

/// Four bytes, of which the first may be the letter of the board's revision.
///
/// ```text
/// 0x44020006
/// ```
fn version(text: &str) -> Option<String> {
    let value = u32::try_from(parse::hex(text).ok()?).ok()?;
    let [first, major, minor, patch] = value.to_be_bytes();
    let number = format!("{major}.{minor}.{patch}");
    Some(match first {
        b'A'..=b'Z' => format!("{}.{number}", char::from(first)),
        _ => number,
    })
}

/// The directories that hold `security`: of the secure update's driver, or of its class below.
fn secure<'a>(directory: &Directory<'a>) -> Vec<Directory<'a>> {
    let mut level = directory.all_below(|name| name.contains("sec"));
    let mut found = Vec::new();
    for _ in 0..3 {
        let (here, above): (Vec<_>, Vec<_>) =
            level.into_iter().partition(|level| level.has("security"));
        found.extend(here);
        level = above
            .iter()
            .flat_map(|above| above.all_below(|name| name.contains("sec")))
            .take(CONTROLLERS_MAX)
            .collect();
    }
    found
}

fn flash_counts(security: &Directory<'_>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for name in security.names() {
        let Some(flash) = name.strip_suffix("flash_count") else {
            continue;
        };
        if let Some(count) = security.slow_value(name, parse::decimal) {
            let flash = match flash.trim_end_matches('_') {
                "" => "staging",
                flash => flash,
            };
            counts.insert(flash.to_owned(), count);
        }
    }
    counts
}

fn keys(card: &str, security: &Directory<'_>) -> Vec<Key> {
    let key = |sort: &&str| {
        let hash = ["root_entry_hash", "root_hash"]
            .iter()
            .find_map(|name| security.slow_text(&format!("{sort}_{name}")));
        let programmed = hash.as_ref().map(|hash| hash != NOT_PROGRAMMED);
        let canceled = format!("{sort}_canceled_csks");
        let there = programmed.is_some() || security.has(&canceled);
        there.then(|| Key {
            id: format!("{card}/{sort}"),
            card: card.to_owned(),
            root_hash: hash.filter(|_| programmed == Some(true)),
            programmed,
            canceled: security
                .slow_value(&canceled, parse::list)
                .unwrap_or_default(),
        })
    };
    ["bmc", "sr", "pr"].iter().filter_map(key).collect()
}

/// Of the older driver `pkvl/pkvl_a_version`, of newer ones a device with two numbers for each.
fn retimers(card: &str, controller: &Directory<'_>) -> Vec<Retimer> {
    let mut retimers = Vec::new();
    for directory in controller.all_below(|name| name.contains("pkvl")) {
        for letter in ["A", "B"] {
            let old = format!("pkvl_{}_version", letter.to_ascii_lowercase());
            let version = directory.slow_text(&old).or_else(|| {
                let side = |side: &str| {
                    let number =
                        directory.slow_value(&format!("{letter}_{side}_version"), parse::hex)?;
                    Some(format!("{number:x}"))
                };
                Some(format!("{}.{}", side("sbus")?, side("serdes")?))
            });
            if version.is_some() {
                retimers.push(Retimer {
                    version,
                    ..retimer(card, letter)
                });
            }
        }
    }
    retimers
}

/// Adds how the retimers are set up, which the soft processor's feature tells.
pub(super) fn retimer_modes(card: &str, feature: &Directory<'_>, retimers: &mut Vec<Retimer>) {
    for letter in ["A", "B"] {
        let mode = feature.slow_value(&format!("retimer_{letter}_mode"), parse::hex);
        let Some(mode) = mode else {
            continue;
        };
        let mode = match mode {
            0 => RetimerMode::Reset,
            1 => RetimerMode::Four10,
            2 => RetimerMode::Four25,
            3 => RetimerMode::Two25,
            4 => RetimerMode::Two25Two10,
            5 => RetimerMode::One25,
            other => RetimerMode::Other(other.to_string()),
        };
        let id = format!("{card}/{letter}");
        if let Some(known) = retimers.iter_mut().find(|known| known.id == id) {
            known.mode = Some(mode);
        } else {
            retimers.push(Retimer {
                mode: Some(mode),
                ..retimer(card, letter)
            });
        }
    }
}

fn retimer(card: &str, letter: &str) -> Retimer {
    Retimer {
        id: format!("{card}/{letter}"),
        card: card.to_owned(),
        ..Retimer::default()
    }
}

/// Which image the card booted: of the older driver `fpga_flash_ctrl/fpga_image_load`, of newer ones
/// `fpga_boot_image` beside or below the secure update's directory.
pub(super) fn image(directory: &Directory<'_>) -> Option<Image> {
    let old = directory.below("fpga_flash_ctrl");
    if let Some(load) = old.and_then(|old| old.slow_value("fpga_image_load", parse::hex)) {
        let boot = if load == 0 { Boot::Factory } else { Boot::User };
        return Some(Image {
            boot,
            page: None,
            power_on: Vec::new(),
        });
    }
    let secure = directory.all_below(|name| name.contains("sec"));
    let below: Vec<_> = secure
        .iter()
        .filter_map(|secure| secure.below("control"))
        .collect();
    secure.iter().chain(&below).find_map(|place| {
        let page = place.slow_text("fpga_boot_image")?;
        let power_on = place.slow_text("power_on_image").unwrap_or_default();
        Some(Image {
            boot: boot(&page),
            page: Some(page),
            power_on: power_on.split_whitespace().map(str::to_owned).collect(),
        })
    })
}

/// ```text
/// fpga_user1
/// ```
fn boot(page: &str) -> Boot {
    let name = page.strip_prefix("fpga_").unwrap_or(page);
    Boot::from(name.trim_end_matches(|sign: char| sign.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_a_letter_where_the_board_has_revisions() {
        assert_eq!(version("0x44020006").as_deref(), Some("D.2.0.6"));
        assert_eq!(version("43010006").as_deref(), Some("C.1.0.6"));
        assert_eq!(version("0x3040a").as_deref(), Some("3.4.10"));
        assert_eq!(version("none"), None);
        assert_eq!(version("0x1ffffffff"), None);
    }

    #[test]
    fn a_page_is_the_users_or_the_factorys() {
        assert_eq!(boot("fpga_user1"), Boot::User);
        assert_eq!(boot("fpga_factory"), Boot::Factory);
        assert_eq!(boot("odd"), Boot::Other("odd".to_owned()));
    }
}
