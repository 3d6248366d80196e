//! Trusted platform modules.

use libhw::device::tpm::{Bank, Chip, Deep, Version};
use libhw::inventory::Inventory;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let chips = inventory.tpm.iter().flat_map(|tpm| &tpm.chips);
    let chips: Vec<&Chip> = chips.collect();
    if chips.is_empty() {
        return;
    }
    page.title("TPM");
    let mut table = Table::new(&[
        Column::Left("chip"),
        Column::Left("version"),
        Column::Wrap("maker"),
        Column::Left("firmware"),
        Column::Left("driver"),
        Column::Left("device"),
        Column::Wrap("banks"),
        Column::Left("event log"),
        Column::Wrap("state"),
    ]);
    for chip in &chips {
        table.row(row(chip));
    }
    page.table(&table);
    if detail {
        page.table(&registers(&chips));
    }
}

/// `TPM 2.0, IFX SLB9670`.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let chips = inventory.tpm.as_ref()?.chips.iter();
    let words = chips.map(|chip| {
        let version = version(chip);
        let name = joined([Some("TPM"), Some(version)], " ");
        Some(joined([Some(name), some(maker(chip))], ", "))
    });
    some(joined(words, "; "))
}

fn row(chip: &Chip) -> [Cell; 9] {
    let deep = chip.deep.as_ref();
    let banks: Vec<&str> = chip.banks.iter().map(|bank| bank.id.as_str()).collect();
    let firmware = deep.and_then(|deep| deep.firmware_version.as_ref());
    [
        chip.id.as_str().into(),
        version(chip).into(),
        maker(chip).into(),
        Cell::of(firmware),
        Cell::of(chip.driver.as_ref()),
        Cell::of(chip.device.as_ref()),
        banks.join(", ").into(),
        match chip.event_log {
            Some(true) => "yes".into(),
            Some(false) => "no".into(),
            None => Cell::default(),
        },
        deep.map(state).unwrap_or_default(),
    ]
}

fn version(chip: &Chip) -> &str {
    match &chip.version {
        Some(Version::One) => "1.2",
        Some(Version::Two) => "2.0",
        Some(Version::Other(word)) => word.as_str(),
        None => "",
    }
}

fn maker(chip: &Chip) -> String {
    let deep = chip.deep.as_ref();
    let word = |word: fn(&Deep) -> &Option<String>| deep.and_then(|deep| word(deep).as_deref());
    joined(
        [
            word(|deep| &deep.manufacturer),
            word(|deep| &deep.vendor_string),
        ],
        " ",
    )
}

/// What a chip is in, worst first.
fn state(deep: &Deep) -> Cell {
    let said = |value: Option<bool>, word: &'static str| (value == Some(true)).then_some(word);
    let bad = [
        said(deep.in_lockout, "locked out"),
        said(deep.deactivated, "deactivated until power cycle"),
        said(deep.enabled.map(|on| !on), "disabled"),
        said(deep.active.map(|on| !on), "inactive"),
    ];
    let paint = if bad.iter().any(Option::is_some) {
        Paint::Warning
    } else {
        Paint::Plain
    };
    let others = [
        said(deep.owned, "owned"),
        said(deep.fips_140_2, "FIPS 140-2"),
    ];
    Cell::new(joined(bad.into_iter().chain(others), ", "), paint)
}

fn registers(chips: &[&Chip]) -> Table {
    let mut table = Table::new(&[
        Column::Left("bank"),
        Column::Right("register"),
        Column::Wrap("digest"),
    ]);
    let banks = chips.iter().flat_map(|chip| &chip.banks);
    let rows = banks.flat_map(|bank: &Bank| {
        bank.pcrs
            .iter()
            .map(move |(pcr, digest)| (bank, pcr, digest))
    });
    for (bank, pcr, digest) in rows {
        table.row([
            bank.id.as_str().into(),
            pcr.to_string().into(),
            digest.as_str().into(),
        ]);
    }
    table
}
