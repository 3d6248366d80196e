//! Every hardware error that the machine counts, whichever class the counter stands in.

use crate::inventory::Inventory;

/// Errors that one counter counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorCount {
    /// What counts.
    pub source: Source,
    /// The row in its class: a PCI address, `mc0/dimm3`, `node1`.
    pub id: String,
    /// Corrected: nothing was lost.
    pub corrected: u64,
    /// Not corrected, and survived.
    pub uncorrected: u64,
    /// Not corrected, and fatal for what it hit.
    pub fatal: u64,
}

/// What counts errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// EDAC, of a stick or a rank.
    Memory,
    /// EDAC, of a memory controller, of errors that it cannot place.
    MemoryUnplaced,
    /// EDAC, of a cache or another part of a chip.
    Edac,
    /// PCI Express Advanced Error Reporting, of a function.
    Aer,
    /// EDAC, of PCI parity errors.
    PciParity,
    /// Pages that the kernel took out of use.
    MemoryFailure,
}

/// The counters that are not zero.
#[must_use]
pub fn error_counts(inventory: &Inventory) -> Vec<ErrorCount> {
    let mut counts = Vec::new();
    memory(inventory, &mut counts);
    aer(inventory, &mut counts);
    others(inventory, &mut counts);
    counts.retain(|count| (count.corrected, count.uncorrected, count.fatal) != (0, 0, 0));
    counts
}

fn count(source: Source, id: &str, corrected: Option<u64>, uncorrected: Option<u64>) -> ErrorCount {
    ErrorCount {
        source,
        id: id.to_owned(),
        corrected: corrected.unwrap_or_default(),
        uncorrected: uncorrected.unwrap_or_default(),
        fatal: 0,
    }
}

fn memory(inventory: &Inventory, counts: &mut Vec<ErrorCount>) {
    if let Some(memory) = &inventory.memory {
        counts.extend(memory.edac_dimms.iter().map(|dimm| {
            count(
                Source::Memory,
                &dimm.id,
                dimm.now.corrected,
                dimm.now.uncorrected,
            )
        }));
        counts.extend(memory.edac_controllers.iter().map(|controller| {
            let now = controller.now;
            let (corrected, uncorrected) = (now.corrected_unplaced, now.uncorrected_unplaced);
            count(
                Source::MemoryUnplaced,
                &controller.id,
                corrected,
                uncorrected,
            )
        }));
    }
}

/// What a root port received is left out: it counts once more what the devices below it count.
fn aer(inventory: &Inventory, counts: &mut Vec<ErrorCount>) {
    let functions = inventory.pci.iter().flat_map(|pci| &pci.functions);
    for function in functions {
        let Some(aer) = &function.now.aer else {
            continue;
        };
        let sum = |errors: &std::collections::BTreeMap<String, u64>| {
            errors.values().copied().fold(0, u64::saturating_add)
        };
        counts.push(ErrorCount {
            source: Source::Aer,
            id: function.id.clone(),
            corrected: sum(&aer.correctable),
            uncorrected: sum(&aer.nonfatal),
            fatal: sum(&aer.fatal),
        });
    }
}

fn others(inventory: &Inventory, counts: &mut Vec<ErrorCount>) {
    if let Some(ras) = &inventory.ras {
        counts.extend(ras.edac_devices.iter().map(|device| {
            count(
                Source::Edac,
                &device.id,
                device.now.corrected,
                device.now.uncorrected,
            )
        }));
        let parity = ras.edac_pci.as_ref().and_then(|pci| pci.now.parity);
        let other = ras.edac_pci.as_ref().and_then(|pci| pci.now.other);
        let both = parity
            .unwrap_or_default()
            .saturating_add(other.unwrap_or_default());
        counts.push(count(Source::PciParity, "pci", None, Some(both)));
        counts.extend(ras.memory_failures.iter().map(|failure| {
            let id = format!("node{}", failure.id);
            count(Source::MemoryFailure, &id, None, failure.now.total)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Class;
    use crate::tree::Tree;

    #[test]
    fn errors_of_every_class_are_told_once_and_zeros_not_at_all() {
        let tree = Tree::new(&[
            ("sys/devices/system/edac/mc/mc0/ce_count", "5\n"),
            ("sys/devices/system/edac/mc/mc0/ce_noinfo_count", "2\n"),
            ("sys/devices/system/edac/mc/mc0/dimm0/dimm_ce_count", "3\n"),
            ("sys/devices/system/edac/mc/mc0/dimm0/dimm_ue_count", "0\n"),
            ("sys/devices/system/edac/mc/mc0/dimm1/dimm_ce_count", "0\n"),
            ("sys/devices/system/edac/cpu/cpu0/ue_count", "1\n"),
            ("sys/devices/system/edac/pci/pci_parity_count", "4\n"),
            ("sys/devices/system/node/node1/memory_failure/total", "6\n"),
        ]);
        let mut inventory = tree.discover(Class::Memory);
        inventory.ras = tree.discover(Class::Ras).ras;
        let mut function = crate::device::pci::Function {
            id: "0000:01:00.0".to_owned(),
            ..Default::default()
        };
        let mut aer = crate::device::pci::Aer::default();
        aer.correctable.insert("RxErr".to_owned(), 7);
        aer.correctable.insert("BadTLP".to_owned(), u64::MAX);
        aer.fatal.insert("DLP".to_owned(), 1);
        function.now.aer = Some(aer);
        inventory.pci = Some(crate::device::pci::Pci {
            functions: vec![function],
        });
        let counts = error_counts(&inventory);
        let found: Vec<_> = counts
            .iter()
            .map(|one| {
                (
                    one.source,
                    one.id.as_str(),
                    one.corrected,
                    one.uncorrected,
                    one.fatal,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (Source::Memory, "mc0/dimm0", 3, 0, 0),
                (Source::MemoryUnplaced, "mc0", 2, 0, 0),
                (Source::Aer, "0000:01:00.0", u64::MAX, 0, 1),
                (Source::Edac, "cpu/cpu0", 0, 1, 0),
                (Source::PciParity, "pci", 0, 4, 0),
                (Source::MemoryFailure, "node1", 0, 6, 0),
            ]
        );
        assert_eq!(error_counts(&Inventory::default()), []);
    }
}
