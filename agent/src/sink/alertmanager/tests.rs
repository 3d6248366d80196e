use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::alarm::event::What;
use crate::config::sink::SinkConfig;
use crate::sink::outbox::Outbox;
use crate::sink::outbox::memory::Memory;
use crate::sink::peer::{
    Act, Program, Receiver, alarm, at, cleared, event, eventually, free_port, origin, raised,
};
use crate::sink::runner::Runner;

const NIC: &str = r"host=n1.nic=0000:3b:00\.0";

fn config(port: u16) -> AlertmanagerSink {
    let text = format!(
        "type='alertmanager'\nurl='http://127.0.0.1:{port}/'\ngenerator_url='http://n/'\ntimeout='5s'"
    );
    match SinkConfig::parse("alerts", text.parse().unwrap()).unwrap() {
        SinkConfig::Alertmanager(config) => config,
        other => panic!("{other:?}"),
    }
}

/// An Alertmanager on a free port; `None`, and a line that says so, where none is installed.
fn alertmanager(directory: &Path, port: u16) -> Option<Program> {
    if !support::installed("prometheus-alertmanager") {
        return None;
    }
    let file = directory.join("alertmanager.yml");
    std::fs::write(
        &file,
        "route: {receiver: none}\nreceivers: [{name: none}]\n",
    )
    .unwrap();
    let mut command = Command::new("prometheus-alertmanager");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.path={}",
            directory.join("data").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    Some(Program::serve(&mut command, port))
}

fn runner(port: u16) -> (Runner, Arc<Memory>) {
    let outbox = Arc::new(Memory::default());
    let sink = Box::new(Alertmanager::new(config(port), &origin()));
    let shared = Arc::clone(&outbox) as Arc<dyn Outbox>;
    (Runner::new("alerts", sink, shared, 1), outbox)
}

/// What it holds as active: entity and severity of each.
fn held(port: u16) -> Option<Vec<(String, String)>> {
    let url = format!("http://127.0.0.1:{port}/api/v2/alerts");
    let mut answer = ureq::get(url).call().ok()?;
    let json = answer.body_mut().read_to_vec().ok()?;
    let listed: Vec<Listed> = serde_json::from_slice(&json).ok()?;
    let mut held: Vec<_> = listed
        .into_iter()
        .map(|alert| {
            (
                alert.labels["entity"].clone(),
                alert.labels["severity"].clone(),
            )
        })
        .collect();
    held.sort();
    Some(held)
}

fn expect(port: u16, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(entity, severity)| ((*entity).to_owned(), (*severity).to_owned()))
        .collect();
    let mut last = None;
    let holds = || {
        last = held(port);
        (last.as_ref() == Some(&expected)).then_some(())
    };
    eventually(&format!("Alertmanager holds {expected:?}"), holds);
}

/// Steps, by a clock that jumps to what is due, until nothing is but the next repetition.
fn settle(runner: &mut Runner, from: u64) {
    let mut now = at(from);
    while let Some(due) = runner.step(now) {
        if due >= now.monotonic + Duration::from_secs(60) {
            return;
        }
        now.monotonic = due;
    }
}

#[test]
fn it_holds_what_is_and_no_longer_what_has_ended() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = alertmanager(directory.path(), port) else {
        return;
    };
    let (mut runner, outbox) = runner(port);
    outbox.tell(raised(1, NIC));
    outbox.tell(raised(2, "host=n1.fan=2"));
    settle(&mut runner, 0);
    expect(port, &[("host=n1.fan=2", "major"), (NIC, "major")]);
    // Another severity is another alert, and the end of the one before.
    outbox.tell(event(3, What::Changed, alarm(NIC, Severity::Critical)));
    settle(&mut runner, 1);
    expect(port, &[("host=n1.fan=2", "major"), (NIC, "critical")]);
    outbox.tell(cleared(4, "host=n1.fan=2"));
    let mut masked = alarm(NIC, Severity::Critical);
    masked.announced = false;
    outbox.tell(event(5, What::Masked, masked));
    settle(&mut runner, 2);
    expect(port, &[]);
    assert_eq!(outbox.acknowledged("alerts"), 5);
}

#[test]
fn killed_and_restarted_it_holds_the_set_again() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(peer) = alertmanager(directory.path(), port) else {
        return;
    };
    let (mut runner, outbox) = runner(port);
    outbox.tell(raised(1, "host=n1.fan=1"));
    outbox.tell(raised(2, "host=n1.fan=2"));
    settle(&mut runner, 0);
    expect(
        port,
        &[("host=n1.fan=1", "major"), ("host=n1.fan=2", "major")],
    );
    drop(peer);
    outbox.tell(cleared(3, "host=n1.fan=1"));
    outbox.tell(raised(4, "host=n1.fan=4"));
    let due = runner.step(at(10)).unwrap();
    assert!(due <= Duration::from_secs(11));
    assert_eq!(outbox.acknowledged("alerts"), 2);
    let again = alertmanager(directory.path(), port).unwrap();
    settle(&mut runner, 20);
    expect(
        port,
        &[("host=n1.fan=2", "major"), ("host=n1.fan=4", "major")],
    );
    // And killed where nothing happens: the repetition brings it all back.
    drop(again);
    let _peer = alertmanager(directory.path(), port).unwrap();
    expect(port, &[]);
    settle(&mut runner, 100);
    expect(
        port,
        &[("host=n1.fan=2", "major"), ("host=n1.fan=4", "major")],
    );
}

#[test]
fn what_it_still_holds_and_is_no_longer_true_is_ended_at_the_connection() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = alertmanager(directory.path(), port) else {
        return;
    };
    let (mut before, outbox) = runner(port);
    outbox.tell(raised(1, "host=n1.fan=1"));
    outbox.tell(raised(2, "host=n1.fan=2"));
    settle(&mut before, 0);
    // Another node's alerts are not ours to end.
    let mut other = Alertmanager::new(
        config(port),
        &Origin {
            node: "n2".to_owned(),
        },
    );
    let told = other.told(
        &alarm("host=n2", Severity::Minor),
        String::new(),
        at(0).realtime,
        at(0),
    );
    assert_eq!(other.send(&[told]), Ok(Vec::new()));
    // A store that was lost: nobody tells of the end.
    outbox.forget(&alarm("host=n1.fan=1", Severity::Major).key.to_string());
    let sink = Box::new(Alertmanager::new(config(port), &origin()));
    let mut after = Runner::new("alerts", sink, outbox, 1);
    settle(&mut after, 10);
    expect(port, &[("host=n1.fan=2", "major"), ("host=n2", "minor")]);
}

#[test]
fn a_clock_that_was_set_back_costs_no_alert() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = alertmanager(directory.path(), port) else {
        return;
    };
    let (mut runner, outbox) = runner(port);
    let mut future = raised(1, "host=n1.fan=1");
    future.alarm.raised.realtime += Duration::from_secs(3600);
    outbox.tell(future);
    settle(&mut runner, 0);
    expect(port, &[("host=n1.fan=1", "major")]);
    let mut ended = cleared(2, "host=n1.fan=1");
    ended.alarm.cleared.as_mut().unwrap().realtime += Duration::from_secs(3600);
    outbox.tell(ended);
    settle(&mut runner, 1);
    expect(port, &[]);
}

#[test]
fn a_thousand_alarms_are_told_in_pieces_and_all_held() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = alertmanager(directory.path(), port) else {
        return;
    };
    let (mut runner, outbox) = runner(port);
    (1..=1000).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    settle(&mut runner, 0);
    assert_eq!(outbox.acknowledged("alerts"), 1000);
    assert_eq!(held(port).unwrap().len(), 1000);
    (1..=1000).for_each(|n| outbox.tell(cleared(1000 + n, &format!("host=n1.fan={n}"))));
    settle(&mut runner, 1);
    expect(port, &[]);
}

#[test]
fn an_alert_that_is_refused_is_found_and_the_others_told() {
    let receiver = Receiver::start();
    let mut sink = Alertmanager::new(config(receiver.port), &origin());
    let outbox = Memory::default();
    (1..=3).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    let batch = outbox.events(0, 10).unwrap().queued;
    let ok = || Act::Answer(200, "");
    receiver.script([Act::Answer(400, ""), ok(), Act::Answer(400, ""), ok()]);
    let delivery = sink.deliver(&batch, at(0));
    assert_eq!((delivery.through, delivery.refused.len()), (Some(3), 1));
    assert_eq!(delivery.refused[0].name, crate::sink::peer::id(2));
    // What answers for another peer is told as such, and tried again.
    let failure = sink.list().unwrap_err();
    assert!(failure.what.contains("no Alertmanager"), "{failure:?}");
}

#[test]
fn a_label_is_within_prometheus_rules_whatever_the_alarm_holds() {
    let told = labels("n/1 ü", &alarm(NIC, Severity::Warning), Severity::Warning);
    for name in told.keys() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit()));
    }
    assert_eq!(told["entity"], NIC);
    assert_eq!(told["alertname"], "hw.fan.failed");
}
