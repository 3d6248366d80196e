//! Alertmanager's API v2: an alert for each alarm that control planes hold.
//!
//! ```text
//! POST /api/v2/alerts [{"labels":{"alertname":"hw.fan.failed","gnomon_node":"n1","entity":"host=n1.fan=2",
//!   "severity":"major",…},"annotations":{"summary":…},"startsAt":…,"endsAt":…,"generatorURL":…}]
//! ```
//!
//! An alert is its labels: `alertname` and `entity` are our key, in the forms that [`AlarmId::parse`] and
//! [`Entity::parse`] take. Alertmanager keeps nothing over a restart, and ends by itself what it has not heard of for five
//! minutes, so the whole set is told again every minute. A severity is a label, so that a change of it is another alert
//! and the end of the one before.
//!
//! It holds what is, and no history: of what began and ended while it was away it is told nothing.
//!
//! [`AlarmId::parse`]: crate::alarm::key::AlarmId::parse
//! [`Entity::parse`]: crate::alarm::entity::Entity::parse

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alarm::instance::Alarm;
use crate::alarm::key::Key;
use crate::alarm::severity::Severity;
use crate::config::sink::AlertmanagerSink;
use crate::event::rfc3339;
use crate::sink::http::{Peer, Verdict};
use crate::sink::outbox::Queued;
use crate::sink::{Delivery, Failure, Level, Now, Origin, Refused, Sink, Why, is_held, percent};

const JSON: &str = "application/json";

/// The label by which we know our own.
const NODE: &str = "gnomon_node";

type Labels = BTreeMap<String, String>;

/// The sink.
pub(super) struct Alertmanager {
    peer: Peer,
    node: String,
    repeat: Duration,
    generator_url: Option<String>,
    /// What it was told of each key, as far as we know.
    held: BTreeMap<Key, Severity>,
    /// Keys that it refused, which are not named again.
    refused: BTreeSet<Key>,
    /// Events up to here are in the set that it was told.
    position: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: Labels,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

/// What is to be told of one key: its alert, after the end of the one that its severity replaces.
struct Told {
    key: Key,
    name: String,
    alerts: Vec<Alert>,
}

/// An alert as Alertmanager lists it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    labels: Labels,
    starts_at: String,
}

impl Alertmanager {
    pub(super) fn new(config: AlertmanagerSink, origin: &Origin) -> Self {
        let AlertmanagerSink {
            url,
            token_file,
            ca_file,
            timeout,
            ..
        } = config;
        Self {
            peer: Peer::new(&url, "/api/v2/alerts", token_file, ca_file, timeout.0),
            node: origin.node.clone(),
            repeat: config.repeat.0,
            generator_url: config.generator_url.map(|url| url.expose().to_owned()),
            held: BTreeMap::new(),
            refused: BTreeSet::new(),
            position: 0,
        }
    }

    /// What it holds of ours, whether it notifies of it or not: labels, and since when.
    fn list(&mut self) -> Result<BTreeMap<Labels, String>, Failure> {
        let quoted = self.node.replace('\\', "\\\\").replace('"', "\\\"");
        let filter = percent(&format!("{NODE}=\"{quoted}\""));
        let query =
            format!("active=true&silenced=true&inhibited=true&unprocessed=true&filter={filter}");
        let json = self.peer.read(&query)?;
        let listed: Vec<Listed> = serde_json::from_slice(&json)
            .map_err(|_| Failure::new("what answered for a list of alerts is no Alertmanager"))?;
        let ours = listed
            .into_iter()
            .filter(|alert| alert.labels.get(NODE) == Some(&self.node));
        Ok(ours.map(|alert| (alert.labels, alert.starts_at)).collect())
    }

    /// What to tell of an alarm as it is after an event at `at`, or as it stands.
    fn told(&mut self, alarm: &Alarm, name: String, at: Timestamp, now: Now) -> Told {
        let before = self.held.get(&alarm.key).copied();
        let mut alerts = Vec::new();
        let ended = alarm.cleared.map_or(at, |cleared| cleared.realtime);
        if let Some(other) = before.filter(|before| *before != alarm.severity) {
            alerts.push(self.alert(alarm, other, Some(at), now));
        }
        if is_held(alarm) {
            self.held.insert(alarm.key.clone(), alarm.severity);
            alerts.push(self.alert(alarm, alarm.severity, None, now));
        } else {
            self.held.remove(&alarm.key);
            alerts.push(self.alert(alarm, alarm.severity, Some(ended), now));
        }
        Told {
            key: alarm.key.clone(),
            name,
            alerts,
        }
    }

    fn alert(&self, alarm: &Alarm, severity: Severity, ends: Option<Timestamp>, now: Now) -> Alert {
        // What would begin in the future, by a clock that was set back since, is refused; what ends there has not ended.
        let starts = alarm.raised.realtime.min(now.realtime);
        let ends = ends.map(|ends| ends.clamp(starts, now.realtime));
        Alert {
            labels: labels(&self.node, alarm, severity),
            annotations: BTreeMap::from([
                ("summary", alarm.text.to_string()),
                ("description", alarm.repair.to_string()),
                ("instance", alarm.instance.to_string()),
            ]),
            starts_at: rfc3339(starts),
            ends_at: ends.map(rfc3339),
            generator_url: self.generator_url.clone(),
        }
    }

    /// Tells them together; where that is refused, one by one.
    fn send(&mut self, told: &[Told]) -> Result<Vec<Refused>, Failure> {
        if told.is_empty() {
            return Ok(Vec::new());
        }
        let mut refused = Vec::new();
        match self.post(told) {
            Verdict::Taken => {
                for one in told {
                    self.refused.remove(&one.key);
                }
            }
            Verdict::Later(failure) => return Err(failure),
            Verdict::Refused(_) => {
                for one in told {
                    match self.post(std::slice::from_ref(one)) {
                        Verdict::Taken => {}
                        Verdict::Later(failure) => return Err(failure),
                        Verdict::Refused(why) => {
                            if self.refused.insert(one.key.clone()) {
                                let name = one.name.clone();
                                refused.push(Refused { name, why });
                            }
                        }
                    }
                }
            }
        }
        Ok(refused)
    }

    fn post(&mut self, told: &[Told]) -> Verdict {
        let alerts: Vec<&Alert> = told.iter().flat_map(|one| &one.alerts).collect();
        match serde_json::to_vec(&alerts) {
            Ok(json) => self.peer.post(JSON, &json),
            Err(error) => Verdict::Refused(error.to_string()),
        }
    }

    /// Ends what it holds and what no longer is.
    fn end(&mut self, stale: BTreeMap<Labels, String>, now: Now) -> Result<(), Failure> {
        let alerts = stale.into_iter().map(|(labels, starts_at)| {
            let starts = starts_at.parse().unwrap_or(now.realtime);
            Alert {
                labels,
                annotations: BTreeMap::new(),
                starts_at: rfc3339(now.realtime.min(starts)),
                ends_at: Some(rfc3339(now.realtime)),
                generator_url: None,
            }
        });
        let alerts: Vec<Alert> = alerts.collect();
        for page in alerts.chunks(super::PAGE) {
            let json = serde_json::to_vec(page).map_err(|error| Failure::new(error.to_string()))?;
            if let Verdict::Later(failure) = self.peer.post(JSON, &json) {
                return Err(failure);
            }
        }
        Ok(())
    }
}

impl Sink for Alertmanager {
    fn hold(&mut self, level: &mut Level<'_>, why: Why, now: Now) -> Result<Vec<Refused>, Failure> {
        let mut stale = BTreeMap::new();
        if why == Why::Connected {
            stale = self.list()?;
            self.held.clear();
        }
        let mut refused = Vec::new();
        loop {
            let page = level.page()?;
            if page.is_empty() {
                break;
            }
            let told = page.iter().map(|alarm| {
                let changed = alarm.changed.realtime;
                self.told(alarm, alarm.key.to_string(), changed, now)
            });
            let told: Vec<Told> = told.collect();
            for alert in told.iter().flat_map(|one| &one.alerts) {
                stale.remove(&alert.labels);
            }
            refused.extend(self.send(&told)?);
        }
        self.end(stale, now)?;
        self.position = level.position();
        Ok(refused)
    }

    fn deliver(&mut self, batch: &[Queued], now: Now) -> Delivery {
        // Of each key the latest is what it has to hold.
        let mut latest = BTreeMap::new();
        for queued in batch
            .iter()
            .filter(|queued| queued.position > self.position)
        {
            latest.insert(&queued.event.alarm.key, queued);
        }
        let told = latest.into_values().map(|queued| {
            let event = &queued.event;
            self.told(&event.alarm, queued.id(), event.at.realtime, now)
        });
        let told: Vec<Told> = told.collect();
        match self.send(&told) {
            Ok(refused) => Delivery {
                refused,
                ..Delivery::all(batch)
            },
            Err(failure) => Delivery::none(failure),
        }
    }

    fn repeat(&self) -> Option<Duration> {
        Some(self.repeat)
    }
}

/// Their names are within Prometheus' rules; their values are any UTF-8.
fn labels(node: &str, alarm: &Alarm, severity: Severity) -> Labels {
    let affecting = if alarm.service_affecting {
        "true"
    } else {
        "false"
    };
    [
        ("alertname", alarm.key.alarm.to_string()),
        (NODE, node.to_owned()),
        ("entity", alarm.key.entity.to_string()),
        ("severity", severity.word().to_owned()),
        ("event_type", alarm.event_type.word().to_owned()),
        ("probable_cause", alarm.probable_cause.word().to_owned()),
        ("service_affecting", affecting.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests;
