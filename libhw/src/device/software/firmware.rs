//! The EFI System Resource Table: firmware that can be updated, and how the last update went.
//!
//! `Documentation/ABI/testing/sysfs-firmware-efi-esrt`, UEFI 2.10 §23.4. The kernel has a copy of the table, so that
//! the firmware isn't asked; only root may read it.

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;

/// A part of the firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FirmwareResource {
    /// The N of `entryN`, which is its place in the firmware's table.
    pub id: u32,
    /// `fw_class`: the UUID of a model, by which updates are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// `fw_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FirmwareKind>,
    /// `fw_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// `lowest_supported_fw_version`: nothing older is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest_version: Option<u64>,
    /// `last_attempt_version`: what was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt_version: Option<u64>,
    /// `last_attempt_status`: how that went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt_status: Option<UpdateStatus>,
}

/// What a part of the firmware belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FirmwareKind {
    /// 0: not told.
    Untold,
    /// 1: the machine.
    System,
    /// 2: a device.
    Device,
    /// 3: a UEFI driver.
    UefiDriver,
    /// What this version does not know.
    #[serde(untagged)]
    Unknown(u64),
}

/// How an update went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UpdateStatus {
    /// 0: well, or there was none.
    Success,
    /// 1: not, for no told reason.
    Unsuccessful,
    /// 2: for want of room.
    InsufficientResources,
    /// 3: it was the wrong version.
    IncorrectVersion,
    /// 4: it was no such image.
    InvalidFormat,
    /// 5: its signature is not valid.
    AuthenticationError,
    /// 6: without mains power.
    PowerNotConnected,
    /// 7: with too low a battery.
    InsufficientBattery,
    /// 8: something that it needs is missing.
    UnsatisfiedDependencies,
    /// What this version does not know: also a vendor's own, 0x1000 to 0x4000.
    #[serde(untagged)]
    Unknown(u64),
}

/// Where UEFI's part of sysfs is.
pub(super) const EFI: &str = "sys/firmware/efi";

pub(super) fn discover(survey: &Survey<'_>, efi: &[String]) -> Vec<FirmwareResource> {
    if !efi.iter().any(|name| name == "esrt") {
        return Vec::new();
    }
    let directory = format!("{EFI}/esrt/entries");
    let entry = |id: u32| {
        let path = |name: &str| format!("{directory}/entry{id}/{name}");
        let number = |name: &str| {
            survey.value(&path(name), |text| {
                parse::decimal(text).or_else(|_| parse::hex(text))
            })
        };
        FirmwareResource {
            id,
            class: survey.text(&path("fw_class")),
            kind: number("fw_type").map(kind),
            version: number("fw_version"),
            lowest_version: number("lowest_supported_fw_version"),
            last_attempt_version: number("last_attempt_version"),
            last_attempt_status: number("last_attempt_status").map(status),
        }
    };
    survey
        .numbered(&directory, "entry")
        .into_iter()
        .map(entry)
        .collect()
}

const fn kind(number: u64) -> FirmwareKind {
    match number {
        0 => FirmwareKind::Untold,
        1 => FirmwareKind::System,
        2 => FirmwareKind::Device,
        3 => FirmwareKind::UefiDriver,
        other => FirmwareKind::Unknown(other),
    }
}

const fn status(number: u64) -> UpdateStatus {
    match number {
        0 => UpdateStatus::Success,
        1 => UpdateStatus::Unsuccessful,
        2 => UpdateStatus::InsufficientResources,
        3 => UpdateStatus::IncorrectVersion,
        4 => UpdateStatus::InvalidFormat,
        5 => UpdateStatus::AuthenticationError,
        6 => UpdateStatus::PowerNotConnected,
        7 => UpdateStatus::InsufficientBattery,
        8 => UpdateStatus::UnsatisfiedDependencies,
        other => UpdateStatus::Unknown(other),
    }
}
