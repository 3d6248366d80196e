//! Memory: sticks and empty sockets, the errors that are counted for each, CXL devices, hot-plug blocks.

use std::collections::BTreeMap;

use libhw::device::memory::{Device, ErrorCorrection, Memory, Population};
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use crate::table::{Cell, Page, Paint, Table};
use crate::view::words::{counted, joined, plural, some};

mod counters;
mod expanders;
mod sticks;

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(memory) = &inventory.memory else {
        return;
    };
    if *memory == Memory::default() {
        return;
    }
    page.title("Memory");
    page.table(&facts(memory));
    page.table(&sticks::table(memory, detail));
    page.table(&counters::controllers(memory));
    page.table(&counters::unmatched(memory, detail));
    page.table(&expanders::table(memory));
}

/// What is plugged in, and how many errors it made.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let memory = inventory.memory.as_ref()?;
    let usable = memory.total_bytes.map(|total| format!("{total} usable"));
    let installed = installed(memory).or(usable);
    let errors = |count: u64, word: &str| {
        (count > 0).then(|| {
            format!(
                "{count} {word} {}",
                if count == 1 { "error" } else { "errors" }
            )
        })
    };
    let (corrected, uncorrected) = counters::totals(memory);
    let parts = [
        installed,
        errors(corrected, "corrected"),
        errors(uncorrected, "uncorrected"),
    ];
    some(joined(parts, ", "))
}

fn facts(memory: &Memory) -> Table {
    let mut facts = Table::facts();
    facts.fact("Installed", installed(memory).unwrap_or_default());
    facts.fact("Usable", usable(memory));
    facts.fact("Error correction", correction(memory));
    facts.fact("Room for", Cell::of(capacity(memory).as_ref()));
    facts.fact("Poisoned", poisoned(memory));
    facts.fact("Blocks", blocks(memory));
    facts.fact("SMBIOS", Cell::of(memory.smbios_version.as_ref()));
    facts
}

/// `4 sticks, 64 GiB DDR4, 2 sockets empty`.
fn installed(memory: &Memory) -> Option<String> {
    let of = |population| {
        memory
            .devices
            .iter()
            .filter(move |one| one.population == population)
    };
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for device in of(Population::Populated) {
        let kind = device.memory_type.as_deref().unwrap_or_default();
        let size = device.size_bytes.map_or(0, |size| size.0);
        let sum = kinds.entry(kind).or_default();
        *sum = sum.saturating_add(size);
    }
    let kinds = kinds.into_iter().map(|(kind, size)| {
        let size = Bytes(size).to_string();
        joined([Some(size.as_str()), some(kind.to_owned()).as_deref()], " ")
    });
    let count = of(Population::Populated).count();
    let empty = of(Population::Empty).count();
    let unknown = of(Population::Unknown).count();
    let several = |count: usize, noun: &str, word: &str| {
        (count > 0).then(|| {
            joined(
                [
                    Some(plural(count, noun).as_str()),
                    some(word.to_owned()).as_deref(),
                ],
                " ",
            )
        })
    };
    let parts = [several(count, "stick", "")]
        .into_iter()
        .chain(kinds.map(Some))
        .chain([
            several(empty, "socket", "empty"),
            several(unknown, "socket", "unknown"),
        ]);
    some(joined(parts, ", "))
}

fn usable(memory: &Memory) -> String {
    let total = memory.total_bytes.map(|total| total.to_string());
    let available = memory
        .now
        .available_bytes
        .map(|free| format!("{free} available"));
    joined([total, available], ", ")
}

/// Of the arrays that hold system memory; those of flash have none and need none.
fn correction(memory: &Memory) -> String {
    let words = memory
        .arrays
        .iter()
        .filter(|array| is_system(array.purpose.as_deref()));
    let mut words: Vec<&str> = words
        .filter_map(|array| Some(correction_word(array.error_correction.as_ref()?)))
        .collect();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}

fn is_system(purpose: Option<&str>) -> bool {
    purpose.is_none_or(|purpose| purpose == "System Memory")
}

const fn correction_word(correction: &ErrorCorrection) -> &str {
    match correction {
        ErrorCorrection::None => "none",
        ErrorCorrection::Parity => "parity",
        ErrorCorrection::SingleBitEcc => "single-bit ECC",
        ErrorCorrection::MultiBitEcc => "multi-bit ECC",
        ErrorCorrection::Crc => "CRC",
        ErrorCorrection::Unknown => "unknown",
        ErrorCorrection::Other(word) => word.as_str(),
    }
}

fn capacity(memory: &Memory) -> Option<Bytes> {
    let arrays = memory
        .arrays
        .iter()
        .filter(|array| is_system(array.purpose.as_deref()));
    let sizes = arrays.filter_map(|array| array.capacity_max_bytes);
    let sum = sizes.fold(0_u64, |sum, size| sum.saturating_add(size.0));
    (sum > 0).then_some(Bytes(sum))
}

/// Nothing is said of memory that is sound.
fn poisoned(memory: &Memory) -> Cell {
    let said = |size: Option<Bytes>, word: &str| {
        let size = size.filter(|size| size.0 > 0)?;
        Some(format!("{size} {word}"))
    };
    let now = &memory.now;
    let parts = [
        said(now.hardware_corrupted_bytes, "given up"),
        said(now.early_memtest_bad_bytes, "found bad at boot"),
    ];
    Cell::new(joined(parts, ", "), Paint::Bad)
}

fn blocks(memory: &Memory) -> String {
    let Some(blocks) = &memory.blocks else {
        return String::new();
    };
    let size = blocks.size_bytes.map(|size| format!("× {size}"));
    let offline = blocks
        .offline
        .as_ref()
        .filter(|offline| !offline.is_empty());
    let offline = offline.map(|offline| format!(", offline {}", counted(offline)));
    let parts = [Some(blocks.count.to_string()), size];
    joined(parts, " ") + &offline.unwrap_or_default()
}

/// What a person calls a socket.
fn called(device: &Device) -> &str {
    device.locator.as_deref().unwrap_or(&device.id)
}

#[cfg(test)]
mod tests;
