//! The lock of a self-encrypting drive, as the kernel knows it (`IOC_OPAL_GET_STATUS`, Linux 6.1).

use serde::{Deserialize, Serialize};

use super::drive::{Drive, little};
use crate::io::aside::Command;
use crate::survey::Survey;

/// The lock of a self-encrypting drive (TCG Opal).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Opal {
    /// `OPAL_FL_LOCKING_SUPPORTED`: it can lock.
    pub locking_supported: bool,
    /// `OPAL_FL_LOCKING_ENABLED`: somebody has taken it into use.
    pub locking_enabled: bool,
    /// `OPAL_FL_LOCKED`: some of it cannot be read or written now.
    pub locked: bool,
    /// `OPAL_FL_MBR_ENABLED`: it shows a small system of its own until it is unlocked.
    pub shadow_mbr_enabled: bool,
    /// `OPAL_FL_MBR_DONE`: it shows that no longer.
    pub shadow_mbr_done: bool,
}

/// The lock; `None` of a drive without one.
pub(super) fn ask(survey: &Survey<'_>, file: &str) -> Option<Opal> {
    let bytes = Drive::new(survey, file).ask(Command::Opal)?;
    let flags = little(&bytes, 0, 4)?;
    // Bits of `include/uapi/linux/sed-opal.h`.
    let has = |bit: u32| flags & (1 << bit) != 0;
    has(0).then(|| Opal {
        locking_supported: has(1),
        locking_enabled: has(2),
        locked: has(3),
        shadow_mbr_enabled: has(4),
        shadow_mbr_done: has(5),
    })
}
