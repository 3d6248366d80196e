//! What the machine runs: operating system, kernel and how it was started, modules, secure boot, firmware updates, and whether it
//! waits for a reboot.
//!
//! From os-release(5), /proc/version, /proc/cmdline, /proc/modules, /sys/module, /sys/firmware/efi, /sys/kernel and
//! `Documentation/admin-guide/{kernel-parameters.txt,tainted-kernels.rst}`, `Documentation/ABI/testing/sysfs-firmware-efi-esrt`.

mod boot;
mod command_line;
mod config;
mod firmware;
mod kernel;
mod module;
mod os_release;
mod reboot;
mod security;
mod taint;

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

pub use boot::{Boot, SecureBoot};
pub use firmware::{FirmwareKind, FirmwareResource, UpdateStatus};
pub use kernel::{ConfigOption, CrashKernel, Kernel, KernelNow, Preemption};
pub use module::{Module, ModuleNow, ModuleState, Parameter};
pub use reboot::Reboot;
pub use security::{Livepatch, Lockdown, Security};
pub use taint::{Taint, TaintKind};

/// What the machine runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Software {
    /// The operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<Os>,
    /// The kernel.
    pub kernel: Kernel,
    /// What the kernel was started with, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command_line: Vec<BootParameter>,
    /// What makes the kernel one that its developers would not vouch for. Read again by [`refresh`]: it changes without an
    /// event, which is worth telling.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// The modules, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Module>,
    /// How the firmware started the kernel.
    pub boot: Boot,
    /// Firmware that can be updated by UEFI capsules (ESRT).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub firmware_resources: Vec<FirmwareResource>,
    /// What the kernel enforces.
    pub security: Security,
    /// Live patches, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub livepatches: Vec<Livepatch>,
    /// Whether something waits for a reboot. Read again by [`refresh`].
    pub reboot: Reboot,
}

/// The operating system, os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Os {
    /// `ID`: `debian`; `linux` where none is given.
    pub id: String,
    /// `ID_LIKE`: what it is made from, nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_like: Vec<String>,
    /// `NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `PRETTY_NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretty_name: Option<String>,
    /// `VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `VERSION_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// `VARIANT_ID`, or `VARIANT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// `BUILD_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// `IMAGE_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// `IMAGE_VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_version: Option<String>,
    /// `CPE_NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpe_name: Option<String>,
    /// `SUPPORT_END`, `2026-05-14`: from then on nobody mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_end: Option<String>,
}

/// A parameter of the kernel, `Documentation/admin-guide/kernel-parameters.rst`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootParameter {
    /// The name, and from the second of that name on which it is: `console`, `console#2`.
    pub id: String,
    /// The name, with the module that it is for: `nvme.poll_queues`.
    pub name: String,
    /// What stands behind its `=`; none for a plain word, and for one that is `hidden`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether the value looks like a password or a key, and is not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Whether it stands behind `--`, and so is for the first process.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_init: bool,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Software {
    // Listed once: what is asked for below is read where it is there.
    let sys_kernel = survey.names("sys/kernel");
    let command_line = command_line::discover(survey);
    let kernel = kernel::discover(survey, &sys_kernel, &command_line);
    let efi = survey.names(firmware::EFI);
    Software {
        os: os_release::discover(survey),
        taints: taint::discover(survey),
        modules: module::discover(survey),
        boot: boot::discover(survey, &efi, &sys_kernel),
        firmware_resources: firmware::discover(survey, &efi),
        security: security::discover(survey, &sys_kernel),
        livepatches: security::livepatches(survey, &sys_kernel),
        reboot: reboot::discover(survey, kernel.release.as_deref()),
        kernel,
        command_line,
    }
}

/// Reads again what changes without an event.
pub fn refresh(software: &mut Software, survey: &Survey<'_>) {
    kernel::refresh(&mut software.kernel, survey);
    software.taints = taint::discover(survey);
    module::refresh(&mut software.modules, survey);
    reboot::refresh(&mut software.reboot, survey);
}

#[cfg(test)]
mod tests;
