use std::collections::BTreeMap;

use super::*;

/// A list that lies in memory.
fn with<T>(bytes: &[u8], f: impl FnOnce(&List<'_>) -> T) -> T {
    let read = |at: u64, buffer: &mut [u8]| copy(bytes, at, buffer);
    f(&List::new(bytes.len() as u64, &read))
}

/// A list read line by line.
fn read_plainly(bytes: &[u8]) -> BTreeMap<u32, (String, BTreeMap<u32, String>)> {
    let mut all: BTreeMap<u32, (String, BTreeMap<u32, String>)> = BTreeMap::new();
    let mut top = None;
    for line in String::from_utf8_lossy(bytes).lines() {
        let name = || line.split_once("  ").unwrap().1.trim().to_owned();
        if let Some(id) = top_id(line.as_bytes()) {
            all.insert(id, (name(), BTreeMap::new()));
            top = Some(id);
        } else if let (Some(rest), Some(id)) = (line.strip_prefix('\t'), top)
            && let Some(below) = hex(rest.as_bytes(), if id < CLASSES { 4 } else { 2 })
        {
            all.get_mut(&id).unwrap().1.insert(below, name());
        }
    }
    all
}

/// Finds every name of a list, and none that is not in it.
fn every_name_is_found(bytes: &[u8], step: usize) {
    let all = read_plainly(bytes);
    with(bytes, |list| {
        for (id, (name, below)) in all.iter().step_by(step) {
            let asked = below.keys().copied().chain([0xfffe]);
            let mut entry = Entry {
                below: asked.map(|id| (id, None)).collect(),
                ..Entry::default()
            };
            list.fill(*id, &mut entry);
            assert_eq!(entry.name.as_ref(), Some(name), "{id:04x}");
            for (device, found) in &entry.below {
                assert_eq!(found.as_ref(), below.get(device), "{id:04x}:{device:04x}");
            }
        }
        for id in (0..CLASSES + 256)
            .step_by(991)
            .filter(|id| !all.contains_key(id))
        {
            let mut entry = Entry::default();
            list.fill(id, &mut entry);
            assert_eq!(entry.name, None, "{id:04x}");
        }
    });
}

#[test]
fn every_name_of_our_own_list_is_found() {
    every_name_is_found(OWN, 1);
}

#[test]
fn a_vendor_larger_than_many_pieces_hides_no_other() {
    let mut text = "# a comment\n\n0001  First\n\t0001  One\n".to_owned();
    for device in 0..20_000 {
        text.push_str(&format!(
            "\t{device:04x}  Device number {device}\n\t\t0001 0002  Board\n"
        ));
        if device == 9000 {
            text.push_str("8086  Large\n");
        }
    }
    text.push_str("9999  Last\n\tffff  End\nC 00  Class\n\t01  Subclass");
    // The first vendor's devices are not sorted behind 1; all else is.
    let text = text.replacen("\t0001  One\n", "", 1);
    every_name_is_found(text.as_bytes(), 1);
}

#[test]
fn our_own_list_is_small_and_sorted() {
    assert!(OWN.len() <= 60 << 10);
    let text = std::str::from_utf8(OWN).unwrap();
    let (mut top, mut below) = (None, None);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(id) = top_id(line.as_bytes()) {
            assert!(Some(id) > top, "{line}");
            (top, below) = (Some(id), None);
        } else {
            let digits = if top < Some(CLASSES) { 4 } else { 2 };
            let id = hex(line.strip_prefix('\t').unwrap().as_bytes(), digits);
            assert!(id.is_some() && id > below, "{line}");
            below = id;
        }
    }
    let all = read_plainly(OWN);
    assert_eq!(all.range(CLASSES..).count(), 22);
    for (vendor, device) in [
        (0x8086, 0x0b30),
        (0x8086, 0x57c0),
        (0x10de, 0x2330),
        (0x15b3, 0x1021),
    ] {
        assert!(
            all[&vendor].1.contains_key(&device),
            "{vendor:04x}:{device:04x}"
        );
    }
}

#[test]
fn a_hostile_list_names_nothing_and_ends() {
    let long = format!("8086  {}\n", "x".repeat(100_000));
    for bytes in [
        &b""[..],
        b"\n",
        b"8086",
        b"8086  ",
        b"zzzz  No id\n",
        b"9999  A\n0001  B\n\t",
        &[0; 70_000],
        &[b'\n'; 70_000],
        &[0xff; 70_000],
        long.as_bytes(),
    ] {
        with(bytes, |list| {
            for id in [0, 1, 0x8086, 0xffff, CLASSES] {
                let mut entry = Entry::default();
                entry.below.insert(1, None);
                list.fill(id, &mut entry);
                let name = entry.name.unwrap_or_default();
                assert!(name.len() <= NAME_MAX);
            }
        });
    }
}

#[test]
fn names_are_fit_to_print() {
    let text = b"8086  Ev\x1b[2Jil\xff \n\t0001  \x07\n";
    with(text, |list| {
        let mut entry = Entry::default();
        entry.below.insert(1, None);
        list.fill(0x8086, &mut entry);
        assert_eq!(entry.name.as_deref(), Some("Ev[2Jil\u{fffd}"));
        assert_eq!(entry.below[&1], None);
    });
}

#[test]
fn our_own_list_names_what_the_systems_lacks() {
    let mut functions = [Function {
        vendor_id: 0x8086,
        device_id: 0x0d5c,
        class_id: 0x12_0001,
        ..Function::default()
    }];
    fill(&mut functions);
    assert_eq!(functions[0].vendor.as_deref(), Some("Intel Corporation"));
    assert_eq!(
        functions[0].device.as_deref(),
        Some("vRAN Dedicated Accelerator ACC100")
    );
    assert_eq!(
        functions[0].class.as_deref(),
        Some("Processing accelerators")
    );
}

#[test]
fn a_list_in_memory_stands_in_for_the_systems() {
    let function = |device_id| Function {
        vendor_id: 0x8086,
        device_id,
        ..Function::default()
    };
    let mut pci = crate::device::pci::Pci {
        functions: vec![function(0x0d5c), function(0x0001)],
    };
    crate::device::pci::name(&mut pci, b"8086  Ours\n\t0001  One\n");
    let names = pci.functions.iter().map(|f| (&f.vendor, &f.device));
    let names: Vec<_> = names.map(|(a, b)| (a.as_deref(), b.as_deref())).collect();
    let own = "vRAN Dedicated Accelerator ACC100";
    assert_eq!(
        names,
        [(Some("Ours"), Some(own)), (Some("Ours"), Some("One"))]
    );
}
