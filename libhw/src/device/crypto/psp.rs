//! What AMD Secure Processors say of the platform's protection (`Documentation/ABI/testing/sysfs-driver-ccp`).

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::parse;

/// What an AMD Secure Processor says of the platform's protection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Psp {
    /// The address of its function, and the id of its accelerator.
    pub id: String,
    /// `bootloader_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootloader_version: Option<String>,
    /// `tee_version`: of the trusted execution environment in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tee_version: Option<String>,
    /// `fused_part`: the processor is fused against tampering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fused: Option<bool>,
    /// `boot_integrity`: it is the hardware root of trust of the boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_integrity: Option<bool>,
    /// `debug_lock_on`: debugging is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_locked: Option<bool>,
    /// `tsme_status`: all memory is encrypted, transparently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_encrypted: Option<bool>,
    /// `anti_rollback_status`: older firmware is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_protected: Option<bool>,
    /// `rpmc_production_enabled`: replay protected monotonic counters are in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_protection: Option<bool>,
    /// `rpmc_spirom_available`: the flash has such counters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_protected_flash: Option<bool>,
    /// `hsp_tpm_available`: the TPM of the hardware security processor is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsp_tpm: Option<bool>,
    /// `rom_armor_enforced`: the flash is protected from the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rom_armor: Option<bool>,
}

/// What one says; `None` where it says nothing.
pub(super) fn read(function: &Directory<'_>) -> Option<Psp> {
    let switch = |name: &str| function.value(name, parse::switch);
    let psp = Psp {
        bootloader_version: function.text("bootloader_version"),
        tee_version: function.text("tee_version"),
        fused: switch("fused_part"),
        boot_integrity: switch("boot_integrity"),
        debug_locked: switch("debug_lock_on"),
        memory_encrypted: switch("tsme_status"),
        rollback_protected: switch("anti_rollback_status"),
        replay_protection: switch("rpmc_production_enabled"),
        replay_protected_flash: switch("rpmc_spirom_available"),
        hsp_tpm: switch("hsp_tpm_available"),
        rom_armor: switch("rom_armor_enforced"),
        id: String::new(),
    };
    (psp != Psp::default()).then(|| Psp {
        id: function.name().to_owned(),
        ..psp
    })
}
