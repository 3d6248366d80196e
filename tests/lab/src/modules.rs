//! The lab's own kernel modules, built against Debian's headers when their source or the kernel is new.
//!
//! ```text
//! tests/lab/modules/NAME/{Kbuild,*.c,*.h} ─┐
//! target/lab/headers/RELEASE/              ┴─ make ──► target/lab/modules/RELEASE/NAME-HASH/*.ko
//! ```
//!
//! Nothing of the host's kernel is used, nor of its module directory. The modules are written for Linux 6.12.

mod headers;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::provision::{self, Kernel};
use crate::{Boot, LabError};

use headers::Headers;

/// The series of kernels that the modules are written for.
const SERIES: &str = "6.12";

impl Boot {
    /// Modules of the lab, to be loaded by [`crate::Vm::load`].
    ///
    /// # Errors
    /// As [`build`].
    pub fn lab_modules(mut self, names: &[&str]) -> Result<Self, LabError> {
        let kernel = provision::kernel(SERIES)?;
        for name in names {
            for file in build(&kernel, name)? {
                self = self.module_file(file);
            }
        }
        Ok(self)
    }
}

/// The `.ko` files of the module in `tests/lab/modules/NAME`.
///
/// # Errors
/// [`LabError::Unavailable`] where headers, compiler or make can't be had; [`LabError::Build`] where it does not compile.
pub fn build(kernel: &Kernel, name: &str) -> Result<Vec<PathBuf>, LabError> {
    let folder = provision::workspace().join("tests/lab/modules").join(name);
    let files = files(&folder)?;
    let built = provision::cache().join("modules").join(&kernel.release);
    fs::create_dir_all(&built).map_err(LabError::host(format!("make {}", built.display())))?;
    let place = built.join(format!("{name}-{}", hash(&files)));
    let lock = built.join("lock");
    let lock = File::create(&lock).map_err(LabError::host(format!("make {}", lock.display())))?;
    lock.lock()
        .map_err(LabError::host("wait for who builds modules"))?;
    if !place.is_dir() {
        compile(kernel, name, &files, &place)?;
    }
    objects(&place)
}

/// Names and contents, by name.
type Files = Vec<(String, Vec<u8>)>;

fn files(folder: &Path) -> Result<Files, LabError> {
    let reading = || format!("read {}", folder.display());
    let mut files = Files::new();
    for entry in fs::read_dir(folder).map_err(LabError::host(reading()))? {
        let entry = entry.map_err(LabError::host(reading()))?;
        let bytes = fs::read(entry.path()).map_err(LabError::host(reading()))?;
        files.push((entry.file_name().to_string_lossy().into_owned(), bytes));
    }
    files.sort();
    Ok(files)
}

fn hash(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        hash.update(name);
        hash.update([0]);
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    }
    let digest = hash.finalize();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Builds beside `place`, which is there whole or not at all.
fn compile(kernel: &Kernel, name: &str, files: &Files, place: &Path) -> Result<(), LabError> {
    let headers = Headers::of(&kernel.release)?;
    let above = place.parent().unwrap_or(place);
    let work = tempfile::tempdir_in(above).map_err(LabError::host("make a directory"))?;
    let work = work.path().join("build");
    fs::create_dir(&work).map_err(LabError::host("make a directory"))?;
    for (file, bytes) in files {
        let path = work.join(file);
        fs::write(&path, bytes).map_err(LabError::host(format!("write {}", path.display())))?;
    }
    make(&headers, name, &work)?;
    keep(name, &work, place)
}

/// The modules alone, in place of those of an older source.
fn keep(name: &str, work: &Path, place: &Path) -> Result<(), LabError> {
    let making = || format!("make {}", place.display());
    let above = place.parent().unwrap_or(place);
    for entry in fs::read_dir(above).map_err(LabError::host(making()))? {
        let entry = entry.map_err(LabError::host(making()))?;
        let old = entry.file_name();
        let (old, _) = old
            .to_str()
            .and_then(|old| old.rsplit_once('-'))
            .unwrap_or_default();
        if old == name {
            fs::remove_dir_all(entry.path()).map_err(LabError::host(making()))?;
        }
    }
    let kept = work.join("kept");
    fs::create_dir(&kept).map_err(LabError::host(making()))?;
    for object in objects(work)? {
        let to = kept.join(object.file_name().unwrap_or_default());
        fs::rename(&object, to).map_err(LabError::host(making()))?;
    }
    fs::rename(kept, place).map_err(LabError::host(making()))
}

fn make(headers: &Headers, name: &str, work: &Path) -> Result<(), LabError> {
    let output = Command::new("make")
        .arg("-C")
        .arg(headers.tree())
        .arg(format!("M={}", work.display()))
        // Type information for BPF wants the tool pahole, and nobody here reads it.
        .args(["CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])
        // A make above this one would hand down its jobs and variables.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .output();
    let output =
        output.map_err(|error| LabError::Unavailable(format!("make: {error}; install make")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if said.contains("gcc-12: not found") || said.contains("gcc-12: No such file") {
        return Err(LabError::Unavailable(
            "the kernel's compiler is missing: install gcc-12".to_owned(),
        ));
    }
    Err(LabError::Build {
        module: name.to_owned(),
        said,
    })
}

fn objects(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let entries =
        fs::read_dir(folder).map_err(LabError::host(format!("read {}", folder.display())))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut objects: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "ko"))
        .collect();
    objects.sort();
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_has_another_hash() {
        let files = |name: &str, bytes: &[u8]| vec![(name.to_owned(), bytes.to_vec())];
        let one = hash(&files("a.c", b"int a;"));
        assert_eq!(one, hash(&files("a.c", b"int a;")));
        assert_ne!(one, hash(&files("a.c", b"int b;")));
        assert_ne!(one, hash(&files("b.c", b"int a;")));
        assert_eq!(one.len(), 16);
    }

    #[test]
    fn every_module_says_how_it_is_built_and_under_which_licence() {
        let folder = provision::workspace().join("tests/lab/modules");
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if !entry.file_type().unwrap().is_dir() {
                continue;
            }
            let files = files(&entry.path()).unwrap();
            assert!(files.iter().any(|(name, _)| name == "Kbuild"), "{entry:?}");
            for (name, bytes) in files {
                let text = String::from_utf8(bytes).unwrap();
                let first = text.lines().next().unwrap_or_default();
                assert!(
                    first.contains("SPDX-License-Identifier: GPL-2.0"),
                    "{name}: {first}"
                );
            }
        }
    }
}
