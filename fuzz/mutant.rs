//! A machine's tree with some of its files spoilt, on disk only once: a mutant is made by spoiling, and undone.

use std::collections::BTreeSet;
use std::path::PathBuf;

use arbitrary::{Result, Unstructured};
use libhw::io::root::Root;
use tempfile::TempDir;

use crate::synthetic::{self, Entry, Shape, Tree};

/// What the kernel writes where it has nothing to say, and what no one expects.
const ODD: &[&str] = &[
    "",
    "\0",
    "(null)\n",
    "-1\n",
    "0-65535\n",
    "65536\n",
    "4294967296\n",
    "18446744073709551615\n",
    "0x",
    "K\n",
    "99999999999999999999999\n",
    "0-\n",
    "3-1\n",
    "\u{feff}1\n",
    "1 2 3\n",
    "unknown\n",
    "[]\n",
    "::::\n",
];

/// Where links of a hostile tree lead: outside, to themselves, in a circle, nowhere.
const TARGETS: &[&str] = &[
    "/",
    "/etc/passwd",
    "../../../../../../../../../..",
    ".",
    "..",
    "cpu0",
    "/sys",
    "missing",
];

/// No mutant has more spoilt entries.
const SPOILT_MAX: usize = 8;

/// A small machine in a directory, of which single entries can be replaced for the time of one look.
#[derive(Debug)]
pub struct Machine {
    directory: TempDir,
    tree: Tree,
    paths: Vec<String>,
}

/// A path, and what stands there instead of its own entry; nothing for an entry that is gone.
pub type Spoilt = (String, Option<Entry>);

impl Machine {
    /// A machine of two packages with two network cards each.
    ///
    /// # Panics
    /// When there is no place for it.
    #[must_use]
    pub fn new() -> Self {
        let shape = Shape {
            packages: 2,
            dies: 1,
            cores: 2,
            threads: 2,
            functions: 2,
        };
        let (directory, tree) = (
            tempfile::tempdir().expect("a directory"),
            synthetic::tree(shape),
        );
        synthetic::write(&tree, directory.path()).expect("room for a small tree");
        let paths = tree.keys().cloned().collect();
        Self {
            directory,
            tree,
            paths,
        }
    }

    /// What `look` sees of the machine while `spoilt` stands in it.
    ///
    /// # Panics
    /// When the directory cannot be written, or was written to by another.
    pub fn with<T>(&self, spoilt: &[Spoilt], look: impl FnOnce(&Root) -> T) -> T {
        for (path, entry) in spoilt {
            self.replace(path, entry.as_ref());
        }
        let seen = look(&Root::captured(self.directory.path()).expect("a tree"));
        for (path, _) in spoilt {
            self.replace(path, self.tree.get(path));
        }
        seen
    }

    fn replace(&self, path: &str, entry: Option<&Entry>) {
        let place = self.directory.path().join(path);
        let _ = std::fs::remove_file(&place);
        if let Some(entry) = entry {
            synthetic::put(self.directory.path(), path, entry).expect("a place for an entry");
        }
    }

    /// Some entries of the machine, spoilt as the bytes say.
    ///
    /// # Errors
    /// When the bytes are too few.
    pub fn spoil(&self, bytes: &mut Unstructured<'_>) -> Result<Vec<Spoilt>> {
        let mut spoilt = Vec::new();
        let mut seen = BTreeSet::new();
        while !bytes.is_empty() && spoilt.len() < SPOILT_MAX {
            let path = bytes.choose(&self.paths)?.clone();
            let entry = self.spoilt(&path, bytes)?;
            if seen.insert(path.clone()) {
                spoilt.push((path, entry));
            }
        }
        Ok(spoilt)
    }

    fn spoilt(&self, path: &str, bytes: &mut Unstructured<'_>) -> Result<Option<Entry>> {
        let mut text = match self.tree.get(path) {
            Some(Entry::File(text)) => text.clone(),
            _ => Vec::new(),
        };
        let at = bytes.choose_index(text.len() + 1)?;
        match bytes.int_in_range(0..=7)? {
            0 => text = some(bytes)?,
            1 => drop(text.splice(at..at, some(bytes)?)),
            2 => text.truncate(at),
            3 => text = bytes.choose(ODD)?.as_bytes().to_vec(),
            4 => return Ok(Some(Entry::Link((*bytes.choose(TARGETS)?).to_owned()))),
            5 => return Ok(None),
            6 => return Ok(self.tree.get(bytes.choose(&self.paths)?).cloned()),
            _ => digits(&mut text, bytes)?,
        }
        Ok(Some(Entry::File(text)))
    }

    /// Where the machine's tree lies.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// Up to 64 bytes.
fn some(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = bytes.int_in_range(0..=64)?.min(bytes.len());
    bytes.bytes(length).map(<[u8]>::to_vec)
}

/// Other digits in the place of some.
fn digits(text: &mut [u8], bytes: &mut Unstructured<'_>) -> Result<()> {
    for byte in text.iter_mut().filter(|byte| byte.is_ascii_digit()) {
        if bytes.ratio(1, 4)? {
            *byte = bytes.int_in_range(b'0'..=b'9')?;
        }
    }
    Ok(())
}

thread_local! {
    static MACHINE: Machine = Machine::new();
}

/// A look at the machine whose file at `path` holds `bytes`: whether they were read without a complaint.
#[must_use]
pub fn file(path: &str, bytes: &[u8]) -> bool {
    let entry = Some(Entry::File(bytes.to_vec()));
    looked(&[(path.to_owned(), entry)])
}

/// A look at a machine that is spoilt as the bytes say: whether some of it was taken without a complaint.
#[must_use]
pub fn tree(bytes: &[u8]) -> bool {
    let spoil = |machine: &Machine| machine.spoil(&mut Unstructured::new(bytes));
    MACHINE.with(spoil).is_ok_and(|spoilt| looked(&spoilt))
}

/// Whether at least one of what is spoilt was taken.
fn looked(spoilt: &[Spoilt]) -> bool {
    let inventory = MACHINE.with(|machine| machine.with(spoilt, crate::discovered));
    let complaint = |path: &str| {
        inventory
            .problems
            .iter()
            .any(|problem| end(&problem.path) == end(path))
    };
    spoilt.iter().any(|(path, _)| !complaint(path))
}

/// The last two parts of a path: a device's files are reached by several ways.
fn end(path: &str) -> Vec<&str> {
    path.rsplit('/').take(2).collect()
}
