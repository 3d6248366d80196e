//! How a machine is booted: what is added to it for one test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::initramfs::{Initramfs, find_program};
use crate::machine::Plan;
use crate::protocol::{START, Start, module_name, module_path};
use crate::provision::Kernel;
use crate::{LabError, programs};

/// How long a machine may run where the test says nothing else.
pub const LIMIT: Duration = Duration::from_secs(20);

/// What the guest needs to talk to the host at all.
const PORT_MODULES: [&str; 2] = ["virtio_pci", "virtio_console"];

/// What one test adds to a machine.
#[derive(Clone, Debug)]
pub struct Boot {
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) kernel_arguments: Vec<String>,
    pub(crate) limit: Duration,
    pub(crate) saved: bool,
    pub(crate) beside: bool,
    agent: bool,
    peers: Vec<String>,
    programs: Vec<(String, PathBuf)>,
    modules: Vec<String>,
    available: Vec<String>,
    module_files: Vec<PathBuf>,
    files: Vec<(String, Vec<u8>)>,
}

impl Boot {
    /// Nothing added. `name` is what the directory of its logs is called, so it is the test's own.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            arguments: Vec::new(),
            kernel_arguments: Vec::new(),
            limit: LIMIT,
            saved: false,
            beside: false,
            agent: false,
            peers: Vec::new(),
            programs: Vec::new(),
            modules: Vec::new(),
            available: Vec::new(),
            module_files: Vec::new(),
            files: Vec::new(),
        }
    }

    /// `gnomon`, built from this source.
    #[must_use]
    pub fn agent(mut self) -> Self {
        self.agent = true;
        self
    }

    /// A program of the host with its shared libraries; what it reads besides is to be added by [`Boot::file`].
    #[must_use]
    pub fn peer(mut self, program: &str) -> Self {
        self.peers.push(program.to_owned());
        self
    }

    /// A program of the host's `path` as `/bin/NAME`.
    #[must_use]
    pub fn program(mut self, name: &str, path: impl Into<PathBuf>) -> Self {
        self.programs.push((name.to_owned(), path.into()));
        self
    }

    /// Modules to load, after the machine's own and before anything is answered.
    #[must_use]
    pub fn modules(mut self, names: &[&str]) -> Self {
        self.modules
            .extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Modules that are there to be loaded by a request.
    #[must_use]
    pub fn available(mut self, names: &[&str]) -> Self {
        self.available
            .extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// A module of our own, `NAME.ko`, to be loaded by a request.
    #[must_use]
    pub fn module_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.module_files.push(path.into());
        self
    }

    /// A file in the guest.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), bytes.into()));
        self
    }

    /// A word for the kernel's command line.
    #[must_use]
    pub fn kernel_argument(mut self, word: &str) -> Self {
        self.kernel_arguments.push(word.to_owned());
        self
    }

    /// Arguments of QEMU.
    #[must_use]
    pub fn arguments(mut self, words: &[&str]) -> Self {
        self.arguments
            .extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// How long the machine may run in all, instead of [`LIMIT`]. `GNOMON_LAB_SCALE` multiplies it.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts from the state that the same machine had when it first took requests, kept on disk: in 0.2 s. Not for
    /// machines with swtpm, whose state is outside QEMU.
    #[must_use]
    pub fn saved(mut self) -> Self {
        self.saved = true;
        self
    }

    /// A further machine of a test that already holds one: it waits for no place among those that run.
    #[must_use]
    pub fn beside(mut self) -> Self {
        self.beside = true;
        self
    }

    /// The guest's first file system, for a machine of that plan.
    pub(crate) fn initramfs(&self, plan: &Plan, kernel: &Kernel) -> Result<Initramfs, LabError> {
        let mut initramfs = Initramfs::default();
        for folder in [
            "dev", "etc", "proc", "root", "run/lab", "sys", "tmp", "var/lib", "var/log",
        ] {
            initramfs.directory(folder);
        }
        initramfs.device("dev/console", (5, 1));
        initramfs.link("var/run", "/run");
        initramfs.file(
            "etc/passwd",
            b"root:x:0:0:root:/root:/bin/sh\n".to_vec(),
            false,
        );
        initramfs.file("etc/group", b"root:x:0:\n".to_vec(), false);
        initramfs.program("init", &programs::guest()?)?;
        if self.agent {
            initramfs.program("bin/gnomon", &programs::agent()?)?;
        }
        for peer in &self.peers {
            let path = find_program(peer);
            let path =
                path.ok_or_else(|| LabError::Unavailable(format!("{peer} is not installed")))?;
            initramfs.program(&format!("bin/{peer}"), &path)?;
        }
        for (name, path) in &self.programs {
            initramfs.program(&format!("bin/{name}"), path)?;
        }
        for (path, bytes) in &self.files {
            initramfs.file(path, bytes.clone(), bytes.starts_with(b"#!"));
        }
        let start = self.modules_into(&mut initramfs, plan, kernel)?;
        let start = serde_json::to_vec(&start)
            .map_err(|error| LabError::host("write JSON")(error.into()))?;
        initramfs.file(START, start, false);
        Ok(initramfs)
    }

    fn modules_into(
        &self,
        initramfs: &mut Initramfs,
        plan: &Plan,
        kernel: &Kernel,
    ) -> Result<Start, LabError> {
        let modules = kernel.modules()?;
        let mut found = BTreeMap::new();
        let mut load: Vec<String> = PORT_MODULES.map(str::to_owned).to_vec();
        load.extend(plan.modules.iter().cloned());
        load.extend(self.modules.iter().cloned());
        for path in &self.module_files {
            modules.add(path, &mut found)?;
        }
        for name in load.iter().chain(&self.available) {
            modules.find(name, &mut found)?;
        }
        let settings = plan
            .setup
            .iter()
            .map(|setting| (setting.path.clone(), setting.text.clone()));
        let mut start = Start {
            settings: settings.collect(),
            ..Start::default()
        };
        start.load = load
            .iter()
            .map(|name| module_name(name))
            .filter(|name| found.contains_key(name))
            .collect();
        for (name, module) in found {
            initramfs.file(&module_path(&name), module.file, false);
            start.modules.insert(name, module.needs);
        }
        Ok(start)
    }
}

/// Writes the archive beside the machine's other files.
pub(crate) fn write_initramfs(initramfs: &Initramfs, folder: &Path) -> Result<Vec<u8>, LabError> {
    let archive = initramfs.emit();
    let path = folder.join("initramfs.cpio");
    fs::write(&path, &archive).map_err(LabError::host(format!("write {}", path.display())))?;
    Ok(archive)
}
