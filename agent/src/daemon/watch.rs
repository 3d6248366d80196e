//! The loop that waits: for uevents, for netlink, for signals, for other threads, and for the watchdog's time.
//!
//! It blocks in poll(2) without a timeout; with a watchdog it wakes once every half period, and feeds it if
//! every loop has answered since the time before.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use libhw::io::footprint;
use libhw::io::monitor::{self, Monitor};
use libhw::io::uevent::{self, Heard};
use libhw::watch::Sequence;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{Error, Options, Threads, load, notify};
use crate::api::Shared;
use crate::event::Event;
use crate::log;
use crate::work::lock;

/// Events come in bursts: a burst is over after this time without any,
const QUIET: Duration = Duration::from_millis(3);

/// and no burst keeps a change waiting longer than this.
const BURST: Duration = Duration::from_millis(15);

/// How long the worker has to end.
const STOP_TIME: Duration = Duration::from_secs(5);

/// The signals that the agent knows, as a descriptor.
pub(super) struct Signals(SignalFd);

impl Signals {
    /// Takes the signals of this thread, and of all that it starts from now on.
    pub(super) fn take() -> Result<Self, Error> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT] {
            set.add(signal);
        }
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let take = set
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&set, flags));
        take.map(Self).map_err(|errno| Error::System {
            what: "take signals",
            source: errno.into(),
        })
    }

    fn next(&self) -> Option<Signal> {
        let signal = self.0.read_signal().ok()??;
        Signal::try_from(i32::try_from(signal.ssi_signo).ok()?).ok()
    }
}

/// The loop.
pub(super) struct Watch<'a> {
    shared: &'a Arc<Shared>,
    signals: Signals,
    woken: UnixStream,
    ears: Ears,
    sequence: Sequence,
    options: Options,
    ready: bool,
    /// How often the configuration was to be read again, and whether the worker has yet to do it.
    reloads: u64,
    reloading: bool,
    watchdog: Option<Watchdog>,
}

/// The sockets on which the kernel tells of changes.
#[derive(Default)]
pub(super) struct Ears {
    pub(super) uevents: Option<uevent::Socket>,
    /// Links and clock circuits, which have no uevents for most of their changes.
    pub(super) monitors: Vec<Monitor>,
}

impl Ears {
    fn fds(&self) -> Vec<PollFd<'_>> {
        let uevents = self.uevents.iter().map(AsFd::as_fd);
        let all = uevents.chain(self.monitors.iter().map(AsFd::as_fd));
        all.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect()
    }
}

/// When to feed the service manager's watchdog next.
struct Watchdog {
    half: Duration,
    next: Instant,
}

/// What poll(2) found.
#[derive(Default)]
struct Found {
    woken: bool,
    signal: bool,
    event: bool,
}

impl<'a> Watch<'a> {
    pub(super) const fn new(
        shared: &'a Arc<Shared>,
        signals: Signals,
        woken: UnixStream,
        ears: Ears,
        options: Options,
    ) -> Self {
        Self {
            shared,
            signals,
            woken,
            ears,
            sequence: Sequence::new(),
            options,
            ready: false,
            reloads: 0,
            reloading: false,
            watchdog: None,
        }
    }

    /// Runs until a signal says to stop, and then stops the others.
    pub(super) fn run(mut self, threads: Threads) -> Result<(), Error> {
        loop {
            if !self.ready && self.shared.last().fresh {
                self.now_ready();
            }
            if self.reloading && self.shared.last().reloaded >= self.reloads {
                self.reloading = false;
                notify::ready(&self.summary());
            }
            let found = self.wait()?;
            if found.woken {
                self.drain();
                self.shared.watcher.answer();
            }
            let ended = [&threads.api, &threads.worker]
                .into_iter()
                .find(|thread| thread.has_ended());
            if let Some(name) = ended.map(|thread| thread.name) {
                return self.stop(threads).and(Err(Error::Ended(name)));
            }
            if found.event {
                self.burst();
            }
            while let Some(signal) = found.signal.then(|| self.signals.next()).flatten() {
                if signal != Signal::SIGHUP {
                    log::info!("{signal}: stopping");
                    return self.stop(threads);
                }
                self.reload();
            }
            self.feed();
        }
    }

    fn now_ready(&mut self) {
        self.ready = true;
        if let Err(error) = footprint::release_code() {
            log::debug!("no memory could be given back: {error}");
        }
        notify::ready(&self.summary());
        self.watchdog = sd_notify::watchdog_enabled().map(|period| Watchdog {
            half: period / 2,
            next: Instant::now() + period / 2,
        });
        if self.watchdog.is_some() {
            self.ask_all();
        }
    }

    fn summary(&self) -> String {
        notify::summary(&self.shared.last().inventory)
    }

    fn wait(&self) -> Result<Found, Error> {
        let timeout = match &self.watchdog {
            None => PollTimeout::NONE,
            // Rounded up: to wake a fraction too early would be to wake twice.
            Some(watchdog) => {
                let left = watchdog.next.saturating_duration_since(Instant::now());
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut fds = vec![
            PollFd::new(self.woken.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.signals.0.as_fd(), PollFlags::POLLIN),
        ];
        fds.extend(self.ears.fds());
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => {
                return Err(Error::System {
                    what: "wait for events",
                    source: errno.into(),
                });
            }
        }
        let mut found = fds.iter().map(|fd| fd.any().unwrap_or(true));
        Ok(Found {
            woken: found.next().unwrap_or_default(),
            signal: found.next().unwrap_or_default(),
            event: found.any(|any| any),
        })
    }

    fn drain(&mut self) {
        let mut bytes = [0; 64];
        while self
            .woken
            .read(&mut bytes)
            .is_ok_and(|read| read == bytes.len())
        {}
    }

    /// Hears a burst of events to its end, and leaves them for the worker.
    fn burst(&mut self) {
        let mut events = Vec::new();
        let mut lost = self.hear(&mut events);
        let latest = Instant::now() + BURST;
        while !events.is_empty() && Instant::now() < latest && self.more() {
            lost |= self.hear(&mut events);
        }
        let missed = self.sequence.missed();
        if missed > 0 {
            log::debug!("{missed} uevents were not for us, or were lost");
        }
        lost |= missed > 0;
        self.shared
            .counters
            .uevents_lost
            .fetch_add(lost.into(), Ordering::Relaxed);
        if lost || !events.is_empty() {
            self.shared.work.add_events(events, lost);
        }
    }

    fn more(&self) -> bool {
        let quiet = PollTimeout::try_from(QUIET).unwrap_or(PollTimeout::ZERO);
        poll(&mut self.ears.fds(), quiet).is_ok_and(|found| found > 0)
    }

    /// Hears what there is, and keeps what concerns a class; whether some were lost.
    fn hear(&mut self, events: &mut Vec<Event>) -> bool {
        let lost = self.hear_netlink(events);
        self.hear_uevents(events) || lost
    }

    fn hear_netlink(&mut self, events: &mut Vec<Event>) -> bool {
        let mut lost = false;
        let mut broken = None;
        for monitor in &mut self.ears.monitors {
            loop {
                match monitor.receive() {
                    Ok(monitor::Heard::Notice(notice)) => {
                        log::debug!("netlink: {notice}");
                        let event = Event::Notice(notice);
                        // One is said several times over, as its parts change one by one.
                        if !events.contains(&event) {
                            events.push(event);
                        }
                    }
                    Ok(monitor::Heard::Lost) => lost = true,
                    Ok(monitor::Heard::Nothing) => break,
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
                }
            }
        }
        if let Some(error) = broken {
            let what = format!("netlink cannot be heard any more: {error}");
            log::error!("{what}");
            *lock(&self.shared.deaf) = Some(what);
            self.ears.monitors.clear();
        }
        if lost {
            log::warning!(
                "more came over netlink than there was room for: everything is read again"
            );
        }
        lost
    }

    fn hear_uevents(&mut self, events: &mut Vec<Event>) -> bool {
        let mut lost = false;
        while let Some(socket) = &self.ears.uevents {
            match socket.receive() {
                Ok(Heard::Event(event)) => {
                    self.shared.counters.uevents.fetch_add(1, Ordering::Relaxed);
                    self.sequence.heard(event.seqnum);
                    log::debug!(
                        "uevent {} {} ({})",
                        event.action,
                        event.devpath,
                        event.subsystem
                    );
                    if event.classes().next().is_some() {
                        events.push(Event::Uevent(event));
                    }
                }
                Ok(Heard::Lost) => {
                    log::warning!(
                        "more uevents came than there was room for: everything is read again"
                    );
                    self.sequence = Sequence::new();
                    lost = true;
                }
                Ok(Heard::Nothing) => break,
                Err(error) => {
                    let what = format!("uevents cannot be heard any more: {error}");
                    log::error!("{what}");
                    *lock(&self.shared.deaf) = Some(what);
                    self.ears.uevents = None;
                }
            }
        }
        lost
    }

    fn reload(&mut self) {
        notify::reloading();
        match load(&self.options) {
            Ok(config) => {
                log::set_level(config.log);
                log::info!("configuration read again");
                self.reloads += 1;
                self.reloading = true;
                let reload = Some((self.reloads, Box::new(config)));
                self.shared.work.add(|todo| todo.reload = reload);
            }
            Err(error) => {
                for line in error.to_string().lines() {
                    log::error!("{line}");
                }
                log::error!("the configuration is kept as it was");
                notify::ready("the new configuration has errors, the old one is kept");
            }
        }
    }

    /// Asks every loop whether it lives; [`Watch::feed`] looks at the answers half a period later.
    fn ask_all(&self) {
        self.shared.work.ping();
        self.shared.api.ask();
        self.shared.api_wake.notify_one();
    }

    fn feed(&mut self) {
        let Some(watchdog) = &mut self.watchdog else {
            return;
        };
        let now = Instant::now();
        if now < watchdog.next {
            return;
        }
        watchdog.next = now + watchdog.half;
        let loops = [
            ("inventory", &self.shared.work.pulse),
            ("api", &self.shared.api),
        ];
        let silent = loops.iter().find(|(_, pulse)| !pulse.is_answered());
        match silent {
            Some((name, _)) => {
                log::error!("the {name} loop does not answer: the watchdog is not fed");
            }
            None => notify::watchdog(),
        }
        self.ask_all();
    }

    /// Stops the API, which ends its requests, and then the worker, which writes what it has.
    fn stop(mut self, threads: Threads) -> Result<(), Error> {
        notify::stopping();
        threads.stop.send_replace(true);
        let answered = threads.api.join();
        self.shared.work.add(|todo| todo.stop = true);
        let deadline = Instant::now() + STOP_TIME;
        while !threads.worker.has_ended() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Hangs(threads.worker.name));
            }
            let left =
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            let _ = poll(
                &mut [PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)],
                left,
            );
            self.drain();
        }
        let written = threads.worker.join();
        answered.and(written)
    }
}
