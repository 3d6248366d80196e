//! The agent's configuration: TOML, every key optional, parsed once into what the agent works with.
//!
//! ```toml
//! [agent]
//! state_dir = "/var/lib/gnomon"
//! socket = "/run/gnomon/agent.sock"
//! listen = "127.0.0.1:9464"       # loopback only: /metrics, /healthz, /readyz and the page
//! log = "info"                    # error, warning, info, debug
//! changes_max_bytes = 67108864    # then changes.jsonl becomes changes.jsonl.1, and the one before goes
//!
//! [inventory]
//! interval = "0"                  # read everything again so often ("90s", "5m", "1h"); 0 is never
//! classes = ["system", "cpu", "numa", "hugepages", "pci"]
//! deep = false                    # also read what reaches a device or wakes it
//! virtual_functions = false       # list SR-IOV virtual functions one by one
//!
//! [sink.NAME]                     # where alarms will be told: see `sink`; checked, and not used yet
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libhw::inventory::{Class, Scope};
use serde::Deserialize;
use toml::Spanned;

use crate::log::Level;

pub(crate) mod places;
pub(crate) mod secret;
pub(crate) mod sink;

use sink::SinkConfig;

/// Where the configuration is when no other place is said; it need not exist.
pub(crate) const DEFAULT: &str = "/etc/gnomon/gnomon.toml";

/// Larger is no configuration.
const SIZE_MAX: u64 = 1 << 20;

/// The least that the file of changes may be bounded to: a change of a large server fits.
const CHANGES_MIN_BYTES: u64 = 1 << 20;

/// What the agent works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) log: Level,
    pub(crate) changes_max_bytes: u64,
    /// How often everything is read again; `None` is never.
    pub(crate) interval: Option<Duration>,
    pub(crate) scope: Scope,
    /// The program that asks NVIDIA's library; `None` is the one beside our own.
    pub(crate) nvml_helper: Option<PathBuf>,
    /// The sinks, by name.
    pub(crate) sinks: BTreeMap<String, SinkConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state_dir: None,
            socket: None,
            listen: None,
            log: Level::default(),
            changes_max_bytes: 64 << 20,
            interval: None,
            scope: Scope::default(),
            nvml_helper: None,
            sinks: BTreeMap::new(),
        }
    }
}

/// What is wrong with a configuration, each with its line; one line of text each.
#[derive(Debug)]
pub(crate) struct Error {
    file: PathBuf,
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Fault {
    line: Option<usize>,
    what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", self.file.display())?;
            if let Some(line) = fault.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": {}", fault.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl Config {
    /// The configuration of `file`; without one that of [`DEFAULT`], if that exists.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Error> {
        let path = file.unwrap_or(Path::new(DEFAULT));
        match read(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if file.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => Err(Error {
                file: path.to_owned(),
                faults: vec![Fault {
                    line: None,
                    what: error.to_string(),
                }],
            }),
        }
    }

    /// The configuration that `text` is; `file` is only said in errors.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, Error> {
        let mut faults = Faults {
            text,
            found: Vec::new(),
        };
        let config = match toml::from_str::<Document>(text) {
            Ok(document) => document.config(&mut faults),
            Err(error) => {
                faults.add(error.span().map(|span| span.start), error.message());
                Self::default()
            }
        };
        if faults.found.is_empty() {
            return Ok(config);
        }
        Err(Error {
            file: file.to_owned(),
            faults: faults.found,
        })
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    if file.take(SIZE_MAX + 1).read_to_string(&mut text)? as u64 > SIZE_MAX {
        let what = format!("larger than {SIZE_MAX} bytes, which no configuration is");
        return Err(io::Error::other(what));
    }
    Ok(text)
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    agent: AgentTable,
    inventory: InventoryTable,
    sink: BTreeMap<Spanned<String>, toml::Table>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AgentTable {
    state_dir: Option<Spanned<PathBuf>>,
    socket: Option<Spanned<PathBuf>>,
    listen: Option<Spanned<String>>,
    log: Option<Level>,
    changes_max_bytes: Option<Spanned<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct InventoryTable {
    interval: Option<Spanned<Interval>>,
    classes: Option<Spanned<Vec<Spanned<String>>>>,
    deep: bool,
    virtual_functions: bool,
    nvml_helper: Option<Spanned<PathBuf>>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected 0 or a time such as \"90s\", \"5m\" or \"1h\""
)]
enum Interval {
    Seconds(u64),
    Text(String),
}

impl Document {
    fn config(self, faults: &mut Faults<'_>) -> Config {
        let (agent, inventory) = (self.agent, self.inventory);
        let default = Config::default();
        let classes = inventory.classes.map(|given| classes(given, faults));
        let mut sinks = BTreeMap::new();
        for (name, table) in self.sink {
            let parse = |name: String| Ok((name.clone(), SinkConfig::parse(&name, table.clone())?));
            sinks.extend(faults.value(Some(name), parse));
        }
        Config {
            state_dir: faults.value(agent.state_dir, absolute),
            socket: faults.value(agent.socket, socket),
            listen: faults.value(agent.listen, |text| listen(&text)),
            log: agent.log.unwrap_or_default(),
            changes_max_bytes: faults
                .value(agent.changes_max_bytes, changes_max_bytes)
                .unwrap_or(default.changes_max_bytes),
            interval: faults.value(inventory.interval, interval).flatten(),
            scope: Scope {
                classes: classes.unwrap_or(default.scope.classes),
                deep: inventory.deep,
                virtual_functions: inventory.virtual_functions,
            },
            nvml_helper: faults.value(inventory.nvml_helper, absolute),
            sinks,
        }
    }
}

/// What was found wrong so far.
struct Faults<'a> {
    text: &'a str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, at: Option<usize>, what: &str) {
        let before = at.and_then(|at| self.text.as_bytes().get(..at));
        self.found.push(Fault {
            line: before.map(|text| text.iter().filter(|byte| **byte == b'\n').count() + 1),
            what: what.lines().collect::<Vec<_>>().join(", "),
        });
    }

    fn value<T, U>(
        &mut self,
        given: Option<Spanned<T>>,
        parse: impl Fn(T) -> Result<U, String>,
    ) -> Option<U> {
        let given = given?;
        let at = given.span().start;
        match parse(given.into_inner()) {
            Ok(value) => Some(value),
            Err(what) => {
                self.add(Some(at), &what);
                None
            }
        }
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf, String> {
    if path.is_absolute() {
        return Ok(path);
    }
    Err(format!("expected an absolute path, found {path:?}"))
}

fn socket(path: PathBuf) -> Result<PathBuf, String> {
    // sun_path of unix(7) has 108 bytes, the last for the NUL.
    if path.as_os_str().len() > 107 {
        return Err("a socket's path has at most 107 bytes".to_owned());
    }
    absolute(path)
}

/// An address that only this host reaches. Whoever reaches it may look, so it is no other.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| {
        format!("expected a loopback address and port such as 127.0.0.1:9464, found {text:?}")
    })?;
    loopback(address)
}

/// As [`listen`], of an address that is parsed already.
pub(crate) fn loopback(address: SocketAddr) -> Result<SocketAddr, String> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "{address} can be reached from other hosts, and this port asks nobody who they are: listen on 127.0.0.1 or [::1]"
    ))
}

fn changes_max_bytes(bytes: u64) -> Result<u64, String> {
    if bytes >= CHANGES_MIN_BYTES {
        return Ok(bytes);
    }
    Err(format!(
        "expected {CHANGES_MIN_BYTES} bytes or more, found {bytes}"
    ))
}

fn interval(given: Interval) -> Result<Option<Duration>, String> {
    let text = match given {
        Interval::Seconds(0) => return Ok(None),
        Interval::Seconds(number) => number.to_string(),
        Interval::Text(text) => text,
    };
    if text == "0" {
        return Ok(None);
    }
    let bad = || format!("expected 0 or a time such as \"90s\", \"5m\" or \"1h\", found {text:?}");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(bad()),
    };
    let number: u64 = number.parse().map_err(|_| bad())?;
    match number.checked_mul(seconds) {
        Some(0) => Ok(None),
        Some(seconds) if seconds <= 366 * 86_400 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(bad()),
    }
}

fn classes(given: Spanned<Vec<Spanned<String>>>, faults: &mut Faults<'_>) -> Vec<Class> {
    let at = given.span().start;
    let mut classes = Vec::new();
    for name in given.into_inner() {
        classes.extend(faults.value(Some(name), |name| name.parse::<Class>()));
    }
    if classes.is_empty() && faults.found.is_empty() {
        faults.add(
            Some(at),
            "no class is named: leave the key out for all of them",
        );
    }
    classes.sort_unstable();
    classes.dedup();
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("g.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_at_all_is_a_configuration() {
        assert_eq!(parse("").unwrap(), Config::default());
        assert_eq!(parse("[agent]\n[inventory]\n").unwrap(), Config::default());
    }

    #[test]
    fn every_key_is_taken() {
        let config = parse(
            "[agent]\nstate_dir = '/s'\nsocket = '/r/a.sock'\nlisten = '[::1]:9464'\nlog = 'debug'\n\
             changes_max_bytes = 2_000_000\n[inventory]\ninterval = '5m'\nclasses = ['pci', 'cpu', 'pci']\n\
             deep = true\nvirtual_functions = true\nnvml_helper = '/n'\n",
        )
        .unwrap();
        assert_eq!(config.state_dir.as_deref(), Some(Path::new("/s")));
        assert_eq!(config.socket.as_deref(), Some(Path::new("/r/a.sock")));
        assert_eq!(config.listen, Some("[::1]:9464".parse().unwrap()));
        assert_eq!(config.log, Level::Debug);
        assert_eq!(config.changes_max_bytes, 2_000_000);
        assert_eq!(config.interval, Some(Duration::from_secs(300)));
        assert_eq!(config.scope.classes, [Class::Cpu, Class::Pci]);
        assert!(config.scope.deep && config.scope.virtual_functions);
        assert_eq!(config.nvml_helper.as_deref(), Some(Path::new("/n")));
    }

    #[test]
    fn an_error_names_its_file_and_line_and_what_was_expected() {
        for (text, line, says) in [
            ("[agent]\n\nstate = 1\n", 3, "unknown field `state`"),
            ("[agents]\n", 1, "unknown field `agents`"),
            ("[agent]\nlisten = 'localhost:1'\n", 2, "loopback address"),
            ("[agent]\nlisten = '0.0.0.0:9464'\n", 2, "other hosts"),
            (
                "[agent]\nlisten = '[::ffff:10.0.0.1]:1'\n",
                2,
                "other hosts",
            ),
            ("\n[agent]\nsocket = 'a.sock'\n", 3, "absolute path"),
            ("[inventory]\nnvml_helper = 'n'\n", 2, "absolute path"),
            ("[agent]\nlog = 'loud'\n", 2, "unknown variant `loud`"),
            (
                "[agent]\nchanges_max_bytes = 10\n",
                2,
                "1048576 bytes or more",
            ),
            ("[agent]\nchanges_max_bytes = -1\n", 2, "u64"),
            ("[inventory]\ninterval = 60\n", 2, "such as"),
            ("[inventory]\ninterval = '1 fortnight'\n", 2, "such as"),
            (
                "[inventory]\ninterval = '99999999999999999h'\n",
                2,
                "such as",
            ),
            ("[inventory]\nclasses = []\n", 2, "no class is named"),
            (
                "[inventory]\nclasses = [\n'cpu',\n'gpus']\n",
                4,
                "no device class \"gpus\"",
            ),
            ("[agent\n", 1, "unclosed table"),
            ("\n[sink.a]\ntype = 'fax'\n", 2, "sink.a: type: expected"),
            (
                "[sink.a]\ntype = 'file'\npath = '/a'\nb = 1\n",
                1,
                "unknown field `b`",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.starts_with(&format!("g.toml:{line}: ")),
                "{text:?}: {error}"
            );
            assert!(error.contains(says), "{text:?}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn all_bad_values_are_told_at_once() {
        let error = parse("[agent]\nsocket = 'a'\nstate_dir = 'b'\n[inventory]\ninterval = 'c'\n");
        assert_eq!(error.unwrap_err().lines().count(), 3);
    }

    #[test]
    fn a_file_that_was_named_must_exist_and_the_default_one_need_not() {
        let error = Config::load(Some(Path::new("/nonexistent/g.toml"))).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/nonexistent/g.toml: No such file")
        );
    }
}
