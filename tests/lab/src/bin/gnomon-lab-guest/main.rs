//! The program that is /init in the lab's machines: it answers requests until the host is gone.
//!
//! ```text
//! mount ─► load modules ─► open the port ─► ready ─► { request ─► answer } ─► exit by QEMU's debug port
//! ```

mod changes;
mod files;
mod modules;
mod named;
mod port;
mod process;

use std::process::ExitCode;
use std::{fs, thread};

use gnomon_lab::protocol::{Answer, EXIT_MARK, EXIT_PORT, Ready, Request};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use serde_json::{Value, json};

use modules::Modules;
use port::Port;

/// What the kernel makes visible, and where; those that a kernel lacks are left out.
const MOUNTS: [(&str, &str); 10] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("devpts", "/dev/pts"),
    ("tmpfs", "/dev/shm"),
    ("hugetlbfs", "/dev/hugepages"),
    ("debugfs", "/sys/kernel/debug"),
    ("tracefs", "/sys/kernel/tracing"),
    ("securityfs", "/sys/kernel/security"),
    ("cgroup2", "/sys/fs/cgroup"),
];

/// How the machine ends where the host is gone, or was never there.
const ALONE: u8 = 0x3f;

fn main() -> ExitCode {
    for (kind, place) in MOUNTS {
        // sysfs and procfs have their own places for what is mounted in them, and refuse others.
        let _ = fs::create_dir_all(place);
        let _ = mount(
            Some(kind),
            place,
            Some(kind),
            MsFlags::empty(),
            None::<&str>,
        );
    }
    let (modules, refused) = Modules::start();
    let code = match Port::open() {
        Ok(mut port) => serve(&mut port, &modules, refused),
        Err(reason) => {
            eprintln!("lab: no port: {reason}; refused modules: {refused:?}");
            ALONE
        }
    };
    end(code)
}

/// Answers requests; the code to end with.
fn serve(port: &mut Port, modules: &Modules, refused: Vec<String>) -> u8 {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let ready = Ready {
        kernel: kernel.trim().to_owned(),
        acpi_tables: fs::read_dir("/sys/firmware/acpi/tables").map_or(0, Iterator::count),
        refused,
    };
    port.send(&Answer::Ready(ready));
    if let Some(name) = named_on_the_command_line() {
        let answer = answered(call(&name, &Value::Null));
        let code = u8::from(matches!(answer, Answer::Refused(_)));
        port.send(&answer);
        return code;
    }
    while let Some(line) = port.next() {
        match serde_json::from_str(&line) {
            Ok(Request::Exit { code }) => return code,
            Ok(request) => port.send(&answered(handle(&request, modules))),
            Err(error) => port.send(&Answer::Refused(format!("no request: {error}"))),
        }
    }
    ALONE
}

fn handle(request: &Request, modules: &Modules) -> Result<Value, String> {
    match request {
        Request::Run {
            argv,
            env,
            stdin,
            limit_ms,
        } => process::run(argv, env, stdin, *limit_ms),
        Request::Spawn { argv } => process::spawn(argv),
        Request::Wait { id, limit_ms } => process::wait(*id, *limit_ms),
        Request::Kill { id, signal } => process::kill(*id, *signal),
        Request::Read { path } => files::read(path),
        Request::Fetch { path } => files::fetch(path),
        Request::Write { path, text } => files::write(path, text),
        Request::List { path } => files::list(path),
        Request::Load { module, parameters } => {
            modules.load(module, parameters).map(|()| Value::Null)
        }
        Request::Test { name, arguments } => call(name, arguments),
        Request::Exit { .. } => Ok(Value::Null),
    }
}

/// Calls a named function in a thread of its own, so that its panic is an answer.
fn call(name: &str, arguments: &Value) -> Result<Value, String> {
    let function = named::TESTS.iter().find(|(known, _)| *known == name);
    let (_, function) = function.ok_or_else(|| format!("the guest has no test {name}"))?;
    let joined = thread::scope(|scope| scope.spawn(|| function(arguments)).join());
    joined.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| {
            panic
                .downcast_ref::<&str>()
                .map(|words| (*words).to_owned())
        });
        Err(format!("{name} panicked: {}", words.unwrap_or_default()))
    })
}

fn answered(result: Result<Value, String>) -> Answer {
    result.map_or_else(Answer::Refused, Answer::Done)
}

/// `lab.test=NAME`.
fn named_on_the_command_line() -> Option<String> {
    let line = fs::read_to_string("/proc/cmdline").ok()?;
    let mut words = line.split_whitespace();
    words
        .find_map(|word| word.strip_prefix("lab.test="))
        .map(str::to_owned)
}

/// Ends QEMU, by the debug port where the machine has it.
fn end(code: u8) -> ExitCode {
    use std::os::unix::fs::FileExt;
    let port = fs::OpenOptions::new().write(true).open("/dev/port");
    let _ = port.and_then(|port| port.write_at(&[code | EXIT_MARK], u64::from(EXIT_PORT)));
    let _ = reboot(RebootMode::RB_POWER_OFF);
    // /init may not end: the kernel panics, which the host tells of.
    ExitCode::FAILURE
}

/// What an operation of the system failed with, in its own words.
fn words(error: &std::io::Error) -> String {
    error.to_string()
}

/// A value of the protocol.
fn value(value: impl serde::Serialize) -> Result<Value, String> {
    Ok(json!(value))
}
