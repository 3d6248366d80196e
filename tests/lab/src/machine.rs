//! A machine as a value: what QEMU, the kernel and the processes beside them need to make it.

use std::path::Path;
use std::process::Command;

use crate::LabError;

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What messages call it.
    pub name: String,
    /// Memory that the guest boots with, in MiB.
    pub memory_mib: u64,
    /// Arguments of QEMU beside memory and the lab's own.
    pub arguments: Vec<String>,
    /// Words for the kernel's command line.
    pub kernel_arguments: Vec<String>,
    /// Modules that the guest loads before it answers, in this order, each with what it needs.
    pub modules: Vec<String>,
    /// Boots the compressed image by the firmware rather than the kernel directly.
    pub bzimage: bool,
}

impl Machine {
    /// One CPU, 512 MiB, and nothing else.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            name: "plain".to_owned(),
            memory_mib: 512,
            arguments: vec!["-machine".to_owned(), "q35".to_owned()],
            kernel_arguments: Vec::new(),
            modules: Vec::new(),
            bzimage: false,
        }
    }

    /// Machine, processors, memory and devices, as arguments of QEMU. Files that they name are made in `folder`.
    ///
    /// The lab adds the accelerator, the kernel, the serial console, the exit device, QMP, and its virtio-serial port
    /// at address 1e.0 of `pcie.0`.
    ///
    /// # Errors
    /// A machine that can't be, or a file that can't be made.
    pub fn qemu_arguments(&self, _folder: &Path) -> Result<Vec<String>, LabError> {
        let mut arguments = vec!["-m".to_owned(), format!("{}M", self.memory_mib)];
        arguments.extend_from_slice(&self.arguments);
        Ok(arguments)
    }

    /// `-accel` for it: TCG, on one thread for several processors, unless one is to be unplugged.
    #[must_use]
    pub fn accelerator(&self) -> String {
        "tcg,thread=single".to_owned()
    }

    /// Words for the kernel's command line.
    #[must_use]
    pub fn kernel_arguments(&self) -> Vec<String> {
        self.kernel_arguments.clone()
    }

    /// Modules that the guest loads before it answers.
    #[must_use]
    pub fn modules(&self) -> Vec<String> {
        self.modules.clone()
    }

    /// Whether the compressed image is booted.
    #[must_use]
    pub fn bzimage(&self) -> bool {
        self.bzimage
    }

    /// The series of kernels that it boots: `6.12` or `6.1`.
    #[must_use]
    pub fn kernel(&self) -> &str {
        "6.12"
    }

    /// Processes to start in `folder` before QEMU, such as swtpm, each with the socket that it is ready by.
    #[must_use]
    pub fn sides(&self, _folder: &Path) -> Vec<Side> {
        Vec::new()
    }
}

/// A process beside QEMU, which ends with it.
#[derive(Debug)]
pub struct Side {
    /// How it is started.
    pub command: Command,
    /// The socket that is there once it is ready; QEMU is started after that.
    pub socket: std::path::PathBuf,
}
