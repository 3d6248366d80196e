//! What goes into the archive: each file, link and directory at its real place.

use std::collections::{BTreeMap, HashMap};

use crate::io::root::{Answer, ERRORS, Question, Record, Root};
use crate::io::sys::EntryKind;
use crate::io::tree::{join, split};

/// A member of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Directory,
    File(Vec<u8>),
    Link(String),
}

/// The members by path, as they are collected.
#[derive(Debug, Default)]
pub(super) struct Members {
    members: BTreeMap<String, Member>,
    /// The real places of directories that were met.
    places: HashMap<String, String>,
}

/// The links of procfs that say who asks; what lies behind them is saved in their own place.
const OURSELVES: [&str; 2] = ["proc/self", "proc/thread-self"];

impl Members {
    /// Adds what discovery was told, and returns how many errors were among it.
    pub(super) fn add_record(&mut self, root: &Root, record: Record) -> usize {
        let mut errors = BTreeMap::new();
        for ((path, question), answer) in record {
            match answer {
                Answer::Absent => {}
                Answer::Failed(errno) => {
                    errors.insert(path, errno as i32);
                }
                Answer::Bytes(bytes) if question == Question::Probe => {
                    self.members.insert(path, Member::File(bytes));
                }
                Answer::Bytes(bytes) => self.add_file(root, &path, bytes),
                Answer::Names(entries) => self.add_listing(root, &path, &entries),
                Answer::Link(target) => self.add_link(root, &path, target),
            }
        }
        if let Ok(json) = serde_json::to_vec_pretty(&errors)
            && !errors.is_empty()
        {
            self.members.insert(ERRORS.to_owned(), Member::File(json));
        }
        errors.len()
    }

    /// Adds a file, and the links on the way to it.
    pub(super) fn add_file(&mut self, root: &Root, path: &str, bytes: Vec<u8>) {
        if let Some(place) = self.place(root, path) {
            self.put(place, bytes);
        }
    }

    /// Adds a file that is known to be no link.
    pub(super) fn add_file_in(&mut self, root: &Root, directory: &str, name: &str, bytes: Vec<u8>) {
        if let Some(parent) = self.parent(root, directory) {
            self.put(join(&parent, name), bytes);
        }
    }

    /// Of two looks at one file the longer counts.
    fn put(&mut self, place: String, bytes: Vec<u8>) {
        let longer = match self.members.get(&place) {
            Some(Member::File(known)) => bytes.len() > known.len(),
            _ => true,
        };
        if longer {
            self.members.insert(place, Member::File(bytes));
        }
    }

    /// Adds a directory, and the links on the way to it.
    pub(super) fn add_directory(&mut self, root: &Root, path: &str) {
        if let Some(place) = self.place(root, path) {
            self.members.entry(place).or_insert(Member::Directory);
        }
    }

    /// Adds a link itself.
    pub(super) fn add_link(&mut self, root: &Root, path: &str, target: String) {
        let (parent, name) = split(path);
        if let Some(parent) = self.parent(root, parent) {
            let place = join(&parent, name);
            if !OURSELVES.contains(&place.as_str()) {
                self.members.insert(place, Member::Link(target));
            }
        }
    }

    /// Adds a directory with the directories and links in it. A file is only there where it was read: an empty
    /// one would be mistaken for what it says.
    fn add_listing(&mut self, root: &Root, path: &str, entries: &[(String, EntryKind)]) {
        self.add_directory(root, path);
        for (name, kind) in entries {
            let path = join(path, name);
            match kind {
                EntryKind::Directory => self.add_directory(root, &path),
                EntryKind::Link => {
                    if let Ok(Some(target)) = root.link(&path) {
                        self.add_link(root, &path, target);
                    }
                }
                EntryKind::Other => {}
            }
        }
    }

    /// The real place of what stands at `path`; nothing when it went away meanwhile.
    fn place(&mut self, root: &Root, path: &str) -> Option<String> {
        let (parent, name) = split(path);
        if matches!(name, "" | "." | "..") {
            return self.resolve(root, path);
        }
        let here = join(&self.parent(root, parent)?, name);
        match root.link(&here) {
            Ok(Some(_)) => self.resolve(root, &here),
            _ => Some(here),
        }
    }

    fn parent(&mut self, root: &Root, path: &str) -> Option<String> {
        if let Some(known) = self.places.get(path) {
            return Some(known.clone());
        }
        let place = self.resolve(root, path)?;
        self.places.insert(path.to_owned(), place.clone());
        Some(place)
    }

    fn resolve(&mut self, root: &Root, path: &str) -> Option<String> {
        let mut resolved = root.resolve(path).ok()?;
        for (link, target) in resolved.links {
            if OURSELVES.contains(&link.as_str()) {
                let own = format!("proc/{target}");
                if let Some(rest) = resolved.real.strip_prefix(&own) {
                    resolved.real = format!("{link}{rest}");
                }
            } else {
                self.members.insert(link, Member::Link(target));
            }
        }
        Some(resolved.real)
    }

    /// The members with the directories that hold them. What a changing tree left below a link or a file
    /// cannot be unpacked, and is left out.
    pub(super) fn complete(self) -> BTreeMap<String, Member> {
        let mut complete = self.members;
        complete.remove("");
        let mut directories = BTreeMap::new();
        for path in complete.keys() {
            let mut above = split(path).0;
            while !above.is_empty() && !directories.contains_key(above) {
                directories.insert(above.to_owned(), Member::Directory);
                above = split(above).0;
            }
        }
        for (path, directory) in directories {
            complete.entry(path).or_insert(directory);
        }
        let mut barred: Option<String> = None;
        complete.retain(|path, member| {
            if barred
                .as_ref()
                .is_some_and(|barred| path.starts_with(barred))
            {
                return false;
            }
            if *member != Member::Directory {
                barred = Some(format!("{path}/"));
            }
            true
        });
        complete
    }
}
