use proptest::prelude::*;

use super::*;

/// A structure with its strings, as firmware writes it.
fn emitted(kind: u8, handle: u16, fields: &[u8], strings: &[&str]) -> Vec<u8> {
    let length = u8::try_from(fields.len() + 4).unwrap();
    let mut bytes = vec![kind, length];
    bytes.extend(handle.to_le_bytes());
    bytes.extend(fields);
    for string in strings {
        bytes.extend(string.as_bytes());
        bytes.push(0);
    }
    bytes.extend(if strings.is_empty() {
        &[0, 0][..]
    } else {
        &[0]
    });
    bytes
}

fn walked(table: &[u8], entry_point: Option<&EntryPoint>) -> Vec<Result<(u8, u16), &'static str>> {
    Structures::new(table, entry_point)
        .map(|structure| {
            structure
                .map(|found| (found.kind, found.handle))
                .map_err(|expected| expected.0)
        })
        .collect()
}

fn entry_point(length: Option<usize>, count: Option<usize>) -> EntryPoint {
    let version = Version { major: 3, minor: 2 };
    EntryPoint {
        version,
        length,
        count,
    }
}

#[test]
fn fields_and_strings_are_found_by_their_places() {
    let fields = [1, 2, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 3, 0, 9];
    let table = emitted(17, 0x1100, &fields, &["first ", "", "\u{fe}third"]);
    let structure = Structures::new(&table, None).next().unwrap().unwrap();
    assert_eq!((structure.kind, structure.handle), (17, 0x1100));
    assert_eq!(structure.byte(4), Some(1));
    assert_eq!(structure.word(6), Some(0x1234));
    assert_eq!(structure.dword(8), Some(0x1234_5678));
    assert_eq!(structure.qword(7), Some(0x0900_0312_3456_7812));
    assert_eq!(structure.string(4).as_deref(), Some("first"));
    // Firmware that writes an empty string ends its strings there.
    assert_eq!(structure.string(5), None);
    for absent in [13, 14, 15, 200] {
        assert_eq!(structure.string(absent), None, "{absent}");
    }
    assert_eq!(structure.word(14), None);
    assert_eq!(structure.qword(8), None);
}

#[test]
fn a_table_of_version_2_has_a_count_and_one_of_version_3_an_end() {
    let mut table = emitted(16, 1, &[0; 8], &[]);
    table.extend(emitted(127, 2, &[], &[]));
    table.extend(emitted(17, 3, &[0; 8], &["x"]));
    let all = [Ok((16, 1)), Ok((127, 2)), Ok((17, 3))];
    assert_eq!(walked(&table, None), all[..2]);
    assert_eq!(
        walked(&table, Some(&entry_point(Some(4096), None))),
        all[..2]
    );
    assert_eq!(
        walked(&table, Some(&entry_point(Some(table.len()), Some(3)))),
        all
    );
    assert_eq!(
        walked(&table, Some(&entry_point(Some(table.len()), Some(1)))),
        all[..1]
    );
    assert_eq!(
        walked(&table, Some(&entry_point(Some(14), Some(3)))),
        all[..1]
    );
}

#[test]
fn a_table_that_stops_being_one_says_so_and_ends() {
    let good = emitted(16, 1, &[0; 8], &[]);
    let with = |rest: &[u8]| [good.as_slice(), rest].concat();
    for (rest, expected) in [
        (&[17][..], "a structure's header"),
        (&[17, 0, 0, 0, 0, 0], "a structure of at least four bytes"),
        (&[17, 3, 0, 0, 0, 0], "a structure of at least four bytes"),
        (&[17, 40, 0, 0, 0, 0], "a whole structure"),
    ] {
        assert_eq!(
            walked(&with(rest), None),
            [Ok((16, 1)), Err(expected)],
            "{rest:?}"
        );
    }
    let expected = "two NUL bytes after a structure's strings";
    assert_eq!(
        walked(&with(&[17, 4, 2, 0, b'a', 0]), None),
        [Ok((16, 1)), Ok((17, 2)), Err(expected)]
    );
    assert_eq!(walked(&[], None), []);
    assert_eq!(walked(&[1; 3], None), [Err("a structure's header")]);
    assert_eq!(walked(&with(&[0; 64]), None), [Ok((16, 1))]);
}

/// Sets the byte at `place` so that the first `length` bytes sum up to 0.
fn sealed(mut bytes: Vec<u8>, place: usize, length: usize) -> Vec<u8> {
    let sum = bytes[..length]
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[place] = bytes[place].wrapping_sub(sum);
    bytes
}

fn wide() -> Vec<u8> {
    let mut bytes = b"_SM3_\0\x18\x03\x07\0\x01\0".to_vec();
    bytes.extend(3286_u32.to_le_bytes());
    bytes.extend([0; 8]);
    sealed(bytes, 5, 24)
}

fn narrow(version: (u8, u8), length: u8) -> Vec<u8> {
    let mut bytes = b"_SM_\0".to_vec();
    bytes.extend([length, version.0, version.1, 0, 1, 0, 0, 0, 0, 0, 0]);
    bytes.extend(b"_DMI_\0");
    bytes.extend(6852_u16.to_le_bytes());
    bytes.extend([0, 0, 0, 0]);
    bytes.extend(149_u16.to_le_bytes());
    bytes.push(0x27);
    sealed(bytes, 4, usize::from(length))
}

#[test]
fn every_form_of_the_entry_point_is_understood() {
    let of = |bytes: &[u8]| {
        let entry = EntryPoint::parse(bytes).unwrap();
        (entry.version.to_string(), entry.length, entry.count)
    };
    assert_eq!(of(&wide()), ("3.7".to_owned(), Some(3286), None));
    assert_eq!(
        of(&narrow((2, 7), 31)),
        ("2.7".to_owned(), Some(6852), Some(149))
    );
    // Version 2.1 of the standard gave a wrong length, and some firmware wrong versions.
    assert_eq!(of(&narrow((2, 1), 30)).0, "2.1");
    assert_eq!(of(&narrow((2, 31), 31)).0, "2.3");
    assert_eq!(of(&narrow((2, 51), 31)).0, "2.6");
    let mut oldest = b"_DMI_\0".to_vec();
    oldest.extend([0, 4, 0, 0, 0, 0, 60, 0, 0x20]);
    let oldest = sealed(oldest, 5, 15);
    assert_eq!(of(&oldest), ("2.0".to_owned(), Some(1024), Some(60)));
}

#[test]
fn an_entry_point_that_is_none_is_refused() {
    for length in 0..24 {
        assert!(EntryPoint::parse(&wide()[..length]).is_err(), "{length}");
    }
    let mut wrong = wide();
    wrong[8] ^= 1;
    assert!(EntryPoint::parse(&wrong).is_err());
    assert!(EntryPoint::parse(&[0; 64]).is_err());
    assert!(EntryPoint::parse(&sealed(b"_SM_\0\0\x02\x07".to_vec(), 4, 0)).is_err());
}

proptest! {
    #[test]
    fn no_bytes_panic_and_every_walk_ends(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = EntryPoint::parse(&bytes);
        let structures = Structures::new(&bytes, None);
        for structure in structures.flatten() {
            let _ = (structure.string(4), structure.qword(4), structure.byte(255));
        }
    }

    #[test]
    fn what_is_emitted_is_walked_over_again(
        structures in prop::collection::vec(
            (0_u8..127, any::<u16>(), prop::collection::vec(any::<u8>(), 0..251),
             prop::collection::vec("[!-~]{1,70}", 0..5)),
            0..12,
        ),
    ) {
        let mut table = Vec::new();
        for (kind, handle, fields, strings) in &structures {
            let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
            table.extend(emitted(*kind, *handle, fields, &strings));
        }
        let found: Vec<_> = Structures::new(&table, None).map(Result::unwrap).collect();
        prop_assert_eq!(found.len(), structures.len());
        for (found, (kind, handle, fields, strings)) in found.iter().zip(&structures) {
            prop_assert_eq!((found.kind, found.handle), (*kind, *handle));
            for (at, byte) in fields.iter().enumerate() {
                prop_assert_eq!(found.byte(at + 4), Some(*byte));
                let string = usize::from(*byte).checked_sub(1).and_then(|index| strings.get(index));
                prop_assert_eq!(found.string(at + 4), string.cloned());
            }
        }
    }
}
