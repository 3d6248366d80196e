//! `gnomon answer`: the agent's own program as the process that asks what may never be answered.

use libhw::io::aside;

use crate::command::{Error, Outcome};

/// Answers until nobody asks any more.
pub(crate) fn run() -> Result<Outcome, Error> {
    aside::serve().map_err(Error::Answer)?;
    Ok(Outcome::Done)
}
