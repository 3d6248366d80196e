//! A shell in the guest, at its second serial port.

use std::io::{self, IsTerminal, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use gnomon_lab::initramfs::find_program;
use gnomon_lab::{Boot, LabError, Vm};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

/// How long a shell may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(86_400);

const PORT: &str = "/dev/ttyS1";
/// What the guest makes when the port listens: what comes before is lost.
const STARTED: &str = "started";
/// How long that may take.
const START: Duration = Duration::from_secs(20);
/// Where it leaves the shell's exit status until the port is closed, and so all output carried.
const STATUS: &str = "/run/lab/status";
/// What the guest makes then: the shell has ended.
const ENDED: &str = "ended";
/// How often the guest is asked whether it has.
const LOOK: Duration = Duration::from_millis(200);
/// What ends a shell's input, at the start of a line.
const END_OF_INPUT: u8 = 4;

/// Boots with what a shell needs, and connects this terminal with it until it ends; its exit status.
pub(crate) fn run(
    boot: impl FnOnce(&dyn Fn(Boot) -> Result<Boot, LabError>) -> Result<Vm, LabError>,
) -> Result<ExitCode, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let socket = folder.path().join("shell.sock");
    let more = |boot: Boot| {
        let missing =
            || LabError::Unavailable("a shell needs busybox (Debian's busybox-static)".to_owned());
        let busybox = find_program("busybox").ok_or_else(missing)?;
        let port = format!(
            "socket,id=shell,path={},server=on,wait=off",
            socket.display()
        );
        let port = [
            "-chardev",
            &port,
            "-device",
            "isa-serial,chardev=shell,index=1",
        ];
        Ok(boot.program("busybox", busybox).arguments(&port))
    };
    let mut vm = boot(&more).map_err(|error| error.to_string())?;
    let connected = UnixStream::connect(&socket).map_err(|error| error.to_string())?;
    let (rows, columns) =
        terminal_size::terminal_size().map_or((24, 80), |(width, height)| (height.0, width.0));
    // Where its output is no terminal, a shell neither greets nor prompts.
    let (quiet, shell) = if io::stdin().is_terminal() {
        ("", format!("PS1=\"lab # \" sh -i; echo $? >{STATUS}"))
    } else {
        (
            "-echo -onlcr",
            format!("{{ sh; echo $? >{STATUS}; }} 2>&1 | cat"),
        )
    };
    // The port's size is forgotten when nobody has it open: it is set by the one who then starts the shell.
    let terminal = format!(
        "stty rows {rows} cols {columns} {quiet}; export TERM={}",
        term()
    );
    let script = format!(
        "busybox --install -s /bin 2>/dev/null; cd /root
         setsid -c sh -c '{terminal}; echo >/run/lab/{STARTED}; {shell}' <{PORT} >{PORT} 2>&1
         mv {STATUS} /run/lab/{ENDED}"
    );
    let started = vm.spawn(&["busybox", "sh", "-c", &script]);
    started.map_err(|error| error.to_string())?;
    vm.wait_for("the shell", START, |vm| Ok(has(vm, STARTED)?.then_some(())))
        .map_err(|error| error.to_string())?;
    let _raw = Raw::terminal();
    let ended = carry(&mut vm, connected).map_err(|error| error.to_string())?;
    // Of a guest that was powered off there is none.
    let status = ended.then(|| vm.read(&format!("/run/lab/{ENDED}")).ok());
    let status = status
        .flatten()
        .and_then(|text| text.trim().parse::<u8>().ok());
    Ok(status.map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// This terminal's kind, as programs know it by.
fn term() -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "-+._".contains(sign);
    let own = std::env::var("TERM").ok();
    let own = own.filter(|name| !name.is_empty() && name.chars().all(plain));
    own.unwrap_or_else(|| "linux".to_owned())
}

/// Whether the guest has made a mark.
fn has(vm: &mut Vm, mark: &str) -> Result<bool, LabError> {
    let names = vm.list("/run/lab")?;
    Ok(names.iter().any(|name| name == mark))
}

/// Carries bytes both ways until the shell or the guest has ended: whether it was the shell.
fn carry(vm: &mut Vm, connected: UnixStream) -> io::Result<bool> {
    let mut from = connected.try_clone()?;
    let shown = thread::spawn(move || copy(&mut from, &mut io::stdout()));
    let mut to = connected.try_clone()?;
    // It may wait for a key for ever, and ends with this program.
    thread::spawn(move || {
        let last = copy(&mut io::stdin(), &mut to);
        let end = [b'\n', END_OF_INPUT];
        let whole = last.is_none_or(|last| last == b'\n');
        to.write_all(if whole { &end[1..] } else { &end })
    });
    let mut ended = Ok(false);
    while !shown.is_finished() && matches!(ended, Ok(false)) {
        thread::sleep(LOOK);
        ended = has(vm, ENDED);
    }
    let _ = connected.shutdown(Shutdown::Both);
    let _ = shown.join();
    // A guest that was powered off answers no more.
    Ok(ended.unwrap_or(false))
}

/// Copies what comes, as soon as it comes; tells the last byte.
fn copy(from: &mut impl Read, to: &mut impl Write) -> Option<u8> {
    let mut buffer = [0; 4096];
    let mut last = None;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..count)?;
        last = bytes.last().copied();
        if to.write_all(bytes).and_then(|()| to.flush()).is_err() {
            break;
        }
    }
    last
}

/// The terminal as the guest's own: each key goes there; as it was when this ends.
struct Raw(Option<Termios>);

impl Raw {
    fn terminal() -> Self {
        let Ok(before) = tcgetattr(io::stdin()) else {
            return Self(None);
        };
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        let set = tcsetattr(io::stdin(), SetArg::TCSANOW, &raw);
        Self(set.is_ok().then_some(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, before);
        }
    }
}
