//! A broker of MQTT 5: the state of this node and of each alarm, retained, and every event as it happens.
//!
//! ```text
//! PREFIX/NODE/status                  retained; {"status":"online",…}, and "offline" by our last will
//! PREFIX/NODE/alarm/ID/ENTITY         retained: the alarm while control planes are to hold it; removed when it ends
//! PREFIX/NODE/event                   each event at QoS 1, its id in the user property event-id
//! ```
//!
//! Node and entity are one level each: what may not stand in a topic, and `/`, is `%XX`. At every connection all of the
//! state is published anew, since a broker without persistence forgets it, and what the broker retains of ours beyond that
//! is removed. A client's id is `gnomon-NODE-PREFIX`: two agents of one name would
//! end each other's connections.
//!
//! Source: MQTT Version 5.0, OASIS Standard of 2019-03-07.

use std::time::Duration;

use mqtt5_protocol::packet::connect::ConnectPacket;
use mqtt5_protocol::{ConnectOptions, QoS, ReasonCode, WillMessage};
use serde_json::json;

use crate::alarm::instance::Alarm;
use crate::config::secret::SecretFile;
use crate::config::sink::MqttSink;
use crate::event::rfc3339;
use crate::sink::outbox::Queued;
use crate::sink::{Delivery, Failure, Level, Now, Origin, Refused, Sink, Why, is_held, percent};

mod session;
mod stream;

use session::{Message, Session};

/// The sink.
pub(super) struct Mqtt {
    config: MqttSink,
    client_id: String,
    /// `PREFIX/NODE`.
    base: String,
    session: Option<Session>,
    /// Events up to here are in the set that the broker holds.
    position: u64,
}

impl Mqtt {
    pub(super) fn new(config: MqttSink, origin: &Origin) -> Self {
        let node = percent(&origin.node);
        Self {
            base: format!("{}/{node}", config.prefix.as_str()),
            client_id: format!("gnomon-{node}-{}", percent(config.prefix.as_str())),
            config,
            session: None,
            position: 0,
        }
    }

    fn status(&self, status: &str) -> Message {
        let body = json!({ "status": status, "version": env!("CARGO_PKG_VERSION") });
        Message::retained(format!("{}/status", self.base), body.to_string())
    }

    /// The retained state of an alarm; without one, its removal.
    fn state(&self, alarm: &Alarm) -> Message {
        let (id, entity) = (&alarm.key.alarm, percent(&alarm.key.entity.to_string()));
        let body = if is_held(alarm) {
            // Everything in an alarm has a JSON form.
            serde_json::to_string(alarm).unwrap_or_default()
        } else {
            String::new()
        };
        Message::retained(format!("{}/alarm/{id}/{entity}", self.base), body)
    }

    fn event(&self, queued: &Queued) -> Message {
        let body = serde_json::to_string(&queued.event).unwrap_or_default();
        Message {
            event_id: Some(queued.id()),
            retain: false,
            ..Message::retained(format!("{}/event", self.base), body)
        }
    }

    fn connect(&mut self, now: Now) -> Result<(), Failure> {
        self.session = None;
        let will = self.status("offline");
        let mut will = WillMessage::new(will.topic, will.body.into_bytes()).with_retain(true);
        will.qos = QoS::AtLeastOnce;
        let mut options = ConnectOptions::new(self.client_id.clone())
            .with_clean_start(true)
            .with_keep_alive(self.config.keep_alive.0)
            .with_will(will);
        let password = self
            .config
            .password_file
            .as_ref()
            .map(SecretFile::read)
            .transpose();
        let password = password.map_err(|error| Failure::new(error.to_string()))?;
        if let (Some(user), Some(password)) = (&self.config.username, &password) {
            options = options.with_credentials(user.clone(), password.expose());
        }
        options.properties.maximum_packet_size = Some(session::PACKET_MAX_BYTES);
        let session = Session::open(&self.config, &ConnectPacket::new(options), now.monotonic)?;
        self.session = Some(session);
        Ok(())
    }

    /// Publishes the set, and removes what the broker retains beyond it.
    fn publish_level(&mut self, level: &mut Level<'_>, now: Now) -> Result<Vec<Refused>, Failure> {
        let place = format!("{}/alarm/", self.base);
        let mut birth = self.status("online");
        birth.body = json!({
            "status": "online",
            "version": env!("CARGO_PKG_VERSION"),
            "since": rfc3339(now.realtime),
        })
        .to_string();
        self.session()?.subscribe(&place)?;
        let mut refused = Vec::new();
        for reason in self.session()?.publish(&[birth])? {
            refused.extend(refusal("the status".to_owned(), reason)?);
        }
        loop {
            let page = level.page()?;
            if page.is_empty() {
                break;
            }
            let messages: Vec<_> = page.iter().map(|alarm| self.state(alarm)).collect();
            let session = self.session()?;
            let reasons = session.publish(&messages)?;
            for message in &messages {
                session.retained.remove(&message.topic);
            }
            for (alarm, reason) in page.iter().zip(reasons) {
                let name = alarm.key.to_string();
                refused.extend(refusal(name, reason)?);
            }
        }
        let session = self.session()?;
        session.unsubscribe()?;
        let stale = std::mem::take(&mut session.retained);
        let removals = stale
            .into_iter()
            .map(|topic| Message::retained(topic, String::new()));
        session.publish(&removals.collect::<Vec<_>>())?;
        Ok(refused)
    }

    fn session(&mut self) -> Result<&mut Session, Failure> {
        self.session
            .as_mut()
            .ok_or_else(|| Failure::new("no connection to the broker"))
    }

    fn publish_events(&mut self, batch: &[Queued]) -> Result<Delivery, Failure> {
        let mut messages = Vec::new();
        let mut owners = Vec::new();
        for queued in batch {
            messages.push(self.event(queued));
            owners.push(queued);
            if queued.position > self.position {
                messages.push(self.state(&queued.event.alarm));
                owners.push(queued);
            }
        }
        let reasons = self.session()?.publish(&messages)?;
        let mut delivery = Delivery::all(batch);
        for (queued, reason) in owners.into_iter().zip(reasons) {
            delivery.refused.extend(refusal(queued.id(), reason)?);
        }
        delivery
            .refused
            .dedup_by(|one, other| one.name == other.name);
        Ok(delivery)
    }
}

impl Sink for Mqtt {
    fn hold(&mut self, level: &mut Level<'_>, _: Why, now: Now) -> Result<Vec<Refused>, Failure> {
        self.connect(now)?;
        let refused = self.publish_level(level, now);
        match refused {
            Ok(_) => self.position = level.position(),
            Err(_) => self.session = None,
        }
        refused
    }

    fn deliver(&mut self, batch: &[Queued], _: Now) -> Delivery {
        self.publish_events(batch).unwrap_or_else(|failure| {
            self.session = None;
            Delivery::none(failure)
        })
    }

    fn tend(&mut self, now: Now) -> Result<Option<Duration>, Failure> {
        let tended = self.session()?.tend(now.monotonic);
        if tended.is_err() {
            self.session = None;
        }
        tended.map(Some)
    }

    fn close(&mut self) {
        let farewell = self.status("offline");
        if let Some(mut session) = self.session.take() {
            // Where the broker no longer listens, it tells our last will.
            let _ = session.publish(&[farewell]).and_then(|_| session.close());
        }
    }
}

/// What a broker's answer to one message means: nothing, its refusal for good, or a failure.
fn refusal(name: String, reason: ReasonCode) -> Result<Option<Refused>, Failure> {
    let why = format!("the broker answered {reason:?}");
    match reason {
        reason if reason.is_success() => Ok(None),
        ReasonCode::PacketTooLarge
        | ReasonCode::TopicNameInvalid
        | ReasonCode::PayloadFormatInvalid => Ok(Some(Refused { name, why })),
        _ => Err(Failure::new(why)),
    }
}

#[cfg(test)]
mod tests;
