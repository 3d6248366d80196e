//! The `gnomon` command: the inventory of this host, its daemon, and what is built on both.

mod api;
mod cli;
mod command;
mod config;
mod daemon;
mod event;
mod log;
mod store;
mod table;
mod topology;
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
