//! Reliability: every error that is counted, wherever it is, and what earlier crashes left behind.

use libhw::device::ras::{BootError, Firmware, MachineCheck, Pstore, Ras, Severity};
use libhw::inventory::Inventory;
use libhw::join::ras::{ErrorCount, Source, error_counts};

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(ras) = &inventory.ras else {
        return;
    };
    let counts = error_counts(inventory);
    if *ras == Ras::default() && counts.is_empty() {
        return;
    }
    page.title("Reliability");
    page.table(&errors(&counts));
    let mut facts = Table::facts();
    facts.fact(
        "Boot error",
        ras.boot_error.as_ref().map(boot_error).unwrap_or_default(),
    );
    facts.fact(
        "Crash records",
        ras.pstore.as_ref().map(crashes).unwrap_or_default(),
    );
    facts.fact("Interrupts", interrupts(ras, detail));
    facts.fact(
        "Machine checks",
        ras.machine_check.as_ref().map(checks).unwrap_or_default(),
    );
    facts.fact(
        "Firmware",
        ras.firmware.as_ref().map(firmware).unwrap_or_default(),
    );
    facts.fact("Failed pages", policy(ras));
    page.table(&facts);
    page.table(&thresholds(ras, detail));
    page.table(&features(ras));
}

/// How many errors in all, and what a crash left.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let ras = inventory.ras.as_ref()?;
    let counts = error_counts(inventory);
    let sum = |part: fn(&ErrorCount) -> u64| counts.iter().map(part).fold(0, u64::saturating_add);
    let said = |count: u64, word: &str| (count > 0).then(|| format!("{count} {word}"));
    let records = ras.pstore.as_ref().map_or(0, |pstore| pstore.records.len());
    let parts = [
        said(sum(|one| one.corrected), "corrected"),
        said(sum(|one| one.uncorrected), "uncorrected"),
        said(sum(|one| one.fatal), "fatal"),
        ras.boot_error
            .as_ref()
            .map(|_| "an error before this start".to_owned()),
        (records > 0).then(|| plural(records, "crash record")),
    ];
    some(joined(parts, ", "))
}

fn errors(counts: &[ErrorCount]) -> Table {
    let mut table = Table::new(&[
        Column::Left("errors of"),
        Column::Left("device"),
        Column::Right("corrected"),
        Column::Right("uncorrected"),
        Column::Right("fatal"),
    ]);
    let cell = |count: u64, paint: Paint| match count {
        0 => Cell::default(),
        count => Cell::new(count.to_string(), paint),
    };
    for count in counts {
        table.row([
            source(count.source).into(),
            count.id.as_str().into(),
            cell(count.corrected, Paint::Warning),
            cell(count.uncorrected, Paint::Bad),
            cell(count.fatal, Paint::Bad),
        ]);
    }
    table
}

const fn source(source: Source) -> &'static str {
    match source {
        Source::Memory => "memory",
        Source::MemoryUnplaced => "memory, stick unknown",
        Source::Edac => "chip",
        Source::Aer => "PCI Express",
        Source::PciParity => "PCI parity",
        Source::MemoryFailure => "failed pages",
    }
}

/// AMD's counters: in short those that counted something.
fn thresholds(ras: &Ras, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("machine-check block"),
        Column::Left("CPUs"),
        Column::Right("errors"),
        Column::Right("interrupt at"),
    ]);
    let shown = ras.thresholds.iter();
    for one in shown.filter(|one| detail || !one.now.errors.is_empty()) {
        let errors = one.now.errors.values();
        let errors = errors.fold(0_u64, |all, count| all.saturating_add(u64::from(*count)));
        let limit = one.limit.filter(|_| one.interrupt != Some(false));
        table.row([
            one.id.as_str().into(),
            one.cpus.to_string().into(),
            match errors {
                0 => Cell::default(),
                errors => Cell::new(errors.to_string(), Paint::Warning),
            },
            Cell::of(limit.as_ref()),
        ]);
    }
    table
}

fn boot_error(error: &BootError) -> Cell {
    let severity = match &error.severity {
        Severity::Recoverable => "recoverable",
        Severity::Fatal => "fatal",
        Severity::Corrected => "corrected",
        Severity::Informational => "informational",
        Severity::Other(word) => word.as_str(),
    };
    let records = usize::try_from(error.record_count).unwrap_or(usize::MAX);
    Cell::new(
        format!("{severity}, {}", plural(records, "record")),
        Paint::Bad,
    )
}

fn crashes(pstore: &Pstore) -> Cell {
    let names: Vec<&str> = pstore
        .records
        .iter()
        .map(|record| record.id.as_str())
        .collect();
    let archived = pstore.archived.len();
    let archived = (archived > 0).then(|| format!("{archived} in systemd's archive"));
    let paint = if names.is_empty() {
        Paint::Plain
    } else {
        Paint::Warning
    };
    let parts = [
        some(names.join(" ")),
        archived,
        pstore
            .backend
            .as_ref()
            .map(|backend| format!("kept by {backend}")),
    ];
    Cell::new(joined(parts, ", "), paint)
}

/// In short those that came; in detail all.
fn interrupts(ras: &Ras, detail: bool) -> String {
    let shown = ras
        .interrupts
        .iter()
        .filter(|one| detail || one.now.count > 0);
    let words = shown.map(|one| {
        let name = some(one.description.clone()).unwrap_or_else(|| one.id.clone());
        Some(format!("{name} {}", one.now.count))
    });
    joined(words, ", ")
}

fn checks(check: &MachineCheck) -> String {
    let on = |value: Option<bool>, word: &str| (value == Some(true)).then(|| word.to_owned());
    let banks = usize::try_from(check.bank_count).unwrap_or(usize::MAX);
    let parts = [
        Some(plural(banks, "bank")),
        check
            .check_interval_seconds
            .map(|seconds| format!("every {seconds} s")),
        on(check.ignore_corrected, "corrected ones left to firmware"),
        on(check.drop_corrected, "corrected ones not told"),
        on(
            check.corrected_interrupt_off,
            "no interrupt for corrected ones",
        ),
    ];
    joined(parts, ", ")
}

fn firmware(firmware: &Firmware) -> String {
    let sources = firmware
        .error_source_count
        .map(|count| format!("{count} error sources"));
    let generic = firmware
        .generic_source_count
        .map(|count| format!("{count} through firmware"));
    joined([Some(firmware.tables.join(" ")), sources, generic], ", ")
}

fn policy(ras: &Ras) -> String {
    let Some(policy) = ras.memory_failure_policy else {
        return String::new();
    };
    let either = |value: Option<bool>, yes: &'static str, no: &'static str| {
        value.map(|value| if value { yes } else { no })
    };
    let parts = [
        either(policy.recovery, "recovered from", "panic"),
        either(policy.early_kill, "owners killed at once", ""),
        either(
            policy.soft_offline,
            "weak pages taken out",
            "weak pages kept",
        ),
    ];
    joined(parts, ", ")
}

fn features(ras: &Ras) -> Table {
    let mut table = Table::new(&[Column::Left("device"), Column::Wrap("can be told to")]);
    for one in &ras.edac_features {
        table.row([one.id.as_str().into(), one.features.join(", ").into()]);
    }
    table
}
