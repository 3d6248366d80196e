//! An archive of a machine: whatever its members are called and wherever its links lead, nothing is written
//! outside of the private directory, nothing outside is read, and the directory is gone afterwards.
#![cfg_attr(fuzzing, no_main)]

use std::path::{Path, PathBuf};

use arbitrary::{Result, Unstructured};
use libhw::inventory::Class;
use libhw::io::archive;
use tar::{Builder, EntryType, Header};

const NAMES: &[&str] = &[
    "sys",
    "proc",
    "sys/devices/system/cpu/online",
    "sys/devices/system/cpu",
    "proc/cpuinfo",
    "sys/link",
    "sys/link/below",
    "sys//double",
    "./sys/dot",
    "gnomon/errors.json",
    "sys/\u{e9}",
];

const ODD_NAMES: &[&str] = &[
    "m/sys",
    "n/m/proc/cpuinfo",
    "../outside",
    "/absolute",
    "sys/../../outside",
    "",
    "sys/./..",
    "sys/devices/..",
];

const TARGETS: &[&str] = &[
    "/",
    "..",
    "../..",
    "../../../../tmp",
    "link",
    "/etc/passwd",
    "devices",
    "",
    "sys/link",
];

const KINDS: &[EntryType] = &[
    EntryType::Regular,
    EntryType::Directory,
    EntryType::Symlink,
    EntryType::Link,
];

const ODD_KINDS: &[EntryType] = &[
    EntryType::Fifo,
    EntryType::Char,
    EntryType::GNUSparse,
    EntryType::GNULongName,
    EntryType::GNULongLink,
    EntryType::XHeader,
    EntryType::XGlobalHeader,
];

/// No archive has more members.
const MEMBERS_MAX: usize = 12;

/// A tar with right check sums, which mutated bytes would never have.
fn packed(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let torn = bytes.ratio(1, 32)?;
    let mut archive = Builder::new(Vec::new());
    for _ in 0..MEMBERS_MAX {
        if bytes.is_empty() {
            break;
        }
        let length = usize::from(bytes.int_in_range(0..=80_u8)?).min(bytes.len());
        let mut header = Header::new_gnu();
        let kinds = if bytes.ratio(1, 64)? {
            ODD_KINDS
        } else {
            KINDS
        };
        header.set_entry_type(*bytes.choose(kinds)?);
        header.set_mode(bytes.int_in_range(0..=0o7777)?);
        header.set_size(if bytes.ratio(1, 100)? {
            u64::MAX >> 1
        } else {
            length as u64
        });
        let names = if bytes.ratio(1, 24)? {
            ODD_NAMES
        } else {
            NAMES
        };
        fill(&mut header.as_old_mut().name, bytes.choose(names)?);
        fill(&mut header.as_old_mut().linkname, bytes.choose(TARGETS)?);
        if bytes.ratio(1, 100)? {
            header.as_mut_bytes()[usize::from(bytes.int_in_range(0..=255_u8)?) * 2] = 0xff;
        }
        header.set_cksum();
        let _ = archive.append(&header, bytes.bytes(length.min(bytes.len()))?);
    }
    let mut packed = archive.into_inner().unwrap_or_default();
    if torn {
        packed.truncate(packed.len() / 2);
    }
    Ok(packed)
}

fn fill(field: &mut [u8], text: &str) {
    for (place, byte) in field.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
}

/// Every path below a directory, links not followed.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in directory.read_dir().into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                todo.push(entry.path());
            }
            paths.push(entry.path());
        }
    }
    paths.sort();
    paths
}

fn archive(bytes: &[u8]) -> bool {
    let bytes = packed(&mut Unstructured::new(bytes)).unwrap_or_else(|_| bytes.to_vec());
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("machine.tar");
    std::fs::write(&file, &bytes).expect("room for a small file");
    let everywhere = std::env::temp_dir();
    let before = below(&everywhere);
    let opened = archive::open(&file);
    let past = opened.is_ok();
    if let Ok(root) = opened {
        let inside = |path: &Path| {
            path.strip_prefix(&everywhere)
                .ok()?
                .iter()
                .next()
                .map(|name| everywhere.join(name))
        };
        let private = inside(root.place()).expect("a place below TMPDIR");
        let outside = |path: &PathBuf| !before.contains(path) && !path.starts_with(&private);
        let written: Vec<PathBuf> = below(&everywhere).into_iter().filter(outside).collect();
        assert!(written.is_empty(), "written outside: {written:?}");
        let _ = gnomon_fuzz::discovered(&root, Class::ALL);
    }
    assert_eq!(below(&everywhere), before, "something was left behind");
    past
}

gnomon_fuzz::target!(archive);
