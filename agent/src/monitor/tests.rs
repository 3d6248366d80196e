use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libhw::inventory::{Class, Inventory, Scope, discover};
use libhw::io::root::Root;
use uuid::Uuid;

use crate::alarm::observation::Report;
use crate::alarm::time::{Quality, Stamp};

use super::MONITORS;
use super::look::{Cost, Look, Reading, Settings};
use super::remembered::Remembered;
use super::scene::{check, wrong};

#[test]
fn every_row_has_a_name_of_its_own_and_times_that_make_sense() {
    let names: BTreeSet<&str> = MONITORS.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), MONITORS.len());
    for row in MONITORS {
        assert!(row.deadline <= row.interval, "{}", row.name);
        // What reaches a device may hang, and costs.
        let deep = row.reading == Reading::Deep;
        assert_eq!(
            (row.blocks, row.cost > Cost::Low || !deep),
            (deep, true),
            "{}",
            row.name
        );
        assert!(
            !row.classes.is_empty() && !row.alarms.is_empty() && !row.watches.ends_with('.'),
            "{}",
            row.name
        );
        assert!(
            (row.make)(toml::from_str("typo = 1").unwrap(), Remembered::default()).is_err(),
            "{}",
            row.name
        );
    }
}

/// What a monitor says of a machine that is seen for the first time, and then once more.
fn looks(inventory: &Inventory, directory: &Path) -> Vec<String> {
    let root = Root::captured(directory).unwrap();
    let mut told = Vec::new();
    for row in MONITORS {
        let mut monitor = (row.make)(Settings::new(), Remembered::default()).unwrap();
        let look = |at: u64, baseline| Look {
            inventory,
            problems: &inventory.problems,
            root: &root,
            now: Stamp {
                realtime: "2026-03-01T12:00:00Z".parse().unwrap(),
                boottime: Duration::from_secs(at),
                quality: Quality::Unknown,
            },
            host: "n1",
            boot: Uuid::from_u128(1),
            baseline,
        };
        let available = (row.available)(&look(1, Some(inventory)));
        for at in 1..=2 {
            let reports = monitor.look(&look(at, Some(inventory)));
            check(row, &reports);
            let failed = reports
                .iter()
                .any(|report| matches!(report, Report::Failed(_)));
            assert!(!failed, "{}: {reports:?}", row.name);
            let wrong = wrong(&reports);
            assert!(
                wrong.is_empty() || available.is_ok(),
                "{}: {wrong:?}",
                row.name
            );
            told.extend(wrong.into_iter().map(|(alarm, entity, word)| {
                format!("{at} {}: {alarm} {entity}: {word}", row.name)
            }));
        }
    }
    told
}

fn read(directory: &Path) -> Inventory {
    let scope = Scope {
        classes: Class::ALL.to_vec(),
        deep: true,
        virtual_functions: true,
    };
    discover(&Root::captured(directory).unwrap(), &scope)
}

/// The captures of whole machines, and the directories where they lie.
fn captures() -> Vec<(String, PathBuf)> {
    support::trees()
        .into_iter()
        .flatten()
        .map(|tree| (tree.name.clone(), tree.directory.clone()))
        .collect()
}

/// What is told of machines that are not sound: a line for each look and key.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/monitor/tests/{name}.txt"))
}

#[test]
fn healthy_machines_are_told_nothing_of_but_what_their_files_show() {
    for (name, directory) in captures() {
        let told = looks(&read(&directory), &directory);
        assert_eq!(told, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn of_the_composite_machine_what_its_files_show_is_told() {
    let Some(machines) = support::machines() else {
        return support::skipped("no machines: set GNOMON_MACHINES to a directory with composite/");
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let told = looks(&read(tree.path()), tree.path());
    support::golden(&golden("composite"), &(told.join("\n") + "\n"));
}

#[test]
fn of_the_machines_that_tests_make_up_what_their_files_show_is_told() {
    let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/classes/trees");
    let mut names: Vec<_> = std::fs::read_dir(trees)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    let told: Vec<String> = names
        .iter()
        .flat_map(|path| {
            let tree = support::ttar::ttar(path);
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let told = looks(&read(tree.path()), tree.path());
            told.into_iter().map(move |line| format!("{name} {line}"))
        })
        .collect();
    support::golden(&golden("made-up"), &(told.join("\n") + "\n"));
}
