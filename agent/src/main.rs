//! The `gnomon` command.
mod topology;
fn main() {}
