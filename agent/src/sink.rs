//! Where alarms are told: one file for each kind of control plane, and one row in [`open`].
//!
//! ```text
//! store --Outbox--> Runner (a thread for each sink) --Sink--> peer
//! ```
//!
//! A sink keeps two promises. Every event is told at least once, always under the same id, and the cursor moves only when
//! the peer has acknowledged it. And whatever was missed, by the peer or by us, the peer holds the true set after every
//! connection: [`Sink::hold`].

use std::time::Duration;

use jiff::Timestamp;

use crate::alarm::event::What;
use crate::alarm::instance::Alarm;
use crate::config::sink::SinkConfig;
use crate::sink::outbox::{Outbox, Queued};

#[cfg(feature = "sink-alertmanager")]
mod alertmanager;
mod backoff;
#[cfg(feature = "sink-webhook")]
mod cloudevents;
mod file;
#[cfg(any(feature = "sink-alertmanager", feature = "sink-webhook"))]
mod http;
#[cfg(feature = "sink-mqtt")]
mod mqtt;
pub(crate) mod outbox;
#[cfg(test)]
mod peer;
pub(crate) mod runner;
pub(crate) mod status;
#[cfg(any(
    feature = "sink-alertmanager",
    feature = "sink-mqtt",
    feature = "sink-webhook"
))]
mod tls;

/// So many alarms of the active set are in memory at a time.
const PAGE: usize = 100;

/// One control plane.
pub(crate) trait Sink: Send {
    /// Reaches the peer where it has to, and makes it hold the set given: what it lacks is told, and what it holds beyond
    /// that ended, where the peer can be asked. Events up to the set's position then change the peer's set no more.
    ///
    /// What comes back are alarms that the peer refused.
    fn hold(&mut self, level: &mut Level<'_>, why: Why, now: Now) -> Result<Vec<Refused>, Failure>;

    /// Tells the events in their order, and how far the peer has acknowledged them.
    fn deliver(&mut self, batch: &[Queued], now: Now) -> Delivery;

    /// How often the peer wants to be told the whole set, because it forgets.
    fn repeat(&self) -> Option<Duration> {
        None
    }

    /// Keeps a connection alive; when to be called again.
    fn tend(&mut self, _now: Now) -> Result<Option<Duration>, Failure> {
        Ok(None)
    }

    /// Takes leave of the peer.
    fn close(&mut self) {}
}

/// Why a peer is told the whole set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is the first time, or there was a failure since: nothing is known of the peer.
    Connected,
    /// [`Sink::repeat`] has passed.
    Repeat,
}

/// The time, by a clock that never jumps and by the one that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Since some moment before the sink was made.
    pub(crate) monotonic: Duration,
    pub(crate) realtime: Timestamp,
}

/// The peer cannot be reached, or not now: everything stays in the outbox and is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What went wrong, without a secret.
    pub(crate) what: String,
    /// The peer asked not to be tried before.
    pub(crate) again_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            again_after: None,
        }
    }
}

/// The peer refused one event or alarm for good: no later attempt would change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The event's id, or the alarm's key.
    pub(crate) name: String,
    pub(crate) why: String,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The position up to which the peer has acknowledged or refused every event.
    pub(crate) through: Option<u64>,
    pub(crate) refused: Vec<Refused>,
    /// Why not all of it.
    pub(crate) failure: Option<Failure>,
}

impl Delivery {
    /// The peer took everything up to the last event of `batch`.
    fn all(batch: &[Queued]) -> Self {
        Self {
            through: batch.last().map(|queued| queued.position),
            ..Self::default()
        }
    }

    fn none(failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }
}

/// The alarms that control planes are to hold, a page at a time.
pub(crate) struct Level<'a> {
    outbox: &'a dyn Outbox,
    /// The last event whose effect is in the set for certain.
    position: u64,
    after: Option<String>,
    done: bool,
}

impl<'a> Level<'a> {
    fn new(outbox: &'a dyn Outbox) -> Result<Self, Failure> {
        Ok(Self {
            outbox,
            position: outbox.last()?,
            after: None,
            done: false,
        })
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// The next alarms, at most a hundred; none when there are no more.
    pub(crate) fn page(&mut self) -> Result<Vec<Alarm>, Failure> {
        while !self.done {
            let page = self.outbox.announced(self.after.as_deref(), PAGE)?;
            self.done = page.next.is_none();
            self.after = page.next;
            if !page.alarms.is_empty() {
                return Ok(page.alarms);
            }
        }
        Ok(Vec::new())
    }
}

impl std::fmt::Debug for Level<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Level at {}", self.position)
    }
}

/// Whose alarms these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The host's name.
    pub(crate) node: String,
}

/// The table of sinks: what a configuration becomes.
///
/// # Errors
/// This program was built without that sink.
pub(crate) fn open(config: SinkConfig, origin: &Origin) -> Result<Box<dyn Sink>, &'static str> {
    match config {
        SinkConfig::File(config) => Ok(Box::new(file::File::new(config))),
        #[cfg(feature = "sink-webhook")]
        SinkConfig::CloudEvents(config) => {
            Ok(Box::new(cloudevents::CloudEvents::new(config, origin)))
        }
        #[cfg(feature = "sink-alertmanager")]
        SinkConfig::Alertmanager(config) => {
            Ok(Box::new(alertmanager::Alertmanager::new(config, origin)))
        }
        #[cfg(feature = "sink-mqtt")]
        SinkConfig::Mqtt(config) => Ok(Box::new(mqtt::Mqtt::new(config, origin))),
        #[cfg(not(all(
            feature = "sink-alertmanager",
            feature = "sink-mqtt",
            feature = "sink-webhook"
        )))]
        _ => Err("this gnomon was built without it: see the features sink-* of gnomon-agent"),
    }
}

/// What happened, in a word: that of the event's JSON.
const fn word(what: &What) -> &'static str {
    match what {
        What::Raised => "raised",
        What::Changed => "changed",
        What::Cleared { .. } => "cleared",
        What::Acknowledged => "acknowledged",
        What::Unacknowledged => "unacknowledged",
        What::Masked => "masked",
        What::Unmasked => "unmasked",
        What::Stale => "stale",
        What::Verified => "verified",
        What::Flapping => "flapping",
        What::Settled => "settled",
        What::Latched => "latched",
        What::Linked => "linked",
        What::Released => "released",
        What::Unfolded => "unfolded",
    }
}

/// Whether control planes hold the alarm after what happened to it.
const fn is_held(alarm: &Alarm) -> bool {
    alarm.is_announced() && alarm.is_active()
}

/// A text as one word of an address or a topic: every byte but `a-z A-Z 0-9 - . _ ~ = : ,` becomes `%XX`. Reversible.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'=' | b':' | b',' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests;
