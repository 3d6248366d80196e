//! `gnomon agent`: the per-node daemon.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::command::{Error, Outcome};
use crate::daemon;

pub(crate) const HELP: &str = "\
Examples:
  gnomon agent                                    with its defaults, as root or not
  gnomon agent --config gnomon.toml               configured
  gnomon agent --config gnomon.toml --check-config
  gnomon agent --root node7.tar.gz --socket ./s   serve a captured machine, for a test
  curl --unix-socket /run/gnomon/agent.sock http://localhost/v1/inventory

Signals:
  SIGHUP reads the configuration again, SIGTERM and SIGINT end it cleanly";

/// The arguments of `gnomon agent`.
#[derive(Args, Clone, Debug)]
pub(crate) struct AgentArguments {
    /// The configuration; without one the agent runs with its defaults
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Check the configuration, say what is wrong with it, and end
    #[arg(long)]
    check_config: bool,
    /// Look at a captured machine instead of this host
    #[arg(long, value_name = "TREE", value_hint = ValueHint::AnyPath)]
    root: Option<PathBuf>,
    /// The UNIX socket to serve HTTP on [default: /run/gnomon/agent.sock, or below $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    socket: Option<PathBuf>,
    /// Where to keep the last inventory and its changes [default: /var/lib/gnomon, or below $XDG_STATE_HOME]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    state_dir: Option<PathBuf>,
    /// A loopback address to serve /metrics, /healthz, /readyz and the page on, such as 127.0.0.1:9273
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Runs the daemon until it is told to stop.
pub(crate) fn run(arguments: &AgentArguments) -> Result<Outcome, Error> {
    let AgentArguments {
        config,
        check_config,
        root,
        socket,
        state_dir,
        listen,
    } = arguments.clone();
    daemon::run(daemon::Options {
        config,
        root,
        socket,
        check_config,
        state_dir,
        listen,
    })
    .map_err(Box::new)?;
    Ok(Outcome::Done)
}
