//! Tune: does this host's kernel take what we ask, and is it then as we say?

use std::fs::File;
use std::path::Path;
use std::process::Command;

use libhw::io::root::Root;
use libhw::tune::{self, Change, Hugepages, Mode, Outcome, Refusal};
use libhw::units::Bytes;
use nix::fcntl::{Flock, FlockArg};

const POOL: &str = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB";

/// The pool of this host, for one test at a time of all that run here, and afterwards as it was.
struct Pool {
    before: u64,
    _lock: Flock<File>,
}

impl Pool {
    fn taken() -> Option<Self> {
        let root = nix::unistd::geteuid().is_root();
        if !root
            || std::fs::OpenOptions::new()
                .write(true)
                .open(Path::new(POOL).join("nr_hugepages"))
                .is_err()
        {
            support::skipped(
                "huge pages of node 0 can't be set: it takes root and a /sys that can be written",
            );
            return None;
        }
        let file = File::create("/tmp/gnomon-hugepages.lock").expect("a lock");
        let lock = Flock::lock(file, FlockArg::LockExclusive).expect("the lock");
        Some(Self {
            before: count("nr_hugepages"),
            _lock: lock,
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let _ = std::fs::write(
            Path::new(POOL).join("nr_hugepages"),
            self.before.to_string(),
        );
    }
}

fn count(name: &str) -> u64 {
    let text = std::fs::read_to_string(Path::new(POOL).join(name)).expect("a pool");
    text.trim().parse().expect("a number")
}

fn set(count: u64, mode: Mode) -> Change {
    let pool = Hugepages {
        node: Some(0),
        size: Bytes(2 << 20),
        count,
        all: false,
    };
    tune::hugepages(&Root::live().expect("this host"), &pool, mode).expect("a live root")
}

/// A hugetlbfs of its own, gone with the test.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let mount = Command::new("mount")
            .args(["-t", "hugetlbfs", "-o", "pagesize=2M", "none"])
            .arg(directory.path())
            .status();
        if mount.is_ok_and(|status| status.success()) {
            return Some(Self(directory));
        }
        support::skipped("hugetlbfs can't be mounted");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn huge_pages_of_this_host_are_set_read_back_and_set_back() {
    let Some(pool) = Pool::taken() else {
        return;
    };
    let asked = pool.before + 8;
    let dry = set(asked, Mode::DryRun);
    assert_eq!(
        (dry.outcome, count("nr_hugepages")),
        (Outcome::Full, pool.before)
    );
    let change = set(asked, Mode::Change);
    assert_eq!(change.outcome, Outcome::Full, "{change}");
    assert_eq!(count("nr_hugepages"), asked);
    assert_eq!(
        (
            change.writes[0].before.clone(),
            change.writes[0].after.clone()
        ),
        (pool.before.to_string(), Some(asked.to_string()))
    );
    let again = set(asked, Mode::Change);
    assert!(again.writes.is_empty() && again.outcome == Outcome::Full);
    assert_eq!(set(pool.before, Mode::Change).outcome, Outcome::Full);
    assert_eq!(count("nr_hugepages"), pool.before);
    let too_many = set(1 << 40, Mode::Change);
    assert!(
        matches!(
            too_many.outcome,
            Outcome::Refused {
                reason: Refusal::Invalid,
                ..
            }
        ),
        "{too_many}"
    );
    assert_eq!(count("nr_hugepages"), pool.before);
}

/// The kernel makes the pool smaller than what is in it.
#[test]
fn huge_pages_of_this_host_that_somebody_uses_are_not_taken_away() {
    let Some(pool) = Pool::taken() else {
        return;
    };
    let Some(mount) = Mount::new() else {
        return;
    };
    let (free, four) = (count("free_hugepages"), pool.before + 4);
    assert_eq!(set(four, Mode::Change).outcome, Outcome::Full);
    let file = mount.0.path().join("file");
    let used = Command::new("fallocate")
        .args(["-l", &((free + 4) << 21).to_string()])
        .arg(&file)
        .status();
    assert!(used.expect("fallocate").success());
    let change = set(four - 2, Mode::Change);
    assert_eq!(
        change.outcome,
        Outcome::Partial {
            accepted: four,
            asked: four - 2
        },
        "{change}"
    );
    assert_eq!(
        (count("nr_hugepages"), count("surplus_hugepages")),
        (four, 2)
    );
    std::fs::remove_file(&file).expect("the file");
    assert_eq!(
        (count("nr_hugepages"), count("surplus_hugepages")),
        (four - 2, 0)
    );
}

#[test]
fn a_user_without_rights_is_refused_and_told_so() {
    let setpriv = support::installed("setpriv");
    if !setpriv || !nix::unistd::geteuid().is_root() {
        return support::skipped("it takes root to be somebody else");
    }
    let Some(pool) = Pool::taken() else {
        return;
    };
    let program = crate::program();
    for (dry, expected) in [("", 1), ("--dry-run", 1)] {
        let line = format!(
            "tune hugepages --node 0 --size 2M --count {} --json {dry}",
            pool.before + 1
        );
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .args(line.split_whitespace())
            .output()
            .expect("setpriv");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let json: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(
            (json["outcome"].as_str(), json["reason"].as_str()),
            (Some("refused"), Some("denied")),
            "{json}"
        );
        assert_eq!(
            (output.status.code(), json["user"].as_u64()),
            (Some(expected), Some(65534))
        );
        assert_eq!(count("nr_hugepages"), pool.before);
    }
}

#[test]
fn the_command_tells_what_it_did_by_text_json_status_and_audit_line() {
    let Some(pool) = Pool::taken() else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.log");
    let run = |line: &str| {
        let output = Command::new(crate::program())
            .args(line.split_whitespace())
            .arg("--audit")
            .arg(&log)
            .output()
            .expect("gnomon");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let asked = pool.before + 2;
    let (status, text) = run(&format!(
        "tune hugepages --node 0 --size 2M --count {asked}"
    ));
    assert_eq!((status, count("nr_hugepages")), (Some(0), asked));
    assert!(
        text.ends_with(&format!("hugepages of node0/2048kB: {asked}\n")),
        "{text}"
    );
    let (status, text) = run("tune hugepages --node 4095 --size 2M --count 1 --json");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (status, json["reason"].as_str()),
        (Some(1), Some("invalid"))
    );
    let lines = std::fs::read_to_string(&log).expect("the log");
    let lines: Vec<&str> = lines.lines().collect();
    let uid = nix::unistd::getuid();
    assert!(
        lines[0].contains(&format!(
            " tune hugepages node0/2048kB to {asked} by uid {uid}"
        )),
        "{lines:?}"
    );
    assert!(
        lines[0].ends_with("taken in full") && lines[1].ends_with("refused, invalid: no node 4095"),
        "{lines:?}"
    );
    // Who can't leave a trace changes nothing.
    let unwritable = format!(
        "tune hugepages --node 0 --size 2M --count {} --audit /proc/no/log",
        pool.before
    );
    let output = Command::new(crate::program())
        .args(unwritable.split_whitespace())
        .output()
        .expect("gnomon");
    assert_eq!(
        (output.status.code(), count("nr_hugepages")),
        (Some(1), asked)
    );
}
