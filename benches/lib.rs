//! The fixed inputs of the benches: machines that are made up, and captured ones where there are some.

#[path = "../tests/support/synthetic.rs"]
pub mod synthetic;
#[path = "../tests/support/ttar.rs"]
pub mod ttar;

use std::path::{Path, PathBuf};

use libhw::io::archive;
use libhw::io::root::Root;
use synthetic::Shape;
use tempfile::TempDir;

/// The captured machines of the speed targets: 96 CPUs on 8 nodes, 128 Arm CPUs, and one put together of many devices.
const CAPTURED: [(&str, &str); 3] = [
    ("epyc-96", "topology/lscpu-x86_64-epyc_7451.tar.gz"),
    ("arm-128", "topology/hwloc-128arm-2pa2n8cluster4co.tar.bz2"),
    ("composite", "composite/prometheus-procfs.ttar"),
];

/// The made-up ones: a small server and a large one.
const MADE_UP: [(&str, Shape); 2] = [
    (
        "made-up-16",
        Shape {
            packages: 2,
            dies: 1,
            cores: 4,
            threads: 2,
            functions: 4,
        },
    ),
    (
        "made-up-256",
        Shape {
            packages: 2,
            dies: 8,
            cores: 8,
            threads: 2,
            functions: 16,
        },
    ),
];

/// A machine to look at.
#[derive(Debug)]
pub struct Machine {
    /// What the bench calls it.
    pub name: &'static str,
    /// Its tree.
    pub root: Root,
    /// Where its tree is written; gone with the machine.
    _directory: Option<TempDir>,
}

/// Every machine that is there.
///
/// # Panics
/// When a made-up one cannot be written, or a captured one cannot be read.
#[must_use]
pub fn machines() -> Vec<Machine> {
    let mut machines: Vec<Machine> = MADE_UP.map(|(name, shape)| made_up(name, shape)).into();
    for (name, file) in CAPTURED {
        let path = captured().join(file);
        if path.extension().is_some_and(|kind| kind == "ttar") && path.exists() {
            let directory = ttar::ttar(&path);
            machines.push(Machine {
                name,
                root: Root::captured(directory.path()).expect("a captured machine"),
                _directory: Some(directory),
            });
        } else if path.exists() {
            machines.push(Machine {
                name,
                root: archive::open(&path).expect("a captured machine"),
                _directory: None,
            });
        } else {
            println!("SKIPPED: {name}: no {}", path.display());
        }
    }
    machines
}

fn made_up(name: &'static str, shape: Shape) -> Machine {
    let directory = tempfile::tempdir().expect("a directory");
    synthetic::write(&synthetic::tree(shape), directory.path()).expect("room for a tree");
    let root = Root::captured(directory.path()).expect("the tree just written");
    Machine {
        name,
        root,
        _directory: Some(directory),
    }
}

fn captured() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/machines");
    std::env::var_os("GNOMON_MACHINES").map_or(beside, PathBuf::from)
}
