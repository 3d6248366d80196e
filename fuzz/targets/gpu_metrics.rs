//! The table that an AMD device's firmware fills: each layout, with some of its bytes changed.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::exact_files;
use libhw::inventory::Class;

const DEVICE: &str = "sys/devices/pci0000:00/0000:00:00.0/0000:01:00.0";

/// The layouts, by format, content and length.
const LAYOUTS: &[(u8, u8, u16)] = &[
    (1, 0, 80),
    (1, 1, 96),
    (1, 3, 120),
    (1, 4, 288),
    (1, 5, 328),
    (1, 6, 1664),
    (1, 8, 3360),
    (1, 9, 488),
    (2, 2, 128),
    (2, 4, 168),
    (3, 0, 264),
];

fn metrics(bytes: &[u8]) -> bool {
    let (first, changes) = bytes.split_first().unwrap_or((&0, &[]));
    let (format, content, length) = LAYOUTS[usize::from(*first) % LAYOUTS.len()];
    let mut table = vec![0; usize::from(length)];
    table[..2].copy_from_slice(&length.to_le_bytes());
    table[2..4].copy_from_slice(&[format, content]);
    if content == 9 {
        describe(&mut table);
    }
    // Three bytes of the input are a place and what stands there instead.
    for change in changes.chunks_exact(3).take(64) {
        let place = usize::from(change[0]) << 4 | usize::from(change[1] & 15);
        if let Some(byte) = table.get_mut(place) {
            *byte = change[2];
        }
    }
    // One byte more is a table that was cut.
    if changes.len() % 3 == 1 {
        table.truncate(usize::from(changes[0]));
    }
    let uevent = b"DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:73BF\n";
    let files: [(&str, &[u8]); 3] = [
        ("class", b"0x030000\n"),
        ("uevent", uevent),
        ("gpu_metrics", &table),
    ];
    let files = files.map(|(name, content)| (format!("{DEVICE}/{name}"), content));
    exact_files(Class::Gpu, &files)
}

/// From 1.9 on each value says what it is: here one of two bytes of each kind.
fn describe(table: &mut [u8]) {
    table[4] = 48;
    for (id, value) in (0_u64..).zip(table[8..].chunks_exact_mut(10)) {
        value[..8].copy_from_slice(&(2 << 20 | id << 10 | 1).to_le_bytes());
    }
}

gnomon_fuzz::target!(metrics);
