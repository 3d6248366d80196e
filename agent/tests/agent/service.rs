//! What a service manager sees.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::node::Node;

fn configured(node: &Node, text: &str) -> std::process::Command {
    fs::write(node.path("gnomon.toml"), text).unwrap();
    let mut command = node.command();
    command.arg("--config").arg(node.path("gnomon.toml"));
    command
}

#[test]
fn a_bad_configuration_is_refused_with_its_line() {
    let node = Node::new();
    for (text, says) in [
        (
            "[agent]\nlog = 'info'\ncolour = 1\n",
            "gnomon.toml:3: unknown field `colour`",
        ),
        (
            "[inventory]\nclasses = ['gpus']\n",
            "gnomon.toml:2: no device class \"gpus\"",
        ),
        (
            "[agent]\nlisten = '0.0.0.0:1'\n",
            "gnomon.toml:2: 0.0.0.0:1 can be reached",
        ),
        ("[monitor.fans]\n", "gnomon.toml:1: unknown field `monitor`"),
    ] {
        for check in [false, true] {
            let mut command = configured(&node, text);
            command.args(check.then_some("--check-config"));
            let line = node.refused(command);
            assert!(line.contains(says), "{line}");
        }
    }
    assert!(!node.path("state").exists() && !node.path("run").exists());
}

#[test]
fn a_good_configuration_is_said_to_be_good_and_nothing_starts() {
    let node = Node::new();
    let mut command = configured(&node, "[agent]\nlog = 'debug'\n");
    let output = command.arg("--check-config").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = format!("{}: ok\n", node.path("gnomon.toml").display());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), said);
    assert!(!node.path("state").exists() && !node.path("run").exists());
}

#[test]
fn a_reload_takes_a_good_configuration_and_keeps_the_old_one_for_a_bad_one() {
    let node = Node::new();
    let command = configured(&node, "[inventory]\nclasses = ['numa', 'hugepages']\n");
    let agent = node.start_as(command, node.path("run/agent.sock"));
    assert!(agent.json("/v1/inventory").get("system").is_none());
    fs::write(
        node.path("gnomon.toml"),
        "[inventory]\nclasses = ['numa', 'system']\n",
    )
    .unwrap();
    agent.signal(Signal::SIGHUP);
    let told = agent.told("RELOADING=1");
    assert!(
        told.lines().any(|line| line.starts_with("MONOTONIC_USEC=")),
        "{told}"
    );
    agent.told("READY=1");
    agent.until("the new classes are read", || {
        let inventory = agent.json("/v1/inventory");
        inventory.get("system").is_some() && inventory.get("hugepages").is_none()
    });
    fs::write(node.path("gnomon.toml"), "[inventory]\nclass = 'numa'\n").unwrap();
    agent.signal(Signal::SIGHUP);
    agent.told("RELOADING=1");
    let told = agent.told("READY=1");
    assert!(told.contains("errors"), "{told}");
    assert!(agent.json("/v1/inventory").get("system").is_some());
    assert!(
        agent.log().contains("gnomon.toml:2: unknown field `class`"),
        "{}",
        agent.log()
    );
    assert!(agent.log().contains("kept as it was"));
    assert!(agent.stop().success());
}

#[test]
fn an_interval_finds_what_no_event_tells() {
    let node = Node::new();
    let command = configured(&node, "[inventory]\ninterval = '1s'\n");
    let agent = node.start_as(command, node.path("run/agent.sock"));
    node.file("sys/devices/system/node/node0/distance", "11\n");
    agent.until("the change is found", || {
        agent.json("/v1/changes")["total"] != 0
    });
    let change = &agent.json("/v1/changes")["changes"][0];
    assert_eq!(
        (&change["cause"], &change["class"]),
        (&"interval".into(), &"numa".into())
    );
}

#[test]
fn the_journal_gets_a_level_with_every_line() {
    let node = Node::new();
    let mut command = node.command();
    command.env("JOURNAL_STREAM", "8:1");
    let agent = node.start_as(command, node.path("run/agent.sock"));
    let log = agent.log();
    assert!(
        !log.is_empty() && log.lines().all(|line| line.starts_with("<6>")),
        "{log}"
    );
}

#[test]
fn the_watchdog_is_fed_every_half_period_and_told_of_the_end() {
    let node = Node::new();
    let mut command = node.command();
    command.env("WATCHDOG_USEC", "400000");
    let agent = node.start_as(command, node.path("run/agent.sock"));
    for _ in 0..5 {
        let told = agent.says_within(Duration::from_secs(20));
        assert_eq!(told.as_deref(), Some("WATCHDOG=1\n"));
    }
    agent.signal(Signal::SIGTERM);
    agent.told("STOPPING=1");
    assert!(agent.stop().success());
}

#[test]
fn an_idle_agent_sleeps() {
    let node = Node::new();
    let agent = node.start();
    let wakeups = || {
        let tasks = fs::read_dir(format!("/proc/{}/task", agent.child.id())).unwrap();
        let status =
            tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
        status
            .map(|status| {
                let line = status
                    .lines()
                    .find(|line| line.starts_with("voluntary_ctxt"))
                    .unwrap();
                line.split_whitespace()
                    .nth(1)
                    .unwrap()
                    .parse::<u64>()
                    .unwrap()
            })
            .collect::<Vec<_>>()
    };
    // A thread that has just been told something may still be on its way to sleep.
    let mut before = wakeups();
    agent.until("all threads sleep", || {
        std::thread::sleep(Duration::from_millis(300));
        let now = wakeups();
        std::mem::replace(&mut before, now.clone()) == now
    });
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(wakeups(), before);
}
