//! A tree to look at, an agent that looks at it, and a client that asks it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything takes here, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says that a test did not run, and why: on standard error, and in the list that `ci/test` shows at its end.
pub(crate) fn skip(why: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {why}\n", thread.name().unwrap_or("a test"));
    let _ = write!(std::io::stderr(), "SKIPPED: {line}");
    if let Some(list) = std::env::var_os("GNOMON_SKIPPED") {
        let list = File::options().append(true).create(true).open(list);
        list.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// A place for a tree, a state directory and a socket.
pub(crate) struct Node {
    directory: tempfile::TempDir,
}

/// A running agent; it is killed when the test ends.
pub(crate) struct Agent {
    pub(crate) child: Child,
    socket: PathBuf,
    log: PathBuf,
    notify: UnixDatagram,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Node {
    /// One memory node with 4 GiB and a pool of huge pages.
    pub(crate) fn new() -> Self {
        let node = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        node.file(
            "proc/meminfo",
            "MemTotal: 4194304 kB\nHugepagesize: 2048 kB\n",
        );
        node.file("proc/sys/kernel/hostname", "node-\"<1>\"\n");
        node.file("sys/devices/system/node/online", "0\n");
        node.file("sys/devices/system/node/node0/cpulist", "0\n");
        node.file(
            "sys/devices/system/node/node0/meminfo",
            "Node 0 MemTotal: 4194304 kB\nNode 0 MemFree: 1024 kB\n",
        );
        node.file("sys/devices/system/node/node0/distance", "10\n");
        node.file(
            "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
            "0\n",
        );
        node.pages(0);
        node
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.path("tree")
    }

    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.path("state").join(name)
    }

    /// Writes a file of the tree.
    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.tree().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As the kernel has it: never half written.
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), path).unwrap();
    }

    /// Sets the size of the pool.
    pub(crate) fn pages(&self, count: u64) {
        self.file(
            "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
            &format!("{count}\n"),
        );
    }

    /// The agent's command line: the tree, the state directory and the socket of this node.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.bare();
        command.arg("--root").arg(self.tree());
        command.arg("--state-dir").arg(self.path("state"));
        command.arg("--socket").arg(self.path("run/agent.sock"));
        command
    }

    /// The agent's command line with nothing said, in an environment with nothing in it.
    pub(crate) fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gnomon"));
        command.arg("agent").env_clear().current_dir("/");
        command
    }

    /// Starts the agent and waits until it says that it is ready.
    pub(crate) fn start(&self) -> Agent {
        self.start_as(self.command(), self.path("run/agent.sock"))
    }

    pub(crate) fn start_as(&self, mut command: Command, socket: PathBuf) -> Agent {
        let (agent, _) = self.spawn(&mut command, socket);
        agent.told("READY=1");
        agent
    }

    /// Starts the agent, and does not wait.
    pub(crate) fn spawn(&self, command: &mut Command, socket: PathBuf) -> (Agent, PathBuf) {
        let notify_path = self.path("notify");
        let _ = fs::remove_file(&notify_path);
        let notify = UnixDatagram::bind(&notify_path).unwrap();
        notify.set_read_timeout(Some(PATIENCE)).unwrap();
        let log = self.path("log");
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command.env("NOTIFY_SOCKET", &notify_path);
        let child = command.stderr(out).spawn().unwrap();
        let agent = Agent {
            child,
            socket,
            log: log.clone(),
            notify,
        };
        (agent, log)
    }

    /// Runs a command that must fail, and returns its one line.
    pub(crate) fn refused(&self, mut command: Command) -> String {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{text}");
        assert_ne!(output.status.code(), None, "{text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        text
    }

    /// The changes on disk, each checked to follow the one before.
    pub(crate) fn changes(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.state("changes.jsonl")).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        let changes: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for (index, change) in (1_u64..).zip(&changes) {
            assert_eq!(change["seq"], index);
        }
        changes
    }
}

impl Agent {
    /// Waits until the agent has sent `state` to its service manager; returns the whole message.
    pub(crate) fn told(&self, state: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut heard = String::new();
        while Instant::now() < deadline {
            let mut bytes = [0; 4096];
            let Ok(length) = self.notify.recv(&mut bytes) else {
                break;
            };
            let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if message.lines().any(|line| line.starts_with(state)) {
                return message;
            }
            heard += &message;
        }
        panic!(
            "the agent did not say {state}; it said {heard:?} and logged {}",
            self.log()
        );
    }

    /// What the agent says next within `limit`; `None` is silence.
    pub(crate) fn says_within(&self, limit: Duration) -> Option<String> {
        self.notify.set_read_timeout(Some(limit)).unwrap();
        let mut bytes = [0; 4096];
        let heard = self.notify.recv(&mut bytes);
        self.notify.set_read_timeout(Some(PATIENCE)).unwrap();
        heard
            .ok()
            .map(|length| String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    }

    /// Has the configuration, and with it the whole tree, read again, and waits until it was.
    pub(crate) fn reload(&self) {
        self.signal(nix::sys::signal::Signal::SIGHUP);
        self.told("READY=1");
    }

    /// Stops it by SIGTERM.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        self.child.wait().unwrap()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask(&format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    pub(crate) fn json(&self, target: &str) -> Value {
        let answer = self.get(target);
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Sends `request` as it is, and reads until the agent closes.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // An agent that has heard enough may close before it has heard all.
        let _ = stream.write_all(request.as_bytes());
        answer(stream)
    }

    /// The value of a sample.
    pub(crate) fn metric(&self, sample: &str) -> String {
        let answer = self.get("/metrics");
        let line = answer
            .body
            .lines()
            .find_map(|line| line.strip_prefix(sample));
        let line = line.unwrap_or_else(|| panic!("no {sample} in {}", answer.body));
        line.trim().to_owned()
    }

    /// Asks again and again until `done`; for what the agent does in its own time.
    pub(crate) fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            assert!(
                Instant::now() < deadline,
                "not in time: {what}; {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads an answer to its end.
pub(crate) fn answer(mut stream: impl Read) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or(0),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// A file system in memory, mounted for a test; `None`, and told, where that is not allowed.
pub(crate) struct Tmpfs(PathBuf);

impl Tmpfs {
    pub(crate) fn mount(place: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(place).unwrap();
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(place);
        if command.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(place.to_owned()));
        }
        skip("a tmpfs cannot be mounted here; it takes root");
        None
    }

    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Runs a command as the user nobody; `None`, and told, without root.
pub(crate) fn as_nobody(command: &mut Command) -> Option<&mut Command> {
    if nix::unistd::geteuid().is_root() {
        return Some(command.uid(65_534).gid(65_534));
    }
    skip("only root can run something as another user");
    None
}
