//! IBM Crypto Express cards and their queues (`Documentation/arch/s390/vfio-ap.rst`, drivers/s390/crypto).

use serde::{Deserialize, Serialize};

use super::{Accelerator, Crypto, Kind, Service, State};
use crate::directory::Directory;
use crate::parse;
use crate::survey::Survey;

/// A Crypto Express card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApCard {
    /// The kernel's name: `card0a`; also the id of its accelerator.
    pub id: String,
    /// `type`: `CEX8C`. The last letter is the mode: accelerator, CCA coprocessor, EP11 (P).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `hwtype`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_type: Option<u32>,
    /// `depth`: how many requests a queue holds; the file has one less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// `ap_functions` in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions: Option<String>,
    /// `max_msg_size`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_max_bytes: Option<u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ApNow,
}

/// A queue: one card and one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApQueue {
    /// The kernel's name: `0a.0014`.
    pub id: String,
    /// Its card.
    pub card: String,
    /// Its domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<u32>,
    /// The driver bound to it: `cex4queue`, `vfio_ap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: ApNow,
}

/// What changes in a card or a queue without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ApNow {
    /// `online`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// `config`: configured on the machine's console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured: Option<bool>,
    /// `chkstop`: it stopped itself after a hardware error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkstopped: Option<bool>,
    /// `request_count`: requests so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// `requestq_count`: requests that wait to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// `pendingq_count`: requests that wait for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
}

const DEVICES: &str = "sys/bus/ap/devices";

/// Adds every card and queue.
pub(super) fn discover(survey: &Survey<'_>, crypto: &mut Crypto) {
    for name in survey.names(DEVICES) {
        let directory = || Directory::list(survey, format!("{DEVICES}/{name}"));
        if name.starts_with("card") {
            let card = card(&directory());
            crypto.accelerators.push(accelerator(&card));
            crypto.ap_cards.push(card);
        } else if let Some((card, domain)) = name.split_once('.') {
            crypto.ap_queues.push(queue(&directory(), card, domain));
        }
    }
}

fn card(directory: &Directory<'_>) -> ApCard {
    let functions = directory.value("ap_functions", parse::hex);
    let depth = directory.value("depth", parse::decimal::<u32>);
    ApCard {
        id: directory.name().to_owned(),
        model: directory.text("type"),
        hardware_type: directory.value("hwtype", parse::decimal),
        depth: depth.and_then(|depth| depth.checked_add(1)),
        functions: functions.map(|functions| format!("{functions:#010x}")),
        message_max_bytes: directory.value("max_msg_size", parse::decimal),
        now: now(directory),
    }
}

fn queue(directory: &Directory<'_>, card: &str, domain: &str) -> ApQueue {
    let domain = parse::hex(domain).ok();
    ApQueue {
        id: directory.name().to_owned(),
        card: format!("card{card}"),
        domain: domain.and_then(|domain| domain.try_into().ok()),
        driver: directory.link_name("driver"),
        now: now(directory),
    }
}

fn now(directory: &Directory<'_>) -> ApNow {
    let switch = |name: &str| directory.value(name, parse::switch);
    let count = |name: &str| directory.value(name, parse::decimal);
    ApNow {
        online: switch("online"),
        configured: switch("config"),
        checkstopped: switch("chkstop"),
        requests: count("request_count"),
        waiting: count("requestq_count"),
        pending: count("pendingq_count"),
    }
}

fn accelerator(card: &ApCard) -> Accelerator {
    let mut row = Accelerator {
        model: card.model.clone(),
        ..Accelerator::new(&card.id, Kind::CryptoExpress)
    };
    // An accelerator does RSA alone; the coprocessors (CCA, EP11) do all.
    if card
        .model
        .as_deref()
        .is_some_and(|model| model.ends_with('A'))
    {
        row.services = vec![Service::Asymmetric];
    }
    let ApNow {
        online,
        configured,
        checkstopped,
        ..
    } = card.now;
    row.now.state = match (checkstopped, configured, online) {
        (Some(true), ..) => Some(State::Checkstopped),
        (_, Some(false), _) | (.., Some(false)) => Some(State::Offline),
        (.., Some(true)) => Some(State::Up),
        _ => None,
    };
    row
}
