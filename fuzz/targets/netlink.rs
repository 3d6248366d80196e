//! Messages of netlink: links, disciplines, and the families of generic netlink.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::{Result, Unstructured};
use gnomon_fuzz::mutant::{rarely, some};
use libhw::io::netlink::message::Messages;
use libhw::io::netlink::{link, qdisc};
use libhw::io::{devlink, dpll, ethtool};

/// What a message has in front of its attributes, by choice; and the attributes without which it means nothing, each with
/// its number. The last is several commands of ethtool, told apart by nobody.
const HEADS: [usize; 8] = [16, 20, 0, 0, 0, 0, 0, 0];
const DEVICE: [(u16, &[u8]); 2] = [(1, b"pci\0"), (2, b"0000:51:00.0\0")];
const NEEDED: [&[(u16, &[u8])]; 8] = [
    &[(3, b"eth0\0")],
    &[(1, b"taprio\0")],
    &[DEVICE[0], DEVICE[1], (3, &[3, 0, 0, 0])],
    &[DEVICE[0], DEVICE[1], (114, b"\x07\0\x73\0fw\0\0")],
    &DEVICE,
    &[(1, &[1, 0, 0, 0])],
    &[(1, &[1, 0, 0, 0])],
    &[],
];

/// A group of counters in an answer of ethtool, its number, and a counter in it.
const GROUP: u16 = 4;
const GROUP_ID: u16 = 2;
const GROUP_STAT: u16 = 4;

/// No mutant has more attributes beside these, nor any more of them within it.
const MORE_MAX: usize = 12;
const NESTED_MAX: usize = 6;

/// No attribute's number is larger.
const KIND_MAX: u16 = 160;

/// Three in four mutants are attributes as they should be, with numbers and values of any kind; the others are bytes, the
/// first of which says whose message they are.
fn netlink(bytes: &[u8]) -> bool {
    let mut rest = Unstructured::new(bytes);
    if rest.ratio(3, 4) != Ok(true) {
        return raw(bytes);
    }
    let Ok(choice) = rest.int_in_range(0..=7_u8) else {
        return raw(bytes);
    };
    let mut message = Vec::new();
    // Too few bytes leave it as far as it is.
    let _ = fill(choice, &mut message, &mut rest);
    one(choice, &message)
}

fn fill(choice: u8, message: &mut Vec<u8>, bytes: &mut Unstructured<'_>) -> Result<()> {
    let choice = usize::from(choice);
    let head: Vec<u8> = bytes.bytes(HEADS[choice]).map(<[u8]>::to_vec)?;
    message.extend(head);
    let mut parts: Vec<Vec<u8>> = NEEDED[choice]
        .iter()
        .map(|(kind, value)| attribute(*kind, value))
        .collect();
    if choice == 7 {
        parts.push(group(bytes)?);
    }
    while !bytes.is_empty() && parts.len() < MORE_MAX {
        let part = any(bytes, NESTED_MAX)?;
        let at = bytes.choose_index(parts.len() + 1)?;
        parts.insert(at, part);
    }
    message.extend(parts.concat());
    if rarely(bytes, 16) {
        message.truncate(bytes.choose_index(message.len() + 1)?);
    }
    Ok(())
}

/// A group of ethtool's counters, with one in it.
fn group(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let id = u32::from(bytes.int_in_range(0..=3_u8)?).to_ne_bytes();
    let count = attribute(
        bytes.int_in_range(0..=8)?,
        &bytes.arbitrary::<u64>()?.to_ne_bytes(),
    );
    let stat = attribute(GROUP_STAT, &count);
    Ok(attribute(GROUP, &[attribute(GROUP_ID, &id), stat].concat()))
}

/// An attribute of any number, with a value of a usual length or others within it.
fn any(bytes: &mut Unstructured<'_>, nested: usize) -> Result<Vec<u8>> {
    let kind = bytes.int_in_range(0..=KIND_MAX)?;
    let value = match bytes.int_in_range(0..=7)? {
        0 => vec![bytes.arbitrary()?],
        1 => bytes.arbitrary::<u16>()?.to_ne_bytes().to_vec(),
        2 => bytes.arbitrary::<u32>()?.to_ne_bytes().to_vec(),
        3 => bytes.arbitrary::<u64>()?.to_ne_bytes().to_vec(),
        4 | 5 if nested > 0 => {
            let mut inner = Vec::new();
            for _ in 0..bytes.int_in_range(1..=3)? {
                inner.extend(any(bytes, nested - 1)?);
            }
            inner
        }
        _ => some(bytes)?,
    };
    Ok(attribute(kind, &value))
}

/// Length, number, value, and nothing up to a multiple of four.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    let mut attribute = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    attribute.extend(value);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

fn raw(bytes: &[u8]) -> bool {
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
