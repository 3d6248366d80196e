//! A machine's tree with some of its files spoilt, on disk only once: a mutant is made by spoiling, and undone.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use libhw::inventory::Class;
use libhw::io::root::Root;
use serde_json::Value;
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

/// No spoilt text is longer.
const TEXT_MAX: usize = 16 << 10;

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
    /// A machine of two packages with a network card each.
    ///
    /// # Panics
    /// When there is no place for it.
    #[must_use]
    pub fn new() -> Self {
        let shape = Shape {
            packages: 2,
            dies: 1,
            cores: 1,
            threads: 2,
            functions: 1,
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
        Ok(match bytes.int_in_range(0..=15)? {
            0 => Some(Entry::Link((*bytes.choose(TARGETS)?).to_owned())),
            1 => None,
            2 => self.tree.get(bytes.choose(&self.paths)?).cloned(),
            _ => Some(Entry::File(match self.tree.get(path) {
                Some(Entry::File(text)) => spoilt_text(text, bytes)?,
                _ => some(bytes)?,
            })),
        })
    }

    /// The text of a file of the machine.
    #[must_use]
    pub fn text(&self, path: &str) -> Vec<u8> {
        match self.tree.get(path) {
            Some(Entry::File(text)) => text.clone(),
            _ => Vec::new(),
        }
    }
}

/// A text with some spoilt places: mostly in its digits, so that it stays what it was, with other numbers.
///
/// # Errors
/// When the bytes are too few.
pub fn spoilt_text(text: &[u8], bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut text = text.to_vec();
    for _ in 0..bytes.int_in_range(1..=3)? {
        let at = bytes.choose_index(text.len() + 1)?;
        match bytes.int_in_range(0..=15)? {
            0 => text = some(bytes)?,
            1 => drop(text.splice(at..at, some(bytes)?)),
            2 => text.truncate(at),
            3 => text = bytes.choose(ODD)?.as_bytes().to_vec(),
            4 => drop(text.splice(at..at, bytes.choose(ODD)?.bytes())),
            5 => drop(text.drain(at..text.len().min(at + 4))),
            6 => text.extend_from_within(at..),
            _ => digits(&mut text, bytes)?,
        }
        text.truncate(TEXT_MAX);
    }
    Ok(text)
}

/// One of `texts` with some spoilt places, or now and then the bytes as they are.
#[must_use]
pub fn one_of(texts: &[&[u8]], bytes: &[u8]) -> Vec<u8> {
    let mut rest = Unstructured::new(bytes);
    let mut spoilt = || match rest.int_in_range(0..=7)? {
        0 => Ok(bytes.to_vec()),
        _ => spoilt_text(rest.choose(texts)?, &mut rest),
    };
    spoilt().unwrap_or_default()
}

/// One of `documents`, which are JSON, with some values that are others, doubled or gone, so that it stays JSON; now and
/// then with spoilt places like any text.
#[must_use]
pub fn json_of(documents: &[&[u8]], bytes: &[u8]) -> Vec<u8> {
    let mut rest = Unstructured::new(bytes);
    if rest.ratio(3, 4) != Ok(true) {
        return one_of(documents, bytes);
    }
    let Ok(Ok(mut document)) = rest
        .choose(documents)
        .map(|text| serde_json::from_slice::<Value>(text))
    else {
        return one_of(documents, bytes);
    };
    for _ in 0..rest.int_in_range(1..=2).unwrap_or(1) {
        if rest.is_empty() || spoil_value(&mut document, &mut rest).is_err() {
            break;
        }
    }
    document.to_string().into_bytes()
}

/// Goes down to some value, and puts another there.
fn spoil_value(value: &mut Value, bytes: &mut Unstructured<'_>) -> Result<()> {
    let deeper = !rarely(bytes, 32);
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = bytes.choose_index(fields.len())?;
            let name = fields.keys().nth(at).cloned().unwrap_or_default();
            if rarely(bytes, 8) {
                fields.remove(&name);
            } else if let Some(field) = fields.get_mut(&name) {
                return spoil_value(field, bytes);
            }
        }
        Value::Array(list) if deeper && !list.is_empty() => {
            let at = bytes.choose_index(list.len())?;
            match bytes.int_in_range(0..=7)? {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                _ => return spoil_value(&mut list[at], bytes),
            }
        }
        other => *other = another(other, bytes)?,
    }
    Ok(())
}

/// Mostly of the same kind.
fn another(old: &Value, bytes: &mut Unstructured<'_>) -> Result<Value> {
    match old {
        _ if rarely(bytes, 8) => {}
        Value::Number(_) => return Ok(Value::from(bytes.arbitrary::<u32>()?)),
        Value::Bool(_) => return Ok(Value::from(bytes.arbitrary::<bool>()?)),
        Value::String(_) => return Ok(Value::from((*bytes.choose(ODD)?).to_owned())),
        _ => {}
    }
    Ok(match bytes.int_in_range(0..=6)? {
        0 => Value::Null,
        1 => Value::from(bytes.arbitrary::<bool>()?),
        2 => Value::from(bytes.arbitrary::<u64>()?),
        3 => Value::from(bytes.arbitrary::<i32>()?),
        4 => Value::from(bytes.choose(ODD)?.to_owned()),
        5 => Value::from(String::from_utf8_lossy(&some(bytes)?)),
        _ => Value::Array(Vec::new()),
    })
}

/// Whether what happens once in `of` times happens now; never where the bytes are at their end.
#[must_use]
pub fn rarely(bytes: &mut Unstructured<'_>, of: u8) -> bool {
    !bytes.is_empty() && bytes.int_in_range(1..=of) == Ok(of)
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// Up to 64 bytes.
///
/// # Errors
/// When the bytes are too few.
pub fn some(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = bytes.int_in_range(0..=64)?.min(bytes.len());
    bytes.bytes(length).map(<[u8]>::to_vec)
}

/// Another digit in the place of one, or of two.
fn digits(text: &mut [u8], bytes: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..bytes.int_in_range(1..=2)? {
        let from = bytes.choose_index(text.len() + 1)?;
        if let Some(digit) = text[from..].iter_mut().find(|byte| byte.is_ascii_digit()) {
            *digit = bytes.int_in_range(b'0'..=b'9')?;
        }
    }
    Ok(())
}

thread_local! {
    static MACHINE: Machine = Machine::new();
}

/// A look of one class at the machine whose file at `path` holds a spoilt text, one of `texts` or its own: whether
/// it was taken without a complaint.
#[must_use]
pub fn file(class: Class, path: &str, texts: &[&[u8]], bytes: &[u8]) -> bool {
    let own = MACHINE.with(|machine| machine.text(path));
    let texts = if texts.is_empty() {
        &[own.as_slice()]
    } else {
        texts
    };
    exact_file(class, path, &one_of(texts, bytes))
}

/// A look of one class at the machine with these files in it: whether the last was taken without a complaint.
#[must_use]
pub fn spoilt_files(class: Class, files: &[(String, Vec<u8>)]) -> bool {
    let entry = |(path, text): &(String, Vec<u8>)| (path.clone(), Some(Entry::File(text.clone())));
    let spoilt: Vec<Spoilt> = files.iter().map(entry).collect();
    let (others, last) = spoilt.split_at(spoilt.len().saturating_sub(1));
    let all = [others, last].concat();
    looked_for(&[class], &all, last)
}

/// As [`file()`], with the content as it is.
#[must_use]
pub fn exact_file(class: Class, path: &str, content: &[u8]) -> bool {
    let entry = Some(Entry::File(content.to_vec()));
    looked(&[class], &[(path.to_owned(), entry)])
}

/// As [`exact_file`], with several files.
#[must_use]
pub fn exact_files(class: Class, files: &[(String, &[u8])]) -> bool {
    let entry =
        |(path, content): &(String, &[u8])| (path.clone(), Some(Entry::File(content.to_vec())));
    let spoilt: Vec<Spoilt> = files.iter().map(entry).collect();
    looked(&[class], &spoilt)
}

/// A look at a machine that is spoilt as the bytes say: whether some of it was taken without a complaint.
///
/// PCI functions are left out where nothing of theirs is spoilt: the names of functions take more time to look up
/// than all the rest.
#[must_use]
pub fn tree(bytes: &[u8]) -> bool {
    let spoil = |machine: &Machine| machine.spoil(&mut Unstructured::new(bytes));
    MACHINE.with(spoil).is_ok_and(|spoilt| {
        let pci = spoilt.iter().any(|(path, _)| path.contains("/pci"));
        let wanted = |class: &Class| pci || *class != Class::Pci;
        let classes: Vec<Class> = Class::ALL.iter().copied().filter(wanted).collect();
        looked(&classes, &spoilt)
    })
}

/// Whether at least one of what is spoilt was taken.
fn looked(classes: &[Class], spoilt: &[Spoilt]) -> bool {
    looked_for(classes, spoilt, spoilt)
}

/// Whether at least one of `wanted` was taken.
fn looked_for(classes: &[Class], spoilt: &[Spoilt], wanted: &[Spoilt]) -> bool {
    let look = |root: &Root| crate::discovered(root, classes);
    let inventory = MACHINE.with(|machine| machine.with(spoilt, look));
    let complaint = |path: &str| {
        let mut problems = inventory.problems.iter();
        problems.any(|problem| end(&problem.path) == end(path))
    };
    wanted.iter().any(|(path, _)| !complaint(path))
}

/// The last two parts of a path: a device's files are reached by several ways.
fn end(path: &str) -> Vec<&str> {
    path.rsplit('/').take(2).collect()
}
