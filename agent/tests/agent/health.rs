//! A read that hangs in a driver, as strace makes it: every open of one thread takes its time.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::node::{Agent, Node, skip};

struct Hang(Child);

impl Hang {
    /// From now on the thread that reads the inventory hangs in its next open.
    fn of(agent: &Agent) -> Option<Self> {
        let tasks = fs::read_dir(format!("/proc/{}/task", agent.child.id())).unwrap();
        let thread = tasks
            .map(|task| task.unwrap().path())
            .find(|task| fs::read_to_string(task.join("comm")).unwrap().trim() == "inventory");
        let thread = thread.unwrap();
        let mut strace = Command::new("strace");
        strace.args([
            "-e",
            "trace=openat2",
            "-e",
            "inject=openat2:delay_enter=60s:when=1",
            "-o",
            "/dev/null",
        ]);
        strace.arg("-p").arg(thread.file_name().unwrap());
        let Ok(child) = strace.stderr(Stdio::null()).spawn() else {
            skip("there is no strace");
            return None;
        };
        let mut hang = Self(child);
        let traced = || {
            let status = fs::read_to_string(thread.join("status")).unwrap();
            !status.contains("TracerPid:\t0\n")
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !traced() {
            if Instant::now() > deadline || hang.0.try_wait().unwrap().is_some() {
                skip("strace may not trace here");
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(hang)
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_read_that_hangs_does_not_hang_the_api_and_starves_the_watchdog() {
    let node = Node::new();
    let mut command = node.command();
    command.env("WATCHDOG_USEC", "1000000");
    let agent = node.start_as(command, node.path("run/agent.sock"));
    agent.told("WATCHDOG=1");
    let Some(hang) = Hang::of(&agent) else { return };
    node.pages(4);
    agent.signal(Signal::SIGHUP);
    agent.told("RELOADING=1");

    let asked = Instant::now();
    let answer = agent.get("/v1/inventory");
    assert_eq!(answer.status, 200);
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    assert!(answer.body.contains("\"total\":0"), "{answer:?}");
    let health = agent.json("/healthz");
    assert!(
        health["loops"]["inventory"]["busy_ms"].as_u64() > Some(0),
        "{health}"
    );
    assert_eq!(health["loops"]["watcher"]["alive"], true);
    assert_eq!(agent.get("/metrics").status, 200);

    // Those that were on their way may come; then there are none.
    agent.until("the watchdog starves", || {
        agent.says_within(Duration::from_millis(1500)).is_none()
    });
    assert!(
        agent.log().contains("the inventory loop does not answer"),
        "{}",
        agent.log()
    );
    drop(hang);
    agent.told("READY=1");
    agent.told("WATCHDOG=1");
    agent.until("the change is found", || {
        agent.json("/v1/changes")["total"] == 1
    });
    assert!(agent.stop().success());
}
