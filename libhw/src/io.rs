//! Everything in this crate that touches the world.

pub mod archive;
pub mod aside;
pub mod capture;
pub mod clock;
pub mod devlink;
pub mod dpll;
pub mod ethtool;
pub mod footprint;
pub mod kernel_log;
pub mod monitor;
pub mod netlink;
pub mod octets;
pub mod pci_ids;
pub(crate) mod probe;
pub(crate) mod pstore;
pub mod root;
mod sys;
mod tree;
pub mod uevent;
