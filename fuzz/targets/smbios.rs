//! SMBIOS tables: structures about memory and the BMC with some bytes changed, now and then cut short.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::exact_file;
use libhw::inventory::Class;

const PATH: &str = "sys/firmware/dmi/tables/DMI";

/// Bytes by offset.
type Fields = &'static [(usize, &'static [u8])];

/// Of each kind of structure that is read its length and its fields, as far as they are not zero.
const STRUCTURES: &[(u8, u8, Fields)] = &[
    (
        16,
        0x17,
        &[(0x04, &[3, 3, 6]), (0x0a, &[0x80, 0x18]), (0x0d, &[2])],
    ),
    (
        17,
        0x64,
        &[
            (
                0x04,
                &[0, 0, 0x18, 0, 72, 0, 64, 0, 0xff, 0x7f, 9, 1, 1, 2, 0x22],
            ),
            (0x17, &[3, 4, 5, 6]),
        ],
    ),
    (
        17,
        0x28,
        &[
            (0x0c, &[0, 0x40, 9, 0, 1, 2, 0x1a, 0x80, 0x20]),
            (0x17, &[3, 4, 5, 6]),
        ],
    ),
    (18, 0x17, &[(0x04, &[6, 3, 3])]),
    (33, 0x1f, &[(0x04, &[0x0e, 3, 3])]),
    (19, 0x1f, &[(0x09, &[0x10]), (0x0e, &[2])]),
    (20, 0x23, &[(0x09, &[0x10]), (0x0c, &[1])]),
    (
        38,
        0x12,
        &[
            (0x04, &[1, 0x20, 0x20, 0xff, 0xa3, 0x0c]),
            (0x10, &[0x0b, 5]),
        ],
    ),
    // A network card on USB, and a Redfish service behind it.
    (
        42,
        0x7b,
        &[
            (
                0x04,
                &[
                    0x40, 13, 4, 13, 0x6b, 4, 0xb0, 0xff, 1, 2, 0, 0x5e, 0, 0, 1, 1, 4, 0x62,
                ],
            ),
            (0x17, &[1; 16]),
            (0x27, &[1, 1, 169, 254, 1, 2]),
            (0x49, &[3, 2, 0xfe, 0x80]),
            (0x6b, &[0xbb, 1, 7, 0, 0, 0, 7, b'b', b'm', b'c']),
        ],
    ),
    // One on PCI, of which the structure ends early.
    (42, 0x10, &[(0x04, &[0x40, 22, 5, 22, 0x86, 0x80])]),
    (127, 4, &[]),
];

const STRINGS: &[u8] = b"DIMM_A1\0BANK 0\x00002C00B3002C\x0012BDC045\0TAG\0M393A2K43\0\0";

fn smbios(bytes: &[u8]) -> bool {
    let mut table = Vec::new();
    for (handle, (kind, length, fields)) in (0_u8..).zip(STRUCTURES) {
        let start = table.len();
        table.resize(start + usize::from(*length), 0);
        table[start..start + 3].copy_from_slice(&[*kind, *length, handle]);
        for (at, field) in *fields {
            table[start + at..start + at + field.len()].copy_from_slice(field);
        }
        table.extend(if *kind == 17 { STRINGS } else { b"\0\0" });
    }
    // Three bytes of the input are a place and what stands there instead.
    for change in bytes.chunks_exact(3).take(8) {
        let place = (usize::from(change[0]) << 8 | usize::from(change[1])) % table.len();
        table[place] = change[2];
    }
    if bytes.len() % 3 == 1 {
        table.truncate(usize::from(bytes[0]) * 2);
    }
    let memory = exact_file(Class::Memory, PATH, &table);
    exact_file(Class::Bmc, PATH, &table) && memory
}

gnomon_fuzz::target!(smbios);
