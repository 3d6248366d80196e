//! What goes into the archive: each file, link and directory at its real place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::io::root::{Answer, ERRORS, LISTED, Question, Record, Root};
use crate::io::sys::EntryKind;
use crate::io::tree::{join, split};

/// A member of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// With the names that were listed in it and for which there is no member.
    Directory(Vec<String>),
    File(Vec<u8>),
    Link(String),
}

impl Member {
    /// A directory in which nothing was listed.
    pub(super) const fn directory() -> Self {
        Self::Directory(Vec::new())
    }
}

/// The members by path, as they are collected.
#[derive(Debug, Default)]
pub(super) struct Members {
    members: BTreeMap<String, Member>,
    /// What was listed in a directory.
    listings: BTreeMap<String, BTreeSet<String>>,
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
            self.members.entry(place).or_insert_with(Member::directory);
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
    /// one would be mistaken for what it says. Of the others the name is kept.
    fn add_listing(&mut self, root: &Root, path: &str, entries: &[(String, EntryKind)]) {
        let Some(place) = self.place(root, path) else {
            return;
        };
        let names = entries.iter().map(|(name, _)| name.clone());
        self.listings
            .entry(place.clone())
            .or_default()
            .extend(names);
        self.members.entry(place).or_insert_with(Member::directory);
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
                directories.insert(above.to_owned(), Member::directory());
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
            if !matches!(member, Member::Directory(_)) {
                barred = Some(format!("{path}/"));
            }
            true
        });
        for (place, mut names) in self.listings {
            names.retain(|name| !complete.contains_key(&join(&place, name)));
            if let Some(Member::Directory(unread)) = complete.get_mut(&place) {
                unread.extend(names);
            }
        }
        complete
    }
}

/// Adds the file of the names for which there is no member.
pub(super) fn add_listed(members: &mut BTreeMap<String, Member>) {
    let mut listed = BTreeMap::new();
    for (path, member) in &mut *members {
        if let Member::Directory(names) = member
            && !names.is_empty()
        {
            names.sort_unstable();
            listed.insert(path, names);
        }
    }
    if listed.is_empty() {
        return;
    }
    if let Ok(json) = serde_json::to_vec(&listed) {
        members
            .entry(split(LISTED).0.to_owned())
            .or_insert_with(Member::directory);
        members.insert(LISTED.to_owned(), Member::File(json));
    }
}
