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
