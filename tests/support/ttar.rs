//! Trees as text: the format of ttar (prometheus/procfs), in which a whole /proc and /sys can be read and written by hand.
//!
//! ```text
//! # a comment
//! Path: sys/class/tpm/tpm0/tpm_version_major
//! Lines: 1
//! 2
//! Path: sys/class/tpm/tpm0/device
//! SymlinkTo: ../../../MSFT0101:00
//! Directory: sys/class/watchdog
//! Mode: 755
//! ```
//!
//! `NULLBYTE` stands for a NUL, `EOF` at the end of a file's last line for a file that ends without a newline.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

/// Unpacks a tree into a directory of its own, which holds its proc/ or sys/: `fixtures/` in front of them is left out.
///
/// # Panics
/// When the text is no ttar: it is the test's own.
#[must_use]
pub fn ttar(path: &Path) -> TempDir {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let top = tempfile::tempdir().expect("a directory to unpack into");
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut place = PathBuf::new();
    while let Some(line) = lines.next() {
        let text = String::from_utf8_lossy(line);
        let Some((key, value)) = text.trim_end().split_once(": ") else {
            assert!(
                text.starts_with('#') || text.trim().is_empty(),
                "{}: no ttar: {text}",
                path.display()
            );
            continue;
        };
        match key {
            _ if key.starts_with('#') => {}
            "Path" => place = below(top.path(), value),
            "Directory" => fs::create_dir_all(below(top.path(), value)).expect("a directory"),
            "SymlinkTo" => symlink(value, parent(&place)).expect("a link"),
            "Lines" => {
                let count: usize = value.parse().expect("a number of lines");
                let text: Vec<u8> = lines.by_ref().take(count).flatten().copied().collect();
                fs::write(parent(&place), contents(&text)).expect("a file");
            }
            "Mode" => {}
            other => panic!("{}: no key of ttar: {other}", path.display()),
        }
    }
    top
}

fn below(top: &Path, path: &str) -> PathBuf {
    let path = path.strip_prefix("fixtures/").unwrap_or(path);
    let plain = |part: &Component<'_>| matches!(part, Component::Normal(_));
    assert!(
        Path::new(path).components().all(|part| plain(&part)),
        "{path}"
    );
    top.join(path)
}

fn parent(place: &Path) -> &Path {
    fs::create_dir_all(place.parent().unwrap_or(place)).expect("a directory");
    place
}

/// A file's bytes: words of the format that stand for themselves have a backslash before them.
fn contents(text: &[u8]) -> Vec<u8> {
    let text = text.strip_suffix(b"EOF\n").map_or_else(
        || text.to_vec(),
        |cut| match cut.strip_suffix(b"\\") {
            Some(literal) => [literal, b"EOF\n"].concat(),
            None => cut.to_vec(),
        },
    );
    replaced(&replaced(&text, b"\\EOF", b"EOF"), b"NULLBYTE", b"\0")
}

fn replaced(text: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(word) {
            made.extend_from_slice(by);
            rest = after;
        } else {
            made.push(*first);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    made
}
