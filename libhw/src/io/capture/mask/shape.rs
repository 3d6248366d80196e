//! Identities that are known by how they are written: MAC addresses, EUI-64, UUIDs and World Wide Names.

use super::identity::{Identities, Kind};

/// What stands before the digits of a World Wide Name, in the kernel's, NVMe's, multipath's and udev's spellings.
const WWN: [&str; 7] = [
    "naa.", "eui.", "wwn-0x", "scsi-3", "mpath-3", "nn-0x", "pn-0x",
];

/// Adds those that `bytes` hold, be they text or not.
pub(super) fn collect(bytes: &[u8], identities: &mut Identities) {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'-' | b'.');
    for run in bytes.split(|byte| !is_part(byte)) {
        // The shortest is a MAC address.
        if let Ok(run) = std::str::from_utf8(run)
            && run.len() >= 17
        {
            in_run(run, identities);
        }
    }
    for prefix in WWN {
        for found in memchr::memmem::find_iter(bytes, prefix) {
            let digits = bytes.get(found + prefix.len()..).unwrap_or_default();
            let length = digits
                .iter()
                .take_while(|digit| digit.is_ascii_hexdigit())
                .count();
            if let (16 | 32, Some(digits)) = (length, digits.get(..length)) {
                identities.add(Kind::Wwn, &String::from_utf8_lossy(digits));
            }
        }
    }
}

/// The groups of hexadecimal digits in `run`, each with what stands before it.
fn in_run(run: &str, identities: &mut Identities) {
    let mut groups: Vec<(&str, &str)> = Vec::new();
    let mut rest = run;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches([':', '-', '.']);
        let (separator, _) = rest.split_at(rest.len() - digits.len());
        let length = digits.find([':', '-', '.']).unwrap_or(digits.len());
        let (group, after) = digits.split_at(length);
        groups.push((separator, group));
        rest = after;
    }
    for window in groups.windows(UUID.len()) {
        let lengths = window.iter().map(|(_, group)| group.len());
        let dashed = window
            .iter()
            .skip(1)
            .all(|(separator, _)| *separator == "-");
        if dashed && lengths.eq(UUID) {
            identities.add(Kind::Uuid, &joined(window));
        }
    }
    let mut bytes: &[(&str, &str)] = &groups;
    while let Some((_, first)) = bytes.first() {
        let separator = bytes.get(1).map_or("", |(separator, _)| separator);
        let more = bytes.iter().skip(1).take_while(|(before, group)| {
            group.len() == 2 && *before == separator && matches!(separator, ":" | "-")
        });
        let length = if first.len() == 2 {
            1 + more.count()
        } else {
            1
        };
        let (sequence, rest) = bytes.split_at(length);
        address(sequence, identities);
        bytes = rest;
    }
}

/// The lengths of a UUID's groups (RFC 9562 §4).
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

fn address(bytes: &[(&str, &str)], identities: &mut Identities) {
    match bytes {
        [_, _, _, _, _, _] => identities.add(Kind::Mac, &joined(bytes)),
        // What a network boot hands on: the type of hardware first (BOOTIF=01-..., RFC 1700).
        [(_, "01"), mac @ ..] if mac.len() == 6 => identities.add(Kind::Mac, &joined(mac)),
        [_, _, _, _, _, _, _, _] => identities.add(Kind::Eui64, &joined(bytes)),
        // IP over InfiniBand (RFC 4391 §9.1.1): queue pair, subnet, GUID.
        [head @ .., _, _, _, _, _, _, _, _] if head.len() == 12 => {
            identities.add(Kind::Eui64, &joined(bytes.get(12..).unwrap_or_default()));
        }
        _ => {}
    }
}

fn joined(groups: &[(&str, &str)]) -> String {
    groups.iter().map(|(_, group)| *group).collect()
}
