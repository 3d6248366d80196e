//! Whole trees of captures that hold one DRM card alone, rooted at its node, as LACT takes them.
//!
//! ```text
//! card1/device/...            ->  sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0/...
//! card1/device/hwmon/hwmon4   <-  sys/class/hwmon/hwmon4
//! kfd/...                     ->  sys/devices/virtual/kfd/kfd/...
//! ```
//!
//! What a capture left out of a PCI function's identity is taken from its `uevent`. The bridge above the card is made
//! up: a capture does not tell of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A card's tree, and what LACT's daemon says of it.
#[derive(Debug)]
pub struct Card {
    /// The archive's name without its ending.
    pub name: String,
    /// The address of the card's function.
    pub address: String,
    /// The directory that holds its sys/.
    pub tree: TempDir,
    /// LACT's answer.
    pub answer: Value,
}

/// All of them, by name; `None`, and a line that says so, where there are no machines.
///
/// # Panics
/// When an archive is no capture of a card.
#[must_use]
pub fn cards() -> Option<Vec<Card>> {
    let Some(machines) = super::machines() else {
        super::skipped("no machines: set GNOMON_MACHINES to a directory with gpu/lact-*.tar.gz");
        return None;
    };
    let archives = super::entries(&machines.join("gpu"));
    let archives = archives
        .iter()
        .filter(|path| super::file_name(path).ends_with(".tar.gz"));
    let cards: Vec<Card> = archives.map(|archive| card(archive)).collect();
    assert!(
        !cards.is_empty(),
        "no gpu/lact-*.tar.gz in {}",
        machines.display()
    );
    Some(cards)
}

fn card(archive: &Path) -> Card {
    let name = super::file_name(archive)
        .trim_end_matches(".tar.gz")
        .to_owned();
    let packed = tempfile::tempdir().expect("a directory to unpack into");
    super::run(
        Command::new("tar")
            .arg("-xf")
            .arg(archive)
            .arg("-C")
            .arg(packed.path()),
    );
    let expected = archive.with_file_name(format!("{name}.expected.txt"));
    let expected = fs::read_to_string(&expected).expect("an answer beside the archive");
    // A header between two lines of dashes, then JSON.
    let json = expected.splitn(3, "---\n").last().unwrap_or_default();
    let tree = tempfile::tempdir().expect("a directory for a tree");
    Card {
        address: remap(packed.path(), tree.path()),
        answer: serde_json::from_str(json).expect("LACT's answer"),
        name,
        tree,
    }
}

/// Makes a whole tree of a card's, and returns the card's address.
fn remap(packed: &Path, tree: &Path) -> String {
    let is_card = |path: &&std::path::PathBuf| super::file_name(path).starts_with("card");
    let entries = super::entries(packed);
    let card = entries.iter().find(is_card).expect("a card");
    let node = super::file_name(card);
    let uevent = fs::read_to_string(card.join("device/uevent")).expect("a uevent");
    let facts = |key: &str| {
        uevent
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    };
    let address = facts("PCI_SLOT_NAME").expect("an address").to_owned();
    let domain = address.split(':').next().unwrap_or("0000");
    let above = format!("devices/pci{domain}:00/{domain}:00:01.0");
    let device = format!("{above}/{address}");
    let sys = tree.join("sys");

    copy(&card.join("device"), &sys.join(&device));
    for (name, value) in identity(&facts) {
        let file = sys.join(&device).join(name);
        if !file.exists() {
            fs::write(file, format!("{value}\n")).expect("an attribute");
        }
    }
    let drm = sys.join(&device).join("drm").join(&node);
    fs::create_dir_all(&drm).expect("a node");
    // i915 has its attributes beside the link to the device.
    for entry in super::entries(card)
        .iter()
        .filter(|entry| super::file_name(entry) != "device")
    {
        let to = drm.join(super::file_name(entry));
        if entry.is_dir() {
            copy(entry, &to);
        } else {
            fs::copy(entry, to).expect("a file");
        }
    }
    link(&drm.join("device"), &format!("../../../{address}"));
    link(
        &sys.join("class/drm").join(&node),
        &format!("../../{device}/drm/{node}"),
    );
    link(
        &sys.join("bus/pci/devices").join(&address),
        &format!("../../../{device}"),
    );
    if let Some(driver) = facts("DRIVER") {
        let place = sys.join(&device).join("driver");
        link(&place, &format!("../../../../bus/pci/drivers/{driver}"));
    }
    for hwmon in super::entries(&card.join("device/hwmon")) {
        let name = super::file_name(&hwmon);
        link(
            &sys.join("class/hwmon").join(&name),
            &format!("../../{device}/hwmon/{name}"),
        );
    }
    if packed.join("kfd").is_dir() {
        copy(&packed.join("kfd"), &sys.join("devices/virtual/kfd/kfd"));
        link(&sys.join("class/kfd/kfd"), "../../devices/virtual/kfd/kfd");
    }
    address
}

/// The attributes that every PCI function has and `uevent` repeats.
fn identity<'a>(facts: &impl Fn(&str) -> Option<&'a str>) -> Vec<(&'static str, String)> {
    let pair = |key: &str| {
        let (vendor, device) = facts(key)?.split_once(':')?;
        Some((
            format!("0x{}", vendor.to_lowercase()),
            format!("0x{}", device.to_lowercase()),
        ))
    };
    let mut attributes = Vec::new();
    if let Some(class) = facts("PCI_CLASS") {
        attributes.push(("class", format!("0x{class:0>6}").to_lowercase()));
    }
    if let Some((vendor, device)) = pair("PCI_ID") {
        attributes.extend([("vendor", vendor), ("device", device)]);
    }
    if let Some((vendor, device)) = pair("PCI_SUBSYS_ID") {
        attributes.extend([("subsystem_vendor", vendor), ("subsystem_device", device)]);
    }
    attributes
}

fn link(place: &Path, target: &str) {
    fs::create_dir_all(place.parent().unwrap_or(place)).expect("a directory");
    symlink(target, place).expect("a link");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in super::entries(from) {
        let to = to.join(super::file_name(&entry));
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            fs::write(&to, fs::read(&entry).expect("a file")).expect("a file");
        }
    }
}
