use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::*;
use crate::config::sink::SinkConfig;
use crate::sink::outbox::Outbox;
use crate::sink::outbox::memory::Memory;
use crate::sink::peer::{
    Program, alarm, at, cleared, event, eventually, free_port, id, origin, raised,
};
use crate::sink::runner::Runner;

/// What `percent` makes of the node of the tests.
const BASE: &str = "gnomon/n%2F1%20%C3%BC";

fn config(text: &str) -> MqttSink {
    let text = format!("type='mqtt'\ntimeout='5s'\n{text}");
    match SinkConfig::parse("broker", text.parse().unwrap()).unwrap() {
        SinkConfig::Mqtt(config) => config,
        other => panic!("{other:?}"),
    }
}

fn plain(port: u16) -> MqttSink {
    config(&format!("url='mqtt://127.0.0.1:{port}'"))
}

/// A mosquitto with these lines of configuration; `None`, and a line that says so, where none is installed.
fn mosquitto(directory: &Path, port: u16, more: &str) -> Option<Program> {
    if !support::installed("mosquitto_sub") || !there("mosquitto") {
        return None;
    }
    let file = directory.join("mosquitto.conf");
    let user = nix::unistd::User::from_uid(nix::unistd::getuid())
        .unwrap()
        .unwrap()
        .name;
    let place = directory.display();
    let text = format!(
        "listener {port} 127.0.0.1\nuser {user}\npersistence_location {place}/\nallow_anonymous true\n{more}\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(&file);
    Some(Program::serve(&mut command, port))
}

/// As [`support::installed`], for a program that serves when it is only asked for its version.
fn there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let there = places.any(|place| place.join(program).exists());
    if !there {
        support::skipped(&format!("{program} is not installed"));
    }
    there
}

fn runner(config: MqttSink) -> (Runner, Arc<Memory>) {
    let outbox = Arc::new(Memory::default());
    let sink = Box::new(Mqtt::new(config, &origin()));
    let shared = Arc::clone(&outbox) as Arc<dyn Outbox>;
    (Runner::new("broker", sink, shared, 1), outbox)
}

/// What the broker retains of ours, by topic, as another client is told it.
fn retained(port: u16) -> BTreeMap<String, String> {
    let port = port.to_string();
    let said = Command::new("mosquitto_sub")
        .args(["-V", "5", "-h", "127.0.0.1", "-p", &port, "-t", "gnomon/#"])
        .args(["--retained-only", "-W", "1", "-F", "%t %p"])
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs
        .map(|(topic, body)| (topic.to_owned(), body.to_owned()))
        .collect()
}

fn expect(port: u16, status: &str, entities: &[&str]) {
    let mut expected: Vec<String> = entities
        .iter()
        .map(|entity| format!("{BASE}/alarm/hw.fan.failed/{}", percent(entity)))
        .collect();
    expected.push(format!("{BASE}/status"));
    let mut last = BTreeMap::new();
    eventually(&format!("the broker retains {expected:?}"), || {
        last = retained(port);
        let is_status = last
            .get(&format!("{BASE}/status"))
            .is_some_and(|body| body.contains(&format!("\"status\":\"{status}\"")));
        (is_status && last.keys().eq(&expected)).then_some(())
    });
    for (topic, body) in last {
        if topic.contains("/alarm/") {
            let held: Alarm = serde_json::from_str(&body).unwrap();
            assert!(
                topic.ends_with(&percent(&held.key.entity.to_string())),
                "{topic}"
            );
        }
    }
}

fn settle(runner: &mut Runner, from: u64) {
    let mut now = at(from);
    while let Some(due) = runner.step(now) {
        if due >= now.monotonic + Duration::from_secs(10) {
            return;
        }
        now.monotonic = due;
    }
}

#[test]
fn each_event_is_told_under_its_id() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = mosquitto(directory.path(), port, "") else {
        return;
    };
    let to_broker = [
        "-V",
        "5",
        "-q",
        "1",
        "-h",
        "127.0.0.1",
        "-p",
        &port.to_string(),
    ];
    let marked = Command::new("mosquitto_pub")
        .args(to_broker)
        .args(["-r", "-t", "ready", "-m", "x"])
        .status();
    assert!(marked.unwrap().success());
    // The mark, the birth, two states and two events.
    let mut listener = Command::new("mosquitto_sub")
        .args(to_broker)
        .args([
            "-t",
            "ready",
            "-t",
            &format!("{BASE}/#"),
            "-C",
            "6",
            "-W",
            "20",
            "-F",
            "%t %P",
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("ready"));
    let (mut runner, outbox) = runner(plain(port));
    outbox.tell(raised(1, r"host=n1.nic=0000:3b:00\.0"));
    outbox.tell(raised(2, "host=n1.fan=2"));
    settle(&mut runner, 0);
    let said: Vec<String> = lines.map(Result::unwrap).collect();
    listener.wait().unwrap();
    let events: Vec<_> = said
        .iter()
        .filter(|line| line.contains("/event "))
        .collect();
    let line = |n| format!("{BASE}/event event-id:{}", id(n));
    assert_eq!(events, [&line(1), &line(2)], "{said:?}");
}

#[test]
fn the_broker_holds_what_is_and_no_longer_what_has_ended() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = mosquitto(directory.path(), port, "") else {
        return;
    };
    let (mut runner, outbox) = runner(plain(port));
    outbox.tell(raised(1, r"host=n1.nic=0000:3b:00\.0"));
    outbox.tell(raised(2, "host=n1.fan=2"));
    settle(&mut runner, 0);
    expect(
        port,
        "online",
        &["host=n1.fan=2", r"host=n1.nic=0000:3b:00\.0"],
    );
    outbox.tell(cleared(3, "host=n1.fan=2"));
    settle(&mut runner, 1);
    expect(port, "online", &[r"host=n1.nic=0000:3b:00\.0"]);
    let mut masked = alarm(
        r"host=n1.nic=0000:3b:00\.0",
        crate::alarm::severity::Severity::Major,
    );
    masked.announced = false;
    outbox.tell(event(4, crate::alarm::event::What::Masked, masked));
    settle(&mut runner, 2);
    expect(port, "online", &[]);
    assert_eq!(outbox.acknowledged("broker"), 4);
    // Who takes leave is gone by its own word.
    runner.close();
    expect(port, "offline", &[]);
}

#[test]
fn a_broker_that_forgets_is_told_everything_again() {
    for (more, forgets) in [
        ("persistence false", true),
        (
            "persistence true\nautosave_on_changes true\nautosave_interval 1",
            false,
        ),
    ] {
        let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
        let Some(peer) = mosquitto(directory.path(), port, more) else {
            return;
        };
        let (mut runner, outbox) = runner(plain(port));
        outbox.tell(raised(1, "host=n1.fan=1"));
        outbox.tell(raised(2, "host=n1.fan=2"));
        settle(&mut runner, 0);
        expect(port, "online", &["host=n1.fan=1", "host=n1.fan=2"]);
        drop(peer);
        outbox.tell(cleared(3, "host=n1.fan=1"));
        outbox.tell(raised(4, "host=n1.fan=4"));
        assert!(runner.step(at(10)).is_some());
        assert_eq!(outbox.acknowledged("broker"), 2);
        let _peer = mosquitto(directory.path(), port, more).unwrap();
        assert_eq!(retained(port).is_empty(), forgets, "{more}");
        settle(&mut runner, 20);
        expect(port, "online", &["host=n1.fan=2", "host=n1.fan=4"]);
        assert_eq!(outbox.acknowledged("broker"), 4);
    }
}

#[test]
fn what_the_broker_retains_and_is_no_longer_true_is_removed() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = mosquitto(directory.path(), port, "max_inflight_messages 1") else {
        return;
    };
    let (mut before, outbox) = runner(plain(port));
    (1..=250).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    settle(&mut before, 0);
    assert_eq!(retained(port).len(), 251);
    // Killed: it is gone by its last will.
    drop(before);
    for n in 2..=250 {
        let alarm = alarm(
            &format!("host=n1.fan={n}"),
            crate::alarm::severity::Severity::Major,
        );
        outbox.forget(&alarm.key.to_string());
    }
    eventually("the last will", || {
        let status = retained(port).remove(&format!("{BASE}/status"))?;
        status.contains("offline").then_some(())
    });
    let sink = Box::new(Mqtt::new(plain(port), &origin()));
    let mut after = Runner::new("broker", sink, outbox, 1);
    settle(&mut after, 10);
    expect(port, "online", &["host=n1.fan=1"]);
}

#[test]
fn a_connection_is_kept_alive_and_its_end_is_noticed() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(peer) = mosquitto(directory.path(), port, "") else {
        return;
    };
    let (mut runner, _outbox) = runner(plain(port));
    assert_eq!(runner.step(at(0)), Some(Duration::from_secs(15)));
    assert_eq!(runner.step(at(16)), Some(Duration::from_secs(31)));
    drop(peer);
    let due = runner.step(at(32)).unwrap();
    assert!(due <= Duration::from_secs(33), "{due:?}");
}

#[test]
fn a_message_that_is_too_large_for_the_broker_is_refused_for_good_and_the_others_told() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(_peer) = mosquitto(directory.path(), port, "max_packet_size 2500") else {
        return;
    };
    let mut sink = Mqtt::new(plain(port), &origin());
    let outbox = Memory::default();
    outbox.tell(raised(1, "host=n1.fan=1"));
    let mut large = raised(2, "host=n1.fan=2");
    large.alarm.text = crate::alarm::text::Text::clean(&"x".repeat(1000));
    large.alarm.repair = crate::alarm::text::Text::clean(&"x".repeat(1000));
    outbox.tell(large);
    outbox.tell(raised(3, "host=n1.fan=3"));
    let empty = Memory::default();
    let mut level = Level::new(&empty).unwrap();
    assert_eq!(sink.hold(&mut level, Why::Connected, at(0)), Ok(Vec::new()));
    let delivery = sink.deliver(&outbox.events(0, 10).unwrap().queued, at(0));
    assert_eq!((delivery.through, delivery.failure), (Some(3), None));
    let names: Vec<_> = delivery
        .refused
        .iter()
        .map(|refused| &refused.name)
        .collect();
    assert_eq!(names, [&id(2)]);
    expect(port, "online", &["host=n1.fan=1", "host=n1.fan=3"]);
}

/// A key and a certificate for 127.0.0.1 that signs itself; `None` where openssl is missing.
fn certificate(directory: &Path) -> Option<()> {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-subj", "/CN=gnomon test", "-days", "2"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(directory)
        .output();
    match made {
        Ok(made) if made.status.success() => Some(()),
        _ => {
            support::skipped("openssl made no certificate");
            None
        }
    }
}

#[test]
fn tls_and_a_password_are_what_a_broker_that_asks_for_them_gets() {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let place = directory.path().display();
    let Some(()) = certificate(directory.path()) else {
        return;
    };
    let passwords = directory.path().join("passwords");
    std::fs::write(&passwords, "").unwrap();
    let made = Command::new("mosquitto_passwd")
        .arg("-b")
        .args([passwords.as_os_str(), "node".as_ref(), "s3cret".as_ref()])
        .status();
    if made.is_err() {
        support::skipped("mosquitto_passwd is not installed");
        return;
    }
    let more = format!(
        "certfile {place}/cert.pem\nkeyfile {place}/key.pem\npassword_file {place}/passwords\n\
         allow_anonymous false"
    );
    let Some(_peer) = mosquitto(directory.path(), port, &more) else {
        return;
    };
    let secret = directory.path().join("secret");
    std::os::unix::fs::OpenOptionsExt::mode(
        std::fs::OpenOptions::new().write(true).create(true),
        0o600,
    )
    .open(&secret)
    .unwrap();
    let attempt = |password: &str, ca: &str| {
        std::fs::write(&secret, password).unwrap();
        let text = format!(
            "url='mqtts://127.0.0.1:{port}'\nusername='node'\npassword_file='{place}/secret'\nca_file='{ca}'"
        );
        let mut sink = Mqtt::new(config(&text), &origin());
        let empty = Memory::default();
        let mut level = Level::new(&empty).unwrap();
        let held = sink.hold(&mut level, Why::Connected, at(0));
        sink.close();
        held
    };
    let ca = format!("{place}/cert.pem");
    assert_eq!(attempt("s3cret", &ca), Ok(Vec::new()));
    let failure = attempt("s3cret-but-wrong", &ca).unwrap_err().what;
    assert!(
        failure.contains("NotAuthorized") || failure.contains("BadUserName"),
        "{failure}"
    );
    assert!(!failure.contains("s3cret"), "{failure}");
    let failure = attempt("s3cret", "/etc/ssl/certs/ca-certificates.crt")
        .unwrap_err()
        .what;
    assert!(
        failure.contains("certificate") || failure.contains("no such"),
        "{failure}"
    );
}
