//! Single files of the kernel's source, out of Debian's package of it: 150 MB are downloaded for them, once.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::headers::{self, Headers};
use crate::{LabError, provision};

/// Copies files of the source that the headers belong to into `folder`.
pub(super) fn copy(headers: &Headers, wanted: &[&str], folder: &Path) -> Result<(), LabError> {
    let kept = provision::cache().join("source").join(headers.version()?);
    if !wanted.iter().all(|file| kept.join(file).is_file()) {
        download(&headers.version()?, wanted, &kept)?;
    }
    for file in wanted {
        let from = kept.join(file);
        let to = folder.join(from.file_name().unwrap_or_default());
        fs::copy(&from, &to).map_err(LabError::host(format!("copy {}", from.display())))?;
    }
    Ok(())
}

/// The package holds a packed archive; three programs hand it on without a file in between.
fn download(version: &str, wanted: &[&str], kept: &Path) -> Result<(), LabError> {
    let series = super::SERIES;
    let name = format!("linux-source-{series}");
    fs::create_dir_all(kept).map_err(LabError::host(format!("make {}", kept.display())))?;
    let work = tempfile::tempdir_in(kept).map_err(LabError::host("make a directory"))?;
    headers::download(work.path(), &[format!("{name}={version}")])?;
    let missing = || LabError::Unavailable(format!("{name} {version} does not unpack"));
    let package = headers::packages_in(work.path())?
        .pop()
        .ok_or_else(missing)?;
    let mut outer = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(LabError::host("dpkg-deb"))?;
    let mut inner = Command::new("tar")
        .args(["-xO", &format!("./usr/src/{name}.tar.xz")])
        .stdin(output_of(&mut outer))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(LabError::host("tar"))?;
    let status = Command::new("tar")
        // It ends with the last file that it looks for, and need not read the other half.
        .args(["-xJ", "--occurrence=1", "--strip-components=1", "-C"])
        .arg(kept)
        .args(wanted.iter().map(|file| format!("{name}/{file}")))
        .stdin(output_of(&mut inner))
        .status()
        .map_err(LabError::host("tar"));
    // Both may have been ended by a pipe that nobody reads any more.
    let _ = (outer.wait(), inner.wait());
    if status?.success() {
        Ok(())
    } else {
        Err(missing())
    }
}

fn output_of(child: &mut Child) -> Stdio {
    child.stdout.take().map_or_else(Stdio::null, Stdio::from)
}
