//! From a description to a machine that takes requests.

use std::fs::{self, File};
use std::io;
use std::marker::PhantomData;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::running::Running;
use super::{Vm, saved};
use crate::boot::write_initramfs;
use crate::initramfs::find_program;
use crate::lines::Lines;
use crate::machine::{CHANNEL, Content, Image, Plan, escape};
use crate::protocol::{Answer, EXIT_PORT, PORT, Ready};
use crate::provision::{self, Kernel};
use crate::qmp::Qmp;
use crate::{Boot, LabError, Machine, slot};

/// How long a process beside QEMU may take to listen.
const SIDE_LIMIT: Duration = Duration::from_secs(5);

/// For every machine. An oops is an end, so that no test goes on with half a kernel; the kernel's check of its timer fails
/// where the host is busy, and ends it.
const KERNEL_ARGUMENTS: [&str; 5] = [
    "console=ttyS0",
    "quiet",
    "panic=-1",
    "oops=panic",
    "no_timer_check",
];

pub(super) fn boot(machine: &Machine, boot: &Boot) -> Result<Vm, LabError> {
    let qemu = provision::qemu()?;
    let kernel = provision::kernel(&machine.kernel_series)?;
    let slot = if boot.beside {
        None
    } else {
        Some(slot::take()?)
    };
    let folder = tempfile::Builder::new().prefix("gnomon-lab-").tempdir();
    let folder = folder.map_err(LabError::host("make a directory for the machine"))?;
    machine.check().map_err(|wrong| LabError::Machine {
        machine: machine.name.clone(),
        reason: wrong.to_string(),
    })?;
    let plan = machine.plan(folder.path());
    let initramfs = boot.initramfs(&plan, &kernel)?;
    let archive = write_initramfs(&initramfs, folder.path())?;
    make_files(&plan)?;
    let mut arguments = arguments(&plan, &machine.accelerator(), boot, &kernel);
    let state = boot
        .saved
        .then(|| saved::State::of(&arguments, &archive, folder.path()));
    let known = state.as_ref().and_then(saved::State::ready);
    if let (Some(state), Some(_)) = (&state, &known) {
        arguments.extend(state.arguments());
    }
    let mut vm = start((machine, &plan), boot, folder, (&qemu, &arguments))?;
    vm._slot = slot;
    match (state, known) {
        (Some(state), Some(ready)) => {
            vm.ready = ready;
            state.resume(&mut vm)?;
        }
        (state, _) => {
            vm.take_ready()?;
            if let Some(state) = state {
                state.save(&mut vm)?;
            }
        }
    }
    Ok(vm)
}

impl Vm {
    /// Takes the guest's first line, and what it tells against the machine.
    fn take_ready(&mut self) -> Result<(), LabError> {
        match self.answer("boot")? {
            Answer::Ready(ready) if ready.acpi_tables == 0 => return Err(self.running.no_acpi()),
            Answer::Ready(ready) if !ready.refused.is_empty() => {
                return Err(LabError::Guest {
                    request: "boot".to_owned(),
                    reason: ready.refused.join("; "),
                });
            }
            Answer::Ready(ready) => self.ready = ready,
            Answer::Refused(reason) => {
                return Err(LabError::Guest {
                    request: "boot".to_owned(),
                    reason,
                });
            }
            Answer::Done(value) => return Err(self.running.garbage("boot", &value.to_string())),
        }
        Ok(())
    }
}

/// Starts the processes, and takes what QEMU connects to.
fn start(
    (machine, plan): (&Machine, &Plan),
    boot: &Boot,
    folder: TempDir,
    qemu: (&Path, &[String]),
) -> Result<Vm, LabError> {
    let listening = |name: &str| {
        let path = folder.path().join(name);
        let listener = UnixListener::bind(&path)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
        listener.map_err(LabError::host(format!("listen at {}", path.display())))
    };
    let (port, qmp) = (listening("lab.sock")?, listening("qmp.sock")?);
    let limit = boot.limit.mul_f64(scale());
    let until = Instant::now() + limit;
    let sides = start_sides(plan)?;
    let child = start_qemu(qemu.0, qemu.1, folder.path())?;
    let mut running = Running::new(&boot.name, &machine.name, folder, (child, sides))?;
    let port = accept(&port, &mut running, until, limit)?;
    let qmp = accept(&qmp, &mut running, until, limit)?;
    let qmp = match Qmp::greeted(qmp, until) {
        Ok(Some(qmp)) => qmp,
        Ok(None) => return Err(running.refused()),
        Err(error) => return Err(running.broken("QMP greeting", &error, limit)),
    };
    let ready = Ready::default();
    let port = Lines::new(port);
    Ok(Vm {
        running,
        qmp,
        port,
        ready,
        until,
        limit,
        _slot: None,
        _thread: PhantomData,
    })
}

/// Makes what QEMU and the processes beside it find in the machine's directory.
fn make_files(plan: &Plan) -> Result<(), LabError> {
    for folder in &plan.directories {
        fs::create_dir_all(folder).map_err(LabError::host(format!("make {}", folder.display())))?;
    }
    for file in &plan.files {
        let made = match &file.content {
            Content::Bytes(bytes) => fs::write(&file.path, bytes),
            Content::Zeros(size) => File::create(&file.path).and_then(|file| file.set_len(*size)),
        };
        made.map_err(LabError::host(format!("make {}", file.path.display())))?;
    }
    Ok(())
}

/// QEMU's whole command line, without the program.
fn arguments(plan: &Plan, accelerator: &str, boot: &Boot, kernel: &Kernel) -> Vec<String> {
    let at = |name: &str| escape(&plan.directory.join(name).display().to_string());
    let image = match plan.image {
        Image::Compressed => kernel.vmlinuz(),
        Image::Uncompressed => kernel.vmlinux(),
    };
    let mut words = KERNEL_ARGUMENTS.map(str::to_owned).to_vec();
    words.extend(plan.kernel_parameters.iter().cloned());
    words.extend(boot.kernel_arguments.iter().cloned());
    let fixed = [
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
        "-display",
        "none",
    ];
    let mut arguments = fixed.map(str::to_owned).to_vec();
    arguments.extend(["-accel".to_owned(), accelerator.to_owned()]);
    arguments.extend(plan.arguments.iter().cloned());
    arguments.extend(boot.arguments.iter().cloned());
    let own = [
        ("-kernel", image.display().to_string()),
        (
            "-initrd",
            plan.directory.join("initramfs.cpio").display().to_string(),
        ),
        ("-append", words.join(" ")),
        ("-serial", format!("file:{}", at("serial.log"))),
        (
            "-device",
            format!("isa-debug-exit,iobase={EXIT_PORT:#x},iosize=1"),
        ),
        (
            "-device",
            format!("virtio-serial-pci,id=lab,bus=pcie.0,addr={CHANNEL:#x}"),
        ),
        ("-chardev", format!("socket,id=lab,path={}", at("lab.sock"))),
        (
            "-device",
            format!("virtserialport,bus=lab.0,chardev=lab,name={PORT}"),
        ),
        ("-chardev", format!("socket,id=qmp,path={}", at("qmp.sock"))),
        ("-mon", "chardev=qmp,mode=control".to_owned()),
    ];
    arguments.extend(
        own.into_iter()
            .flat_map(|(option, value)| [option.to_owned(), value]),
    );
    arguments
}

fn start_sides(plan: &Plan) -> Result<Vec<Child>, LabError> {
    let mut children = Vec::new();
    for side in &plan.processes {
        let path = find_program(&side.program);
        let path = path
            .ok_or_else(|| LabError::Unavailable(format!("{} is not installed", side.program)))?;
        let mut command = bound_to_us(&path);
        command.args(&side.arguments).stdin(Stdio::null());
        let child = command
            .spawn()
            .map_err(LabError::host(format!("start {}", side.program)))?;
        children.push(child);
        let until = Instant::now() + SIDE_LIMIT;
        while !side.socket.exists() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
    Ok(children)
}

fn start_qemu(qemu: &Path, arguments: &[String], folder: &Path) -> Result<Child, LabError> {
    let quoted = arguments
        .iter()
        .map(|word| format!(" '{}'", word.replace('\'', r"'\''")));
    let command = format!(
        "{}{}\n",
        qemu.display(),
        quoted.collect::<String>().replace(" '-", " \\\n  '-")
    );
    let log = || -> io::Result<(File, File)> {
        fs::write(folder.join("command"), command)?;
        let log = File::create(folder.join("qemu.log"))?;
        Ok((log.try_clone()?, log))
    };
    let (output, errors) =
        log().map_err(LabError::host(format!("write to {}", folder.display())))?;
    let mut command = bound_to_us(qemu);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    command
        .spawn()
        .map_err(LabError::host(format!("start {}", qemu.display())))
}

/// A program that the kernel ends with the thread that starts it, where util-linux's setpriv is there to say so.
fn bound_to_us(program: &Path) -> Command {
    find_program("setpriv").map_or_else(
        || Command::new(program),
        |setpriv| {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        },
    )
}

/// QEMU connects at once, or ends with what it has against its arguments.
fn accept(
    listener: &UnixListener,
    running: &mut Running,
    until: Instant,
    limit: Duration,
) -> Result<UnixStream, LabError> {
    loop {
        match listener.accept() {
            Ok((socket, _)) => {
                let blocking = socket.set_nonblocking(false).map(|()| socket);
                return blocking.map_err(LabError::host("wait on a socket"));
            }
            Err(_) if running.has_ended() => return Err(running.refused()),
            Err(_) if Instant::now() >= until => {
                return Err(running.hung("QEMU's connection", limit));
            }
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// How much longer than on an idle machine everything may take: `GNOMON_LAB_SCALE`.
#[must_use]
pub fn scale() -> f64 {
    let named = std::env::var("GNOMON_LAB_SCALE")
        .ok()
        .and_then(|text| text.parse().ok());
    named
        .filter(|scale| (0.1..=100.0).contains(scale))
        .unwrap_or(1.0)
}
