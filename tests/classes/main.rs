//! Does each device class say of captured and of made-up machines what these say of themselves?

mod sensor;
mod storage;
mod verified;

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

fn place(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("classes")
        .join(folder)
}
