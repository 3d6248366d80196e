//! Who made a processor, for trees without /proc/cpuinfo.
//!
//! From `cpuN/regs/identification/midr_el1` of 64-bit Arm, and from x86's `modalias` and
//! `cpuN/microcode/version` (`Documentation/ABI/testing/sysfs-devices-system-cpu`).

use std::collections::BTreeMap;

use super::{CPUS, Model, arm, of_cpu};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// The models of the `online` CPUs, by lowest CPU.
pub(super) fn read(survey: &Survey<'_>, online: &IdSet) -> Vec<Model> {
    let midr = |cpu: u32| survey.value(&of_cpu(cpu, "regs/identification/midr_el1"), parse::hex);
    let Some(first) = online.first() else {
        return Vec::new();
    };
    if midr(first).is_none() {
        return x86(survey, first, online).into_iter().collect();
    }
    let mut cpus: BTreeMap<u64, IdSet> = BTreeMap::new();
    for (cpu, midr) in online.iter().filter_map(|cpu| Some((cpu, midr(cpu)?))) {
        cpus.entry(midr).or_default().insert(cpu);
    }
    let mut models: Vec<Model> = cpus
        .into_iter()
        .map(|(midr, cpus)| arm(midr, cpus))
        .collect();
    models.sort_by_key(|model| model.id);
    models
}

/// `MIDR_EL1`: implementer, variant, architecture, part, revision; 8, 4, 4, 12 and 4 bits.
fn arm(midr: u64, cpus: IdSet) -> Model {
    let bits = |shift: u32, width: u32| midr >> shift & ((1 << width) - 1);
    let (implementer, part) = (bits(24, 8), bits(4, 12));
    let vendor = arm::vendor(implementer).map(str::to_owned);
    Model {
        id: cpus.first().unwrap_or_default(),
        vendor: vendor.or_else(|| Some(format!("{implementer:#04x}"))),
        name: arm::part(implementer, part).map(str::to_owned),
        model: Some(format!("{part:#05x}")),
        stepping: Some(format!("r{}p{}", bits(20, 4), bits(0, 4))),
        cpus,
        ..Model::default()
    }
}

/// The boot CPU's identity, which is that of all.
fn x86(survey: &Survey<'_>, first: u32, online: &IdSet) -> Option<Model> {
    let (vendor, family, model) = modalias(&survey.text(&format!("{CPUS}/modalias"))?)?;
    Some(Model {
        id: first,
        vendor: VENDORS
            .get(usize::try_from(vendor).ok()?)
            .map(|name| (*name).to_owned()),
        family: Some(family.to_string()),
        model: Some(model.to_string()),
        microcode: survey.text(&of_cpu(first, "microcode/version")),
        cpus: online.clone(),
        ..Model::default()
    })
}

/// Vendor, family and model, in hexadecimal; the second form is older.
///
/// ```text
/// cpu:type:x86,ven0000fam0006mod0055:feature:,0000,0001
/// x86cpu:vendor:0000:family:0006:model:0055:feature:,0000,0001
/// ```
fn modalias(text: &str) -> Option<(u64, u64, u64)> {
    let numbers = |names: [&str; 3]| {
        let mut rest = text;
        let mut number = |name: &str| {
            let (_, after) = rest.split_once(name)?;
            rest = after;
            parse::hex(after.get(..4)?).ok()
        };
        let [vendor, family, model] = names.map(&mut number);
        Some((vendor?, family?, model?))
    };
    match text.split_once(',')?.0 {
        "cpu:type:x86" => numbers(["ven", "fam", "mod"]),
        head if head.starts_with("x86cpu:") => numbers(["vendor:", "family:", "model:"]),
        _ => None,
    }
}

/// What /proc/cpuinfo calls the vendors, by the kernel's number (`arch/x86/include/asm/processor.h`).
const VENDORS: [&str; 11] = [
    "GenuineIntel",
    "CyrixInstead",
    "AuthenticAMD",
    "UMC UMC UMC",
    "unknown",
    "CentaurHauls",
    "unknown",
    "GenuineTMx86",
    "Geode by NSC",
    "HygonGenuine",
    "Shanghai",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_modalias_tell_the_same() {
        for text in [
            "cpu:type:x86,ven0002fam0017mod0031:feature:,0000,0001",
            "x86cpu:vendor:0002:family:0017:model:0031:feature:,0000,0001",
        ] {
            assert_eq!(modalias(text), Some((2, 0x17, 0x31)), "{text:?}");
        }
        for text in [
            "",
            "cpu:type:loongarch:feature:,0000",
            "cpu:type:x86,ven00",
            "cpu:type:z13:feature:,",
        ] {
            assert_eq!(modalias(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_midr_holds_vendor_part_and_revision() {
        let model = arm(0x0000_0000_413f_d0c1, IdSet::from_iter([2, 3]));
        assert_eq!(model.id, 2);
        assert_eq!(model.vendor.as_deref(), Some("ARM"));
        assert_eq!(model.name.as_deref(), Some("Neoverse-N1"));
        assert_eq!(model.model.as_deref(), Some("0xd0c"));
        assert_eq!(model.stepping.as_deref(), Some("r3p1"));
        assert_eq!(
            arm(0x990f_0010, IdSet::new()).vendor.as_deref(),
            Some("0x99")
        );
    }
}
