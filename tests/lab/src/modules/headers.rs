//! Debian's headers of a kernel, and the tools that build modules with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{LabError, provision};

/// Headers of one kernel, in the cache.
#[derive(Debug)]
pub(super) struct Headers {
    release: String,
    folder: PathBuf,
}

impl Headers {
    /// Those of a release, downloaded where the cache lacks them.
    pub(super) fn of(release: &str) -> Result<Self, LabError> {
        let headers = Self {
            release: release.to_owned(),
            folder: provision::cache().join("headers").join(release),
        };
        if !headers.tree().join("Makefile").is_file() {
            headers.download()?;
        }
        Ok(headers)
    }

    /// The directory that `make -C` wants.
    pub(super) fn tree(&self) -> PathBuf {
        self.folder
            .join("usr/src")
            .join(format!("linux-headers-{}", self.release))
    }

    /// The headers of this configuration, those of all of them, and the tools.
    fn download(&self) -> Result<(), LabError> {
        let above = self.folder.parent().unwrap_or(&self.folder);
        fs::create_dir_all(above).map_err(LabError::host(format!("make {}", above.display())))?;
        let work = tempfile::tempdir_in(above).map_err(LabError::host("make a directory"))?;
        let whole = self
            .release
            .strip_suffix("-amd64")
            .unwrap_or(&self.release)
            .to_owned();
        let packages = [
            format!("linux-headers-{}", self.release),
            format!("linux-headers-{whole}-common"),
            format!("linux-kbuild-{whole}"),
        ];
        download(work.path(), &packages)?;
        let unpacked = work.path().join("unpacked");
        for package in packages_in(work.path())? {
            run("dpkg-deb", &[Path::new("-x"), &package, &unpacked])?;
        }
        self.point_to_common(&unpacked)?;
        // What an earlier, broken attempt left.
        let _ = fs::remove_dir_all(&self.folder);
        fs::rename(&unpacked, &self.folder)
            .map_err(LabError::host(format!("make {}", self.folder.display())))
    }

    /// The Makefile includes that of the common headers by an absolute path below /usr/src.
    ///
    /// ```text
    /// include /usr/src/linux-headers-6.12.117+deb12-common/Makefile
    /// ```
    fn point_to_common(&self, unpacked: &Path) -> Result<(), LabError> {
        let makefile = unpacked
            .join("usr/src")
            .join(format!("linux-headers-{}", self.release))
            .join("Makefile");
        let editing = || format!("edit {}", makefile.display());
        let text = fs::read_to_string(&makefile).map_err(LabError::host(editing()))?;
        let here = format!("include {}/usr/src/", self.folder.display());
        fs::write(&makefile, text.replace("include /usr/src/", &here))
            .map_err(LabError::host(editing()))
    }
}

/// Downloads packages into `folder`, without installing anything.
fn download(folder: &Path, packages: &[String]) -> Result<(), LabError> {
    let output = Command::new("apt-get")
        .args(["download", "-qq", "-o", "APT::Sandbox::User=root"])
        .args(packages)
        .current_dir(folder)
        .output()
        .map_err(|error| LabError::Unavailable(format!("apt-get: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr)
        .trim()
        .replace('\n', "; ");
    Err(LabError::Unavailable(format!(
        "apt-get download {}: {said}",
        packages.join(" ")
    )))
}

/// The packages in `folder`.
fn packages_in(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let entries =
        fs::read_dir(folder).map_err(LabError::host(format!("read {}", folder.display())))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect())
}

fn run(program: &str, arguments: &[&Path]) -> Result<(), LabError> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(LabError::host(program))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(LabError::Unavailable(format!("{program}: {said}")))
}
