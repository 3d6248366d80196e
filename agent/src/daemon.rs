//! The per-node daemon.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) config: Option<PathBuf>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) check_config: bool,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) listen: Option<SocketAddr>,
}

/// Why the daemon could not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the daemon is not built in: root {root:?}")]
    Run { root: Option<PathBuf> },
}

/// Runs until it is told to stop.
pub(crate) fn run(options: Options) -> Result<(), Error> {
    let Options {
        config: _,
        root,
        socket: _,
        check_config: _,
        state_dir: _,
        listen: _,
    } = options;
    Err(Error::Run { root })
}
