//! Boots a machine and runs one command in it, or a shell.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use gnomon_lab::initramfs::find_program;
use gnomon_lab::{Boot, LabError, Machine, Vm};

use crate::shell;

/// What people look at hardware with; what is not installed here is not there.
const PROGRAMS: [&str; 10] = [
    "dmidecode",
    "ethtool",
    "hwloc-ls",
    "ipmitool",
    "lscpu",
    "lspci",
    "lstopo-no-graphics",
    "numactl",
    "nvme",
    "phc_ctl",
];

/// What `run` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The description.
    machine: String,
    /// Seconds that it may run; a shell may take a day.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    limit: u64,
    /// A further program of this host that the guest shall have, with its libraries.
    #[arg(long = "program", value_name = "NAME")]
    programs: Vec<String>,
    /// A module that the guest loads besides.
    #[arg(long = "module", value_name = "NAME")]
    modules: Vec<String>,
    /// A file of this host that the guest shall have.
    #[arg(long = "file", value_name = "HERE:THERE")]
    files: Vec<String>,
    /// The command; without one, a shell.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

impl Arguments {
    /// The command's exit status.
    pub(crate) fn run(&self) -> Result<ExitCode, String> {
        let machine = crate::machine(&self.machine)?;
        let boot = self.boot(&machine)?;
        match self.command.is_empty() {
            true => shell::run(|more| started(&machine, more(boot)?)),
            false => self.once(started(&machine, boot).map_err(|error| error.to_string())?),
        }
    }

    fn boot(&self, machine: &Machine) -> Result<Boot, String> {
        let mut boot = Boot::new(&machine.name).agent();
        let wanted = self.programs.iter().chain(self.command.first());
        let wanted: Vec<&str> = wanted.map(String::as_str).collect();
        let known = PROGRAMS.into_iter().filter(|name| !wanted.contains(name));
        for name in known.filter(|name| find_program(name).is_some()) {
            boot = boot.peer(name);
        }
        for name in wanted.into_iter().filter(|name| *name != "gnomon") {
            // A command may be a path in the guest, or an applet of busybox.
            if self.programs.iter().any(|program| program == name) || find_program(name).is_some() {
                boot = boot.peer(name);
            }
        }
        for file in &self.files {
            let (here, there) = file
                .split_once(':')
                .ok_or_else(|| format!("{file}: HERE:THERE is needed"))?;
            let here = PathBuf::from(here);
            let bytes =
                std::fs::read(&here).map_err(|error| format!("{}: {error}", here.display()))?;
            boot = boot.file(there, bytes);
        }
        let names: Vec<&str> = machine.lab_modules.iter().map(String::as_str).collect();
        let boot = boot
            .lab_modules(&names)
            .map_err(|error| error.to_string())?;
        let modules: Vec<&str> = self.modules.iter().map(String::as_str).collect();
        let limit = if self.command.is_empty() {
            shell::LIMIT
        } else {
            Duration::from_secs(self.limit)
        };
        Ok(boot.modules(&modules).limit(limit))
    }

    fn once(&self, mut vm: Vm) -> Result<ExitCode, String> {
        let argv: Vec<&str> = self.command.iter().map(String::as_str).collect();
        let output = vm.run(&argv).map_err(|error| error.to_string())?;
        let written = io::stdout().write_all(output.stdout.as_bytes());
        let written = written.and_then(|()| io::stderr().write_all(output.stderr.as_bytes()));
        written.map_err(|error| error.to_string())?;
        if output.timed_out {
            return Err(format!(
                "{} did not end within {} s",
                argv.join(" "),
                self.limit
            ));
        }
        Ok(u8::try_from(output.status).map_or(ExitCode::FAILURE, ExitCode::from))
    }
}

/// The machine, with the lab's own modules loaded.
fn started(machine: &Machine, boot: Boot) -> Result<Vm, LabError> {
    let mut vm = Vm::boot(machine, &boot)?;
    for module in &machine.lab_modules {
        vm.load(module, "")?;
    }
    Ok(vm)
}
