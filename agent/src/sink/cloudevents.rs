//! CloudEvents 1.0 by HTTP POST, one event in structured mode or many in batched mode.
//!
//! ```text
//! {"specversion":"1.0","id":"BOOT/SEQUENCE","source":"//n1/gnomon","type":"gnomon.alarm.raised",
//!  "subject":"host=n1.sensor=CPU1","time":"…Z","datacontenttype":"application/json",
//!  "severity":"major","alarmid":"hw.sensor.temperature","data":{…the event…}}
//! ```
//!
//! The id is the event's own, so that a consumer knows a second copy. After every connection each active alarm comes as
//! `gnomon.alarm.active`, whose id stays the same while the alarm does.
//!
//! Source: CloudEvents 1.0.2 §3.1; its HTTP protocol binding §3.2, §3.3; its webhook specification §2.2.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::alarm::instance::Alarm;
use crate::config::sink::CloudEventsSink;
use crate::event::rfc3339;
use crate::sink::http::{Peer, Verdict};
use crate::sink::outbox::Queued;
use crate::sink::{Delivery, Failure, Level, Now, Origin, Refused, Sink, Why, percent, word};

const ONE: &str = "application/cloudevents+json; charset=utf-8";
const MANY: &str = "application/cloudevents-batch+json; charset=utf-8";

/// The sink.
pub(super) struct CloudEvents {
    peer: Peer,
    batched: bool,
    source: String,
    /// Active alarms that were taken since the set was last told as a whole: an attempt that fails half way goes on there.
    told: BTreeSet<Vec<u8>>,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    specversion: &'static str,
    id: String,
    source: &'a str,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    severity: &'static str,
    alarmid: &'a str,
    data: &'a T,
}

/// An event as it is sent: its place in the outbox, its name, and its JSON.
struct Message {
    position: Option<u64>,
    name: String,
    json: Vec<u8>,
}

impl CloudEvents {
    pub(super) fn new(config: CloudEventsSink, origin: &Origin) -> Self {
        let CloudEventsSink {
            url,
            token_file,
            ca_file,
            timeout,
            batched,
        } = config;
        Self {
            peer: Peer::new(&url, "", token_file, ca_file, timeout.0),
            batched,
            source: format!("//{}/gnomon", percent(&origin.node)),
            told: BTreeSet::new(),
        }
    }

    fn event(&self, queued: &Queued) -> Result<Message, Failure> {
        let event = &queued.event;
        let kind = word(&event.what);
        let (id, time) = (queued.id(), event.at.realtime);
        Ok(Message {
            position: Some(queued.position),
            json: self.envelope((id.clone(), kind, time), &event.alarm, event)?,
            name: id,
        })
    }

    fn active(&self, alarm: &Alarm) -> Result<Message, Failure> {
        let changed = alarm.changed.boottime.as_nanos();
        let id = format!("{}/{changed}", alarm.instance);
        let time = alarm.changed.realtime;
        Ok(Message {
            position: None,
            name: alarm.key.to_string(),
            json: self.envelope((id, "active", time), alarm, alarm)?,
        })
    }

    fn envelope<T: Serialize>(
        &self,
        (id, kind, time): (String, &str, Timestamp),
        alarm: &Alarm,
        data: &T,
    ) -> Result<Vec<u8>, Failure> {
        let envelope = Envelope {
            specversion: "1.0",
            id,
            source: &self.source,
            kind: format!("gnomon.alarm.{kind}"),
            subject: alarm.key.entity.to_string(),
            time: rfc3339(time),
            datacontenttype: "application/json",
            severity: alarm.severity.word(),
            alarmid: alarm.key.alarm.as_str(),
            data,
        };
        serde_json::to_vec(&envelope).map_err(|error| Failure::new(error.to_string()))
    }

    /// Sends them in their order, together where the configuration says so. A batch that is refused is sent one by one, so
    /// that only what is at fault is lost.
    fn send(&mut self, messages: &[Message]) -> Delivery {
        let through = |messages: &[Message]| messages.last().and_then(|last| last.position);
        if self.batched && messages.len() > 1 {
            match self.peer.post(MANY, &joined(messages)) {
                Verdict::Taken => {
                    return Delivery {
                        through: through(messages),
                        ..Delivery::default()
                    };
                }
                Verdict::Refused(_) => {}
                Verdict::Later(failure) => return Delivery::none(failure),
            }
        }
        let mut delivery = Delivery::default();
        for message in messages {
            let verdict = if self.batched {
                self.peer.post(MANY, &joined(std::slice::from_ref(message)))
            } else {
                self.peer.post(ONE, &message.json)
            };
            match verdict {
                Verdict::Taken => {}
                Verdict::Refused(why) => delivery.refused.push(Refused {
                    name: message.name.clone(),
                    why,
                }),
                Verdict::Later(failure) => {
                    delivery.failure = Some(failure);
                    break;
                }
            }
            delivery.through = message.position.or(delivery.through);
        }
        delivery
    }
}

impl Sink for CloudEvents {
    fn hold(&mut self, level: &mut Level<'_>, _: Why, _: Now) -> Result<Vec<Refused>, Failure> {
        let mut refused = Vec::new();
        loop {
            let page = level.page()?;
            if page.is_empty() {
                self.told.clear();
                return Ok(refused);
            }
            let mut messages = Vec::new();
            for alarm in &page {
                let message = self.active(alarm)?;
                if !self.told.contains(&message.json) {
                    messages.push(message);
                }
            }
            let at_once = if self.batched { page.len() } else { 1 };
            for piece in messages.chunks(at_once) {
                let delivery = self.send(piece);
                refused.extend(delivery.refused);
                if let Some(failure) = delivery.failure {
                    return Err(failure);
                }
                self.told
                    .extend(piece.iter().map(|message| message.json.clone()));
            }
        }
    }

    fn deliver(&mut self, batch: &[Queued], _: Now) -> Delivery {
        let messages: Result<Vec<_>, _> = batch.iter().map(|queued| self.event(queued)).collect();
        match messages {
            Ok(messages) => self.send(&messages),
            Err(failure) => Delivery::none(failure),
        }
    }
}

/// A JSON array of them.
fn joined(messages: &[Message]) -> Vec<u8> {
    let mut array = Vec::with_capacity(messages.iter().map(|one| one.json.len() + 1).sum());
    for (index, message) in messages.iter().enumerate() {
        array.push(if index == 0 { b'[' } else { b',' });
        array.extend_from_slice(&message.json);
    }
    array.push(b']');
    array
}

#[cfg(test)]
mod tests;
