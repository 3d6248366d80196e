//! The `gnomon` command: the inventory of this host, its daemon, and what is built on both.

mod cli;
mod command;
mod daemon;
mod table;
mod topology;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
