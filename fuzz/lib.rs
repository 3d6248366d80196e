//! What the fuzz targets share. `ci/fuzz` builds and runs them.
//!
//! A target is a function from bytes to whether they got past the first check of what they were given to; it
//! panics on a finding. Without `--cfg fuzzing` its program replays the files that it is given, once each.

pub mod members;
pub mod mutant;
pub mod packer;
#[path = "../tests/support/synthetic.rs"]
pub mod synthetic;
pub mod unpacking;

use std::sync::atomic::{AtomicU64, Ordering};

use libhw::inventory::{Class, Inventory, Scope};
use libhw::io::root::Root;

/// Makes the program of a fuzz target from a `fn(&[u8]) -> bool`.
#[macro_export]
macro_rules! target {
    ($target:expr) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::count($target(bytes)));

        #[cfg(not(fuzzing))]
        fn main() {
            for path in std::env::args().skip(1) {
                let bytes = std::fs::read(&path).expect("a file that can be read");
                println!(
                    "{path}: {}",
                    if $target(&bytes) {
                        "past the first check"
                    } else {
                        "refused"
                    }
                );
            }
        }
    };
}

/// Counts an input, and says from time to time how many got past the first check.
pub fn count(past: bool) {
    static ALL: AtomicU64 = AtomicU64::new(0);
    static PAST: AtomicU64 = AtomicU64::new(0);
    let past = PAST.fetch_add(past.into(), Ordering::Relaxed) + u64::from(past);
    let all = ALL.fetch_add(1, Ordering::Relaxed) + 1;
    if all.is_power_of_two() || all.is_multiple_of(1 << 16) {
        eprintln!(
            "past the first check: {past} of {all}, {} %",
            past * 100 / all
        );
    }
}

/// Looks at a tree as closely as can be, twice, and demands of the inventory what holds for any machine.
///
/// # Panics
/// When it does not hold.
#[must_use]
pub fn discovered(root: &Root, classes: &[Class]) -> Inventory {
    let scope = Scope {
        classes: classes.to_vec(),
        deep: true,
        virtual_functions: true,
    };
    let before = libhw::inventory::discover(root, &scope);
    let mut inventory = before.clone();
    inventory.refresh(root);
    let changes = libhw::diff::diff(&before, &inventory, false);
    assert!(
        changes.is_empty(),
        "a refresh changed more than `now`: {changes:?}"
    );
    holds(&inventory);
    inventory
}

/// What holds for every inventory, also one that came from a file.
///
/// # Panics
/// When it does not.
pub fn holds(inventory: &Inventory) {
    use libhw::{diff, join};
    let json = serde_json::to_string(inventory).expect("an inventory is JSON");
    let again: Inventory = serde_json::from_str(&json).expect("our JSON is an inventory");
    assert_eq!(*inventory, again);
    assert!(diff::diff(inventory, &again, true).is_empty());
    let everything = diff::diff(&Inventory::default(), inventory, true);
    let _ = serde_json::to_string(&everything).expect("changes are JSON");
    for cpu in inventory.cpu.iter().flat_map(|class| &class.cpus).take(8) {
        for cache in join::caches_of_cpu(inventory, cpu.id) {
            let _ = join::cores_of_cache(inventory, cache);
        }
        let _ = join::functions_near_cpu(inventory, cpu.id);
    }
    for function in inventory
        .pci
        .iter()
        .flat_map(|class| &class.functions)
        .take(8)
    {
        let near = join::cpus_near_function(inventory, function);
        let _ = join::nodes_of_cpus(inventory, &near);
        let chosen = join::cpus_for_function(inventory, function, 2, false);
        assert!(chosen.is_none_or(|cpus| cpus.len() == 2 && cpus.is_subset(&near)));
    }
}
