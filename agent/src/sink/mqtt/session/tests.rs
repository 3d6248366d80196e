use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use mqtt5_protocol::ConnectOptions;
use mqtt5_protocol::packet::connack::ConnAckPacket;
use mqtt5_protocol::packet::puback::PubAckPacket;

use super::*;
use crate::config::sink::SinkConfig;

#[test]
fn a_packet_is_taken_whole_and_in_whatever_pieces_it_comes() {
    let mut wire = encoded(&ConnAckPacket::new(false, ReasonCode::Success)).unwrap();
    wire.extend(encoded(&PubAckPacket::new(7)).unwrap());
    let mut bytes = Vec::new();
    let mut packets = Vec::new();
    for byte in wire {
        bytes.push(byte);
        packets.extend(parse(&mut bytes).unwrap());
    }
    assert!(bytes.is_empty());
    let names: Vec<_> = packets.iter().map(Packet::packet_type_name).collect();
    assert_eq!(names, ["CONNACK", "PUBACK"]);
}

#[test]
fn what_is_no_mqtt_is_refused_and_never_a_panic() {
    for bytes in [
        b"HTTP/1.1 400".as_slice(),
        b"\x20\xff\xff\xff\xff\x01",
        b"\x20\x80\x80\x80\x80",
        b"\x00\x00",
        b"\x30\xff\xff\xff\x7f",
        b"\x40\x01\x00",
        b"\x20\x03\x00\x00\x05",
        b"\x31\x04\x00\x09ab",
    ] {
        assert!(parse(&mut bytes.to_vec()).is_err(), "{bytes:x?}");
    }
    for bytes in [b"".as_slice(), b"\x20", b"\x20\x80\x80", b"\x20\x03\x00"] {
        assert!(parse(&mut bytes.to_vec()).unwrap().is_none(), "{bytes:x?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_at_all_are_packets_or_refused(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        while let Ok(Some(_)) = parse(&mut bytes) {}
    }
}

/// What a session says of a broker that answers the CONNECT with `answer` and everything else with `then`.
fn against(answer: &'static [u8], then: &'static [u8]) -> Result<Vec<ReasonCode>, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let broker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let mut reply = answer;
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
            if stream.write_all(reply).is_err() {
                break;
            }
            reply = then;
        }
    });
    let text = format!("type='mqtt'\nurl='mqtt://127.0.0.1:{port}'\ntimeout='1s'");
    let SinkConfig::Mqtt(config) = SinkConfig::parse("b", text.parse().unwrap()).unwrap() else {
        panic!("a broker");
    };
    let connect = ConnectPacket::new(ConnectOptions::new("c"));
    let said = Session::open(&config, &connect, Duration::ZERO).and_then(|mut session| {
        session.publish(&[Message::retained("t".to_owned(), "x".to_owned())])
    });
    broker.join().unwrap();
    said
}

#[test]
fn a_hostile_broker_is_a_failure_in_time_and_acknowledges_nothing() {
    const CONNACK: &[u8] = b"\x20\x03\x00\x00\x00";
    for (answer, then, says) in [
        (b"".as_slice(), b"".as_slice(), "did not answer in time"),
        (b"\x20\x03\x00", b"", "did not answer in time"),
        (b"\x20\x03\x00\x87\x00", b"", "NotAuthorized"),
        (b"\x20\x05\x00\x00\x02\x24\x00", b"", "QoS 0 alone"),
        (b"\x20\x05\x00\x00\x02\x25\x00", b"", "retains no messages"),
        (b"\xff\xff\xff\xff\xff\xff", b"", "no MQTT 5"),
        (CONNACK, b"\x40\x02\x00\x63", "was not sent"),
        (CONNACK, b"\xe0\x02\x8b\x00", "ServerShuttingDown"),
        (CONNACK, b"\x30\xff\xff\xff\x7f", "larger packet"),
    ] {
        let failure = against(answer, then).unwrap_err();
        assert!(
            failure.what.contains(says),
            "{answer:x?} {then:x?}: {failure:?}"
        );
    }
    assert_eq!(
        against(CONNACK, b"\x40\x02\x00\x01"),
        Ok(vec![ReasonCode::Success])
    );
    let refused = against(CONNACK, b"\x40\x03\x00\x01\x90");
    assert_eq!(refused, Ok(vec![ReasonCode::TopicNameInvalid]));
}
