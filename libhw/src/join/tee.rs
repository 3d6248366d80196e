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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::{Cpu, Model};

    fn with(models: &[&[&str]]) -> Inventory {
        let model = |flags: &&[&str]| Model {
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            ..Model::default()
        };
        let cpu = Cpu {
            models: models.iter().map(model).collect(),
            ..Cpu::default()
        };
        Inventory {
            cpu: Some(cpu),
            ..Inventory::default()
        }
    }

    #[test]
    fn flags_of_every_kind_of_cpu_count() {
        let amd = with(&[&["fpu", "sme", "sev", "sev_es"]]);
        assert_eq!(technologies_of_cpu(&amd), [Name::Sev, Name::SevEs]);
        assert_eq!(memory_encryption(&amd), ["sme"]);
        assert_eq!(cpu_has(&amd, Name::Sgx), Some(false));
        assert_eq!(cpu_has(&amd, Name::Cca), None);
        let mixed = with(&[&["sgx"], &["fpu"]]);
        assert_eq!(cpu_has(&mixed, Name::Sgx), Some(false));
        assert_eq!(cpu_has(&with(&[&["tdx_guest"]]), Name::Tdx), Some(true));
        for none in [Inventory::default(), with(&[])] {
            assert_eq!(cpu_has(&none, Name::Sev), None);
            assert_eq!(memory_encryption(&none), Vec::<&str>::new());
        }
    }
}
