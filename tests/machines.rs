//! Do the captures of the lab's machines replay to the same inventory, and open in lstopo?
//!
//! They are of synthetic hardware, taken in the guest by `tests/lab` (`UPDATE_GOLDEN=1` takes them anew), with their
//! identities masked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libhw::inventory::{self, Scope};
use libhw::io::{archive, root::Root};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("machines")
}

/// The captures, by name.
fn captures() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder()).expect("the captures").flatten();
    let named = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some((name.strip_suffix(".tar.gz")?.to_owned(), entry.path()))
    });
    let mut captures: Vec<_> = named.collect();
    captures.sort_unstable();
    assert!(
        !captures.is_empty(),
        "no captures in {}",
        folder().display()
    );
    captures
}

fn inventory(root: &Root) -> Value {
    let inventory = inventory::discover(root, &Scope::default());
    serde_json::to_value(inventory).expect("JSON")
}

#[test]
fn a_lab_machine_replays_to_the_inventory_that_is_kept() {
    for (name, path) in captures() {
        let mut inventory = inventory(&archive::open(&path).expect("a capture"));
        // Names are of the list of PCI ids that this host has.
        for function in inventory["pci"]["functions"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            for name in ["class", "vendor", "device"] {
                function
                    .as_object_mut()
                    .map(|function| function.remove(name));
            }
        }
        let text = format!("{inventory:#}\n");
        support::golden(&folder().join(format!("{name}.json")), &text);
    }
}

#[test]
fn a_capture_that_is_captured_again_tells_the_same() {
    for (name, path) in captures() {
        let root = archive::open(&path).expect("a capture");
        let mut again = Vec::new();
        let options = libhw::io::capture::Options {
            unmasked: true,
            ..Default::default()
        };
        libhw::io::capture::write(root, &options, &name, &mut again).expect("a capture");
        let folder = tempfile::tempdir().expect("a directory");
        let second = folder.path().join("again.tar");
        fs::write(&second, again).expect("room for a capture");
        let root = archive::open(&path).expect("a capture");
        let again = archive::open(&second).expect("a capture");
        assert_eq!(inventory(&root), inventory(&again), "{name}");
    }
}

/// As many of each as we tell.
#[test]
fn lstopo_opens_the_capture_of_a_lab_machine() {
    if !support::installed("lstopo-no-graphics") {
        support::skipped("lstopo is not installed");
        return;
    }
    for (name, path) in captures() {
        let folder = tempfile::tempdir().expect("a directory");
        let unpacked = Command::new("tar")
            .arg("-xf")
            .arg(&path)
            .arg("-C")
            .arg(folder.path())
            .status();
        assert!(unpacked.is_ok_and(|status| status.success()), "{name}");
        let tree = fs::read_dir(folder.path())
            .expect("a tree")
            .flatten()
            .find(|entry| entry.path().join("sys").is_dir());
        let tree = tree.expect("a directory with sys/").path();
        let output = Command::new("lstopo-no-graphics")
            .arg("-i")
            .arg(&tree)
            .args(["--if", "fsroot", "--of", "xml"])
            .output();
        let output = output.expect("lstopo");
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8_lossy(&output.stdout);
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..Default::default()
        };
        let picture = roxmltree::Document::parse_with_options(&text, options).expect("XML");
        let drawn = |kind: &str| {
            picture
                .descendants()
                .filter(|node| node.has_tag_name("object") && node.attribute("type") == Some(kind))
                .count()
        };
        let told = inventory(&archive::open(&path).expect("a capture"));
        for (kind, class, table) in [
            ("PU", "cpu", "cpus"),
            ("Core", "cpu", "cores"),
            ("Package", "cpu", "packages"),
            ("NUMANode", "numa", "nodes"),
        ] {
            let rows = told[class][table].as_array().map_or(0, Vec::len);
            assert_eq!(drawn(kind), rows, "{name}: {kind}");
        }
    }
}
