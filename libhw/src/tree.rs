//! A tree of a machine that a unit test makes up.
#![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::inventory::{Class, Inventory, Scope, discover};
use crate::io::root::Root;
use crate::survey::{Problem, Reason};

/// A directory that holds sys/ and proc/ of a machine, for as long as a test lasts.
#[derive(Debug)]
pub(crate) struct Tree(TempDir);

impl Tree {
    /// A tree of files, each with its text.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    /// Adds a file or changes it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.place(path), text).unwrap();
    }

    /// Adds a file of bytes that are no text.
    pub(crate) fn write_bytes(&self, path: &str, bytes: &[u8]) {
        std::fs::write(self.place(path), bytes).unwrap();
    }

    /// Adds an empty directory.
    pub(crate) fn directory(&self, path: &str) {
        std::fs::create_dir_all(self.place(path)).unwrap();
    }

    /// Adds a link.
    pub(crate) fn link(&self, path: &str, target: &str) {
        symlink(target, self.place(path)).unwrap();
    }

    /// Has these paths answer with an errno, as a capture records it.
    pub(crate) fn fail(&self, errors: &[(&str, i32)]) {
        let errors: BTreeMap<_, _> = errors.iter().copied().collect();
        self.write(
            "gnomon/errors.json",
            &serde_json::to_string(&errors).unwrap(),
        );
    }

    /// The tree as a root.
    pub(crate) fn root(&self) -> Root {
        Root::captured(self.0.path()).unwrap()
    }

    /// The inventory of one class, looked at as closely as can be.
    pub(crate) fn discover_deep(&self, class: Class) -> Inventory {
        let scope = Scope {
            classes: vec![class],
            deep: true,
            ..Scope::default()
        };
        discover(&self.root(), &scope)
    }

    /// The inventory of one class.
    pub(crate) fn discover(&self, class: Class) -> Inventory {
        let scope = Scope {
            classes: vec![class],
            ..Scope::default()
        };
        discover(&self.root(), &scope)
    }

    /// Where it stands.
    pub(crate) fn directory_path(&self) -> &Path {
        self.0.path()
    }

    fn place(&self, path: &str) -> PathBuf {
        let place = self.0.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }
}

/// The paths of problems, each with the first word of its reason.
pub(crate) fn told(problems: &[Problem]) -> Vec<(&str, &'static str)> {
    let word = |reason: &Reason| match reason {
        Reason::Denied => "denied",
        Reason::Unsupported => "unsupported",
        Reason::TimedOut { .. } => "timed out",
        Reason::Unreadable { .. } => "unreadable",
        Reason::Malformed { .. } => "malformed",
    };
    let pair = |problem: &'_ Problem| word(&problem.reason);
    problems
        .iter()
        .map(|problem| (problem.path.as_str(), pair(problem)))
        .collect()
}
