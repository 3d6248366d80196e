//! Faults: raised once, cleared truthfully, never lost.
//!
//! ```text
//! monitor --Report--> Engine --Event--> store and sinks
//!                       |-- Order (acknowledge, mask, clear, set) from a person
//!                       |-- Catalogue: what every alarm means, and how it is judged
//! ```
//!
//! A monitor says what it sees and decides nothing. The [`engine`] is a function of its state, what it is told and the
//! time: it reads no clock, no file and no random number. What every alarm means stands in one file, `catalogue.toml`.
//!
//! The words are those of ITU-T X.733 (alarm reporting) and X.736 (security alarms). Nothing here uses any other module of
//! the agent, so that a bench can take it in as it is.

pub(crate) mod catalogue;
pub(crate) mod counts;
pub(crate) mod engine;
pub(crate) mod entity;
pub(crate) mod event;
pub(crate) mod event_type;
pub(crate) mod instance;
pub(crate) mod key;
pub(crate) mod mask;
pub(crate) mod observation;
pub(crate) mod order;
pub(crate) mod probable_cause;
pub(crate) mod severity;
pub(crate) mod text;
pub(crate) mod time;
mod word;
