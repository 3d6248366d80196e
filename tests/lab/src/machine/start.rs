//! A machine's parts, as what starts it asks for them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Content, Image, Machine, Plan, Setting};
use crate::LabError;

/// A process beside QEMU, which ends with it.
#[derive(Debug)]
pub struct Side {
    /// How it is started.
    pub command: Command,
    /// The socket that is there once it is ready; QEMU is started after that.
    pub socket: PathBuf,
}

impl Machine {
    /// Machine, processors, memory and devices, as arguments of QEMU. Files that they name are made in `folder`.
    ///
    /// The lab adds the accelerator, the kernel, the serial console, the exit device, QMP, and its virtio-serial port
    /// at address 1e.0 of `pcie.0`.
    ///
    /// # Errors
    /// A machine that can't be, or a file that can't be made.
    pub fn qemu_arguments(&self, folder: &Path) -> Result<Vec<String>, LabError> {
        self.check().map_err(|wrong| LabError::Machine {
            machine: self.name.clone(),
            reason: wrong.to_string(),
        })?;
        let plan = self.plan(folder);
        plan.write_files()
            .map_err(LabError::host(format!("write to {}", folder.display())))?;
        Ok(plan.arguments)
    }

    /// `-accel` for it: TCG, on one thread for several processors, unless one is to be unplugged.
    #[must_use]
    pub fn accelerator(&self) -> String {
        let threads = if self.hot_plug.cpus {
            "multi"
        } else {
            "single"
        };
        format!("tcg,thread={threads}")
    }

    /// Words for the kernel's command line.
    #[must_use]
    pub fn kernel_arguments(&self) -> Vec<String> {
        self.plan(Path::new("")).kernel_parameters
    }

    /// Modules that the guest loads before it answers.
    #[must_use]
    pub fn modules(&self) -> Vec<String> {
        self.plan(Path::new("")).modules
    }

    /// Whether the compressed image is booted.
    #[must_use]
    pub fn bzimage(&self) -> bool {
        self.plan(Path::new("")).image == Image::Compressed
    }

    /// The series of kernels that it boots: `6.12` or `6.1`.
    #[must_use]
    pub fn kernel(&self) -> &str {
        &self.kernel_series
    }

    /// Processes to start before QEMU, such as swtpm, each with the socket that it is ready by.
    #[must_use]
    pub fn sides(&self, folder: &Path) -> Vec<Side> {
        let sides = self.plan(folder).processes.into_iter().map(|side| {
            let mut command = Command::new(side.program);
            command.args(side.arguments);
            let socket = side.socket;
            Side { command, socket }
        });
        sides.collect()
    }

    /// What is written to files of the guest once it answers.
    #[must_use]
    pub fn setup(&self) -> Vec<Setting> {
        self.plan(Path::new("")).setup
    }
}

impl Plan {
    fn write_files(&self) -> io::Result<()> {
        for directory in &self.directories {
            fs::create_dir_all(directory)?;
        }
        for file in &self.files {
            match &file.content {
                Content::Bytes(bytes) => fs::write(&file.path, bytes)?,
                Content::Zeros(size) => File::create(&file.path)?.set_len(*size)?,
            }
        }
        Ok(())
    }
}
