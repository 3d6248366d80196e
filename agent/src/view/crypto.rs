//! Cryptography and compression: who does the work, and whether it can.

use std::collections::BTreeMap;

use libhw::device::crypto::{
    Accelerator, Algorithm, Crypto, Dsa, Fec, Kind, Psp, Qat, ServedBy, Service, State, WorkQueue,
};
use libhw::inventory::Inventory;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some, yes};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(crypto) = &inventory.crypto else {
        return;
    };
    if *crypto == Crypto::default() && !detail {
        return;
    }
    page.title("Cryptography");
    if *crypto == Crypto::default() {
        page.line("none");
        return;
    }
    page.table(&facts(crypto, detail));
    page.table(&accelerators(crypto));
    page.table(&fec(crypto));
    page.table(&qat(crypto));
    page.table(&dsa(crypto));
    if detail {
        page.table(&work_queues(crypto));
        page.table(&psp(crypto));
        page.table(&uacce(crypto));
        page.table(&ap_queues(crypto));
        page.table(&algorithms(crypto));
    }
}

/// The accelerators by kind, instructions, and how many algorithms a device serves.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let crypto = inventory.crypto.as_ref()?;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for row in &crypto.accelerators {
        *kinds.entry(kind(&row.kind)).or_default() += 1;
    }
    if !crypto.fec.is_empty() {
        kinds.insert("vRAN FEC".to_owned(), crypto.fec.len());
    }
    let devices = kinds.iter().map(|(name, count)| match count {
        1 => Some(name.clone()),
        count => Some(format!("{count} × {name}")),
    });
    let instructions = crypto.instructions.iter().map(|row| row.id.as_str());
    let instructions: Vec<&str> = instructions.collect();
    let served = by(&crypto.algorithms, &ServedBy::Accelerator).count();
    let parts = devices.chain([
        some(instructions.join(" ")),
        (served > 0).then(|| format!("{} on a device", plural(served, "algorithm"))),
    ]);
    some(joined(parts, ", "))
}

/// Kinds as their makers write them.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Qat => "QAT".to_owned(),
        Kind::Dsa => "DSA".to_owned(),
        Kind::Iaa => "IAA".to_owned(),
        Kind::AmdCcp => "AMD Secure Processor".to_owned(),
        Kind::Caam => "CAAM".to_owned(),
        Kind::VirtioCrypto => "virtio-crypto".to_owned(),
        Kind::CryptoExpress => "Crypto Express".to_owned(),
        Kind::HisiZip => "HiSilicon ZIP".to_owned(),
        Kind::HisiSec => "HiSilicon SEC".to_owned(),
        Kind::HisiHpre => "HiSilicon HPRE".to_owned(),
        Kind::Cpt => "Marvell CPT".to_owned(),
        Kind::Nitrox => "Marvell NITROX".to_owned(),
        Kind::Cesa => "Marvell CESA".to_owned(),
        Kind::Controller => "encryption controller".to_owned(),
        other => other.to_string(),
    }
}

fn by<'a>(all: &'a [Algorithm], who: &'a ServedBy) -> impl Iterator<Item = &'a Algorithm> {
    all.iter().filter(move |row| row.served_by == *who)
}

fn facts(crypto: &Crypto, detail: bool) -> Table {
    let mut facts = Table::facts();
    let instructions = crypto.instructions.iter().map(|row| {
        Some(match detail {
            true => format!("{} ({})", row.id, row.purpose),
            false => row.id.clone(),
        })
    });
    facts.fact("Instructions", joined(instructions, ", "));
    let count = |who: ServedBy, word: &str| {
        let count = by(&crypto.algorithms, &who).count();
        (count > 0).then(|| format!("{count} {word}"))
    };
    let served = [
        count(ServedBy::Accelerator, "by a device"),
        count(ServedBy::Instructions, "by instructions"),
        count(ServedBy::Library, "by the kernel's library"),
        count(ServedBy::Software, "in plain code"),
    ];
    facts.fact("Algorithms", joined(served, ", "));
    if crypto.fips == Some(true) {
        facts.fact("FIPS mode", "on");
    }
    if let Some(hwrng) = &crypto.hwrng {
        let current = hwrng.now.current.as_ref().map(|name| {
            let quality = hwrng.now.quality_per_1024.unwrap_or_default();
            format!("{name}, {quality} of 1024 bits")
        });
        let others = hwrng.available.iter();
        let others = others.filter(|name| Some(*name) != hwrng.now.current.as_ref());
        let others = joined(others.map(Some), ", ");
        let others = some(others).map(|names| format!("also {names}"));
        facts.fact("Random numbers", joined([current, others], "; "));
    }
    facts
}

fn accelerators(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("accelerator"),
        Column::Left("function"),
        Column::Wrap("kind"),
        Column::Left("driver"),
        Column::Right("node"),
        Column::Wrap("does"),
        Column::Left("VFs"),
        Column::Left("state"),
    ]);
    for row in &crypto.accelerators {
        let function = row
            .function
            .as_ref()
            .filter(|function| **function != row.id);
        let services = row.services.iter().map(|service| Some(does(service)));
        table.row([
            row.id.as_str().into(),
            Cell::of(function),
            named(row).into(),
            Cell::of(row.driver.as_ref()),
            Cell::of(row.node.as_ref()),
            joined(services, ", ").into(),
            vfs(row).into(),
            state(row.now.state.as_ref()),
        ]);
    }
    table
}

/// Its kind and its model, without saying a word twice: `HiSilicon SEC2`, `QAT 4xxx`.
fn named(row: &Accelerator) -> String {
    let kind = kind(&row.kind);
    let Some(model) = &row.model else {
        return kind;
    };
    if kind.ends_with(model) {
        return kind;
    }
    match kind.rsplit_once(' ') {
        Some((maker, word)) if model.contains(word) => format!("{maker} {model}"),
        _ => format!("{kind} {model}"),
    }
}

fn does(service: &Service) -> String {
    service.to_string()
}

fn vfs(row: &Accelerator) -> String {
    match (row.vfs, row.vfs_total) {
        (Some(vfs), Some(total)) => format!("{vfs} of {total}"),
        _ => String::new(),
    }
}

fn state(state: Option<&State>) -> Cell {
    let Some(state) = state else {
        return Cell::default();
    };
    let paint = match state {
        State::Up => Paint::Good,
        State::Down | State::Offline => Paint::Plain,
        State::Unbound => Paint::Faint,
        State::Other(_) => Paint::Warning,
        _ => Paint::Bad,
    };
    let text = match state {
        State::Unbound => "no driver".to_owned(),
        other => other.to_string(),
    };
    Cell::new(text, paint)
}

fn fec(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("FEC"),
        Column::Wrap("model"),
        Column::Left("function"),
        Column::Left("bound to"),
        Column::Left("VFs"),
        Column::Wrap("theirs"),
    ]);
    let role = |row: &Fec| row.role.as_str().to_ascii_uppercase();
    for row in &crypto.fec {
        let vfs = match (row.vfs, row.vfs_total) {
            (Some(vfs), Some(total)) => format!("{vfs} of {total}"),
            _ => String::new(),
        };
        let drivers = row.vf_drivers.iter();
        let drivers = drivers.map(|(driver, count)| Some(format!("{count} {driver}")));
        let driver = row.driver.clone().unwrap_or_else(|| "none".to_owned());
        table.row([
            row.id.as_str().into(),
            row.model.as_str().into(),
            role(row).into(),
            driver.into(),
            vfs.into(),
            joined(drivers, ", ").into(),
        ]);
    }
    table
}

fn qat(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("QAT"),
        Column::Right("generation"),
        Column::Left("services"),
        Column::Right("ring pairs"),
        Column::Left("auto reset"),
        Column::Wrap("errors"),
        Column::Wrap("heartbeat"),
    ]);
    for row in &crypto.qat {
        table.row([
            row.id.as_str().into(),
            Cell::of(row.generation.as_ref()),
            row.services.join(" ").into(),
            Cell::of(row.ring_pairs.as_ref()),
            row.auto_reset.map(yes).unwrap_or_default().into(),
            errors(row),
            heartbeat(row),
        ]);
    }
    table
}

fn errors(row: &Qat) -> Cell {
    let count = |count: Option<u64>, word: &str| {
        let count = count.filter(|count| *count > 0)?;
        Some(format!("{count} {word}"))
    };
    let now = &row.now;
    let parts = [
        count(now.correctable, "correctable"),
        count(now.nonfatal, "nonfatal"),
        count(now.fatal, "fatal"),
    ];
    let severe = [now.nonfatal, now.fatal]
        .iter()
        .flatten()
        .any(|count| *count > 0);
    let paint = if severe { Paint::Bad } else { Paint::Warning };
    let known = now.correctable.or(now.nonfatal).or(now.fatal).is_some();
    match some(joined(parts, ", ")) {
        Some(text) => Cell::new(text, paint),
        None if known => "none".into(),
        None => Cell::default(),
    }
}

fn heartbeat(row: &Qat) -> Cell {
    let missed = row.now.queries_failed.filter(|failed| *failed > 0);
    let missed = missed.map(|failed| {
        let sent = row.now.queries_sent.unwrap_or_default();
        format!("{failed} of {sent} missed")
    });
    match row.now.responsive {
        Some(true) => joined([Some("answers".to_owned()), missed], ", ").into(),
        Some(false) => Cell::new(
            joined([Some("does not answer".to_owned()), missed], ", "),
            Paint::Bad,
        ),
        None => Cell::default(),
    }
}

fn dsa(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("DSA"),
        Column::Left("version"),
        Column::Left("engines"),
        Column::Left("work queues"),
        Column::Right("clients"),
        Column::Left("shared"),
        Column::Wrap("error"),
    ]);
    for row in &crypto.dsa {
        let of = |queue: &&WorkQueue| queue.dsa.as_deref() == Some(&row.id);
        let up = |queue: &&WorkQueue| queue.now.state == Some(State::Up);
        let queues = crypto.work_queues.iter().filter(of).filter(up).count();
        table.row([
            row.id.as_str().into(),
            Cell::of(row.version.as_ref()),
            Cell::of(row.engines_max.as_ref()),
            part(queues, row.work_queues_max).into(),
            Cell::of(row.now.clients.as_ref()),
            row.pasid_enabled.map(yes).unwrap_or_default().into(),
            Cell::new(dsa_error(row), Paint::Bad),
        ]);
    }
    table
}

fn part(count: usize, total: Option<u32>) -> String {
    total.map_or_else(|| count.to_string(), |total| format!("{count} of {total}"))
}

fn dsa_error(row: &Dsa) -> String {
    let command = row.now.command.as_ref().map(|command| {
        let meaning = command.meaning.clone();
        meaning.unwrap_or_else(|| format!("command {}", command.value))
    });
    let error = row
        .now
        .error
        .map(|error| format!("error {:#x}", error.code));
    joined([command, error], ", ")
}

fn work_queues(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("work queue"),
        Column::Left("of"),
        Column::Left("name"),
        Column::Left("mode"),
        Column::Left("driver"),
        Column::Right("entries"),
        Column::Right("clients"),
        Column::Left("state"),
    ]);
    for row in &crypto.work_queues {
        table.row([
            row.id.as_str().into(),
            joined([row.dsa.as_ref(), row.group.as_ref()], " ").into(),
            Cell::of(row.name.as_ref()),
            Cell::of(row.mode.as_ref()),
            Cell::of(row.driver.as_ref().or(row.usage.as_ref())),
            Cell::of(row.entries.as_ref()),
            Cell::of(row.now.clients.as_ref()),
            state(row.now.state.as_ref()),
        ]);
    }
    table
}

fn psp(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("Secure Processor"),
        Column::Left("boot loader"),
        Column::Left("TEE"),
        Column::Wrap("protects"),
        Column::Wrap("does not"),
    ]);
    for row in &crypto.psp {
        let (protects, lacks): (Vec<_>, Vec<_>) = protections(row)
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .partition(|(_, value)| *value);
        let names = |rows: &[(&str, bool)]| joined(rows.iter().map(|(name, _)| Some(*name)), ", ");
        table.row([
            row.id.as_str().into(),
            Cell::of(row.bootloader_version.as_ref()),
            Cell::of(row.tee_version.as_ref()),
            names(&protects).into(),
            names(&lacks).into(),
        ]);
    }
    table
}

const fn protections(row: &Psp) -> [(&'static str, Option<bool>); 9] {
    [
        ("fused", row.fused),
        ("boot integrity", row.boot_integrity),
        ("debug locked", row.debug_locked),
        ("memory encrypted", row.memory_encrypted),
        ("rollback", row.rollback_protected),
        ("replay", row.replay_protection),
        ("replay-protected flash", row.replay_protected_flash),
        ("HSP TPM", row.hsp_tpm),
        ("ROM armor", row.rom_armor),
    ]
}

fn uacce(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("uacce"),
        Column::Left("function"),
        Column::Left("API"),
        Column::Wrap("algorithms"),
        Column::Right("free queues"),
    ]);
    for row in &crypto.uacce {
        table.row([
            row.id.as_str().into(),
            Cell::of(row.function.as_ref()),
            Cell::of(row.api.as_ref()),
            row.algorithms.join(" ").into(),
            Cell::of(row.now.available.as_ref()),
        ]);
    }
    table
}

fn ap_queues(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("queue"),
        Column::Right("domain"),
        Column::Left("driver"),
        Column::Right("requests"),
        Column::Left("online"),
    ]);
    for row in &crypto.ap_queues {
        table.row([
            row.id.as_str().into(),
            Cell::of(row.domain.as_ref()),
            Cell::of(row.driver.as_ref()),
            Cell::of(row.now.requests.as_ref()),
            row.now.online.map(yes).unwrap_or_default().into(),
        ]);
    }
    table
}

fn algorithms(crypto: &Crypto) -> Table {
    let mut table = Table::new(&[
        Column::Left("algorithm"),
        Column::Left("asked for as"),
        Column::Wrap("implementation"),
        Column::Right("priority"),
        Column::Left("served by"),
    ]);
    for row in &crypto.algorithms {
        let served = match (&row.served_by, &row.accelerator) {
            (_, Some(by)) => Cell::new(kind(by), Paint::Good),
            (by, None) => by.to_string().into(),
        };
        table.row([
            row.name.as_str().into(),
            row.interface.to_string().into(),
            row.implementation.as_str().into(),
            row.priority.to_string().into(),
            served,
        ]);
    }
    table
}
