//! Everything in this crate that touches the world.

pub mod archive;
pub mod aside;
pub mod capture;
pub mod footprint;
pub mod kernel_log;
pub mod pci_ids;
pub(crate) mod probe;
pub mod root;
mod sys;
mod tree;
pub mod uevent;
