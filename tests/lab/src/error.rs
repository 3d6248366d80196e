//! What goes wrong in the lab, and where the log and the command of it are kept.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Which part of the lab, or of the machine in it, did not do what it should.
///
/// Where a virtual machine ended with the error, `kept` is the directory with its `command`, `serial.log`, `qemu.log`
/// and `transcript`.
#[derive(thiserror::Error)]
pub enum LabError {
    /// QEMU or a kernel can't be had here: tests are skipped.
    #[error("{0}")]
    Unavailable(String),
    /// The description contradicts itself.
    #[error("machine {machine}: {reason}")]
    Machine {
        /// The machine's name.
        machine: String,
        /// What can't be, and what to change.
        reason: String,
    },
    /// QEMU did not build the machine.
    #[error("QEMU refused machine {machine}: {stderr} (kept in {})", kept.display())]
    Refused {
        /// The machine's name.
        machine: String,
        /// What QEMU, or a process beside it, said.
        stderr: String,
        /// Where its log and command are.
        kept: PathBuf,
    },
    /// The kernel has no such module.
    #[error("kernel {kernel} has no module {module}")]
    NoModule {
        /// The module's name.
        module: String,
        /// The kernel's release.
        kernel: String,
    },
    /// A module of the lab does not compile.
    #[error("module {module} does not build: {said}")]
    Build {
        /// The module's name.
        module: String,
        /// What make and the compiler said.
        said: String,
    },
    /// The guest has no ACPI tables, so nothing else that it shows can be trusted.
    #[error(
        "the guest found no ACPI tables: its initramfs overwrote them; boot the bzImage (kept in {})",
        kept.display()
    )]
    NoAcpi {
        /// Where its log and command are.
        kept: PathBuf,
    },
    /// The guest's kernel gave up.
    #[error("the guest panicked: {lines} (kept in {})", kept.display())]
    Panicked {
        /// The kernel's lines about it.
        lines: String,
        /// Where its log and command are.
        kept: PathBuf,
    },
    /// QEMU ended while the guest was to answer.
    #[error("the guest ended ({how}) instead of answering {request} (kept in {})", kept.display())]
    Died {
        /// QEMU's status or signal.
        how: String,
        /// What it was asked.
        request: String,
        /// Where its log and command are.
        kept: PathBuf,
    },
    /// No answer came in time.
    #[error("no answer to {request} within the machine's {limit:.1?} (kept in {})", kept.display())]
    Hung {
        /// What it was asked.
        request: String,
        /// How long it had.
        limit: Duration,
        /// Where its log and command are.
        kept: PathBuf,
    },
    /// What came over the port is no answer.
    #[error("no answer to {request} but: {line:?} (kept in {})", kept.display())]
    Garbage {
        /// What it was asked.
        request: String,
        /// What came instead.
        line: String,
        /// Where its log and command are.
        kept: PathBuf,
    },
    /// The guest answered that it couldn't; the machine goes on.
    #[error("{request}: {reason}")]
    Guest {
        /// What it was asked.
        request: String,
        /// Its words.
        reason: String,
    },
    /// QEMU refused a command; the machine goes on.
    #[error("QMP {command}: {reason}")]
    Qmp {
        /// The command.
        command: String,
        /// QEMU's words.
        reason: String,
    },
    /// A condition that a test waited for did not come; the machine goes on.
    #[error("{awaited} did not come within {limit:.1?}")]
    Awaited {
        /// What was waited for.
        awaited: String,
        /// How long.
        limit: Duration,
    },
    /// Something on the host.
    #[error("{doing}: {source}")]
    Host {
        /// What the lab was doing.
        doing: String,
        /// Why it couldn't.
        source: io::Error,
    },
}

/// As people read it: a test that unwraps prints this.
impl std::fmt::Debug for LabError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl LabError {
    /// For `map_err`: the host could not do this.
    pub fn host(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Host { doing, source }
    }

    /// The directory with the ended machine's command and logs.
    #[must_use]
    pub fn kept(&self) -> Option<&PathBuf> {
        match self {
            Self::Refused { kept, .. }
            | Self::NoAcpi { kept }
            | Self::Panicked { kept, .. }
            | Self::Died { kept, .. }
            | Self::Hung { kept, .. }
            | Self::Garbage { kept, .. } => Some(kept),
            _ => None,
        }
    }
}
