//! What every subcommand shares: where it looks, how it writes, how it ends, and what can go wrong.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use libhw::inventory::Inventory;
use libhw::io::{archive, root::Root};
use libhw::survey::Reason;
use serde::Serialize;
use thiserror::Error;

use crate::{host, json};

pub(crate) mod agent;
pub(crate) mod alarms;
pub(crate) mod answer;
pub(crate) mod capture;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod inventory;
pub(crate) mod man;
pub(crate) mod topology;
pub(crate) mod tune;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All was done.
    Done,
    /// It was done, and the answer is "no": `diff --exit-code` found a difference.
    Differs,
    /// The rest was done, but some values could not be read.
    Partly,
    /// Whether it was done is not known.
    Unknown,
    /// Nothing was changed, and why was said.
    Refused,
}

impl Outcome {
    /// Whether an inventory is whole. A value that this user may not read, or that a driver does not offer,
    /// leaves it whole; one that ought to have been there and could not be had does not.
    pub(crate) fn of(inventory: &Inventory) -> Self {
        let harmless = |reason: &Reason| matches!(reason, Reason::Denied | Reason::Unsupported);
        let whole = inventory
            .problems
            .iter()
            .all(|problem| harmless(&problem.reason));
        if whole { Self::Done } else { Self::Partly }
    }
}

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The arguments don't go together.
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Hardware(#[from] libhw::error::Error),
    #[error(transparent)]
    Agent(#[from] Box<crate::daemon::Error>),
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("write {}: it is there already (--force replaces it)", path.display())]
    Exists { path: PathBuf },
    #[error("answer what the agent asks")]
    Answer(#[source] io::Error),
    #[error("write standard output")]
    Stdout(#[source] io::Error),
    #[error("emit YAML")]
    Yaml(#[source] serde_saphyr::ser::Error),
    #[error("read {}: larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("read {}: a secret has at least {least} bytes", path.display())]
    ShortKey { path: PathBuf, least: usize },
    #[error("read {} as an inventory in JSON", path.display())]
    NotAnInventory {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("read {}: its schema_version is {found}, this gnomon knows {known}", path.display())]
    Schema {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    #[error(transparent)]
    Catalogue(#[from] Box<crate::alarm::catalogue::Error>),
    #[error("no alarm {id:?} (gnomon alarms list)")]
    NoAlarm { id: String },
    #[error("no PCI function {address} (gnomon inventory pci --vfs lists them)")]
    NoFunction { address: String },
}

impl Error {
    /// Whether nobody reads our output any longer, which is no failure: `| head` has seen enough.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Stdout(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Where to look.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Place {
    /// Look at a captured machine: a directory that holds sys/ or proc/, or an archive with one in it
    #[arg(long, global = true, value_name = "DIR|FILE.tar.*", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) root: Option<PathBuf>,
}

impl Place {
    /// Opens it; this host where none was named.
    pub(crate) fn open(&self) -> Result<Root, Error> {
        Ok(match &self.root {
            Some(path) => archive::open(path)?,
            None => host::root(None)?,
        })
    }
}

/// How closely to look.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Depth {
    /// Also read what reaches a device or wakes it, such as PCI config space
    #[arg(long, global = true)]
    pub(crate) deep: bool,
    /// List SR-IOV virtual functions one by one, not only as a count
    #[arg(long, global = true)]
    pub(crate) vfs: bool,
}

/// A form for programs.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Form {
    /// Write JSON
    #[arg(long, global = true, conflicts_with = "yaml")]
    pub(crate) json: bool,
    /// Write YAML
    #[arg(long, global = true)]
    pub(crate) yaml: bool,
}

impl Form {
    /// Whether it is the one for people.
    pub(crate) const fn is_table(self) -> bool {
        !self.json && !self.yaml
    }

    /// Writes `value` in the form that was asked for; `table` makes the one for people.
    pub(crate) fn write<T: Serialize>(
        self,
        value: &T,
        table: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        if self.json {
            write_json(value)
        } else if self.yaml {
            write_text(&serde_saphyr::to_string(value).map_err(Error::Yaml)?)
        } else {
            write_text(&table())
        }
    }
}

/// Writes JSON to standard output, a member on a line.
pub(crate) fn write_json(value: &impl Serialize) -> Result<(), Error> {
    let mut out = BufWriter::with_capacity(16 << 10, io::stdout().lock());
    json::write(&mut out, value)
        .map_err(io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(Error::Stdout)
}

/// Writes text to standard output.
pub(crate) fn write_text(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::Stdout)
}

/// Whether a path stands for standard output or input.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}
