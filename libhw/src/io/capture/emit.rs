//! Members as a tar that depends on nothing but them: sorted, of nobody, of no time.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tar::{Builder, EntryType, Header};

use super::members::Member;

/// The longest name or link target that a header has room for.
const FIELD: usize = 100;

/// Writes the members, each below `top`.
pub(super) fn tar(
    members: &BTreeMap<String, Member>,
    top: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut tar = Builder::new(out);
    let top = file_name(top);
    append(&mut tar, &format!("{top}/"), &Member::directory())?;
    for (path, member) in members {
        let slash = if matches!(member, Member::Directory(_)) {
            "/"
        } else {
            ""
        };
        append(&mut tar, &format!("{top}/{path}{slash}"), member)?;
    }
    tar.into_inner()?.flush()
}

/// A name that is one part of a path, whatever it was.
fn file_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c == '/' || c.is_control() { '-' } else { c })
        .take(FIELD)
        .collect();
    match name.as_str() {
        "" | "." | ".." => "capture".to_owned(),
        _ => name,
    }
}

fn append(tar: &mut Builder<&mut dyn Write>, name: &str, member: &Member) -> io::Result<()> {
    let (kind, mode, target, data) = match member {
        Member::Directory(_) => (EntryType::Directory, 0o755, "", &[][..]),
        Member::File(bytes) => (EntryType::Regular, 0o644, "", bytes.as_slice()),
        Member::Link(target) => (EntryType::Symlink, 0o777, target.as_str(), &[][..]),
    };
    // GNU's way: a longer one stands whole in a member of its own before, ending in NUL.
    for (text, kind) in [
        (target, EntryType::GNULongLink),
        (name, EntryType::GNULongName),
    ] {
        if text.len() > FIELD {
            let whole = [text.as_bytes(), &[0]].concat();
            block(tar, (kind, 0o644), ("././@LongLink", ""), &whole)?;
        }
    }
    block(tar, (kind, mode), (name, target), data)
}

fn block(
    tar: &mut Builder<&mut dyn Write>,
    (kind, mode): (EntryType, u32),
    (name, target): (&str, &str),
    data: &[u8],
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(data.len() as u64);
    let old = header.as_old_mut();
    for (field, byte) in old.name.iter_mut().zip(name.bytes()) {
        *field = byte;
    }
    for (field, byte) in old.linkname.iter_mut().zip(target.bytes()) {
        *field = byte;
    }
    header.set_cksum();
    tar.append(&header, data)
}
