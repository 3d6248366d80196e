//! Modules of the kernel, out of the initramfs.

use std::ffi::CString;
use std::fs::{self, File};
use std::thread;
use std::time::{Duration, Instant};

use gnomon_lab::protocol::{START, Start, module_name, module_path};
use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use serde_json::Value;

use crate::files;

/// The modules that are there.
#[derive(Debug)]
pub(crate) struct Modules {
    start: Start,
}

/// How long a driver may take to make a file, after its module was loaded.
const SETTING_LIMIT: Duration = Duration::from_secs(5);

impl Modules {
    /// Loads what is to be loaded at the start, and makes the settings; what the kernel refused.
    pub(crate) fn start() -> (Self, Vec<String>) {
        let text = fs::read(START).unwrap_or_default();
        let start: Start = serde_json::from_slice(&text).unwrap_or_default();
        let modules = Self { start };
        let load = modules.start.load.iter();
        let mut refused: Vec<String> = load
            .filter_map(|name| modules.load(name, "").err())
            .collect();
        let settings = modules.start.settings.iter();
        refused.extend(settings.filter_map(|(path, text)| {
            let written = set(path, text);
            written.err().map(|error| format!("{path}: {error}"))
        }));
        (modules, refused)
    }

    /// Loads what a module needs, then itself. One that is loaded already is fine.
    pub(crate) fn load(&self, name: &str, parameters: &str) -> Result<(), String> {
        let name = module_name(name);
        let Some(needs) = self.start.modules.get(&name) else {
            return Err(format!("{name}: no such module in the initramfs"));
        };
        for need in needs {
            self.load(need, "")?;
        }
        if fs::exists(format!("/sys/module/{name}/initstate")).unwrap_or(false) {
            return Ok(());
        }
        let file = File::open(module_path(&name)).map_err(|error| format!("{name}: {error}"))?;
        let words = CString::new(parameters).map_err(|error| format!("{name}: {error}"))?;
        match finit_module(&file, &words, ModuleInitFlags::empty()) {
            Ok(()) | Err(Errno::EEXIST) => Ok(()),
            Err(error) => Err(format!("{name}: {}", error.desc())),
        }
    }
}

/// Writes to a file that may not be there yet.
fn set(path: &str, text: &str) -> Result<Value, String> {
    let until = Instant::now() + SETTING_LIMIT;
    while !fs::exists(path).unwrap_or(true) && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    files::write(path, text)
}
