//! The places that are known to hold an identity, and how it is written there.

use std::ops::Range;

use super::identity::{Identities, Kind, Notation};
use super::{Span, lldp, pci, smbios};

/// What a file holds.
#[derive(Clone, Copy)]
enum Form {
    /// An identity and nothing else.
    Whole(Kind),
    /// Lines, some with the identity after one of these keys: `key: value`, `key=value`.
    Keys(Kind, &'static [&'static str]),
    /// Lines, some with the identity after one of these words: `word value`.
    Words(Kind, &'static [&'static str]),
    /// The bytes of an identity.
    Raw(Kind),
    /// An identity after a header of so many bytes.
    After(Kind, usize),
    /// An identifier of an InfiniBand port: the subnet's 64 bits, then the port's.
    Gid,
    /// One or more SMBIOS structures.
    Smbios,
    /// LLDP frames, each after its length.
    Lldp,
    /// PCI config space.
    PciConfig,
    /// PCI vital product data.
    Vpd,
    /// The name of a make, a model or a version.
    Label,
}

/// The last parts of a path, with one `*` in a part for any text, and what the file holds.
const PLACES: &[(&str, Form)] = &[
    // The machine.
    ("etc/machine-id", Form::Whole(Kind::Uuid)),
    ("dbus/machine-id", Form::Whole(Kind::Uuid)),
    ("random/boot_id", Form::Whole(Kind::Uuid)),
    ("kernel/hostname", Form::Whole(Kind::Name)),
    ("etc/hostname", Form::Whole(Kind::Name)),
    ("kernel/domainname", Form::Whole(Kind::Name)),
    ("id/product_serial", Form::Whole(Kind::Serial)),
    ("id/board_serial", Form::Whole(Kind::Serial)),
    ("id/chassis_serial", Form::Whole(Kind::Serial)),
    ("id/board_asset_tag", Form::Whole(Kind::Serial)),
    ("id/chassis_asset_tag", Form::Whole(Kind::Serial)),
    ("id/product_uuid", Form::Whole(Kind::Uuid)),
    ("tables/DMI", Form::Smbios),
    ("entries/*/raw", Form::Smbios),
    (
        "proc/cpuinfo",
        Form::Keys(Kind::Serial, &["Serial", "identification"]),
    ),
    (
        "proc/sysinfo",
        Form::Keys(
            Kind::Serial,
            &[
                "Sequence Code",
                "LPAR Name",
                "LPAR Extended Name",
                "VM00 Name",
                "VM00 Extended Name",
            ],
        ),
    ),
    (
        "lparcfg",
        Form::Keys(Kind::Serial, &["serial_number", "partition_name"]),
    ),
    ("serial-number", Form::Whole(Kind::Serial)),
    ("system-id", Form::Whole(Kind::Serial)),
    ("ibm,partition-name", Form::Whole(Kind::Name)),
    ("ibm,partition-uuid", Form::Whole(Kind::Uuid)),
    ("vm,uuid", Form::Whole(Kind::Uuid)),
    ("local-mac-address", Form::Raw(Kind::Mac)),
    ("mac-address", Form::Raw(Kind::Mac)),
    // Devices of any kind.
    ("serial", Form::Whole(Kind::Serial)),
    ("serial_number", Form::Whole(Kind::Serial)),
    ("serial_num", Form::Whole(Kind::Serial)),
    ("serialnr", Form::Whole(Kind::Serial)),
    ("unique_id", Form::Whole(Kind::Serial)),
    ("dna", Form::Whole(Kind::Serial)),
    ("asset_tag", Form::Whole(Kind::Serial)),
    ("uuid", Form::Whole(Kind::Uuid)),
    // Accelerators; NVIDIA's UUIDs are known by their shape.
    ("xgmi_device_id", Form::Whole(Kind::Serial)),
    ("xgmi_hive_id", Form::Whole(Kind::Serial)),
    (
        "topology/nodes/*/properties",
        Form::Words(Kind::Serial, &["unique_id", "hive_id"]),
    ),
    ("sys/bus/pci/devices/*/config", Form::PciConfig),
    ("config", Form::PciConfig),
    ("vpd", Form::Vpd),
    // Networks.
    ("phys_port_id", Form::Whole(Kind::Serial)),
    ("phys_switch_id", Form::Whole(Kind::Serial)),
    ("node_guid", Form::Whole(Kind::Eui64)),
    ("sys_image_guid", Form::Whole(Kind::Eui64)),
    ("gids/*", Form::Gid),
    ("node_desc", Form::Whole(Kind::Name)),
    ("netif/lldp/*", Form::Lldp),
    // Storage.
    ("wwid", Form::Whole(Kind::Serial)),
    ("wwn", Form::Whole(Kind::Wwn)),
    ("nguid", Form::Whole(Kind::Uuid)),
    ("eui", Form::Whole(Kind::Eui64)),
    ("sas_address", Form::Whole(Kind::Wwn)),
    ("port_name", Form::Whole(Kind::Wwn)),
    ("node_name", Form::Whole(Kind::Wwn)),
    ("fabric_name", Form::Whole(Kind::Wwn)),
    ("cid", Form::Whole(Kind::Serial)),
    ("vpd_pg80", Form::After(Kind::Serial, 4)),
    (
        "udev/data/*",
        Form::Keys(
            Kind::Serial,
            &[
                "ID_SERIAL",
                "ID_SERIAL_SHORT",
                "SCSI_IDENT_SERIAL",
                "ID_WWN",
                "ID_WWN_WITH_EXTENSION",
                "ID_WWN_VENDOR_EXTENSION",
                "ID_SCSI_SERIAL",
                "ID_USB_SERIAL",
                "ID_USB_SERIAL_SHORT",
                "ID_FS_UUID",
                "ID_FS_UUID_ENC",
                "ID_FS_UUID_SUB",
                "ID_FS_UUID_SUB_ENC",
                "ID_PART_ENTRY_UUID",
                "ID_PART_TABLE_UUID",
                "DM_UUID",
                "DM_SERIAL",
                "DM_WWN",
                "MD_UUID",
                "MD_DEV_UUID",
            ],
        ),
    ),
    // The container that we run in.
    (
        ".containerenv",
        Form::Keys(Kind::Name, &["name", "id", "imageid"]),
    ),
    ("uevent", Form::Keys(Kind::Serial, &["PARTUUID"])),
    ("hostid", Form::Whole(Kind::Uuid)),
    // Words that stand in more than one machine.
    ("id/*_vendor", Form::Label),
    ("id/*_name", Form::Label),
    ("id/*_family", Form::Label),
    ("id/*_version", Form::Label),
    ("proc/cpuinfo", Form::Label),
    ("proc/version", Form::Label),
    ("kernel/osrelease", Form::Label),
    ("kernel/ostype", Form::Label),
    ("kernel/version", Form::Label),
    ("etc/os-release", Form::Label),
    ("lib/os-release", Form::Label),
];

/// Whether the file names a make, a model or a version.
pub(super) fn is_label(path: &str) -> bool {
    forms(path).any(|form| matches!(form, Form::Label))
}

/// Whether the file is PCI vital product data, which has a checksum.
pub(super) fn is_vpd(path: &str) -> bool {
    forms(path).any(|form| matches!(form, Form::Vpd))
}

/// Adds the identities that stand in their known places in a file.
pub(super) fn collect(path: &str, bytes: &[u8], identities: &mut Identities) {
    for span in spans(path, bytes) {
        let piece = bytes.get(span.range).unwrap_or_default();
        match span.notation {
            Notation::Text => identities.add(span.kind, &String::from_utf8_lossy(piece)),
            notation => identities.add_bytes(span.kind, piece, notation),
        }
    }
}

/// Where in a file an identity is known to stand.
pub(super) fn spans(path: &str, bytes: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for form in forms(path) {
        match form {
            Form::Whole(kind) => spans.extend(text(kind, bytes, 0..bytes.len())),
            Form::Keys(kind, keys) => in_lines(kind, keys, bytes, &mut spans),
            Form::Words(kind, words) => in_words(kind, words, bytes, &mut spans),
            Form::Raw(kind) => spans.push(Span {
                range: 0..bytes.len(),
                kind,
                notation: Notation::Bytes,
            }),
            Form::After(kind, header) => {
                spans.extend(text(kind, bytes, header.min(bytes.len())..bytes.len()));
            }
            Form::Gid => spans.extend(gid(bytes)),
            Form::Smbios => spans.extend(smbios::spans(bytes)),
            Form::Lldp => spans.extend(lldp::spans(bytes)),
            Form::PciConfig => spans.extend(pci::serial(bytes)),
            Form::Vpd => spans.extend(pci::vpd_serials(bytes)),
            Form::Label => {}
        }
    }
    spans
}

fn forms(path: &str) -> impl Iterator<Item = Form> {
    PLACES
        .iter()
        .filter(move |(place, _)| ends_in(path, place))
        .map(|(_, form)| *form)
}

/// Whether the last parts of `path` are those of `place`.
fn ends_in(path: &str, place: &str) -> bool {
    let mut parts = path.rsplit('/');
    place.rsplit('/').all(|pattern| {
        parts
            .next()
            .is_some_and(|part| match pattern.split_once('*') {
                None => part == pattern,
                Some((before, after)) => {
                    part.len() >= before.len() + after.len()
                        && part.starts_with(before)
                        && part.ends_with(after)
                }
            })
    })
}

/// A text without what stands around it and before its digits; `None` when nothing is left.
pub(super) fn text(kind: Kind, bytes: &[u8], range: Range<usize>) -> Option<Span> {
    const PREFIXES: [&[u8]; 9] = [
        b"0x", b"naa.", b"eui.", b"uuid.", b"nvme.", b"t10.", b"LVM-", b"CRYPT-", b"mpath-3",
    ];
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0 || *byte == b'"';
    let piece = bytes.get(range.clone())?;
    let before = piece.iter().take_while(|byte| is_edge(byte)).count();
    let after = piece.iter().rev().take_while(|byte| is_edge(byte)).count();
    let (mut start, end) = (range.start + before, range.end.checked_sub(after)?);
    let piece = bytes.get(start..end).filter(|piece| !piece.is_empty())?;
    let prefix = PREFIXES.iter().find(|prefix| piece.starts_with(prefix));
    start += prefix.map_or(0, |prefix| prefix.len());
    Some(Span {
        range: start..end,
        kind: kind_of(kind, bytes.get(start..end)?),
        notation: Notation::Text,
    })
}

/// What a text is that stands where only a serial number is expected, or where a UUID is and none stands.
fn kind_of(kind: Kind, text: &[u8]) -> Kind {
    let digits = text.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    let dashes = text.iter().filter(|byte| **byte == b'-').count();
    let colons = text.iter().filter(|byte| **byte == b':').count();
    match (kind, digits, text.len() - digits) {
        (Kind::Serial | Kind::Uuid, 32, 4) if dashes == 4 => Kind::Uuid,
        (Kind::Uuid, 32, 0) => Kind::Uuid,
        (Kind::Serial, 12, 5) if colons == 5 || dashes == 5 => Kind::Mac,
        (Kind::Wwn, 16 | 32, 0) => Kind::Wwn,
        (Kind::Eui64, 16, _) => Kind::Eui64,
        (Kind::Name, ..) => Kind::Name,
        (Kind::Mac, ..) => Kind::Mac,
        _ => Kind::Serial,
    }
}

/// The values of lines with one of these keys; the key may stand anywhere in its line, as s390's do.
fn in_lines(kind: Kind, keys: &[&str], bytes: &[u8], spans: &mut Vec<Span>) {
    for key in keys {
        for found in memchr::memmem::find_iter(bytes, key) {
            let whole = found == 0
                || bytes
                    .get(found - 1)
                    .is_some_and(|before| !before.is_ascii_alphanumeric() && *before != b'_');
            let rest = bytes.get(found + key.len()..).unwrap_or_default();
            let gap = rest
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            if !whole || !matches!(rest.get(gap), Some(b':' | b'=')) {
                continue;
            }
            let start = found + key.len() + gap + 1;
            let line = bytes.get(start..).unwrap_or_default();
            let end = line
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(line.len());
            let line = line.get(..end).unwrap_or_default();
            let length = memchr::memmem::find(line, b", ").unwrap_or(line.len());
            spans.extend(text(kind, bytes, start..start + length));
        }
    }
}

/// The values of lines that begin with one of these words.
fn in_words(kind: Kind, words: &[&str], bytes: &[u8], spans: &mut Vec<Span>) {
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let value = words.iter().find_map(|word| {
            let rest = line.strip_prefix(word.as_bytes())?;
            rest.first()
                .is_some_and(|sign| *sign == b' ')
                .then_some(word.len())
        });
        if let Some(length) = value {
            spans.extend(text(kind, bytes, start + length..start + line.len()));
        }
        start += line.len();
    }
}

/// The last four groups of `fe80:0000:0000:0000:0011:22ff:fe33:4455`, unless they hold an IPv4 address.
fn gid(bytes: &[u8]) -> Option<Span> {
    let span = text(Kind::Eui64, bytes, 0..bytes.len())?;
    let start = span
        .range
        .end
        .checked_sub(19)
        .filter(|start| *start > span.range.start)?;
    let piece = bytes.get(start..span.range.end)?;
    (!piece.starts_with(b"0000:ffff:")).then_some(Span {
        range: start..span.range.end,
        kind: Kind::Eui64,
        notation: Notation::Text,
    })
}
