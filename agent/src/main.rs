//! The `gnomon` command: stand-in of the agent's command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

mod api;
mod config;
mod daemon;
mod event;
mod log;
mod store;
mod topology;
mod work;

#[derive(Parser)]
enum Command {
    Agent {
        #[arg(long)]
        config: Option<PathBuf>,
        #[arg(long)]
        root: Option<PathBuf>,
        #[arg(long)]
        socket: Option<PathBuf>,
        #[arg(long)]
        check_config: bool,
        #[arg(long)]
        state_dir: Option<PathBuf>,
        #[arg(long)]
        listen: Option<SocketAddr>,
    },
}

fn main() -> ExitCode {
    let Command::Agent {
        config,
        root,
        socket,
        check_config,
        state_dir,
        listen,
    } = Command::parse();
    let options = daemon::Options {
        config,
        root,
        socket,
        check_config,
        state_dir,
        listen,
    };
    match daemon::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{}", log::Chain(&error));
            ExitCode::FAILURE
        }
    }
}
