//! The per-node agent: reads the inventory, keeps it true by the kernel's uevents, and answers for it.
//!
//! ```text
//!   uevents ─┐                        ┌─▶ inventory.json, changes.jsonl
//!   signals ─┼─ watch ──work──▶ worker ┤
//!   watchdog ┘    ▲               ▲    └─▶ Published ──▶ api (tokio) ──▶ socket, loopback port
//!                 └── signs of life ──────────────────────┘
//! ```
//!
//! Three threads, so that none waits for another: a read that hangs in a driver holds up the worker alone.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use jiff::Timestamp;
use libhw::inventory::Inventory;
use libhw::io::{archive, monitor, uevent};
use thiserror::Error;
use tokio::sync::watch as signal;

use crate::api::http::{self, Doors};
use crate::api::{Counters, Published, Shared, Waker};
use crate::config::places::{self, Places};
use crate::config::{self, Config};
use crate::host;
use crate::log;
use crate::store::{self, Store};
use crate::work::{Pulse, Work};

mod known;
mod notify;
mod order;
mod watch;
mod worker;

use watch::{Ears, Signals, Watch};
use worker::Worker;

/// What the command line says; it goes before the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The configuration; none is the default file, if it exists.
    pub(crate) config: Option<PathBuf>,
    /// A captured tree or archive to look at, instead of this host.
    pub(crate) root: Option<PathBuf>,
    /// Where to answer.
    pub(crate) socket: Option<PathBuf>,
    /// Only see whether the configuration is good.
    pub(crate) check_config: bool,
    /// Where to keep what was seen.
    pub(crate) state_dir: Option<PathBuf>,
    /// A loopback port to answer on as well.
    pub(crate) listen: Option<SocketAddr>,
}

/// Why the agent does not run, or did not stop as it should.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The configuration is wrong; a line for each fault.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// `--listen` names an address that is no loopback.
    #[error("--listen: {0}")]
    Listen(String),
    /// No state directory is known.
    #[error("no place for the state: neither HOME nor XDG_STATE_HOME is set; set --state-dir")]
    NoPlace,
    /// The state directory cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The tree cannot be looked at.
    #[error(transparent)]
    Root(#[from] libhw::error::Error),
    /// The agent cannot be asked.
    #[error(transparent)]
    Api(#[from] http::Error),
    /// The system refuses what every process may have.
    #[error("{what}")]
    System {
        what: &'static str,
        source: io::Error,
    },
    /// A thread ended that should not.
    #[error("the {0} loop has ended; see the lines before")]
    Ended(&'static str),
    /// A thread did not end.
    #[error("the {0} loop hangs in a read and was left behind")]
    Hangs(&'static str),
}

/// Runs the agent until it is told to stop (SIGTERM, SIGINT).
///
/// # Errors
/// When it cannot start, or one of its loops ends. Nothing that was stored before is lost.
pub(crate) fn run(options: Options) -> Result<(), Error> {
    let config = load(&options)?;
    if options.check_config {
        let file = options
            .config
            .as_deref()
            .unwrap_or(Path::new(config::DEFAULT));
        return said_ok(file);
    }
    log::set_level(config.log);
    for name in config.sinks.keys() {
        log::warning!(
            "[sink.{name}] is checked, and told nothing: this version has no alarms to tell yet"
        );
    }
    // Before any thread starts, so that all of them inherit the mask and only our loop gets the signals.
    let signals = Signals::take()?;
    let root = match &options.root {
        Some(tree) => archive::open(tree)?,
        None => host::root(config.nvml_helper.as_deref())?,
    };
    let places = Places::here();
    let state_dir = state_dir(&options, &config, &places)?;
    let socket = options.socket.clone().or_else(|| config.socket.clone());
    let socket = socket.unwrap_or_else(|| places.socket(&state_dir));
    let store = Store::open(&state_dir, config.changes_max_bytes)?;
    let doors = Doors::open(&socket, config.listen)?;
    let (wake, woken) = pipe()?;
    let (ears, deaf) = listen(root.is_live());
    let shared = Arc::new(Shared {
        replay: !root.is_live(),
        deaf: Mutex::new(deaf),
        ..shared(state_dir, wake)
    });
    log::info!(
        "version {}, state in {}, answers at {}{}",
        env!("CARGO_PKG_VERSION"),
        shared.state_dir.display(),
        socket.display(),
        config
            .listen
            .map(|address| format!(" and http://{address}/"))
            .unwrap_or_default()
    );
    let (stop, stopping) = signal::channel(false);
    let api = spawn("api", &shared, {
        let shared = Arc::clone(&shared);
        move || http::serve(doors, &shared, &stopping)
    })?;
    let worker = Worker::new(Arc::clone(&shared), root, store, config);
    let worker = spawn("inventory", &shared, move || {
        worker.run();
        Ok(())
    })?;
    let watch = Watch::new(&shared, signals, woken, ears, options);
    watch.run(Threads { api, worker, stop })
}

/// The other threads of the agent, and how to stop the API.
struct Threads {
    api: Thread,
    worker: Thread,
    stop: signal::Sender<bool>,
}

/// A thread of the agent.
struct Thread {
    name: &'static str,
    handle: JoinHandle<io::Result<()>>,
}

impl Thread {
    /// Whether it ended.
    fn has_ended(&self) -> bool {
        self.handle.is_finished()
    }

    /// What it ended with. Waits for it.
    fn join(self) -> Result<(), Error> {
        match self.handle.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(Error::System {
                what: "serve HTTP",
                source,
            }),
            // It has said why on standard error.
            Err(_) => Err(Error::Ended(self.name)),
        }
    }
}

/// Starts a thread; when it ends, for whatever reason, the watching loop is woken.
fn spawn(
    name: &'static str,
    shared: &Arc<Shared>,
    run: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> Result<Thread, Error> {
    struct Wakes(Arc<Shared>);
    impl Drop for Wakes {
        fn drop(&mut self) {
            self.0.wake.wake();
        }
    }
    let wakes = Wakes(Arc::clone(shared));
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(1 << 20);
    let started = thread.spawn(move || {
        let _wakes = wakes;
        run()
    });
    let handle = started.map_err(|source| Error::System {
        what: "start a thread",
        source,
    })?;
    Ok(Thread { name, handle })
}

fn load(options: &Options) -> Result<Config, Error> {
    let mut config = Config::load(options.config.as_deref())?;
    if let Some(address) = options.listen {
        config.listen = Some(config::loopback(address).map_err(Error::Listen)?);
    }
    Ok(config)
}

fn said_ok(file: &Path) -> Result<(), Error> {
    use std::io::Write;
    let mut out = io::stdout().lock();
    let said = writeln!(out, "{}: ok", file.display());
    said.map_err(|source| Error::System {
        what: "write to standard output",
        source,
    })
}

fn state_dir(options: &Options, config: &Config, places: &Places) -> Result<PathBuf, Error> {
    if let Some(given) = options.state_dir.as_ref().or(config.state_dir.as_ref()) {
        return Ok(given.clone());
    }
    let place = places.state_dir().ok_or(Error::NoPlace)?;
    let replayed = options
        .root
        .as_deref()
        .map(|tree| places::replay(&place, tree));
    Ok(replayed.unwrap_or(place))
}

fn pipe() -> Result<(Waker, UnixStream), Error> {
    let make = || {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        Ok((Waker(ours), theirs))
    };
    make().map_err(|source| Error::System {
        what: "make a pipe",
        source,
    })
}

/// Before the inventory is first read, so that nothing falls between.
fn listen(live: bool) -> (Ears, Option<String>) {
    let mut ears = Ears::default();
    if !live {
        return (ears, None);
    }
    let mut deaf = None;
    match uevent::Socket::open() {
        Ok(socket) => ears.uevents = Some(socket),
        Err(error) => deaf = Some(format!("uevents cannot be heard: {error}; set an interval")),
    }
    match monitor::Monitor::all() {
        Ok(monitors) => ears.monitors = monitors,
        Err(error) => {
            deaf.get_or_insert_with(|| {
                format!("netlink cannot be heard: {error}; set an interval")
            });
        }
    }
    if let Some(what) = &deaf {
        log::warning!("{what}");
    }
    (ears, deaf)
}

fn shared(state_dir: PathBuf, wake: Waker) -> Shared {
    let nothing = Published {
        inventory: Arc::new(Inventory::default()),
        refresh_problems: Vec::new(),
        time: Timestamp::now(),
        read: None,
        fresh: false,
        refreshed: 0,
        reloaded: 0,
        extent: store::page::Extent::default(),
        pending: Arc::default(),
        state_problem: None,
    };
    Shared {
        published: signal::Sender::new(Arc::new(nothing)),
        work: Work::default(),
        watcher: Pulse::default(),
        api: Pulse::default(),
        api_wake: tokio::sync::Notify::new(),
        parted: tokio::sync::Notify::new(),
        wake,
        counters: Counters::default(),
        replay: false,
        deaf: Mutex::default(),
        state_dir,
        started: Instant::now(),
    }
}
