//! What the cross-crate tests share.

pub mod cards;
pub mod synthetic;
pub mod ttar;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The README's Rust examples are compiled as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// One machine's tree, unpacked.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The name of its archive, and where the tree lies in it when there are several.
    pub name: String,
    /// The directory that holds its sys/ or proc/.
    pub directory: PathBuf,
}

/// Compares `text` with the file `path`, which `UPDATE_GOLDEN=1` writes anew.
///
/// # Panics
/// When they differ.
pub fn golden(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, text).expect("a golden file");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        text == expected,
        "{} differs (UPDATE_GOLDEN=1 writes it anew; git diff then shows what changed):\n{text}",
        path.display()
    );
}

/// The captures of machines: `GNOMON_MACHINES`, or shared/machines beside the workspace.
#[must_use]
pub fn machines() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/machines");
    let machines = std::env::var_os("GNOMON_MACHINES").map_or(beside, PathBuf::from);
    let machines = machines.canonicalize().ok()?;
    machines.join("topology").is_dir().then_some(machines)
}

/// The trees of all machines in topology/, by name; `None`, and a line that says so, where there are no machines.
///
/// They are unpacked once, by tar itself, into a directory that later runs use again.
#[must_use]
pub fn trees() -> Option<&'static [Tree]> {
    static TREES: OnceLock<Option<Vec<Tree>>> = OnceLock::new();
    let trees = TREES.get_or_init(|| machines().map(|machines| unpacked(&machines)));
    if trees.is_none() {
        skipped("no machines: set GNOMON_MACHINES to a directory with topology/*.tar.*");
    }
    trees.as_deref()
}

/// One machine's archive below [`machines`], such as `fpga/opae-tmp-dcp-vc.tar.gz`, unpacked: the directory that holds
/// its sys/; `None`, and a line that says so, where it is not there.
///
/// # Panics
/// When it holds no tree, or several.
#[must_use]
pub fn machine(archive: &str) -> Option<PathBuf> {
    let path = machines()
        .map(|machines| machines.join(archive))
        .filter(|path| path.is_file());
    let Some(path) = path else {
        skipped(&format!("no {archive} where GNOMON_MACHINES points"));
        return None;
    };
    let file = file_name(&path);
    let name = file
        .split_once(".tar")
        .map_or(file.as_str(), |(name, _)| name);
    let place = unpack(&path, &cache().join(name));
    let mut found = shallowest(&place);
    assert_eq!(found.len(), 1, "{archive}: {found:?}");
    found.pop()
}

/// Says that a test did not run, and why: past what the test harness captures, and in the file that `ci/test`
/// names in `GNOMON_SKIPPED`, since a test that did not run is no test that passed.
///
/// # Panics
/// When that file cannot be written.
pub fn skipped(reason: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {reason}\n", thread.name().unwrap_or("a test"));
    let _ = write!(std::io::stderr(), "SKIPPED: {line}");
    if let Some(list) = std::env::var_os("GNOMON_SKIPPED") {
        let list = fs::OpenOptions::new().append(true).create(true).open(list);
        let mut list = list.expect("the list of skipped tests");
        list.write_all(line.as_bytes()).expect("room for a line");
    }
}

/// Whether a program can be started; a line says so where not.
#[must_use]
pub fn installed(program: &str) -> bool {
    let started = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if started.is_err() {
        skipped(&format!("{program} is not installed"));
    }
    started.is_ok()
}

fn unpacked(machines: &Path) -> Vec<Tree> {
    let cache = cache();
    let mut trees = Vec::new();
    for archive in entries(&machines.join("topology")) {
        let file = file_name(&archive);
        let Some((name, _)) = file.split_once(".tar") else {
            continue;
        };
        let place = unpack(&archive, &cache.join(name));
        let found = shallowest(&place);
        let several = found.len() > 1;
        for directory in found {
            let inside = directory.strip_prefix(&place).unwrap_or(&directory);
            let name = match several {
                true => format!("{name}/{}", inside.display()),
                false => name.to_owned(),
            };
            trees.push(Tree { name, directory });
        }
    }
    trees
}

/// Where machines are unpacked: below target/, of target/PROFILE/deps/test.
fn cache() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let target = test.ancestors().nth(3).unwrap_or(Path::new("target"));
    let cache = target.join("tmp/machines");
    fs::create_dir_all(&cache).expect("a directory for unpacked machines");
    cache
}

/// The directory that `archive` is unpacked into: `place`, with a mark behind it that says of which archive it is. Tests
/// of several processes may do so at once; whoever is done first counts, and an archive that has changed is another.
fn unpack(archive: &Path, place: &Path) -> PathBuf {
    let of = fs::metadata(archive).expect("an archive");
    let of = of.modified().ok().and_then(|time| {
        let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(format!("{}-{}", of.len(), since.as_nanos()))
    });
    let mut name = file_name(place);
    name.push('@');
    name.push_str(&of.unwrap_or_default());
    let place = &place.with_file_name(&name);
    if !place.is_dir() {
        let fresh = place.with_file_name(format!("{name}.new-{}", std::process::id()));
        fs::create_dir_all(fresh.join("tree")).expect("a directory to unpack into");
        run(Command::new("tar")
            .arg("--no-same-owner")
            .arg("-xf")
            .arg(archive)
            .arg("-C")
            .arg(fresh.join("tree")));
        run(Command::new("chmod").args(["-R", "u+rwX"]).arg(&fresh));
        if fs::rename(&fresh, place).is_err() {
            assert!(place.is_dir(), "no room for an unpacked machine");
            let _ = fs::remove_dir_all(&fresh);
        }
    }
    place.join("tree")
}

fn run(command: &mut Command) {
    let status = command.status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
}

/// The directories with sys/ or proc/ in them, of the smallest depth at which there are any.
fn shallowest(top: &Path) -> Vec<PathBuf> {
    let mut level = vec![top.to_owned()];
    while !level.is_empty() {
        let is_tree = |directory: &&PathBuf| {
            directory.join("sys").is_dir() || directory.join("proc").is_dir()
        };
        let found: Vec<PathBuf> = level.iter().filter(is_tree).cloned().collect();
        if !found.is_empty() {
            return found;
        }
        level = level
            .iter()
            .flat_map(|directory| entries(directory))
            .filter(|entry| entry.is_dir() && !entry.is_symlink())
            .collect();
    }
    Vec::new()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let named: BTreeMap<_, _> = entries
        .map(|entry| (entry.file_name(), entry.path()))
        .collect();
    named.into_values().collect()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
