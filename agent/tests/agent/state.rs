use std::fs;
use std::io::Write;

use nix::sys::signal::Signal;

use super::node::{Node, Tmpfs};

#[test]
fn what_changed_while_the_agent_was_down_is_recorded_at_its_start() {
    let node = Node::new();
    assert!(node.start().stop().success());
    assert_eq!(node.changes().len(), 0);
    node.pages(3);
    let agent = node.start();
    let changes = node.changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["cause"], "start");
    assert_eq!(changes[0]["id"], "2048kB");
    let time = changes[0]["time"].as_str().unwrap();
    assert!(
        time.len() == "2026-03-01T12:00:00.000000000Z".len() && time.ends_with('Z'),
        "{time}"
    );
    assert_eq!(agent.json("/v1/changes")["changes"][0], changes[0]);
    agent.stop();
    node.start().stop();
    assert_eq!(node.changes().len(), 1);
}

#[test]
fn changes_are_paged() {
    let node = Node::new();
    let agent = node.start();
    for pages in 1..=7 {
        node.pages(pages);
        agent.json("/v1/inventory");
    }
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let page = agent.json(&format!("/v1/changes?after={after}&limit=3"));
        assert_eq!(page["total"], 7);
        let changes = page["changes"].as_array().unwrap();
        seen.extend(changes.iter().map(|change| change["seq"].as_u64().unwrap()));
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_kill_at_any_time_leaves_a_state_that_goes_on() {
    let node = Node::new();
    for round in 1..=6 {
        let agent = node.start();
        for step in 0..round {
            node.pages(round * 10 + step);
            agent.signal(Signal::SIGHUP);
        }
        // What was sent may have got in by now, or not.
        agent.until("something is recorded", || {
            fs::read(node.state("changes.jsonl")).is_ok_and(|bytes| bytes.ends_with(b"\n"))
        });
        agent.kill();
        let text = fs::read_to_string(node.state("inventory.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    let agent = node.start();
    let last = node.changes().pop().unwrap();
    // Whatever was killed, the last record tells of the pool as it is, and no record comes twice.
    assert_eq!(last["fields"][0]["after"], 65);
    assert!(agent.stop().success());
    let changes = node.changes();
    for pair in changes.windows(2) {
        assert_eq!(
            pair[0]["fields"][0]["after"], pair[1]["fields"][0]["before"],
            "{changes:?}"
        );
    }
}

#[test]
fn a_torn_last_line_is_repaired() {
    let node = Node::new();
    node.start().stop();
    node.pages(1);
    node.start().stop();
    let whole = fs::read(node.state("changes.jsonl")).unwrap();
    let mut file = fs::File::options()
        .append(true)
        .open(node.state("changes.jsonl"))
        .unwrap();
    file.write_all(b"{\"seq\":2,\"time\":\"20").unwrap();
    let agent = node.start();
    assert_eq!(fs::read(node.state("changes.jsonl")).unwrap(), whole);
    assert!(agent.log().contains("no whole change"), "{}", agent.log());
    node.pages(2);
    agent.reload();
    assert_eq!(agent.json("/v1/changes")["total"], 2);
    assert_eq!(node.changes()[1]["cause"], "reload");
}

#[test]
fn a_change_that_was_written_before_a_kill_is_not_recorded_twice() {
    let node = Node::new();
    node.start().stop();
    let before = fs::read(node.state("inventory.json")).unwrap();
    node.pages(1);
    node.start().stop();
    // As if the power had failed between the two files.
    fs::write(node.state("inventory.json"), before).unwrap();
    node.start().stop();
    assert_eq!(node.changes().len(), 1);
}

#[test]
fn a_disk_that_fills_up_loses_nothing() {
    let node = Node::new();
    let Some(_mount) = Tmpfs::mount(&node.path("state"), "size=2m") else {
        return;
    };
    let agent = node.start();
    let mut filler = fs::File::create(node.state("filler")).unwrap();
    while filler.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
    for pages in 1..=3 {
        node.pages(pages);
        agent.reload();
    }
    assert_eq!(agent.json("/v1/changes")["total"], 3);
    let health = agent.json("/healthz");
    assert_eq!(health["status"], "degraded");
    assert_eq!(
        (&health["state"]["writable"], &health["state"]["waiting"]),
        (&false.into(), &3.into())
    );
    assert_eq!(agent.metric("gnomon_changes_waiting"), "3");
    assert_eq!(agent.metric("gnomon_state_writable"), "0");
    assert!(agent.get("/").body.contains("changes wait in memory"));
    assert_eq!(node.changes().len(), 0);
    drop(filler);
    // With room again it is written, by the next thing that happens or by itself.
    fs::remove_file(node.state("filler")).unwrap();
    agent.until("it is written", || agent.json("/healthz")["status"] == "ok");
    assert_eq!(node.changes().len(), 3);
    assert_eq!(agent.metric("gnomon_changes_waiting"), "0");
    assert!(agent.stop().success());
}
