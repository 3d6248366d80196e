//! Does each device class say of captured and of made-up machines what these say of themselves?

mod bmc;
mod crypto;
mod fpga;
mod gpu;
mod limits;
mod memory;
mod nic;
mod pages;
mod power;
mod ras;
mod sensor;
mod smbios;
mod software;
mod storage;
mod tee;
mod tpm;
mod tune;
mod verified;
mod watchdog;

use std::path::{Path, PathBuf};

use libhw::inventory::{Class, Inventory, Scope, discover};
use libhw::io::root::Root;

/// What is read of a tree, all of it.
fn replayed(tree: &Path, classes: &[Class]) -> Inventory {
    let scope = Scope {
        classes: classes.to_vec(),
        deep: true,
        virtual_functions: true,
    };
    discover(&Root::captured(tree).expect("a tree"), &scope)
}

/// Replays the synthetic tree trees/NAME.ttar and compares with golden/NAME.json.
fn synthetic(name: &str, classes: &[Class]) -> Inventory {
    let tree = support::ttar::ttar(&place("trees").join(format!("{name}.ttar")));
    let inventory = replayed(tree.path(), classes);
    let text = serde_json::to_string_pretty(&inventory).expect("JSON") + "\n";
    support::golden(&place("golden").join(format!("{name}.json")), &text);
    inventory
}

/// The program, built once.
fn program() -> PathBuf {
    let built = std::process::Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "gnomon-agent",
            "--message-format=json",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(built.status.success(), "gnomon cannot be built");
    let lines = String::from_utf8(built.stdout).expect("JSON");
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    };
    lines.lines().find_map(executable).expect("the program")
}

fn place(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("classes")
        .join(folder)
}
