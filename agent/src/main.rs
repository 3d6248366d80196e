//! The `gnomon` command: the inventory of this host, its daemon, and what is built on both.

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the store, the monitors and the sinks that use it are built on these types"
    )
)]
mod alarm;
mod api;
mod cli;
mod command;
mod config;
mod daemon;
mod event;
mod host;
mod json;
mod log;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the daemon's loop that runs them is built on this table"
    )
)]
mod monitor;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the daemon starts them with the loop that runs the alarm engine"
    )
)]
mod sink;
mod store;
mod table;
mod topology;
mod view;
mod work;

use std::process::ExitCode;

/// musl's own allocator asks the kernel for nearly every piece, and takes a lock for each.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
