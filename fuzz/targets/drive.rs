//! What drives answer: NVMe's identity, health and firmware, ATA's identity and SMART, SCSI's log pages, Opal's flags.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::{Result, Unstructured};
use gnomon_fuzz::mutant::{Machine, Spoilt};
use gnomon_fuzz::synthetic::Entry;
use libhw::inventory::{Class, Scope, discover};
use libhw::io::root::Root;

/// A controller, and a disk behind a host.
const DRIVES: &[(&str, &str)] = &[
    ("sys/class/nvme/nvme0/state", "live"),
    ("sys/devices/host0/target0:0:0/0:0:0:0/block/sda/size", "8"),
];

const WAY: &str = "../devices/host0/target0:0:0/0:0:0:0/block/sda";

/// The commands, each with the length of its answer.
const COMMANDS: &[(&str, &str, usize)] = &[
    ("nvme-identify", "nvme0", 4096),
    ("nvme-health", "nvme0", 512),
    ("nvme-firmware", "nvme0", 512),
    ("ata-power-mode", "sda", 1),
    ("ata-identify", "sda", 512),
    ("ata-smart-data", "sda", 512),
    ("ata-smart-thresholds", "sda", 512),
    ("ata-smart-status", "sda", 2),
    ("scsi-pages", "sda", 16),
    ("scsi-write-errors", "sda", 88),
    ("scsi-temperature", "sda", 16),
    ("scsi-background-scan", "sda", 20),
    ("scsi-exceptions", "sda", 12),
    ("opal", "sda", 4),
];

/// The log pages that a drive may list, and that stand at the head of an answer.
const PAGES: &[(&str, u8)] = &[
    ("scsi-write-errors", 0x02),
    ("scsi-temperature", 0x0d),
    ("scsi-background-scan", 0x15),
    ("scsi-exceptions", 0x2f),
];

fn spoilt(bytes: &mut Unstructured<'_>) -> Result<Vec<Spoilt>> {
    let file = |text: &str| Some(Entry::File(text.as_bytes().to_vec()));
    let mut spoilt: Vec<Spoilt> = DRIVES
        .iter()
        .map(|(path, text)| ((*path).to_owned(), file(text)))
        .collect();
    let device = "sys/devices/host0/target0:0:0/0:0:0:0";
    let vendor = if bytes.arbitrary()? { "ATA" } else { "SEAGATE" };
    spoilt.push((format!("{device}/vendor"), file(vendor)));
    let link = |target: &str| Some(Entry::Link(target.to_owned()));
    spoilt.push((
        format!("{device}/block/sda/device"),
        link("../../../0:0:0:0"),
    ));
    spoilt.push(("sys/block/sda".to_owned(), link(WAY)));
    for (command, drive, length) in COMMANDS {
        let octets = answer(command, *length, bytes)?;
        let digits: String = octets.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = format!("gnomon/probes/{command}/!dev!{drive}.json");
        spoilt.push((path, file(&format!("\"{digits}\""))));
    }
    Ok(spoilt)
}

/// Mostly of the right length, with some bytes that are not zero, and a sum of zero where there is one.
fn answer(command: &str, length: usize, bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = if bytes.ratio(1, 16)? {
        bytes.int_in_range(0..=length + 8)?
    } else {
        length
    };
    let mut octets = vec![0; length];
    for _ in 0..bytes.int_in_range(0..=16)? {
        if length > 0 {
            octets[bytes.choose_index(length)?] = bytes.arbitrary()?;
        }
    }
    let page = PAGES.iter().find(|(name, _)| *name == command);
    let head = match (command, page) {
        ("scsi-pages", _) => vec![0, 0, 0, 12, 0x00, 0x02, 0x0d, 0x15, 0x2f],
        (_, Some((_, code))) => vec![
            *code,
            0,
            0,
            u8::try_from(length.saturating_sub(4)).unwrap_or(u8::MAX),
        ],
        // SMART is there, and switched on.
        ("ata-identify", _) if length > 171 => {
            (octets[164], octets[170]) = (1, 1);
            Vec::new()
        }
        _ => Vec::new(),
    };
    for (octet, fixed) in octets.iter_mut().zip(head) {
        *octet = fixed;
    }
    if command.starts_with("ata-smart-") && length == 512 {
        let sum = octets
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        octets[511] = octets[511].wrapping_sub(sum);
    }
    Ok(octets)
}

/// Whether some drive's answers were taken.
fn drive(bytes: &[u8]) -> bool {
    thread_local!(static MACHINE: Machine = Machine::new());
    let Ok(spoilt) = spoilt(&mut Unstructured::new(bytes)) else {
        return false;
    };
    let look = |root: &Root| {
        let scope = Scope {
            classes: vec![Class::Storage],
            deep: true,
            ..Scope::default()
        };
        discover(root, &scope)
    };
    let inventory = MACHINE.with(|machine| machine.with(&spoilt, look));
    inventory.problems.len() < 2
}

gnomon_fuzz::target!(drive);
