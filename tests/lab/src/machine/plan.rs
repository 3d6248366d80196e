//! What a machine needs to be started: QEMU's arguments, and all that belongs beside them.

use std::path::{Path, PathBuf};

/// All that starts a machine but the kernel, the first process and the lab's own channel to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The directory that its files and sockets lie in.
    pub directory: PathBuf,
    /// QEMU's arguments.
    pub arguments: Vec<String>,
    /// The kernel's parameters.
    pub kernel_parameters: Vec<String>,
    /// The modules that the guest loads, in this order, each after those that it needs.
    pub modules: Vec<String>,
    /// Which form of the kernel can be booted.
    pub image: Image,
    /// Directories to make first.
    pub directories: Vec<PathBuf>,
    /// Files to write then.
    pub files: Vec<File>,
    /// Processes that must run beside QEMU, and end with it.
    pub processes: Vec<SideProcess>,
    /// What is written to files of the guest once its modules are loaded, in this order.
    pub setup: Vec<Setting>,
}

/// A form of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Image {
    /// The uncompressed `vmlinux`, which starts sooner.
    #[default]
    Uncompressed,
    /// The `bzImage`: with a TPM, the firmware puts its ACPI tables where the other way has the initramfs.
    Compressed,
}

/// A file that QEMU reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many bytes of zeros, which take no room.
    Zeros(u64),
}

/// A process that runs beside QEMU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideProcess {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The socket that it makes when it is ready.
    pub socket: PathBuf,
}

/// A text for a file of the guest's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The file.
    pub path: String,
    /// The text.
    pub text: String,
}

impl Plan {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            ..Self::default()
        }
    }

    /// An option and its value.
    pub(super) fn option(&mut self, name: &str, value: impl Into<String>) {
        self.arguments.push(format!("-{name}"));
        self.arguments.push(value.into());
    }

    pub(super) fn device(&mut self, value: impl Into<String>) {
        self.option("device", value);
    }

    pub(super) fn parameter(&mut self, text: impl Into<String>) {
        self.kernel_parameters.push(text.into());
    }

    pub(super) fn modules(&mut self, names: &[&str]) {
        for name in names {
            if !self.modules.iter().any(|known| known == name) {
                self.modules.push((*name).to_owned());
            }
        }
    }

    /// Adds a file, and tells its path as QEMU's options take it.
    pub(super) fn file(&mut self, name: &str, content: Content) -> String {
        let path = self.directory.join(name);
        let told = escape(&path.display().to_string());
        self.files.push(File { path, content });
        told
    }
}

/// A text within one of QEMU's options, where a comma would end it.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace(',', ",,")
}
