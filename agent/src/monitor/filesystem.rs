//! File systems: how full they are, and whether the kernel made them read-only after an error.

use std::collections::BTreeMap;

use libhw::device::storage::{Mount, Storage};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::told::{Told, count};

const FILL: &str = "host.filesystem.full";
const INODES: &str = "host.filesystem.inodes";
const READ_ONLY: &str = "host.filesystem.read-only";
const HUNG: &str = "host.filesystem.hung";

const NAME: &str = "filesystems";
const REMOTE_NAME: &str = "filesystems-remote";
const MOUNTINFO: &str = "proc/self/mountinfo";

/// Kinds that are made once and full from then on, or that show another's room.
const FIXED: &[&str] = &[
    "squashfs", "iso9660", "erofs", "cramfs", "romfs", "udf", "overlay",
];

/// What newer kernels say of a file system that they stopped after an error.
const STOPPED: &[&str] = &["emergency_ro", "shutdown"];

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "file systems of this host: room, inodes, and those that became read-only after an error",
    alarms: &[FILL, INODES, READ_ONLY],
    interval: seconds(30),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Storage],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| available(look, false),
    make: |table, _| make(table, false),
};

/// Somebody else answers for these, or never does.
pub(crate) const REMOTE_ROW: Row = Row {
    name: REMOTE_NAME,
    watches: "file systems of servers and programs (NFS, FUSE): room, inodes, and whether they answer",
    alarms: &[FILL, INODES, HUNG],
    interval: seconds(60),
    deadline: seconds(30),
    cost: Cost::High,
    reading: Reading::Deep,
    blocks: true,
    available: |look| available(look, true),
    make: |table, _| make(table, true),
    ..ROW
};

struct Filesystems {
    remote: bool,
    settings: Only,
}

fn make(table: toml::Table, remote: bool) -> Result<Box<dyn Monitor>, toml::de::Error> {
    let settings = settings(table)?;
    Ok(Box::new(Filesystems { remote, settings }))
}

fn available(look: &Look<'_>, remote: bool) -> Result<(), &'static str> {
    let storage = look.inventory.storage.as_ref().ok_or(NOT_READ)?;
    has(
        mounts(storage, remote).next().is_some(),
        "no such file system is mounted here",
    )
}

impl Monitor for Filesystems {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, if self.remote { REMOTE_NAME } else { NAME });
        let Some(storage) = &look.inventory.storage else {
            return told.failed(NOT_READ);
        };
        for mount in
            mounts(storage, self.remote).filter(|mount| !self.settings.ignore.has(&mount.id))
        {
            room(mount, &mut told);
            if self.remote {
                answers(look, mount, &mut told);
            } else {
                writable(mount, &mut told);
            }
        }
        told.end(look.lists(Class::Storage, &[MOUNTINFO]))
    }
}

/// One mount of each file system, that with the shortest path: they all have the same room.
fn mounts(storage: &Storage, remote: bool) -> impl Iterator<Item = &Mount> {
    let kept = |mount: &&Mount| mount.remote == remote && !FIXED.contains(&mount.kind.as_str());
    let mut shortest: BTreeMap<(&str, &str), &Mount> = BTreeMap::new();
    for mount in storage.mounts.iter().filter(kept) {
        let one = shortest
            .entry((&mount.device_number, &mount.source))
            .or_insert(mount);
        if mount.id.len() < one.id.len() {
            *one = mount;
        }
    }
    shortest.into_values()
}

fn room(mount: &Mount, told: &mut Told) {
    let entity = told.entity(&[("filesystem", &mount.id)]);
    let now = &mount.now;
    // Nobody can write to it, so nobody misses room.
    if mount.read_only {
        return;
    }
    if let (Some(used), Some(available)) = (now.used_bytes, now.available_bytes)
        && let Some(percent) = percent(used.0, used.0.saturating_add(available.0))
    {
        told.say(FILL, &entity)
            .with("used", format!("{percent:.1} %"))
            .with("available", available)
            .with("source", &mount.source)
            .with("kind", &mount.kind)
            .value(
                percent,
                None,
                &format!("{}: file system is nearly full", mount.id),
            );
    }
    // File systems that make inodes as they need them have 0, or say as many as would fit.
    if let (Some(all), Some(free)) = (now.inodes, now.inodes_free)
        && let Some(percent) = percent(all.saturating_sub(free), all)
    {
        told.say(INODES, &entity)
            .with("inodes used", format!("{percent:.1} %"))
            .with("inodes free", free)
            .value(
                percent,
                None,
                &format!("{}: file system has few inodes left", mount.id),
            );
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * count(part) / count(whole))
}

/// The mount was made for writing and the file system beneath refuses to: after an error the kernel does just that, while
/// who mounts or remounts read-only changes both.
fn writable(mount: &Mount, told: &mut Told) {
    let has = |options: &str, word: &str| options.split(',').any(|option| option == word);
    let stopped = STOPPED.iter().any(|word| has(&mount.super_options, word));
    let read_only = has(&mount.options, "rw") && has(&mount.super_options, "ro");
    let entity = told.entity(&[("filesystem", &mount.id)]);
    told.say(READ_ONLY, &entity)
        .with("mount options", &mount.options)
        .with("file system options", &mount.super_options)
        .with("source", &mount.source)
        .fault(
            read_only || stopped,
            &format!(
                "{}: file system was made read-only after an error",
                mount.id
            ),
        );
}

fn answers(look: &Look<'_>, mount: &Mount, told: &mut Told) {
    let entity = told.entity(&[("filesystem", &mount.id)]);
    let problem = look.problem(Class::Storage, mount.id.trim_start_matches('/'));
    told.say(HUNG, &entity)
        .with("source", &mount.source)
        .with_some("answer", problem)
        .fault(
            problem.is_some() && mount.now.size_bytes.is_none(),
            &format!("{}: file system does not answer", mount.id),
        );
}

#[cfg(test)]
mod tests;
