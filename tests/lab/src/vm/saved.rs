//! The state of a machine that takes requests, on disk: the next machine of the same kind starts from it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::Vm;
use crate::protocol::Ready;
use crate::{LabError, provision};

/// A state that nobody used for so long goes.
const UNUSED: Duration = Duration::from_secs(24 * 3600);

/// Where one machine's state is, or would be.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
}

impl State {
    /// The same arguments and the same first file system make the same machine.
    pub(super) fn of(arguments: &[String], initramfs: &[u8], folder: &Path) -> Self {
        let folder = folder.display().to_string();
        let mut hasher = DefaultHasher::new();
        for word in arguments {
            word.replace(&folder, "").hash(&mut hasher);
        }
        initramfs.hash(&mut hasher);
        let name = format!("{:016x}.state", hasher.finish());
        Self {
            path: provision::cache().join("saved").join(name),
        }
    }

    /// What the guest said when the state was taken; `None` where there is none.
    pub(super) fn ready(&self) -> Option<Ready> {
        let text = fs::read(self.path.with_extension("json")).ok()?;
        self.path
            .is_file()
            .then(|| serde_json::from_slice(&text).ok())?
    }

    /// Arguments of QEMU, to start from it.
    pub(super) fn arguments(&self) -> [String; 2] {
        [
            "-incoming".to_owned(),
            format!("file:{}", self.path.display()),
        ]
    }

    /// Lets a machine run that was started from it.
    pub(super) fn resume(&self, vm: &mut Vm) -> Result<(), LabError> {
        while vm.qmp("query-status", json!({}))?["status"] == "inmigrate" {
            thread::sleep(Duration::from_millis(5));
        }
        vm.qmp("cont", json!({}))?;
        Ok(())
    }

    /// Takes it, and lets the machine go on.
    pub(super) fn save(&self, vm: &mut Vm) -> Result<(), LabError> {
        let folder = self.path.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder).map_err(LabError::host(format!("make {}", folder.display())))?;
        forget_unused(folder);
        let half = self.path.with_extension(format!("{}.half", vm.process()));
        vm.qmp("stop", json!({}))?;
        vm.qmp(
            "migrate",
            json!({"uri": format!("file:{}", half.display())}),
        )?;
        loop {
            let status = vm.qmp("query-migrate", json!({}))?;
            match status["status"].as_str().unwrap_or_default() {
                "completed" => break,
                "failed" | "cancelled" => {
                    let reason = status["error-desc"]
                        .as_str()
                        .unwrap_or("no reason is told")
                        .to_owned();
                    let _ = fs::remove_file(&half);
                    return Err(LabError::Qmp {
                        command: "migrate".to_owned(),
                        reason,
                    });
                }
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
        let ready = serde_json::to_vec(vm.ready()).unwrap_or_default();
        let kept = fs::write(self.path.with_extension("json"), ready)
            .and_then(|()| fs::rename(&half, &self.path));
        kept.map_err(LabError::host(format!("write {}", self.path.display())))?;
        vm.qmp("cont", json!({}))?;
        Ok(())
    }
}

fn forget_unused(folder: &Path) {
    let old = |path: &Path| {
        let used = fs::metadata(path).and_then(|found| found.accessed());
        used.is_ok_and(|used| {
            SystemTime::now()
                .duration_since(used)
                .is_ok_and(|age| age > UNUSED)
        })
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if old(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
