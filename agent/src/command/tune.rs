//! `gnomon tune`: the few settings of this host that we change.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use libhw::device::pci::Address;
use libhw::idset::IdSet;
use libhw::io::root::Root;
use libhw::parse;
use libhw::tune::{self, Change, Mode, Outcome as Came};
use libhw::units::Bytes;

use crate::command::{self, Error, Outcome, Place};

pub(crate) const HELP: &str = "\
Examples:
  gnomon tune hugepages --node 0 --size 2M --count 512             the pool of a node
  gnomon tune hugepages --size 1G --count 16 --all --dry-run       would all 16 be taken? changes nothing
  gnomon tune vfs 81:00.0 8 --no-autoprobe                         virtual functions that no host driver takes
  gnomon tune governor performance --cpus 2-7                      of some CPUs; of all where none are named
  gnomon tune governor powersave --preference balance_power --json for a program

Every change is checked before, read back after, and undone when a part of it fails. While it lasts no other
gnomon changes anything. One line for an audit goes to standard error, or to the end of the file --audit: who asked, what was
there before, what is there now, and what came of it.

Exit status:
  0 taken in full (on a dry run: nothing speaks against it), 1 refused: all is as it was,
  2 wrong arguments, 3 taken in part, 4 unknown: the kernel has not answered in time, and may still be at it";

const HUGEPAGES_HELP: &str = "\
Examples:
  gnomon tune hugepages --node 0 --size 2M --count 512
  gnomon tune hugepages --size 1G --count 16 --all --dry-run";

const VFS_HELP: &str = "\
Examples:
  gnomon tune vfs 81:00.0 8 --no-autoprobe
  gnomon tune vfs 0000:81:00.0 0";

const GOVERNOR_HELP: &str = "\
Examples:
  gnomon tune governor performance --cpus 2-7
  gnomon tune governor powersave --preference balance_power";

/// The arguments of `gnomon tune`.
#[derive(Args, Clone, Debug)]
pub(crate) struct TuneArguments {
    #[command(subcommand)]
    what: What,
    /// Say what would be written, and change nothing
    #[arg(long, global = true)]
    dry_run: bool,
    /// Write JSON
    #[arg(long, global = true)]
    json: bool,
    /// Add the line for an audit to the end of this file; without the right to, nothing is changed
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    audit: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Set how many huge pages of one size a node, or the host, has
    #[command(after_help = HUGEPAGES_HELP)]
    Hugepages(HugepagesArguments),
    /// Set how many virtual functions (SR-IOV) a PCI function has
    #[command(after_help = VFS_HELP)]
    Vfs(VfsArguments),
    /// Set what chooses the frequency of CPUs
    #[command(after_help = GOVERNOR_HELP)]
    Governor(GovernorArguments),
}

#[derive(Args, Clone, Debug)]
struct HugepagesArguments {
    /// The node; without one the host, whose pages the kernel spreads over the nodes
    #[arg(long, value_name = "NODE")]
    node: Option<u32>,
    /// The size of one page: 2M, 1G, 64K
    #[arg(long, value_parser = size)]
    size: Bytes,
    /// How many pages the pool shall have
    #[arg(long)]
    count: u64,
    /// All of them or none: set the pool back when it can't have them all
    #[arg(long)]
    all: bool,
}

#[derive(Args, Clone, Debug)]
struct VfsArguments {
    /// The physical function, such as 0000:81:00.0
    #[arg(value_parser = address)]
    address: Address,
    /// How many virtual functions it shall have; those that are there are removed first
    count: u64,
    /// Let no driver of the host take the new ones
    #[arg(long, conflicts_with = "autoprobe")]
    no_autoprobe: bool,
    /// Let drivers of the host take the new ones
    #[arg(long)]
    autoprobe: bool,
    /// Also remove those that vfio-pci has, which guests may use
    #[arg(long)]
    force: bool,
}

#[derive(Args, Clone, Debug)]
struct GovernorArguments {
    /// The governor: performance, powersave, schedutil, ...
    #[arg(required_unless_present = "preference")]
    name: Option<String>,
    /// The CPUs, such as 2-7,10; none is all
    #[arg(long, value_name = "LIST", value_parser = cpus)]
    cpus: Option<IdSet>,
    /// Between speed and saving: performance, balance_performance, balance_power, power, or a number
    #[arg(long, value_name = "WORD")]
    preference: Option<String>,
}

fn size(text: &str) -> Result<Bytes, String> {
    let size = parse::size(text).ok().filter(|size| size.0 > 0);
    size.ok_or_else(|| "expected a size such as 2M".to_owned())
}

fn cpus(text: &str) -> Result<IdSet, String> {
    let cpus = parse::list(text).ok().filter(|cpus| !cpus.is_empty());
    cpus.ok_or_else(|| "expected a list such as 2-7,10".to_owned())
}

fn address(text: &str) -> Result<Address, String> {
    let address = text.parse().or_else(|_| format!("0000:{text}").parse());
    address.map_err(|_| "expected an address such as 0000:3b:00.0".to_owned())
}

/// Changes what was asked, and says what came of it.
pub(crate) fn run(arguments: &TuneArguments) -> Result<Outcome, Error> {
    let root = arguments.place.open()?;
    // Who may not leave a trace may not change anything.
    let audit = arguments.audit.as_deref().map(audit_log).transpose()?;
    let mode = if arguments.dry_run {
        Mode::DryRun
    } else {
        Mode::Change
    };
    let change = made(&arguments.what, &root, mode)?;
    let recorded = record(audit, &change, arguments.audit.as_deref());
    if arguments.json {
        command::write_json(&change)?;
    } else {
        command::write_text(&told(&change))?;
    }
    recorded?;
    Ok(match &change.outcome {
        Came::Full => Outcome::Done,
        Came::Partial { .. } => Outcome::Partly,
        Came::Unknown { .. } => Outcome::Unknown,
        Came::Refused { .. } => Outcome::Refused,
    })
}

fn made(what: &What, root: &Root, mode: Mode) -> Result<Change, libhw::error::Error> {
    Ok(match what {
        What::Hugepages(pool) => {
            let (node, size, count, all) = (pool.node, pool.size, pool.count, pool.all);
            tune::hugepages(
                root,
                &tune::Hugepages {
                    node,
                    size,
                    count,
                    all,
                },
                mode,
            )?
        }
        What::Vfs(functions) => {
            let autoprobe = match (functions.autoprobe, functions.no_autoprobe) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            };
            let (address, count, force) = (functions.address, functions.count, functions.force);
            tune::virtual_functions(
                root,
                &tune::VirtualFunctions {
                    address,
                    count,
                    autoprobe,
                    force,
                },
                mode,
            )?
        }
        What::Governor(governor) => {
            let (name, preference) = (governor.name.clone(), governor.preference.clone());
            let cpus = governor.cpus.clone();
            tune::governor(
                root,
                &tune::Governor {
                    name,
                    preference,
                    cpus,
                },
                mode,
            )?
        }
    })
}

fn audit_log(path: &Path) -> Result<std::fs::File, Error> {
    let log = OpenOptions::new().create(true).append(true).open(path);
    log.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// The line for an audit: to the file, or to standard error, which a unit's is the journal.
fn record(log: Option<std::fs::File>, change: &Change, path: Option<&Path>) -> Result<(), Error> {
    let refused = matches!(change.outcome, Came::Refused { .. });
    if refused {
        crate::log::error!("{change}");
    }
    let Some(mut log) = log else {
        if !refused {
            crate::log::info!("{change}");
        }
        return Ok(());
    };
    let now = jiff::Timestamp::now();
    let line: String = change
        .to_string()
        .chars()
        .filter(|sign| !sign.is_control())
        .collect();
    let written = log.write_all(format!("{now:.3} {line}\n").as_bytes());
    written
        .and_then(|()| log.sync_data())
        .map_err(|source| Error::Write {
            path: path.map(Path::to_owned).unwrap_or_default(),
            source,
        })
}

/// What came of it, for a person.
fn told(change: &Change) -> String {
    let mut text = String::new();
    for write in &change.writes {
        let (before, end) = (
            &write.before,
            if write.undone {
                ", and was set back"
            } else {
                ""
            },
        );
        let line = match &write.after {
            None if change.dry_run => {
                format!("{}: {before}, would be {}\n", write.path, write.value)
            }
            None => format!("{}: was {before}, is unknown\n", write.path),
            Some(after) if after == before => format!("{}: {after}, as before\n", write.path),
            Some(after) => format!("{}: was {before}, is {after}{end}\n", write.path),
        };
        text.push_str(&line);
    }
    let what = format!("{} of {}", change.setting.replace('_', " "), change.target);
    let asked = &change.asked;
    text.push_str(&match &change.outcome {
        Came::Full if change.writes.is_empty() => format!("{what}: {asked} already\n"),
        Came::Full if change.dry_run => format!("{what}: {asked} would be taken\n"),
        Came::Full => format!("{what}: {asked}\n"),
        Came::Partial { accepted, asked } if accepted > asked => {
            format!("{what}: {asked}, and those in use stay until they are free: {accepted} now\n")
        }
        Came::Partial { accepted, asked } => format!("{what}: {accepted} of {asked}\n"),
        Came::Unknown { limit_s, detail } => {
            format!("{what}: {asked} accepted? unknown after {limit_s} s: {detail}\n")
        }
        Came::Refused { reason, detail } => format!("{what}: refused, {reason}: {detail}\n"),
    });
    let plain = |sign: char| {
        if sign.is_control() && sign != '\n' {
            char::REPLACEMENT_CHARACTER
        } else {
            sign
        }
    };
    text.chars().map(plain).collect()
}
