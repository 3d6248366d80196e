//! Programs that the guest runs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use gnomon_lab::protocol::Output;
use nix::sys::signal::{Signal, kill as send, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use crate::{value, words};

/// Programs that were spawned and nobody waited for to the end.
static SPAWNED: Mutex<BTreeMap<u32, Child>> = Mutex::new(BTreeMap::new());

/// Runs a program to its end or to the limit.
pub(crate) fn run(
    argv: &[String],
    env: &BTreeMap<String, String>,
    stdin: &str,
    limit_ms: u64,
) -> Result<Value, String> {
    let mut command = command(argv)?;
    command.envs(env).process_group(0);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = start(&mut command)?;
    let (input, mut output, mut errors) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let group = pid(child.id())?;
    let (ended, end) = channel::<()>();
    let watch = thread::spawn(move || {
        let late =
            end.recv_timeout(Duration::from_millis(limit_ms)) == Err(RecvTimeoutError::Timeout);
        late && killpg(group, Signal::SIGKILL).is_ok()
    });
    let (stdout, stderr) = thread::scope(|scope| {
        // What does not read all of it closes its end; that is its own business.
        scope.spawn(move || input.map(|mut input| input.write_all(stdin.as_bytes())));
        let stderr = scope.spawn(|| drain(errors.as_mut()));
        (drain(output.as_mut()), stderr.join().unwrap_or_default())
    });
    let status = child.wait().map_err(|error| words(&error))?;
    drop(ended);
    let timed_out = watch.join().unwrap_or(false);
    value(Output {
        status: code(status),
        stdout,
        stderr,
        timed_out,
    })
}

/// Starts a program that writes to files named after its process id.
pub(crate) fn spawn(argv: &[String]) -> Result<Value, String> {
    let create =
        |name: &str| File::create(format!("/run/lab/{name}")).map_err(|error| words(&error));
    let (output, errors) = (create("out")?, create("err")?);
    let mut command = command(argv)?;
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let child = start(&mut command)?;
    let id = child.id();
    for name in ["out", "err"] {
        let renamed = fs::rename(format!("/run/lab/{name}"), format!("/run/lab/{id}.{name}"));
        renamed.map_err(|error| words(&error))?;
    }
    SPAWNED.lock().map_err(|_| POISONED)?.insert(id, child);
    value(id)
}

/// Waits for a spawned program; null at the limit.
pub(crate) fn wait(id: u32, limit_ms: u64) -> Result<Value, String> {
    let mut spawned = SPAWNED.lock().map_err(|_| POISONED)?;
    let child = spawned
        .get_mut(&id)
        .ok_or_else(|| format!("{id} was not spawned"))?;
    for waited in 0..=limit_ms.div_ceil(PAUSE_MS) {
        if let Some(status) = child.try_wait().map_err(|error| words(&error))? {
            spawned.remove(&id);
            return value(code(status));
        }
        if waited * PAUSE_MS < limit_ms {
            thread::sleep(Duration::from_millis(PAUSE_MS));
        }
    }
    Ok(Value::Null)
}

/// Sends a signal to a spawned program.
pub(crate) fn kill(id: u32, signal: i32) -> Result<Value, String> {
    let spawned = SPAWNED.lock().map_err(|_| POISONED)?;
    if !spawned.contains_key(&id) {
        return Err(format!("{id} was not spawned"));
    }
    let signal = Signal::try_from(signal).map_err(|error| error.desc().to_owned())?;
    send(pid(id)?, signal).map_err(|error| error.desc().to_owned())?;
    Ok(Value::Null)
}

const PAUSE_MS: u64 = 10;
const POISONED: &str = "another request panicked";
const PATH: &str = "/bin:/sbin:/usr/bin:/usr/sbin";

fn command(argv: &[String]) -> Result<Command, String> {
    let (program, arguments) = argv.split_first().ok_or("no program is named")?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().current_dir("/root");
    command
        .env("PATH", PATH)
        .env("HOME", "/root")
        .env("LC_ALL", "C")
        .env("TERM", "dumb");
    Ok(command)
}

fn start(command: &mut Command) -> Result<Child, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .spawn()
        .map_err(|error| format!("{program}: {error}"))
}

fn drain(from: Option<&mut impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let _ = from.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn code(status: ExitStatus) -> i32 {
    let signal = status.signal().map(|signal| 128 + signal);
    status.code().or(signal).unwrap_or(-1)
}

fn pid(id: u32) -> Result<Pid, String> {
    i32::try_from(id)
        .map(Pid::from_raw)
        .map_err(|error| error.to_string())
}
