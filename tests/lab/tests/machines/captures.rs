//! Captures taken in the guest: what they replay to here, and those that are kept as test trees.

use std::fs;
use std::path::{Path, PathBuf};

use gnomon_lab::machine::compare;
use gnomon_lab::{Machine, Vm};
use libhw::inventory::{self, Scope};
use libhw::io::archive;
use serde_json::Value;

/// So that the pseudonyms of a machine's identities are the same each time that it is captured.
pub(crate) const KEY: (&str, &[u8]) = ("etc/mask.key", b"the lab's machines have no secrets");

/// The captures that are kept, which tests/machines.rs replays without a machine.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../machines")
}

/// Their names.
pub(crate) fn kept() -> Vec<String> {
    let entries = fs::read_dir(folder())
        .expect("the captures that are kept")
        .flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".tar.gz").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

/// Captures the guest, whose inventory is `told`: what the replay tells otherwise. `UPDATE_GOLDEN=1` keeps the masked one.
pub(crate) fn captured(vm: &mut Vm, machine: &Machine, told: &Value) -> Vec<String> {
    let mut said = Vec::new();
    let whole = replay(&capture(vm, &["--unmasked"]));
    let (mut whole, mut told) = (whole, told.clone());
    for inventory in [&mut whole, &mut told] {
        settled(inventory);
    }
    different("", &told, &whole, &mut said);
    let masked = capture(vm, &["--mask-key", "/etc/mask.key"]);
    let identities = [".serial", ".mac", ".uuid", ".asset_tag"];
    let differences = compare(&machine.expected(), &replay(&masked));
    said.extend(
        differences
            .iter()
            .filter(|difference| {
                !identities
                    .iter()
                    .any(|name| difference.fact.path.ends_with(name))
            })
            // A row that is found by its serial number is not found by it any more.
            .filter(|difference| !difference.fact.path.contains("[serial="))
            .map(|difference| format!("the masked capture: {difference}")),
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(folder()).expect("a directory");
        let path = folder().join(format!("{}.tar.gz", machine.name));
        fs::write(path, masked).expect("a capture to keep");
    }
    said
}

fn capture(vm: &mut Vm, options: &[&str]) -> Vec<u8> {
    let path = "/tmp/capture.tar.gz";
    let argv = [&["gnomon", "capture", "--force", "-o", path], options].concat();
    let output = vm.run(&argv).expect("a capture");
    assert_eq!(output.status, 0, "{output:?}");
    vm.fetch(path).expect("the capture")
}

fn replay(capture: &[u8]) -> Value {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("capture.tar.gz");
    fs::write(&path, capture).expect("room for the capture");
    let root = archive::open(&path).expect("a capture that opens");
    let inventory = inventory::discover(&root, &Scope::default());
    serde_json::to_value(&inventory).expect("JSON")
}

/// Names of PCI ids are those of the host that looks, and the guest has no list.
const NAMES: [&str; 3] = ["class", "vendor", "device"];

/// Leaves out what changes by itself, and what depends on who looks.
fn settled(inventory: &mut Value) {
    match inventory {
        Value::Object(fields) => {
            let of_pci = fields.contains_key("class_id");
            let apart = |name: &str| name == "now" || of_pci && NAMES.contains(&name);
            fields.retain(|name, _| !apart(name));
            fields.values_mut().for_each(settled);
        }
        Value::Array(rows) => rows.iter_mut().for_each(settled),
        _ => {}
    }
}

/// Says where two values differ.
fn different(path: &str, told: &Value, replayed: &Value, said: &mut Vec<String>) {
    match (told, replayed) {
        (Value::Object(told), Value::Object(replayed)) => {
            let names = told
                .keys()
                .chain(replayed.keys().filter(|name| !told.contains_key(*name)));
            for name in names {
                let of = |fields: &serde_json::Map<String, Value>| {
                    fields.get(name).cloned().unwrap_or_default()
                };
                different(&format!("{path}.{name}"), &of(told), &of(replayed), said);
            }
        }
        (Value::Array(told), Value::Array(replayed)) if told.len() == replayed.len() => {
            for (row, (told, replayed)) in told.iter().zip(replayed).enumerate() {
                different(&format!("{path}[{row}]"), told, replayed, said);
            }
        }
        _ if told != replayed => said.push(format!(
            "the capture replays {path} to {replayed}, it was {told}"
        )),
        _ => {}
    }
}
