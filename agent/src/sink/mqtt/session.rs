//! One connection to a broker: packets out, their answers in, as many unanswered as the broker allows.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use bytes::Buf;
use mqtt5_protocol::packet::connack::ConnAckPacket;
use mqtt5_protocol::packet::connect::ConnectPacket;
use mqtt5_protocol::packet::disconnect::DisconnectPacket;
use mqtt5_protocol::packet::pingreq::PingReqPacket;
use mqtt5_protocol::packet::publish::PublishPacket;
use mqtt5_protocol::packet::subscribe::{SubscribePacket, TopicFilter};
use mqtt5_protocol::packet::subscribe_options::SubscriptionOptions;
use mqtt5_protocol::packet::unsubscribe::UnsubscribePacket;
use mqtt5_protocol::packet::{FixedHeader, MqttPacket, Packet};
use mqtt5_protocol::{PropertyId, PropertyValue, QoS, ReasonCode};

use super::stream::Stream;
use crate::config::sink::MqttSink;
use crate::sink::Failure;

/// No packet that we want is larger: a retained alarm has some kilobytes.
pub(super) const PACKET_MAX_BYTES: u32 = 256 << 10;

/// So many messages are without an answer at most, whatever the broker allows.
const WINDOW_MAX: usize = 100;

/// A broker that retains more below our own name is not believed.
const RETAINED_MAX: usize = 100_000;

/// So many packets that nobody asked for are taken at a time.
const UNASKED_MAX: usize = 1000;

/// A fixed header has at most so many bytes (§2.1).
const HEADER_MAX_BYTES: usize = 5;

/// What is published at QoS 1, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    /// Empty to remove what is retained.
    pub(super) body: String,
    pub(super) retain: bool,
    pub(super) event_id: Option<String>,
}

impl Message {
    pub(super) const fn retained(topic: String, body: String) -> Self {
        Self {
            topic,
            body,
            retain: true,
            event_id: None,
        }
    }

    fn packet(&self, id: u16) -> PublishPacket {
        let body = self.body.clone().into_bytes();
        let mut packet = PublishPacket::new(self.topic.clone(), body, QoS::AtLeastOnce)
            .with_packet_id(id)
            .with_retain(self.retain);
        if !self.body.is_empty() {
            packet = packet
                .with_payload_format_indicator(true)
                .with_content_type("application/json".to_owned());
        }
        match &self.event_id {
            Some(event_id) => packet.with_user_property("event-id".to_owned(), event_id.clone()),
            None => packet,
        }
    }
}

/// What the broker said in its CONNACK that we have to mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    window: usize,
    packet_max_bytes: usize,
    ping_every: Duration,
}

/// The connection.
pub(super) struct Session {
    stream: Stream,
    incoming: Vec<u8>,
    timeout: Duration,
    terms: Terms,
    last_id: u16,
    /// When we were last heard for certain, by the clock of [`Session::tend`].
    ping_at: Duration,
    /// What every topic in `retained` begins with.
    below: String,
    /// Topics that the broker told to hold a retained message.
    pub(super) retained: BTreeSet<String>,
}

impl Session {
    /// Connects, and waits for the broker's word.
    pub(super) fn open(
        config: &MqttSink,
        connect: &ConnectPacket,
        now: Duration,
    ) -> Result<Self, Failure> {
        let mut session = Self {
            stream: Stream::connect(config)?,
            incoming: Vec::new(),
            timeout: config.timeout.0,
            terms: Terms {
                window: WINDOW_MAX,
                packet_max_bytes: usize::MAX,
                ping_every: config.keep_alive.0 / 2,
            },
            last_id: 0,
            ping_at: now,
            below: String::new(),
            retained: BTreeSet::new(),
        };
        session.send(connect)?;
        let answer = session.await_packet(|packet| match packet {
            Packet::ConnAck(answer) => Some(answer),
            _ => None,
        })?;
        session.terms = terms(&answer, config.keep_alive.0)?;
        session.ping_at = now + session.terms.ping_every;
        Ok(session)
    }

    /// Asks for what is retained below `place`, which is in [`Session::retained`] after it. A broker that lets nobody ask
    /// leaves it empty.
    pub(super) fn subscribe(&mut self, place: &str) -> Result<(), Failure> {
        place.clone_into(&mut self.below);
        let mut options = SubscriptionOptions::new(QoS::AtMostOnce);
        options.no_local = true;
        let id = self.next_id();
        let filter = TopicFilter::with_options(format!("{place}#"), options);
        self.send(&SubscribePacket::new(id).add_filter_with_options(filter))?;
        self.await_packet(|packet| match packet {
            Packet::SubAck(answer) if answer.packet_id == id => Some(()),
            _ => None,
        })?;
        self.ping()
    }

    /// Ends what [`Session::subscribe`] began.
    pub(super) fn unsubscribe(&mut self) -> Result<(), Failure> {
        let id = self.next_id();
        let filter = format!("{}#", self.below);
        self.send(&UnsubscribePacket::new(id).add_filter(filter))?;
        self.await_packet(|packet| match packet {
            Packet::UnsubAck(answer) if answer.packet_id == id => Some(()),
            _ => None,
        })
    }

    /// Publishes all of them and waits for the broker's answers, which come back in the same order.
    pub(super) fn publish(&mut self, messages: &[Message]) -> Result<Vec<ReasonCode>, Failure> {
        let mut reasons = vec![ReasonCode::Success; messages.len()];
        let mut unanswered = BTreeMap::new();
        for (message, reason) in messages.iter().zip(&mut reasons) {
            if unanswered.len() >= self.terms.window {
                self.await_answer(&mut unanswered)?;
            }
            let id = self.next_id();
            let bytes = encoded(&message.packet(id))?;
            if bytes.len() > self.terms.packet_max_bytes {
                *reason = ReasonCode::PacketTooLarge;
                continue;
            }
            self.send_bytes(&bytes)?;
            unanswered.insert(id, reason);
        }
        while !unanswered.is_empty() {
            self.await_answer(&mut unanswered)?;
        }
        Ok(reasons)
    }

    /// Says that we are there, when that is due at `now`; when it is due next.
    pub(super) fn tend(&mut self, now: Duration) -> Result<Duration, Failure> {
        // What the broker said unasked: that it shuts down, for one.
        for _ in 0..UNASKED_MAX {
            match self.receive(Instant::now())? {
                Some(packet) => self.take(packet)?,
                None => break,
            };
        }
        if now >= self.ping_at {
            self.ping()?;
            self.ping_at = now + self.terms.ping_every;
        }
        Ok(self.ping_at)
    }

    /// Takes leave, so that the last will is not told.
    pub(super) fn close(&mut self) -> Result<(), Failure> {
        self.send(&DisconnectPacket::normal())
    }

    fn ping(&mut self) -> Result<(), Failure> {
        self.send(&PingReqPacket::default())?;
        self.await_packet(|packet| matches!(packet, Packet::PingResp).then_some(()))
    }

    fn await_answer(
        &mut self,
        unanswered: &mut BTreeMap<u16, &mut ReasonCode>,
    ) -> Result<(), Failure> {
        let (id, answer) = self.await_packet(|packet| match packet {
            Packet::PubAck(answer) => Some((answer.packet_id, answer.reason_code)),
            _ => None,
        })?;
        match unanswered.remove(&id) {
            Some(reason) => {
                *reason = answer;
                Ok(())
            }
            None => Err(Failure::new("the broker acknowledged what was not sent")),
        }
    }

    /// Receives until `wanted` takes a packet, within the timeout.
    fn await_packet<T>(&mut self, wanted: impl Fn(Packet) -> Option<T>) -> Result<T, Failure> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let packet = self.receive(deadline)?;
            let packet = packet.ok_or_else(|| Failure::new("the broker did not answer in time"))?;
            if let Some(packet) = self.take(packet)?
                && let Some(found) = wanted(packet)
            {
                return Ok(found);
            }
            if Instant::now() >= deadline {
                return Err(Failure::new("the broker did not answer in time"));
            }
        }
    }

    /// Keeps what is retained, and minds a broker that takes leave; any other packet comes back.
    fn take(&mut self, packet: Packet) -> Result<Option<Packet>, Failure> {
        match packet {
            Packet::Publish(message) => {
                let ours = message.topic_name.starts_with(&self.below);
                let room = self.retained.len() < RETAINED_MAX;
                if message.retain && !message.payload.is_empty() && ours && room {
                    self.retained.insert(message.topic_name);
                }
                Ok(None)
            }
            Packet::Disconnect(leave) => {
                let what = format!("the broker ended the connection: {:?}", leave.reason_code);
                Err(Failure::new(what))
            }
            other => Ok(Some(other)),
        }
    }

    /// The next packet; `None` when none was there by `deadline`.
    fn receive(&mut self, deadline: Instant) -> Result<Option<Packet>, Failure> {
        loop {
            if let Some(packet) = parse(&mut self.incoming)? {
                return Ok(Some(packet));
            }
            let came = self
                .stream
                .receive(&mut self.incoming, deadline)
                .map_err(lost)?;
            if !came && Instant::now() >= deadline {
                return Ok(None);
            }
        }
    }

    fn send(&mut self, packet: &impl MqttPacket) -> Result<(), Failure> {
        let bytes = encoded(packet)?;
        self.send_bytes(&bytes)
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.send(bytes).map_err(lost)
    }

    /// From 1 to 65535: never one that is without an answer, since there are at most a hundred.
    const fn next_id(&mut self) -> u16 {
        self.last_id = if self.last_id == u16::MAX {
            1
        } else {
            self.last_id + 1
        };
        self.last_id
    }
}

/// What a CONNACK grants.
fn terms(answer: &ConnAckPacket, keep_alive: Duration) -> Result<Terms, Failure> {
    if answer.reason_code != ReasonCode::Success {
        let what = format!(
            "the broker answered {:?} to our connection",
            answer.reason_code
        );
        return Err(Failure::new(what));
    }
    let byte = |id| match answer.properties.get(id) {
        Some(PropertyValue::Byte(value)) => Some(*value),
        _ => None,
    };
    if byte(PropertyId::MaximumQoS) == Some(0) {
        return Err(Failure::new(
            "the broker acknowledges nothing: it knows QoS 0 alone",
        ));
    }
    if byte(PropertyId::RetainAvailable) == Some(0) {
        return Err(Failure::new("the broker retains no messages"));
    }
    let window = answer.receive_maximum().map_or(WINDOW_MAX, usize::from);
    let bytes = answer
        .maximum_packet_size()
        .and_then(|bytes| usize::try_from(bytes).ok());
    let theirs = answer.properties.get_server_keep_alive();
    let theirs = theirs.filter(|seconds| *seconds > 0);
    let keep_alive = theirs.map_or(keep_alive, |seconds| Duration::from_secs(seconds.into()));
    Ok(Terms {
        window: window.clamp(1, WINDOW_MAX),
        packet_max_bytes: bytes.unwrap_or(usize::MAX),
        ping_every: keep_alive / 2,
    })
}

fn encoded(packet: &impl MqttPacket) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // Its words might quote what was to be sent.
    packet
        .encode(&mut bytes)
        .map_err(|_| Failure::new("a packet that MQTT has no form for"))?;
    Ok(bytes)
}

/// Takes the first packet from `bytes`, once it is there as a whole.
fn parse(bytes: &mut Vec<u8>) -> Result<Option<Packet>, Failure> {
    let malformed = || Failure::new("the broker sent what is no MQTT 5");
    let length = bytes
        .iter()
        .skip(1)
        .take(4)
        .position(|byte| byte & 0x80 == 0);
    if bytes.is_empty() || length.is_none() {
        return if bytes.len() < HEADER_MAX_BYTES {
            Ok(None)
        } else {
            Err(malformed())
        };
    }
    let mut rest = bytes.as_slice();
    let header = FixedHeader::decode(&mut rest).map_err(|_| malformed())?;
    if !header.validate_flags() {
        return Err(malformed());
    }
    if header.remaining_length > PACKET_MAX_BYTES {
        return Err(Failure::new("the broker sent a larger packet than we take"));
    }
    let body_bytes = usize::try_from(header.remaining_length).unwrap_or(usize::MAX);
    let Some(mut body) = rest.get(..body_bytes) else {
        return Ok(None);
    };
    let packet = Packet::decode_from_body(header.packet_type, &header, &mut body);
    let used = bytes.len() - rest.remaining() + body_bytes;
    bytes.drain(..used);
    packet.map(Some).map_err(|_| malformed())
}

/// An error of the connection, without what was sent on it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn lost(error: io::Error) -> Failure {
    Failure::new(format!("the connection to the broker: {error}"))
}

#[cfg(test)]
mod tests;
