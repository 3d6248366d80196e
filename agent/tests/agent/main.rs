//! `gnomon agent` from the outside: what it answers, what it keeps, and how it starts and stops.
//!
//! Most tests look at a small tree of their own (`--root`), so they need no right and see no other change
//! than theirs. What needs root, a mount or strace says so, and says when it is skipped.

#[cfg(test)]
mod aside;
#[cfg(test)]
mod fuse;
#[cfg(test)]
mod health;
#[cfg(test)]
mod http;
#[cfg(test)]
mod node;
#[cfg(test)]
mod nvml;
#[cfg(test)]
mod places;
#[cfg(test)]
mod service;
#[cfg(test)]
mod state;
#[cfg(test)]
mod uevents;
