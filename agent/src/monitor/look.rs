//! What a monitor is, what it is given to look at, and what the table says of it.

use std::time::Duration;

use libhw::inventory::{Class, Inventory};
use libhw::io::root::Root;
use libhw::survey::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::alarm::observation::Report;
use crate::alarm::time::Stamp;
use crate::monitor::remembered::Remembered;

/// What a monitor looks at: facts that were read before, so that a look itself waits for nothing.
pub(crate) struct Look<'a> {
    /// With the classes of the monitor's row read as its [`Reading`] says.
    pub(crate) inventory: &'a Inventory,
    /// What could not be had when they were read.
    pub(crate) problems: &'a [Problem],
    /// The host, or the tree that stands for it, for the little that no class tells.
    #[expect(dead_code, reason = "monitors of what no class tells read it")]
    pub(crate) root: &'a Root,
    /// When they were read.
    pub(crate) now: Stamp,
    /// The host's name, as the first pair of every entity has it.
    pub(crate) host: &'a str,
    /// The boot in which they were read.
    pub(crate) boot: Uuid,
    /// What a person accepted as this machine, if anybody did.
    pub(crate) baseline: Option<&'a Inventory>,
}

impl Look<'_> {
    /// Why what stands at `path` could not be had, if so.
    pub(crate) fn problem(&self, class: Class, path: &str) -> Option<&Problem> {
        let mut problems = self.problems.iter();
        let at = |problem: &&Problem| problem.path.trim_start_matches('/') == path;
        problems.find(|problem| problem.class == class.name() && at(problem))
    }

    /// Whether each of these directories of a class could be listed, so that what is not there is truly gone.
    pub(crate) fn lists(&self, class: Class, directories: &[&str]) -> bool {
        let mut directories = directories.iter();
        directories.all(|path| self.problem(class, path).is_none())
    }
}

/// Watches one sort of thing. It holds no alarm and judges nothing that a catalogue or the thing's own limits judge.
pub(crate) trait Monitor: Send {
    /// What is seen now: every key that there is, the sound ones too, and whether that was all.
    fn look(&mut self, look: &Look<'_>) -> Vec<Report>;

    /// What has to outlive the agent, if anything.
    fn remembered(&self) -> Option<&Remembered> {
        None
    }
}

/// How the classes of a row are to be read before a look. In a tree that is not this host no event comes, so there they are
/// always read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Refreshing what changes without an event is enough; the rest follows events.
    Refresh,
    /// Read anew, since something that matters is told by no event.
    Anew,
    /// Read anew with what reaches a device, which may take long.
    Deep,
}

/// What a look costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cost {
    /// Memory alone is read.
    Low,
    /// Hundreds of files, or registers of chips.
    Medium,
    /// Commands to devices.
    High,
}

/// A row of the table of monitors.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What it watches, in a sentence.
    pub(crate) watches: &'static str,
    /// Every alarm that it can tell of.
    pub(crate) alarms: &'static [&'static str],
    /// How often it looks.
    pub(crate) interval: Duration,
    /// A look that takes longer is given up.
    pub(crate) deadline: Duration,
    pub(crate) cost: Cost,
    /// The classes that it needs; an event that concerns one of them wakes it.
    pub(crate) classes: &'static [Class],
    pub(crate) reading: Reading,
    /// Whether what is read may hold its reader for ever: then it belongs into the process that may hang.
    pub(crate) blocks: bool,
    /// Whether there is anything to watch here, or why not.
    pub(crate) available: fn(&Look<'_>) -> Result<(), &'static str>,
    /// Makes one, with what the configuration says and what the one before remembered.
    pub(crate) make: fn(Settings, Remembered) -> Result<Box<dyn Monitor>, toml::de::Error>,
}

/// What the configuration says of a monitor: the rest of its table `[monitor.NAME]`.
pub(crate) type Settings = toml::Table;

/// Reads a monitor's own settings. A key that it does not know is an error that names it.
pub(crate) fn settings<T: DeserializeOwned>(table: Settings) -> Result<T, toml::de::Error> {
    toml::Value::Table(table).try_into()
}

/// Settings of a monitor that has no others.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Only {
    pub(crate) ignore: Ignored,
}

/// Things that are not to be watched, by their id; a `*` at the end stands for any rest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ignored(Vec<String>);

impl Ignored {
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0
            .iter()
            .any(|ignored| match ignored.strip_suffix('*') {
                Some(start) => id.starts_with(start),
                None => id == ignored,
            })
    }
}

/// Says why not, where there is nothing.
pub(crate) const fn has(is: bool, why_not: &'static str) -> Result<(), &'static str> {
    if is { Ok(()) } else { Err(why_not) }
}

/// What is said of a class that was not read.
pub(crate) const NOT_READ: &str = "its class is not read: see classes in [inventory]";

/// Seconds, for a table of constants.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_setting_is_refused_by_name_and_a_star_ends_a_pattern() {
        let table = |text: &str| toml::from_str::<Settings>(text).unwrap();
        let only: Only = settings(table("ignore = [\"eth0\", \"veth*\"]")).unwrap();
        for (id, expected) in [
            ("eth0", true),
            ("eth01", false),
            ("veth12", true),
            ("vet", false),
        ] {
            assert_eq!(only.ignore.has(id), expected, "{id}");
        }
        let error = settings::<Only>(table("ignored = []"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("ignored"), "{error}");
    }
}
