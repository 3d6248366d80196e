//! A machine in a directory, a monitor that looks at it, and what it says: for tests, which change files between looks.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use libhw::inventory::{Inventory, Scope, discover};
use libhw::io::root::Root;
use tempfile::TempDir;
use uuid::Uuid;

use crate::alarm::catalogue::Catalogue;
use crate::alarm::observation::{Observation, Report, Seen};
use crate::alarm::time::{Quality, Stamp};
use crate::monitor::look::{Look, Monitor, Reading, Row, Settings};
use crate::monitor::remembered::Remembered;

/// A machine and the monitor of a row.
pub(crate) struct Scene {
    directory: TempDir,
    pub(crate) baseline: Option<Inventory>,
    row: &'static Row,
    monitor: Box<dyn Monitor>,
    boot: u128,
    looks: u64,
}

/// What was said of a key: `hw.nic.link-down`, `nic=eth0`, and in words what was seen.
pub(crate) type Said = (String, String, String);

impl Scene {
    /// A machine of files, each with its text.
    pub(crate) fn new(row: &'static Row, files: &[(&str, &str)]) -> Self {
        let scene = Self::of(row, tempfile::tempdir().unwrap());
        for (path, text) in files {
            scene.write(path, text);
        }
        scene
    }

    /// A machine that `tests/classes/trees` has as a text.
    pub(crate) fn ttar(row: &'static Row, name: &str) -> Self {
        let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/classes/trees");
        Self::of(
            row,
            support::ttar::ttar(&trees.join(format!("{name}.ttar"))),
        )
    }

    fn of(row: &'static Row, directory: TempDir) -> Self {
        let monitor = (row.make)(Settings::new(), Remembered::default()).unwrap();
        Self {
            directory,
            baseline: None,
            row,
            monitor,
            boot: 1,
            looks: 0,
        }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let place = self.place(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }

    /// Replaces a text that stands in a file.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.place(path)).unwrap();
        assert!(text.contains(from), "{path}: no {from:?} in {text}");
        std::fs::write(self.place(path), text.replace(from, to)).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        let place = self.place(path);
        if place.is_dir() && !place.is_symlink() {
            std::fs::remove_dir_all(place).unwrap();
        } else {
            std::fs::remove_file(place).unwrap();
        }
    }

    fn place(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// The machine as libhw reads it for the row.
    pub(crate) fn inventory(&self) -> Inventory {
        let scope = Scope {
            classes: self.row.classes.to_vec(),
            deep: self.row.reading == Reading::Deep,
            virtual_functions: false,
        };
        discover(&Root::captured(self.directory.path()).unwrap(), &scope)
    }

    /// The agent is started again; what was remembered goes through its JSON.
    pub(crate) fn restart(&mut self) {
        let json =
            serde_json::to_string(&self.monitor.remembered().cloned().unwrap_or_default()).unwrap();
        self.monitor =
            (self.row.make)(Settings::new(), serde_json::from_str(&json).unwrap()).unwrap();
    }

    /// The machine is.
    pub(crate) fn reboot(&mut self) {
        self.boot += 1;
        self.restart();
    }

    /// The same monitor with other settings, and nothing remembered.
    pub(crate) fn set(&mut self, settings: &str) {
        self.monitor =
            (self.row.make)(toml::from_str(settings).unwrap(), Remembered::default()).unwrap();
    }

    /// Reads the machine and looks at it.
    pub(crate) fn look(&mut self) -> Vec<Report> {
        self.look_at(&self.inventory())
    }

    /// Looks at a machine that the test made up.
    pub(crate) fn look_at(&mut self, inventory: &Inventory) -> Vec<Report> {
        self.looks += 1;
        let root = Root::captured(self.directory.path()).unwrap();
        let look = Look {
            inventory,
            problems: &inventory.problems,
            root: &root,
            now: Stamp {
                realtime: "2026-03-01T12:00:00Z".parse().unwrap(),
                boottime: Duration::from_secs(self.looks),
                quality: Quality::Unknown,
            },
            host: "n1",
            boot: Uuid::from_u128(self.boot),
            baseline: self.baseline.as_ref(),
        };
        let reports = self.monitor.look(&look);
        check(self.row, &reports);
        reports
    }

    /// All that is said after the next look.
    pub(crate) fn said(&mut self) -> Vec<Said> {
        said(&self.look())
    }

    /// What is wrong after the next look.
    pub(crate) fn wrong(&mut self) -> Vec<Said> {
        wrong(&self.look())
    }
}

/// What every look has to keep to: one observation for each key, of the alarms of its row, and the end at the end.
pub(crate) fn check(row: &Row, reports: &[Report]) {
    let mut keys = std::collections::BTreeSet::new();
    for (at, report) in reports.iter().enumerate() {
        match report {
            Report::Observed(one) => {
                assert!(
                    row.alarms.contains(&one.key.alarm.as_str()),
                    "{}: {} is not in its row",
                    row.name,
                    one.key
                );
                assert!(
                    keys.insert(one.key.clone()),
                    "{}: {} is told twice",
                    row.name,
                    one.key
                );
                assert_eq!(one.monitor.as_str(), row.name);
                assert!(!one.text.as_str().is_empty(), "{}", one.key);
                fits(one);
            }
            Report::Complete(round) => {
                assert_eq!((round.monitor.as_str(), at), (row.name, reports.len() - 1));
            }
            Report::Failed(failure) => assert_eq!(failure.monitor.as_str(), row.name),
        }
    }
}

/// The catalogue knows the alarm, and its entity is of the kinds that stand there, or a part of such a one.
fn fits(one: &Observation) {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    let catalogue = CATALOGUE.get_or_init(|| Catalogue::embedded().unwrap());
    let definition = catalogue.find(&one.key.alarm);
    let definition = definition.unwrap_or_else(|| panic!("{} is not in the catalogue", one.key));
    let kinds: Vec<&str> = one
        .key
        .entity
        .pairs()
        .iter()
        .map(|pair| pair.kind.as_ref())
        .collect();
    let expected: Vec<&str> = definition.entity.as_str().split('.').collect();
    assert!(
        kinds.starts_with(&expected),
        "{}: expected {expected:?}",
        one.key
    );
}

/// Reports in words; the last is whether they are all.
pub(crate) fn said(reports: &[Report]) -> Vec<Said> {
    reports.iter().filter_map(words).collect()
}

/// What of them is wrong, by their own limits where they have some.
pub(crate) fn wrong(reports: &[Report]) -> Vec<Said> {
    let sound = |word: &str| {
        word == "sound" || word == "+0" || word.ends_with(" well") || word.starts_with("unknown")
    };
    let wrong = said(reports)
        .into_iter()
        .filter(|(alarm, _, word)| alarm != "complete" && !sound(word));
    wrong.collect()
}

fn words(report: &Report) -> Option<Said> {
    let Report::Observed(one) = report else {
        let word = match report {
            Report::Failed(failure) => ("failed", failure.reason.to_string()),
            _ => ("complete", String::new()),
        };
        return Some((word.0.to_owned(), word.1, String::new()));
    };
    let word = match &one.seen {
        Seen::Fault(None) => "fault".to_owned(),
        Seen::Fault(Some(severity)) => format!("fault {severity}"),
        Seen::Absent => "sound".to_owned(),
        Seen::Increase(by) => format!("+{by}"),
        Seen::Unknown(_) => "unknown".to_owned(),
        Seen::Value { value, bands: None } => format!("{value} well"),
        Seen::Value {
            value,
            bands: Some(bands),
        } => match bands.judge(*value, None) {
            Some(severity) => format!("{value} {severity}"),
            None => format!("{value} well"),
        },
    };
    let entity = one.key.entity.to_string();
    let entity = entity
        .strip_prefix("host=n1")
        .unwrap_or(&entity)
        .trim_start_matches('.')
        .to_owned();
    Some((one.key.alarm.to_string(), entity, word))
}

/// A row of what is said, as a test writes it.
pub(crate) fn row(alarm: &str, entity: &str, word: &str) -> Said {
    (alarm.to_owned(), entity.to_owned(), word.to_owned())
}
