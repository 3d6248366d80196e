//! Everything in this crate that touches the world.

pub mod archive;
pub mod capture;
pub(crate) mod probe;
pub mod root;
mod sys;
