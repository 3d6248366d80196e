use std::sync::Mutex;

use super::*;
use crate::alarm::key::Key;
use crate::sink::peer::{alarm, cleared, raised};
use crate::store::alarms::{Batch, Entry, Limits, Store};

#[test]
fn every_kind_of_sink_is_a_row_of_the_table() {
    for text in [
        "type='file'\npath='-'",
        "type='cloudevents'\nurl='http://h'",
        "type='alertmanager'\nurl='http://h'",
        "type='mqtt'\nurl='mqtt://h'",
    ] {
        let config = SinkConfig::parse("s", text.parse().unwrap()).unwrap();
        let sink = open(config, &peer::origin()).map_err(|why| format!("{text}: {why}"));
        assert_eq!(
            sink.map(|sink| sink.repeat().is_some()),
            Ok(text.contains("alertmanager"))
        );
    }
}

fn put(store: &Mutex<Store>, events: &[crate::alarm::event::Event]) {
    let mut batch = Batch::default();
    for event in events {
        let key = event.alarm.key.to_string();
        let state = event.alarm.is_active();
        let state = state.then(|| serde_json::to_string(&event.alarm).unwrap());
        batch.alarms.insert(key.clone(), state);
        batch.events.push(Entry {
            position: 0,
            boot: event.id.boot.to_string(),
            sequence: event.id.sequence,
            told: event.is_told(),
            instance: event.alarm.instance.to_string(),
            key,
            body: serde_json::to_string(event).unwrap(),
            folded: 0,
        });
    }
    let mut store = store.lock().unwrap();
    store.put(batch);
    store.flush().unwrap();
}

#[test]
fn the_store_is_an_outbox() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let path = directory.path().join("alarms.db");
        Mutex::new(Store::open(&path, Limits::default()).unwrap().0)
    };
    let store = open();
    assert_eq!((store.cursor("s").unwrap(), store.last().unwrap()), (0, 0));
    let mut symptom = raised(3, "host=n1.fan=3");
    symptom.notice = None;
    symptom.alarm.announced = false;
    put(
        &store,
        &[
            raised(1, "host=n1.fan=1"),
            raised(2, "host=n1.fan=2"),
            symptom,
            cleared(4, "host=n1.fan=1"),
        ],
    );
    let events = store.events(0, 100).unwrap();
    let sequences: Vec<_> = events
        .queued
        .iter()
        .map(|one| one.event.id.sequence)
        .collect();
    assert_eq!((sequences, events.through), (vec![1, 2, 4], 4));
    assert_eq!(
        (store.last().unwrap(), store.lag(1).unwrap().events),
        (4, 2)
    );
    assert_eq!(
        store.lag(1).unwrap().oldest,
        Some(events.queued[1].event.at.realtime)
    );
    // A page that holds none to tell is not the last.
    let first = store.announced(None, 1).unwrap();
    assert_eq!(first.alarms.len(), 1);
    let second = store.announced(first.next.as_deref(), 1).unwrap();
    assert!(second.alarms.is_empty() && second.next.is_some());
    assert_eq!(
        store.announced(second.next.as_deref(), 1).unwrap(),
        outbox::Page::default()
    );
    store.acknowledge("s", 2).unwrap();
    drop(store);
    assert_eq!(open().cursor("s").unwrap(), 2);
}

#[test]
fn an_event_that_cannot_be_read_is_in_nobodys_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alarms.db");
    let store = Mutex::new(Store::open(&path, Limits::default()).unwrap().0);
    put(&store, &[raised(1, "host=n1.fan=1")]);
    let entry = Entry {
        body: "{".to_owned(),
        ..store.lock().unwrap().events(0, 1).unwrap().remove(0)
    };
    let events = vec![Entry {
        sequence: 2,
        ..entry
    }];
    let batch = Batch {
        events,
        ..Batch::default()
    };
    store.lock().unwrap().put(batch);
    store.lock().unwrap().flush().unwrap();
    let events = store.events(1, 100).unwrap();
    assert_eq!((events.queued.len(), events.through), (0, 2));
}

#[test]
fn a_key_comes_back_from_the_words_that_a_peer_has_of_it() {
    for entity in [
        "host=n1.fan=2",
        r"host=n1.nic=0000:3b:00\.0.port=0",
        r"host=n\u{20ac}.disk=a\=b\,c\\d/#+$",
        "host=größe.sensor=CPU 1 %41",
    ] {
        let Key { alarm: id, entity } = alarm(entity, crate::alarm::severity::Severity::Minor).key;
        let word = percent(&entity.to_string());
        assert!(
            !word.contains(['/', '+', '#', ' ', '"']) && word.is_ascii(),
            "{word}"
        );
        let bytes: Vec<u8> = decoded(&word);
        let back = crate::alarm::entity::Entity::parse(std::str::from_utf8(&bytes).unwrap());
        assert_eq!(back.unwrap(), entity);
        assert_eq!(crate::alarm::key::AlarmId::parse(id.as_str()).unwrap(), id);
    }
}

fn decoded(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[test]
fn the_word_of_an_event_is_that_of_its_json() {
    let reason = crate::alarm::event::Reason::Gone;
    for what in [
        What::Raised,
        What::Changed,
        What::Cleared { reason },
        What::Acknowledged,
        What::Unacknowledged,
        What::Masked,
        What::Unmasked,
        What::Stale,
        What::Verified,
        What::Flapping,
        What::Settled,
        What::Latched,
        What::Linked,
        What::Released,
        What::Unfolded,
    ] {
        let json = serde_json::to_value(&what).unwrap();
        assert_eq!(json["what"], word(&what));
    }
}
