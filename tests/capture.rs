//! Does a capture tell what the machine told: us, lstopo and lscpu?

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use libhw::inventory;
use libhw::io::capture::{self, Captured, Options};
use libhw::io::{archive, root::Root};

/// The tar of a capture, and what was captured.
fn captured(root: Root, options: &Options) -> (Vec<u8>, Captured) {
    let mut tar = Vec::new();
    let captured = capture::write(root, options, "machine", &mut tar).expect("a capture");
    (tar, captured)
}

fn unmasked() -> Options {
    Options {
        unmasked: true,
        ..Options::default()
    }
}

/// A capture as others unpack it.
fn unpacked(tar: &[u8], into: &Path) -> PathBuf {
    let file = into.join("capture.tar");
    std::fs::write(&file, tar).expect("room for the capture");
    let status = Command::new("tar")
        .arg("-xf")
        .arg(&file)
        .arg("-C")
        .arg(into)
        .status();
    assert!(status.expect("tar").success());
    into.join("machine")
}

/// Runs `look` on every machine's tree, on all processors, and says by name what it found wrong.
fn on_every_tree(look: impl Fn(&Path) -> Result<(), String> + Sync) {
    let Some(trees) = support::trees() else {
        return;
    };
    let (next, wrong) = (Mutex::new(trees.iter()), Mutex::new(Vec::new()));
    let worker = || {
        loop {
            let Some(tree) = next.lock().expect("a lock").next() else {
                return;
            };
            if let Err(difference) = look(&tree.directory) {
                let line = format!("{}: {difference}", tree.name);
                wrong.lock().expect("a lock").push(line);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..workers {
            scope.spawn(worker);
        }
    });
    let wrong = wrong.into_inner().expect("a lock");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_machine_s_capture_replays_to_the_same_inventory_and_the_same_bytes() {
    on_every_tree(|tree| {
        let open = || Root::captured(tree).map_err(|error| error.to_string());
        let (tar, captured) = captured(open()?, &unmasked());
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("capture");
        std::fs::write(&file, &tar).expect("room for the capture");
        let replayed = archive::open(&file).map_err(|error| error.to_string())?;
        let scope = inventory::Scope::default();
        if inventory::discover(&replayed, &scope) != captured.inventory {
            return Err("another inventory".into());
        }
        let (again, _) = self::captured(replayed, &unmasked());
        if again != tar {
            return Err("the capture of a capture has other bytes".into());
        }
        Ok(())
    });
}

/// What a program says of a tree, line by line, and how it ended. hwloc numbers what it finds in the order in which
/// the file system lists it, which is no part of the answer.
fn said(program: &str, arguments: &[&str], tree: &Path) -> Vec<String> {
    let arguments = arguments.iter().map(|argument| match *argument {
        "TREE" => tree.as_os_str(),
        other => other.as_ref(),
    });
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        // Nothing of the host that runs the test: not its devices, nor itself where the tree is its own root.
        .env("HWLOC_PLUGINS_PATH", "/nonexistent")
        .env("HWLOC_THISSYSTEM", "0")
        .output()
        .expect(program);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<String> = said.lines().map(without_gp_index).collect();
    if said.starts_with("<?xml") {
        lines.sort();
    }
    lines.push(output.status.to_string());
    lines
}

fn without_gp_index(line: &str) -> String {
    match line.split_once(" gp_index=\"") {
        Some((before, after)) => {
            let (_, after) = after.split_once('"').unwrap_or_default();
            format!("{before}{after}")
        }
        None => line.to_owned(),
    }
}

const LOOKS: &[(&str, &[&str])] = &[
    (
        "lstopo",
        &[
            "-i",
            "TREE",
            "--if",
            "fsroot",
            "--disallowed",
            "--of",
            "xml",
        ],
    ),
    ("lstopo", &["-i", "TREE", "--if", "fsroot", "--of", "xml"]),
    (
        "lstopo",
        &[
            "-i",
            "TREE",
            "--if",
            "fsroot",
            "--disallowed",
            "--whole-io",
            "--of",
            "xml",
        ],
    ),
    ("lscpu", &["--sysroot", "TREE", "-J"]),
    ("lscpu", &["--sysroot", "TREE", "-p"]),
    ("lscpu", &["--sysroot", "TREE", "-e"]),
    ("lscpu", &["--sysroot", "TREE", "-C"]),
];

fn first_difference(source: &[String], copy: &[String]) -> Option<String> {
    let only =
        |here: &[String], there: &[String]| here.iter().find(|line| !there.contains(line)).cloned();
    (source != copy).then(|| {
        let (lost, new) = (only(source, copy), only(copy, source));
        format!("lost {lost:?}, new {new:?}")
    })
}

fn others_say_the_same(tree: &Path, root: Root) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a directory");
    let (tar, _) = captured(root, &unmasked());
    let copy = unpacked(&tar, directory.path());
    for (program, arguments) in LOOKS {
        let (source, copied) = (
            said(program, arguments, tree),
            said(program, arguments, &copy),
        );
        if let Some(difference) = first_difference(&source, &copied) {
            return Err(format!("{program} {}: {difference}", arguments.join(" ")));
        }
    }
    Ok(())
}

#[test]
fn lstopo_and_lscpu_say_of_a_capture_what_they_say_of_its_source() {
    if !support::installed("lstopo") || !support::installed("lscpu") {
        return;
    }
    on_every_tree(|tree| {
        let root = Root::captured(tree).map_err(|error| error.to_string())?;
        others_say_the_same(tree, root)
    });
}

#[test]
fn lstopo_and_lscpu_say_of_a_capture_what_they_say_of_this_host() {
    if !support::installed("lstopo") || !support::installed("lscpu") {
        return;
    }
    let root = Root::live().expect("this host");
    let same = others_say_the_same(Path::new("/"), root);
    assert_eq!(same, Ok(()));
}
