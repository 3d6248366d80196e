//! Mounted file systems, and how full they are.
//!
//! ```text
//! 27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::io::aside::{Ask, Space};
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// A mounted file system (`Documentation/filesystems/proc.rst` §3.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mount {
    /// Where it is mounted. Of several at one place, the last, which hides the others.
    pub id: String,
    /// What is mounted: a device file, a server's export.
    pub source: String,
    /// The kind of file system, `ext4`.
    pub kind: String,
    /// Major and minor number of the device, or of what stands for one.
    pub device_number: String,
    /// What of the file system is mounted: its top, or a directory in it.
    pub top: String,
    /// Whether it can only be read here.
    #[serde(default)]
    pub read_only: bool,
    /// The options of this mount.
    #[serde(default)]
    pub options: String,
    /// The options of the file system.
    #[serde(default)]
    pub super_options: String,
    /// Whether somebody else answers for it, a server or a program (NFS, FUSE): how full it is, is then asked only
    /// in a deep look.
    #[serde(default)]
    pub remote: bool,
    /// What changes without an event.
    #[serde(default)]
    pub now: MountNow,
}

/// How full a file system is. Absent where it has no size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MountNow {
    /// All of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// What is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<Bytes>,
    /// What all users may still use; less than what is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<Bytes>,
    /// Files that there can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes: Option<u64>,
    /// Files that can still be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes_free: Option<u64>,
}

/// Those of our own mount namespace.
const MOUNTINFO: &str = "proc/self/mountinfo";

/// More than any machine has, so that a hostile tree ends.
const MOUNTS_MAX: usize = 65_536;

/// The kinds of file system that hold no data: windows into the kernel.
const PSEUDO: &[&str] = &[
    AUTOFS,
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "functionfs",
    "fusectl",
    "hugetlbfs",
    "ipathfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "openpromfs",
    "proc",
    "pstore",
    "resctrl",
    "rootfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "spufs",
    "sysfs",
    "tracefs",
    "xenfs",
];

/// The kinds that somebody else answers for; those of FUSE begin with its name.
const REMOTE: &[&str] = &[
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb3",
    "smbfs",
    "virtiofs",
];

/// Mounts others when somebody looks.
const AUTOFS: &str = "autofs";

/// The kinds that know by themselves how full they are, from memory. With any other the answer may wait: for a
/// server, for what it is mounted over, or for a lock that somebody holds who waits for a device.
const PROMPT: &[&str] = &["ext2", "ext3", "ext4", "ramfs", "tmpfs", "vfat", "xfs"];

/// The mounts, by place.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Mount> {
    let mut list = list(survey);
    list.fill(survey, |mount| !mount.remote || survey.deep());
    list.mounts
}

/// Lists them again, since no uevent tells of a mount, and asks how full they are; those of others, where that was
/// known before.
pub(super) fn refresh(mounts: &mut Vec<Mount>, survey: &Survey<'_>) {
    let known = mounts
        .iter()
        .filter(|mount| mount.now != MountNow::default());
    let known: BTreeSet<String> = known.map(|mount| mount.id.clone()).collect();
    let mut list = list(survey);
    list.fill(survey, |mount| !mount.remote || known.contains(&mount.id));
    *mounts = list.mounts;
}

/// What is mounted.
struct List {
    mounts: Vec<Mount>,
    /// Where a question may wait, and on the way to what is mounted below.
    slow: BTreeSet<String>,
}

fn list(survey: &Survey<'_>) -> List {
    let text = survey.raw(MOUNTINFO).unwrap_or_default();
    let mut mounts: BTreeMap<String, Mount> = BTreeMap::new();
    let lines = text.lines().filter(|line| !parse::trim(line).is_empty());
    for line in lines.take(MOUNTS_MAX) {
        let mount = survey.parsed(MOUNTINFO, line, mount);
        mounts.extend(mount.map(|mount| (mount.id.clone(), mount)));
    }
    let mut mounts: Vec<Mount> = mounts.into_values().collect();
    let is_window = |mount: &Mount| PSEUDO.contains(&mount.kind.as_str());
    let is_slow = |mount: &&Mount| {
        let known = PROMPT.contains(&mount.kind.as_str()) || is_window(mount);
        !known || mount.kind == AUTOFS
    };
    let slow = mounts.iter().filter(is_slow);
    let slow = slow.map(|mount| mount.id.clone()).collect();
    // Only now: what is hidden by a window into the kernel is hidden too.
    mounts.retain(|mount| !is_window(mount));
    List { mounts, slow }
}

impl List {
    /// Asks once for each file system, however often it is mounted: a node with many containers has thousands of
    /// mounts.
    fn fill(&mut self, survey: &Survey<'_>, wanted: impl Fn(&Mount) -> bool) {
        let mut known: BTreeMap<String, MountNow> = BTreeMap::new();
        for mount in &mut self.mounts {
            if wanted(mount) {
                let ask = || now(survey, &mount.id, is_prompt(&mount.id, &self.slow));
                mount.now = *known.entry(mount.device_number.clone()).or_insert_with(ask);
            }
        }
    }
}

/// Whether nothing on the way to `place` makes a question wait; `slow` is where that may be.
fn is_prompt(place: &str, slow: &BTreeSet<String>) -> bool {
    let mut ways = Path::new(place).ancestors().filter_map(Path::to_str);
    !ways.any(|way| slow.contains(way))
}

fn now(survey: &Survey<'_>, place: &str, prompt: bool) -> MountNow {
    let path = place.trim_start_matches('/').to_owned();
    let (root, ask) = (survey.root(), Ask::Space { path });
    let space = if prompt {
        root.ask_at_once(&ask)
    } else {
        root.ask(&ask)
    };
    let space: Option<Space> = survey.keep(space);
    let Some(space) = space.filter(|space| space.size_bytes > 0) else {
        return MountNow::default();
    };
    let counted = |count: u64| (space.inodes > 0).then_some(count);
    MountNow {
        size_bytes: Some(Bytes(space.size_bytes)),
        used_bytes: Some(Bytes(space.size_bytes.saturating_sub(space.free_bytes))),
        available_bytes: Some(Bytes(space.available_bytes)),
        inodes: counted(space.inodes),
        inodes_free: counted(space.inodes_free),
    }
}

fn mount(line: &str) -> Parsed<Mount> {
    const EXPECTED: Expected = Expected("a line of mountinfo");
    let (own, file_system) = line.split_once(" - ").ok_or(EXPECTED)?;
    let mut own = own.split(' ').filter(|word| !word.is_empty()).skip(2);
    let mut next = || own.next().ok_or(EXPECTED);
    let (number, top, place, options) = (next()?, next()?, next()?, next()?);
    // A source may be empty, and then two spaces follow each other.
    let mut words = parse::trim(file_system).splitn(3, ' ');
    let kind = words
        .next()
        .filter(|word| !word.is_empty())
        .ok_or(EXPECTED)?;
    let (source, super_options) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_number = |text: &str| {
        text.split_once(':').is_some_and(|(major, minor)| {
            parse::decimal::<u32>(major).is_ok() && parse::decimal::<u32>(minor).is_ok()
        })
    };
    if !is_number(number) {
        return Err(EXPECTED);
    }
    let told = |options: &str| options.split(',').any(|option| option == "ro");
    Ok(Mount {
        id: parse::unescaped(place),
        source: parse::unescaped(source),
        kind: kind.to_owned(),
        device_number: number.to_owned(),
        top: parse::unescaped(top),
        read_only: told(options) || told(super_options),
        options: options.to_owned(),
        super_options: super_options.to_owned(),
        remote: REMOTE.contains(&kind) || kind.starts_with("fuse"),
        now: MountNow::default(),
    })
}
