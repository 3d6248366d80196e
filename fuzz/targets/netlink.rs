//! Messages of netlink: links, disciplines, and the families of generic netlink.
#![cfg_attr(fuzzing, no_main)]

use libhw::io::netlink::message::Messages;
use libhw::io::netlink::{link, qdisc};
use libhw::io::{devlink, dpll, ethtool};

/// The first byte says whose message the others are.
fn netlink(bytes: &[u8]) -> bool {
    let Some((choice, bytes)) = bytes.split_first() else {
        return false;
    };
    let mut found = false;
    for payload in Messages::of(bytes)
        .map(|message| message.payload)
        .chain([bytes])
    {
        found |= one(*choice, payload);
    }
    found
}

fn one(choice: u8, bytes: &[u8]) -> bool {
    match choice % 8 {
        0 => link::parse(bytes).is_some_and(|link| again(&link)),
        1 => qdisc::parse(bytes).is_some_and(|qdisc| again(&qdisc)),
        2 => devlink::parse_port(bytes).is_some_and(|port| again(&port)),
        3 => devlink::parse_reporter(bytes).is_some_and(|reporter| again(&reporter)),
        4 => devlink::parse_firmware(bytes).is_some_and(|firmware| again(&firmware)),
        5 => dpll::parse_device(bytes).is_some_and(|device| again(&device)),
        6 => dpll::parse_pin(bytes).is_some_and(|pin| again(&pin)),
        _ => {
            let mut settings = ethtool::Settings::default();
            for command in 0..64 {
                ethtool::parse(command, bytes, &mut settings);
            }
            again(&settings) && !ethtool::parse_counters(bytes).is_empty()
        }
    }
}

/// What was understood can be recorded, and is the same when it is read again.
fn again<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: &T,
) -> bool {
    let json = serde_json::to_string(value).expect("JSON");
    assert_eq!(
        *value,
        serde_json::from_str::<T>(&json).expect("our own JSON")
    );
    true
}

gnomon_fuzz::target!(netlink);
