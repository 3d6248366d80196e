//! How the firmware started the kernel: UEFI and secure boot.
//!
//! What the loader saw of secure boot stands in the parameters that it gave the kernel (x86; `struct boot_params` of
//! arch/x86/include/uapi/asm/bootparam.h, `Documentation/ABI/testing/sysfs-kernel-boot_params`). The UEFI variables
//! `SecureBoot` and `SetupMode` (UEFI 2.10 §3.3) are the firmware's own answer, for which it has to be asked.

use serde::{Deserialize, Serialize};

use super::firmware::EFI;
use crate::parse;
use crate::survey::Survey;

/// How the firmware started the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Boot {
    /// Whether the kernel was started by UEFI.
    pub efi: bool,
    /// `fw_platform_size`: the firmware's own width, 32 or 64 bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub efi_bits: Option<u32>,
    /// Whether only signed software may be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_boot: Option<SecureBoot>,
}

/// Whether only signed software may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecureBoot {
    /// Only signed software.
    Enabled,
    /// Any.
    Disabled,
    /// Any: the firmware waits for its keys (`SetupMode`).
    SetupMode,
    /// The loader could not tell.
    Unknown,
}

const BOOT_PARAMS: &str = "sys/kernel/boot_params/data";

/// Where `secure_boot` stands in `struct boot_params`.
const SECURE_BOOT: usize = 0x1ec;

/// `EFI_GLOBAL_VARIABLE`, the owner of both variables.
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// A variable's file: four bytes of attributes, then a byte.
const VARIABLE_LENGTH: usize = 5;

pub(super) fn discover(survey: &Survey<'_>, efi: &[String], sys_kernel: &[String]) -> Boot {
    if efi.is_empty() {
        return Boot::default();
    }
    let bits = || survey.value(&format!("{EFI}/fw_platform_size"), parse::decimal);
    let sized = efi.iter().any(|name| name == "fw_platform_size");
    let asked = survey.deep() && efi.iter().any(|name| name == "efivars");
    let loader = || {
        let told = sys_kernel.iter().any(|name| name == "boot_params");
        told.then(|| seen_by_loader(survey))?
    };
    Boot {
        efi: true,
        efi_bits: sized.then(bits).flatten(),
        secure_boot: asked.then(|| of_firmware(survey)).flatten().or_else(loader),
    }
}

fn seen_by_loader(survey: &Survey<'_>) -> Option<SecureBoot> {
    let bytes = survey.keep(survey.root().bytes(BOOT_PARAMS))?;
    match bytes.get(SECURE_BOOT)? {
        1 => Some(SecureBoot::Unknown),
        2 => Some(SecureBoot::Disabled),
        3 => Some(SecureBoot::Enabled),
        // The loader did not look.
        _ => None,
    }
}

fn of_firmware(survey: &Survey<'_>) -> Option<SecureBoot> {
    let variable = |name: &str| {
        let path = format!("{EFI}/efivars/{name}-{GLOBAL}");
        let bytes = survey.keep(survey.root().slow_bytes(&path, VARIABLE_LENGTH))?;
        bytes.get(VARIABLE_LENGTH - 1).map(|value| *value == 1)
    };
    let enabled = variable("SecureBoot")?;
    Some(match (enabled, variable("SetupMode")) {
        (true, _) => SecureBoot::Enabled,
        (false, Some(true)) => SecureBoot::SetupMode,
        (false, _) => SecureBoot::Disabled,
    })
}
