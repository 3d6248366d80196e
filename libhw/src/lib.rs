//! What hardware this node has, how it fares, and its BMC.
//!
//! ```text
//!    /proc  /sys  /dev      or a captured tree of them
//!            │
//!      io::root::Root        one rooted directory: text, bytes, names, link
//!            │ text                                                  ▲ records
//!        survey::Survey      value or Problem: absent, denied, malformed, timed out
//!            │                                                 io::capture
//!     parse ─┴─▶ device::{system, cpu, numa, hugepages, pci, nic, ptp_clock, ...}  ◀── io::{netlink, ethtool, devlink, dpll, clock}
//!                        │
//!               inventory::Inventory  ──▶ join (who is near whom)   watch (what to read again)
//! ```
//!
//! The crate never changes the machine while it looks at it, never starts a program but those that its caller
//! names, never logs, never panics on what it reads, and never lets one broken file hide the rest of the machine.
//!
//! ```no_run
//! use libhw::{inventory, io::root::Root};
//!
//! let inventory = inventory::discover(&Root::live()?, &inventory::Scope::default());
//! for node in inventory.numa.iter().flat_map(|numa| &numa.nodes) {
//!     println!("node {} has cpus {}", node.id, node.cpus);
//! }
//! for problem in &inventory.problems {
//!     eprintln!("{problem}");
//! }
//! # Ok::<(), libhw::error::Error>(())
//! ```

pub mod device;
pub mod diff;
mod directory;
mod dmi;
pub mod error;
pub mod idset;
pub mod inventory;
pub mod io;
pub mod join;
pub mod parse;
mod placeholder;
pub mod smbios;
pub mod survey;
#[cfg(test)]
mod tree;
pub mod tune;
mod uevent;
pub mod units;
pub mod watch;
mod word;
