use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::config::sink::SinkConfig;
use crate::sink::outbox::Outbox;
use crate::sink::outbox::memory::Memory;
use crate::sink::peer::{Act, Receiver, Request, at, id, origin, raised};
use crate::sink::runner::Runner;

const TOKEN: &str = "s3cret-token";

fn config(port: u16, more: &str) -> CloudEventsSink {
    let text = format!(
        "type='cloudevents'\nurl='http://127.0.0.1:{port}/in?key=s3cret'\ntimeout='1s'\n{more}"
    );
    match SinkConfig::parse("hook", text.parse().unwrap()).unwrap() {
        SinkConfig::CloudEvents(config) => config,
        other => panic!("{other:?}"),
    }
}

fn runner(receiver: &Receiver, more: &str) -> (Runner, Arc<Memory>) {
    let outbox = Arc::new(Memory::default());
    let sink = Box::new(CloudEvents::new(config(receiver.port, more), &origin()));
    let shared = Arc::clone(&outbox) as Arc<dyn Outbox>;
    (Runner::new("hook", sink, shared, 1), outbox)
}

/// Steps until nothing is due, by a clock that jumps to what is due; how long that took by it.
fn settle(runner: &mut Runner) -> Duration {
    let mut now = at(0);
    while let Some(due) = runner.step(now) {
        assert!(due < Duration::from_secs(7 * 86_400), "it never ends");
        now.monotonic = due;
    }
    now.monotonic
}

fn events(request: &Request) -> Vec<Value> {
    match serde_json::from_str(&request.body).unwrap() {
        Value::Array(events) => events,
        one => vec![one],
    }
}

/// The ids of the events that were taken; not those of the active alarms.
fn taken(requests: &[Request]) -> Vec<String> {
    let taken = requests.iter().filter(|request| request.status < 300);
    let events = taken.flat_map(events);
    let events = events.filter(|event| event["type"] != "gnomon.alarm.active");
    events
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_event_has_the_attributes_of_cloudevents_and_its_own_id() {
    let receiver = Receiver::start();
    let (mut runner, outbox) = runner(&receiver, "");
    outbox.tell(raised(1, r"host=n1.nic=0000:3b:00\.0"));
    settle(&mut runner);
    let requests = receiver.requests();
    let head = requests[0].head.to_lowercase();
    assert!(
        head.starts_with("post /in?key=s3cret http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("content-type: application/cloudevents+json"),
        "{head}"
    );
    let event = &events(&requests[1])[0];
    for (name, value) in [
        ("specversion", "1.0"),
        ("id", &id(1)),
        ("source", "//n%2F1%20%C3%BC/gnomon"),
        ("type", "gnomon.alarm.raised"),
        ("subject", r"host=n1.nic=0000:3b:00\.0"),
        ("datacontenttype", "application/json"),
        ("severity", "major"),
        ("alarmid", "hw.fan.failed"),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    assert!(event["time"].as_str().unwrap().parse::<Timestamp>().is_ok());
    let data: crate::alarm::event::Event = serde_json::from_value(event["data"].clone()).unwrap();
    assert_eq!(data.id.sequence, 1);
    // The active alarm came before, under an id that stays.
    let active = &events(&requests[0])[0];
    assert_eq!(active["type"], "gnomon.alarm.active");
    assert_eq!(active["id"], format!("{}/5000000000", data.alarm.instance));
}

#[test]
fn a_receiver_that_misbehaves_loses_nothing_and_sees_copies_under_one_id_alone() {
    for more in ["", "batched=true"] {
        let receiver = Receiver::start();
        receiver.script([
            Act::Reset,
            Act::Stall,
            Act::HalfRead,
            Act::HalfAnswer,
            Act::Garbage,
            Act::Answer(500, ""),
            Act::Answer(503, "Retry-After: 0\r\n"),
            Act::Answer(307, "Location: http://127.0.0.1:9/\r\n"),
            Act::Answer(401, ""),
            Act::Answer(404, ""),
            Act::Answer(408, ""),
            Act::Answer(425, ""),
            Act::Answer(429, ""),
            Act::Answer(200, ""),
            Act::Reset,
            Act::Answer(502, ""),
            Act::NoBody,
            Act::HalfAnswer,
        ]);
        let (mut runner, outbox) = runner(&receiver, more);
        (1..=20).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
        settle(&mut runner);
        assert!(receiver.is_done());
        let taken = taken(&receiver.requests());
        let once: BTreeSet<_> = taken.iter().cloned().collect();
        assert_eq!(once, (1..=20).map(id).collect(), "{more}");
        assert_eq!(outbox.acknowledged("hook"), 20);
    }
}

#[test]
fn what_is_refused_for_good_costs_the_others_nothing() {
    // The first three requests are those of the active alarms.
    let receiver = Receiver::start();
    let ok = || Act::Answer(204, "");
    receiver.script([ok(), ok(), ok(), ok(), Act::Answer(413, ""), ok()]);
    let (mut single, outbox) = runner(&receiver, "");
    (1..=3).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    settle(&mut single);
    assert_eq!(taken(&receiver.requests()), [id(1), id(3)]);
    assert_eq!(outbox.acknowledged("hook"), 3);
    // In a batch the one at fault is found by sending each alone.
    receiver.script([ok(), Act::Answer(400, ""), ok(), Act::Answer(422, ""), ok()]);
    let (mut batched, outbox) = runner(&receiver, "batched=true");
    (1..=3).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    settle(&mut batched);
    let requests = receiver.requests();
    assert!(
        requests[1]
            .head
            .to_lowercase()
            .contains("application/cloudevents-batch+json")
    );
    assert_eq!(taken(&requests), [id(1), id(3)]);
}

#[test]
fn a_receiver_that_asks_for_a_pause_has_it() {
    let receiver = Receiver::start();
    receiver.script([
        Act::Answer(204, ""),
        Act::Answer(429, "Retry-After: 120\r\n"),
    ]);
    let (mut runner, outbox) = runner(&receiver, "");
    outbox.tell(raised(1, "host=n1.fan=1"));
    assert_eq!(runner.step(at(0)), Some(Duration::from_secs(120)));
    assert_eq!(runner.step(at(119)), Some(Duration::from_secs(120)));
    assert_eq!(runner.step(at(121)), None);
    assert_eq!(taken(&receiver.requests()), [id(1)]);
}

#[test]
fn nobody_listens_for_a_day_and_then_everything_is_there() {
    let port = crate::sink::peer::free_port();
    let outbox = Arc::new(Memory::default());
    let sink = Box::new(CloudEvents::new(config(port, "batched=true"), &origin()));
    let mut runner = Runner::new("hook", sink, Arc::clone(&outbox) as Arc<dyn Outbox>, 1);
    let mut now = at(0);
    let mut sequence = 0;
    while now.monotonic < Duration::from_secs(86_400) {
        sequence += 1;
        outbox.tell(raised(sequence, &format!("host=n1.fan={sequence}")));
        now.monotonic = runner.step(now).unwrap();
    }
    assert_eq!(outbox.acknowledged("hook"), 0);
    // The same outbox, and a receiver that is there: as after a restart of the agent.
    let receiver = Receiver::start();
    let sink = Box::new(CloudEvents::new(
        config(receiver.port, "batched=true"),
        &origin(),
    ));
    let mut runner = Runner::new("hook", sink, Arc::clone(&outbox) as Arc<dyn Outbox>, 1);
    settle(&mut runner);
    let expected: Vec<String> = (1..=sequence).map(id).collect();
    assert_eq!(taken(&receiver.requests()), expected);
}

#[test]
fn a_token_goes_to_the_peer_and_into_no_text() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let mode = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o600);
    let receiver = Receiver::start();
    let more = format!("token_file='{}'", file.display());
    let mut peer = CloudEvents::new(config(receiver.port, &more), &origin());
    let outbox = Memory::default();
    outbox.tell(raised(1, "host=n1.fan=1"));
    let batch = outbox.events(0, 1).unwrap().queued;
    for act in [
        Act::Reset,
        Act::Stall,
        Act::HalfRead,
        Act::HalfAnswer,
        Act::Garbage,
        Act::Answer(401, "WWW-Authenticate: Bearer s3cret-token\r\n"),
        Act::Answer(302, "Location: http://s3cret-token/\r\n"),
        Act::Answer(400, "X-Why: s3cret-token\r\n"),
        Act::Answer(500, "Retry-After: s3cret-token\r\n"),
    ] {
        receiver.script([act.clone()]);
        let delivery = peer.deliver(&batch, at(0));
        let text = format!("{delivery:?}");
        assert!(!text.contains("s3cret"), "{act:?}: {text}");
        assert!(text.contains("http://127.0.0.1:"), "{act:?}: {text}");
    }
    let requests = receiver.requests();
    let bearer = format!("authorization: bearer {TOKEN}\r\n");
    assert!(
        requests
            .iter()
            .all(|request| request.head.to_lowercase().contains(&bearer))
    );
    // A file that was opened to everybody since is no longer used, and a new token is, at once.
    mode(0o644);
    let failure = peer.deliver(&batch, at(0)).failure.unwrap();
    assert!(
        failure.what.contains("lets everybody at a secret"),
        "{failure:?}"
    );
    assert!(receiver.requests().is_empty());
    mode(0o600);
    std::fs::write(&file, "another").unwrap();
    assert_eq!(peer.deliver(&batch, at(0)).through, Some(1));
    assert!(
        receiver.requests()[0]
            .head
            .to_lowercase()
            .contains("bearer another\r\n")
    );
}
