//! Reliability: what the machine counts and remembers of its own errors.
//!
//! Errors of memory that EDAC counts stand in the memory class, those of PCI Express with their functions in the pci
//! class; here is the rest, and [`crate::join`] adds all of it up.

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

mod boot_error;
mod edac;
mod firmware;
mod machine_check;
mod memory_failure;
mod pstore;
mod threshold;

pub use boot_error::{BootError, Severity};
pub use edac::{
    EdacBlock, EdacCount, EdacDevice, EdacFeatures, EdacPci, EdacPciController, PciCount,
};
pub use firmware::Firmware;
pub use machine_check::{Interrupt, InterruptNow, MachineCheck};
pub use memory_failure::{MemoryFailure, MemoryFailureNow, MemoryFailurePolicy};
pub use pstore::{Pstore, PstoreRecord, RecordKind};
pub use threshold::{ThresholdBlock, ThresholdBlockNow};

/// What the machine counts and remembers of its errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Ras {
    /// How machine checks are set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_check: Option<MachineCheck>,
    /// AMD's counters of errors in the banks of its CPUs, by bank; only of a deep look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdBlock>,
    /// The interrupts that tell of errors, over all CPUs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interrupts: Vec<Interrupt>,
    /// What EDAC counts beside memory: caches, buses, blocks of a chip.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edac_devices: Vec<EdacDevice>,
    /// Parity errors of PCI that EDAC polls for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edac_pci: Option<EdacPci>,
    /// Devices that can be told to scrub or to repair themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edac_features: Vec<EdacFeatures>,
    /// Pages that failed, by node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub memory_failures: Vec<MemoryFailure>,
    /// What the kernel does about a page that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_failure_policy: Option<MemoryFailurePolicy>,
    /// What firmware offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Firmware>,
    /// The error that stopped the machine before this start, when firmware kept one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_error: Option<BootError>,
    /// What earlier kernels left behind when they crashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pstore: Option<Pstore>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Ras {
    Ras {
        machine_check: machine_check::discover(survey),
        thresholds: threshold::discover(survey),
        interrupts: machine_check::interrupts(survey),
        edac_devices: edac::devices(survey),
        edac_pci: edac::pci(survey),
        edac_features: edac::features(survey),
        memory_failures: memory_failure::discover(survey),
        memory_failure_policy: memory_failure::policy(survey),
        firmware: firmware::discover(survey),
        boot_error: boot_error::discover(survey),
        pstore: pstore::discover(survey),
    }
}

/// Reads again what changes without an event: every counter.
pub fn refresh(ras: &mut Ras, survey: &Survey<'_>) {
    machine_check::refresh(&mut ras.interrupts, survey);
    threshold::refresh(&mut ras.thresholds, survey);
    edac::refresh_devices(&mut ras.edac_devices, survey);
    if let Some(pci) = &mut ras.edac_pci {
        edac::refresh_pci(pci, survey);
    }
    for failures in &mut ras.memory_failures {
        memory_failure::refresh(failures, survey);
    }
}

/// The value of an attribute that a listing has.
fn listed<T>(
    survey: &Survey<'_>,
    (directory, names): (&str, &[String]),
    name: &str,
    parse: impl Fn(&str) -> crate::parse::Parsed<T>,
) -> Option<T> {
    let has = names.iter().any(|listed| listed == name);
    has.then(|| survey.value(&format!("{directory}/{name}"), parse))?
}

#[cfg(test)]
mod tests;
