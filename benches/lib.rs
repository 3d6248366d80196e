//! Fixed inputs for the benches.
