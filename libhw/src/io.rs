//! Everything in this crate that touches the world.

pub mod archive;
pub mod capture;
pub mod root;
mod sys;
pub mod uevent;
