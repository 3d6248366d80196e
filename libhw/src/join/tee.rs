//! What the CPU has of trusted execution, beside what the kernel makes of it.

use crate::device::tee::Name;
use crate::inventory::Inventory;

/// The CPU flag of each technology that has one (`arch/x86/include/asm/cpufeatures.h`).
const FLAGS: &[(Name, &[&str])] = &[
    (Name::Sev, &["sev"]),
    (Name::SevEs, &["sev_es"]),
    (Name::SevSnp, &["sev_snp"]),
    (Name::Tdx, &["tdx_host_platform", "tdx_guest"]),
    (Name::Sgx, &["sgx"]),
];

/// Memory encryption without guests: of all memory at once.
const ENCRYPTION: &[&str] = &["sme", "tme"];

/// Whether every kind of CPU has it; `None` where no flag tells, and where CPUs were not read.
#[must_use]
pub fn cpu_has(inventory: &Inventory, technology: Name) -> Option<bool> {
    let (_, flags) = FLAGS.iter().find(|(name, _)| *name == technology)?;
    let models = &inventory.cpu.as_ref()?.models;
    let has = |wanted: &&str| {
        models
            .iter()
            .all(|model| model.flags.iter().any(|flag| flag == wanted))
    };
    (!models.is_empty()).then(|| flags.iter().any(has))
}

/// The technologies that a CPU has, whatever the kernel makes of them.
#[must_use]
pub fn technologies_of_cpu(inventory: &Inventory) -> Vec<Name> {
    let names = FLAGS.iter().map(|(name, _)| *name);
    names
        .filter(|name| cpu_has(inventory, *name) == Some(true))
        .collect()
}

/// The flags of memory encryption that the first kind of CPU has: `sme` (AMD), `tme` (Intel).
#[must_use]
pub fn memory_encryption(inventory: &Inventory) -> Vec<&'static str> {
    let model = inventory.cpu.as_ref().and_then(|cpu| cpu.models.first());
    let has =
        |flag: &&&str| model.is_some_and(|model| model.flags.iter().any(|known| known == **flag));
    ENCRYPTION.iter().filter(has).copied().collect()
}
