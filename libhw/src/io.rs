//! Everything in this crate that touches the world.

pub mod archive;
pub mod capture;
pub mod clock;
pub mod devlink;
pub mod dpll;
pub mod ethtool;
pub mod footprint;
pub mod monitor;
pub mod netlink;
pub mod pci_ids;
pub(crate) mod probe;
pub mod root;
mod sys;
pub mod uevent;
