//! Everything in this crate that touches the world.

pub mod archive;
pub mod capture;
pub mod footprint;
pub mod pci_ids;
pub(crate) mod probe;
pub(crate) mod pstore;
pub mod root;
mod sys;
pub(crate) mod tpm;
pub mod uevent;
