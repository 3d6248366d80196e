//! What may never be answered costs the agent a problem, and nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::fuse::Silent;
use super::node::{Agent, Node, skip};

/// How long one question is waited for, and how long the rest may take on a busy machine.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// A PCI function of this host: its config space is read in a deep look.
fn config_space() -> Option<PathBuf> {
    let functions = fs::read_dir("/sys/bus/pci/devices").ok()?;
    let mut functions: Vec<_> = functions.flatten().map(|entry| entry.path()).collect();
    functions.sort();
    let config = functions.first()?.join("config");
    config.canonicalize().ok()
}

/// An agent that looks closely at the PCI functions of this very host.
fn deep(node: &Node) -> Command {
    let config = node.path("gnomon.toml");
    let text = "[inventory]\ndeep = true\nclasses = ['pci']\n";
    fs::write(&config, text).unwrap();
    let mut command = node.bare();
    command.arg("--config").arg(config);
    command.arg("--state-dir").arg(node.path("state"));
    command.arg("--socket").arg(node.path("run/agent.sock"));
    command
}

/// The children of a process.
fn children(of: u32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).unwrap();
    let of_thread = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children"));
    let lists = threads
        .flatten()
        .filter_map(|thread| of_thread(thread).ok());
    let lists: Vec<String> = lists.collect();
    let words = lists.iter().flat_map(|list| list.split_whitespace());
    words.map(|word| word.parse().unwrap()).collect()
}

/// `R`, `S`, `D`, `Z`; `X` of one that is gone.
fn state(pid: i32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.unwrap_or('X')
}

fn descriptors(pid: i32) -> Vec<String> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let targets = links.filter_map(|link| fs::read_link(link.path()).ok());
    targets
        .map(|target| target.to_string_lossy().into_owned())
        .collect()
}

/// The problems of the file, by their reason.
fn reasons(inventory: &Value, file: &str) -> Vec<String> {
    let problems = inventory["problems"].as_array().unwrap().iter();
    let about = problems.filter(|problem| problem["path"].as_str().unwrap().ends_with(file));
    about
        .map(|problem| problem["reason"].as_str().unwrap().to_owned())
        .collect()
}

/// Starts the agent where the file is silent, with a descriptor that it knows nothing of.
fn start(node: &Node, silent: &Silent) -> Agent {
    let inside = silent.inside(&deep(node));
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec 9<\"$0\"; exec \"$@\""])
        .arg(node.path("gnomon.toml"))
        .arg(inside.get_program())
        .args(inside.get_args())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/");
    node.start_as(command, node.path("run/agent.sock"))
}

#[test]
fn a_read_that_never_returns_holds_up_neither_the_agent_nor_the_next_one() {
    let node = Node::new();
    let Some(config) = config_space() else {
        return skip("this host has no PCI functions");
    };
    let mut silent = match Silent::over(&config) {
        Ok(silent) => silent,
        Err(why) => return skip(&why),
    };
    let device = config
        .parent()
        .unwrap()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap();
    let file = format!("{device}/config");

    let first = start(&node, &silent);
    assert_eq!(reasons(&first.json("/v1/inventory"), &file), ["timed_out"]);
    let [held] = children(first.child.id())[..] else {
        panic!(
            "one process is left behind: {:?}",
            children(first.child.id())
        );
    };
    first.until("the kernel holds it", || state(held) == 'D');
    let open = descriptors(held);
    let ours = node.path("").to_string_lossy().into_owned();
    for target in &open {
        let harmless = target.starts_with("pipe:") || target == "/dev/null" || target == "/";
        assert!(harmless || target.ends_with(&file), "{target}: {open:?}");
        assert!(!target.starts_with(&ours), "{target}: {open:?}");
    }

    // The same is not asked again, and nothing waits for it again.
    let reads = silent.reads();
    let asked = Instant::now();
    first.reload();
    assert_eq!(reasons(&first.json("/v1/inventory"), &file), ["timed_out"]);
    assert_eq!(
        (silent.reads(), children(first.child.id())),
        (reads, vec![held])
    );
    assert_eq!(first.json("/healthz")["status"], "ok");
    assert!(asked.elapsed() < ANSWERED_WITHIN, "{:?}", asked.elapsed());

    // Killed, the agent leaves the process to the kernel; the next takes its socket and its state at once.
    first.kill();
    assert_eq!(state(held), 'D');
    let started = Instant::now();
    let second = start(&node, &silent);
    assert!(
        started.elapsed() < ANSWERED_WITHIN,
        "{:?}",
        started.elapsed()
    );
    assert_eq!(reasons(&second.json("/v1/inventory"), &file), ["timed_out"]);
    assert_eq!(state(held), 'D');
    assert!(second.stop().success());

    // A command says what it could read, and ends.
    let mut command = Command::new(env!("CARGO_BIN_EXE_gnomon"));
    command.args(["inventory", "pci", "--deep", "--json"]);
    let output = silent.inside(&command).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let inventory: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reasons(&inventory, &file), ["timed_out"]);

    silent.release();
    let third = node.start_as(deep(&node), node.path("run/agent.sock"));
    third.until("the kernel lets go", || matches!(state(held), 'X' | 'Z'));
    assert_eq!(reasons(&third.json("/v1/inventory"), &file), [""; 0]);
}

#[test]
fn nothing_is_left_of_the_process_that_asks_when_the_agent_rests() {
    if config_space().is_none() {
        return skip("this host has no PCI functions");
    }
    let node = Node::new();
    let agent = node.start_as(deep(&node), node.path("run/agent.sock"));
    assert_eq!(children(agent.child.id()), [0; 0]);
    agent.reload();
    agent.json("/v1/inventory");
    assert_eq!(children(agent.child.id()), [0; 0]);
}

#[test]
fn the_process_that_asks_ends_with_who_started_it() {
    let mut asks = Command::new(env!("CARGO_BIN_EXE_gnomon"))
        .arg("answer")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(i32::try_from(asks.id()).unwrap());
    // It waits without end, and without doing anything.
    kill(pid, None::<Signal>).unwrap();
    drop(asks.stdin.take());
    assert!(asks.wait().unwrap().success());
}
