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
/// What the guest makes when the shell has ended.
const ENDED: &str = "ended";
/// How often the guest is asked whether it has.
const LOOK: Duration = Duration::from_millis(200);
/// What ends a shell's input.
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
    let (quiet, prompt) = if io::stdin().is_terminal() {
        ("", "-i")
    } else {
        ("-echo", "")
    };
    // The port's size is forgotten when nobody has it open: it is set by the one who then starts the shell.
    let terminal = format!(
        "stty rows {rows} cols {columns} {quiet}; export TERM={}",
        term()
    );
    let script = format!(
        "busybox --install -s /bin 2>/dev/null; cd /root
         setsid -c sh -c '{terminal}; PS1=\"lab # \" sh {prompt}; echo $? >/run/lab/{ENDED}' <{PORT} >{PORT} 2>&1"
    );
    let started = vm.spawn(&["busybox", "sh", "-c", &script]);
    started.map_err(|error| error.to_string())?;
    let _raw = Raw::terminal();
    carry(&mut vm, connected).map_err(|error| error.to_string())?;
    // Of a guest that was powered off there is none.
    let status = vm.read(&format!("/run/lab/{ENDED}")).ok();
    let status = status.and_then(|text| text.trim().parse::<u8>().ok());
    Ok(status.map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// This terminal's kind, as programs know it by.
fn term() -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "-+._".contains(sign);
    let own = std::env::var("TERM").ok();
    let own = own.filter(|name| !name.is_empty() && name.chars().all(plain));
    own.unwrap_or_else(|| "linux".to_owned())
}

/// Carries bytes both ways until the shell or the guest has ended.
fn carry(vm: &mut Vm, connected: UnixStream) -> io::Result<()> {
    let mut from = connected.try_clone()?;
    let shown = thread::spawn(move || copy(&mut from, &mut io::stdout()));
    let mut to = connected.try_clone()?;
    // It may wait for a key for ever, and ends with this program.
    thread::spawn(move || {
        copy(&mut io::stdin(), &mut to);
        to.write_all(&[END_OF_INPUT])
    });
    while !shown.is_finished() {
        thread::sleep(LOOK);
        let ended = vm
            .list("/run/lab")
            .map(|names| names.iter().any(|name| name == ENDED));
        // A guest that was powered off has ended, too.
        if ended.unwrap_or(true) {
            break;
        }
    }
    let _ = connected.shutdown(Shutdown::Both);
    let _ = shown.join();
    Ok(())
}

/// Copies what comes, as soon as it comes.
fn copy(from: &mut impl Read, to: &mut impl Write) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let Some(bytes) = buffer.get(..count) else {
            return;
        };
        if to.write_all(bytes).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
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
