//! The members of an archive of a small machine, some of them spoilt, and the tar that they make.

use arbitrary::{Result, Unstructured};
use tar::{Builder, EntryType, Header};

use crate::mutant::{rarely, some, spoilt_text};

/// No mutant has more spoilt members, nor more than these beside its own.
const SPOILT_MAX: usize = 8;

/// Names that are taken, if nothing else stands in their way.
const NAMES: &[&str] = &[
    "sys",
    "proc",
    "sys/devices/system/cpu/online",
    "sys/devices/system/cpu",
    "sys/link",
    "sys/link/below",
    "sys//double",
    "./sys/dot/",
    "gnomon/errors.json",
    "gnomon/listed.json",
    "gnomon/probes/uname.json",
    "etc/machine-id",
    "m/sys/kernel",
    "sys/\u{e9}",
];

/// Names that are refused, or make it unclear where the tree is.
const ODD_NAMES: &[&str] = &[
    "n/m/proc/cpuinfo",
    "../outside",
    "/absolute",
    "sys/../../outside",
    "",
    "/",
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
    "sys/link",
    "proc/cpuinfo",
    "",
];

const KINDS: &[EntryType] = &[
    EntryType::Regular,
    EntryType::Directory,
    EntryType::Symlink,
    EntryType::Link,
    EntryType::Fifo,
    EntryType::Char,
    EntryType::Continuous,
];

const ODD_KINDS: &[EntryType] = &[
    EntryType::GNUSparse,
    EntryType::GNULongName,
    EntryType::GNULongLink,
    EntryType::XHeader,
    EntryType::XGlobalHeader,
];

/// Where a name and a target stand that the header has no room for, or that need not stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    InHeader,
    Before,
    InPax,
}

/// A member, as its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    name: Vec<u8>,
    kind: EntryType,
    target: Vec<u8>,
    content: Vec<u8>,
    mode: u32,
    said: Said,
    /// The size that is said instead of the true one.
    size: Option<u64>,
    /// A byte of the header that is another, and where; its check sum is right all the same.
    byte: Option<(usize, u8)>,
}

impl Member {
    fn new(name: &str, kind: EntryType, target: &str, content: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            target: target.into(),
            content: content.into(),
            mode: 0o644,
            said: Said::InHeader,
            size: None,
            byte: None,
        }
    }
}

/// The members of a small machine: of every kind one, and what a capture adds.
#[must_use]
pub fn machine() -> Vec<Member> {
    let directory = |name| Member::new(name, EntryType::Directory, "", "");
    let file = |name, text| Member::new(name, EntryType::Regular, "", text);
    vec![
        directory("sys/"),
        directory("sys/devices/system/cpu/cpu0/topology"),
        file("sys/devices/system/cpu/online", "0\n"),
        file("sys/devices/system/cpu/possible", "0-1\n"),
        file("sys/devices/system/cpu/cpu0/topology/core_cpus_list", "0\n"),
        file("sys/devices/system/cpu/cpu0/topology/core_id", "0\n"),
        Member::new("sys/link", EntryType::Symlink, "devices/system", ""),
        file("proc/cpuinfo", "processor\t: 0\nmodel name\t: Acme\n\n"),
        Member::new("proc/again", EntryType::Link, "proc/cpuinfo", ""),
        file(
            "gnomon/errors.json",
            "{\"sys/kernel/mm\": 5, \"proc/self/mounts\": 13}",
        ),
        file(
            "gnomon/listed.json",
            "{\"sys/devices/system/cpu\": [\"cpu1\", \"uevent\"], \"sys/kernel\": [\"notes\"]}",
        ),
        file("gnomon/probes/uname.json", "\"x86_64\""),
        file("gnomon/probes/cpuid-hypervisor.json", "[\"KVMKVMKVM\"]"),
    ]
}

/// Spoils some members, as the bytes say.
///
/// # Errors
/// When the bytes are too few; what they were enough for is done.
pub fn spoil(members: &mut Vec<Member>, bytes: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..SPOILT_MAX {
        if bytes.is_empty() || members.is_empty() {
            break;
        }
        let at = bytes.choose_index(members.len())?;
        match bytes.int_in_range(0..=7)? {
            0 => drop(members.remove(at)),
            1 => members.push(members[at].clone()),
            2 => {
                let other = bytes.choose_index(members.len())?;
                members.swap(at, other);
            }
            3 => members.push(spoilt(&members[at], bytes)?),
            _ => members[at] = spoilt(&members[at], bytes)?,
        }
    }
    Ok(())
}

fn spoilt(member: &Member, bytes: &mut Unstructured<'_>) -> Result<Member> {
    let mut member = member.clone();
    match bytes.int_in_range(0..=9)? {
        0 | 1 => member.content = spoilt_text(&member.content, bytes)?,
        2 => member.content = some(bytes)?,
        3 => member.name = (*bytes.choose(NAMES)?).into(),
        4 => member.name = spoilt_name(&member.name, bytes)?,
        5 => member.target = (*bytes.choose(TARGETS)?).into(),
        6 => member.kind = *bytes.choose(KINDS)?,
        7 => member.said = *bytes.choose(&[Said::Before, Said::InPax])?,
        8 => member.mode = bytes.arbitrary()?,
        _ => odd(&mut member, bytes)?,
    }
    Ok(member)
}

/// A part more, one less, or a long one.
fn spoilt_name(name: &[u8], bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut name = name.to_vec();
    match bytes.int_in_range(0..=3)? {
        0 => name.extend(b"/below"),
        1 => name.truncate(name.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
        2 => name.extend(vec![b'x'; bytes.arbitrary::<u8>()?.into()]),
        _ => name.extend(some(bytes)?),
    }
    Ok(name)
}

/// What no tar program writes of a machine, or only if told so.
fn odd(member: &mut Member, bytes: &mut Unstructured<'_>) -> Result<()> {
    match bytes.int_in_range(0..=4)? {
        0 => member.name = (*bytes.choose(ODD_NAMES)?).into(),
        1 => member.kind = *bytes.choose(ODD_KINDS)?,
        2 => member.size = Some(bytes.arbitrary()?),
        3 => member.name = b"sys/deep".repeat(usize::from(bytes.arbitrary::<u8>()?)),
        _ => member.byte = Some((bytes.int_in_range(0..=511)?, bytes.arbitrary()?)),
    }
    Ok(())
}

/// The tar of these members, with right check sums, which mutated bytes would never have.
#[must_use]
pub fn packed(members: &[Member], bytes: &mut Unstructured<'_>) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for member in members {
        append(&mut archive, member);
    }
    let mut packed = archive.into_inner().unwrap_or_default();
    if rarely(bytes, 32) {
        packed.truncate(packed.len() / 2);
    }
    packed
}

fn append(archive: &mut Builder<Vec<u8>>, member: &Member) {
    let plain = |kind, length: usize| {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(length as u64);
        header
    };
    let texts = [
        (EntryType::GNULongName, "path", &member.name),
        (EntryType::GNULongLink, "linkpath", &member.target),
    ];
    for (kind, key, text) in texts {
        // A memory is no place that cannot be written to.
        match member.said {
            Said::InHeader => {}
            Said::Before => {
                let mut header = plain(kind, text.len() + 1);
                fill(&mut header.as_old_mut().name, b"././@LongLink");
                header.set_cksum();
                let _ = archive.append(&header, [text, &b"\0"[..]].concat().as_slice());
            }
            Said::InPax => {
                let _ = archive.append_pax_extensions([(key, text.as_slice())]);
            }
        }
    }
    let mut header = plain(member.kind, member.content.len());
    header.set_mode(member.mode);
    if let Some(size) = member.size {
        header.set_size(size);
    }
    fill(&mut header.as_old_mut().name, &member.name);
    fill(&mut header.as_old_mut().linkname, &member.target);
    if let Some((at, byte)) = member.byte {
        header.as_mut_bytes()[at] = byte;
    }
    header.set_cksum();
    let _ = archive.append(&header, member.content.as_slice());
}

fn fill(field: &mut [u8], text: &[u8]) {
    for (place, byte) in field.iter_mut().zip(text) {
        *place = *byte;
    }
}
