//! The kernel's own events, on this host: a pool of huge pages is grown by a page, a memory node is made to
//! say that it changed, and the pool is put back.

use std::fs;
use std::time::{Duration, Instant};

use super::node::{Node, skip};

const POOL: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
const EVENT: &str = "/sys/devices/system/node/node0/uevent";

/// Puts the pool back, whatever happens.
struct Pool(u64);

impl Pool {
    fn take() -> Option<Self> {
        let size = fs::read_to_string(POOL).ok()?.trim().parse().ok()?;
        let pool = Self(size);
        // A host that is short of memory does not give a page.
        let writable = fs::write(EVENT, "change").is_ok() && pool.set(1);
        pool.set(0);
        writable.then_some(pool)
    }

    /// Sets the pool to its own size and `more`; whether it now has that size.
    fn set(&self, more: u64) -> bool {
        let size = (self.0 + more).to_string();
        fs::write(POOL, &size).is_ok()
            && fs::read_to_string(POOL).is_ok_and(|now| now.trim() == size)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[test]
fn a_change_is_on_disk_within_50_ms_of_the_kernels_event() {
    let Some(pool) = Pool::take() else {
        skip(
            "it takes root, a memory node and huge pages of 2 MiB to make the kernel say something",
        );
        return;
    };
    let node = Node::new();
    let mut command = node.bare();
    command
        .arg("--state-dir")
        .arg(node.path("state"))
        .arg("--socket")
        .arg(node.path("run/agent.sock"));
    let agent = node.start_as(command, node.path("run/agent.sock"));
    let mut times = Vec::new();
    for round in 1..=8 {
        assert!(pool.set(round % 2));
        let length = || fs::metadata(node.state("changes.jsonl")).unwrap().len();
        let before = length();
        let said = Instant::now();
        fs::write(EVENT, "change").unwrap();
        agent.until("the change is on disk", || length() > before);
        times.push(said.elapsed());
    }
    let changes = node.changes();
    let found: Vec<_> = changes
        .iter()
        .filter(|change| change["id"] == "2048kB")
        .collect();
    assert_eq!(found.len(), 8, "{changes:?}");
    for change in &found {
        assert_eq!(change["cause"], "uevent change /devices/system/node/node0");
    }
    // Of a machine that does other things meanwhile, the best of them tells what the agent takes.
    let best = times.iter().min().unwrap();
    assert!(*best < Duration::from_millis(50), "{times:?}");
    let heard: u64 = agent.metric("gnomon_uevents_total").parse().unwrap();
    assert!(heard >= 8, "{heard}");
    assert!(agent.stop().success());
}
