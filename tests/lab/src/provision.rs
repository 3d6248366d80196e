//! What a lab needs of the host: QEMU, and a stock Debian kernel, downloaded once for each version.
//!
//! ```text
//! target/lab/kernel/6.12.117+deb12-amd64/vmlinuz        as Debian has it
//!                                        vmlinux        what is packed in it: boots a second earlier
//!                                        modules/...    those of devices that a lab can have
//!                                        index          name and path of each module, or `builtin`
//!                                        ko/NAME.ko     unpacked when first asked for
//! ```
//!
//! `GNOMON_LAB_CACHE` puts it elsewhere than target/lab.

mod image;
mod module;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::LabError;
use crate::initramfs::find_program;

pub use module::Modules;

/// The oldest QEMU that builds every machine of the lab.
const QEMU_MAJOR: u32 = 10;

/// Drivers of hardware that no machine of the lab has: more than half of the package.
const UNUSED: [&str; 10] = [
    "sound",
    "drivers/comedi",
    "drivers/gpu/drm/amd",
    "drivers/gpu/drm/i915",
    "drivers/gpu/drm/nouveau",
    "drivers/gpu/drm/radeon",
    "drivers/gpu/drm/xe",
    "drivers/media",
    "drivers/net/wireless",
    "drivers/staging",
];

/// A kernel in the cache.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// What `uname -r` says in it.
    pub release: String,
    folder: PathBuf,
}

impl Kernel {
    /// The image that the firmware boots.
    #[must_use]
    pub fn vmlinuz(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// The ELF file that QEMU boots by itself.
    #[must_use]
    pub fn vmlinux(&self) -> PathBuf {
        self.folder.join("vmlinux")
    }

    /// Its modules.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn modules(&self) -> Result<Modules, LabError> {
        Modules::open(&self.folder, &self.release)
    }
}

/// QEMU, recent enough: what `GNOMON_LAB_QEMU` names, or what is in `PATH`.
///
/// # Errors
/// [`LabError::Unavailable`] where there is none.
pub fn qemu() -> Result<PathBuf, LabError> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND
        .get_or_init(find_qemu)
        .clone()
        .map_err(LabError::Unavailable)
}

fn find_qemu() -> Result<PathBuf, String> {
    let named = std::env::var_os("GNOMON_LAB_QEMU").map(PathBuf::from);
    let wanted =
        format!("QEMU {QEMU_MAJOR} is needed: `ci/lab` installs it from Debian's backports");
    let path = named.or_else(|| find_program("qemu-system-x86_64"));
    let path = path.ok_or_else(|| format!("qemu-system-x86_64 is not installed; {wanted}"))?;
    let output = Command::new(&path).arg("--version").output();
    let output = output.map_err(|error| format!("{}: {error}; {wanted}", path.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match parse_version(&text) {
        Some(major) if major >= QEMU_MAJOR => Ok(path),
        _ => Err(format!(
            "{} is {:?}; {wanted}",
            path.display(),
            text.lines().next().unwrap_or_default()
        )),
    }
}

/// ```text
/// QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)
/// ```
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split_once(" version ")?.1;
    version.split('.').next()?.parse().ok()
}

/// The newest kernel of a series, such as `6.12`, that the cache holds; from Debian where it holds none.
///
/// # Errors
/// [`LabError::Unavailable`] where it can't be had.
pub fn kernel(series: &str) -> Result<Kernel, LabError> {
    if let Some(kernel) = cached(series) {
        return Ok(kernel);
    }
    newest_kernel(series)
}

/// Debian's newest kernel of a series, downloaded where the cache lacks it.
///
/// # Errors
/// [`LabError::Unavailable`] where it can't be had.
pub fn newest_kernel(series: &str) -> Result<Kernel, LabError> {
    let folder = cache().join("kernel");
    let lock = folder.join("lock");
    fs::create_dir_all(&folder).map_err(LabError::host(format!("make {}", folder.display())))?;
    let lock = File::create(&lock).map_err(LabError::host(format!("make {}", lock.display())))?;
    lock.lock()
        .map_err(LabError::host("wait for who downloads a kernel"))?;
    let release = published(series)?;
    let kernel = Kernel {
        folder: folder.join(&release),
        release,
    };
    if !kernel.vmlinux().is_file() {
        download(&kernel, &folder)?;
    }
    Ok(kernel)
}

/// The directory that holds what is downloaded and built.
#[must_use]
pub fn cache() -> PathBuf {
    std::env::var_os("GNOMON_LAB_CACHE").map_or_else(|| target().join("lab"), PathBuf::from)
}

/// Cargo's directory of what it builds.
#[must_use]
pub fn target() -> PathBuf {
    let workspace = workspace();
    let named = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace.join(named)
}

/// The root of the source.
#[must_use]
pub fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

fn cached(series: &str) -> Option<Kernel> {
    let folder = cache().join("kernel");
    let names = fs::read_dir(&folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let whole =
        names.filter(|name| of_series(name, series) && folder.join(name).join("vmlinux").is_file());
    let release = whole.max_by_key(|name| numbers(name))?;
    Some(Kernel {
        folder: folder.join(&release),
        release,
    })
}

/// The newest release that apt's lists name.
fn published(series: &str) -> Result<String, LabError> {
    let missing = |why: &str| LabError::Unavailable(format!("no Debian kernel {series}: {why}"));
    let pattern = format!(
        r"^linux-image-{}\.[0-9.+debu~-]+-amd64$",
        series.replace('.', r"\.")
    );
    let found = Command::new("apt-cache")
        .args(["search", "--names-only", &pattern])
        .output();
    let found = found.map_err(|error| missing(&format!("apt-cache: {error}")))?;
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let names = found
        .lines()
        .filter_map(|line| line.split(' ').next()?.strip_prefix("linux-image-"));
    let newest = names.max_by_key(|name| numbers(name));
    newest
        .map(str::to_owned)
        .ok_or_else(|| missing("apt's lists name none; is `apt-get update` due?"))
}

fn download(kernel: &Kernel, folder: &Path) -> Result<(), LabError> {
    let package = format!("linux-image-{}", kernel.release);
    let work = tempfile::tempdir_in(folder).map_err(LabError::host(format!(
        "make a directory in {}",
        folder.display()
    )))?;
    let output = Command::new("apt-get")
        .args(["download", "-qq", "-o", "APT::Sandbox::User=root", &package])
        .current_dir(work.path())
        .output()
        .map_err(LabError::host("apt-get"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr)
            .trim()
            .replace('\n', "; ");
        return Err(LabError::Unavailable(format!(
            "apt-get download {package}: {said}"
        )));
    }
    let unpacked = work.path().join("unpacked");
    unpack(work.path(), &unpacked, &kernel.release)?;
    image::extract(&unpacked.join("vmlinuz"), &unpacked.join("vmlinux"))?;
    module::index(&unpacked)?;
    let place = &kernel.folder;
    // What an earlier, broken attempt left.
    let _ = fs::remove_dir_all(place);
    fs::rename(&unpacked, place).map_err(LabError::host(format!("make {}", place.display())))
}

/// Unpacks image and modules of the package in `work`, without what no machine has.
fn unpack(work: &Path, to: &Path, release: &str) -> Result<(), LabError> {
    let reading = || format!("read {}", work.display());
    let mut entries = fs::read_dir(work)
        .map_err(LabError::host(reading()))?
        .flatten()
        .map(|entry| entry.path());
    let package = entries.find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let package = package.ok_or_else(|| {
        LabError::Unavailable(format!(
            "apt-get downloaded nothing into {}",
            work.display()
        ))
    })?;
    fs::create_dir_all(to).map_err(LabError::host(format!("make {}", to.display())))?;
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(&package)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(LabError::host("dpkg-deb"))?;
    let input = archive.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let modules = format!("lib/modules/{release}");
    let status = Command::new("tar")
        .arg("-x")
        .arg("-C")
        .arg(to)
        .arg("--wildcards")
        .args(["--exclude", "./usr"])
        .args(UNUSED.map(|folder| format!("--exclude=*/modules/*/kernel/{folder}")))
        .args([
            format!("--transform=s,^\\./{modules},modules,"),
            "--transform=s,^\\./boot/vmlinuz-.*,vmlinuz,".to_owned(),
        ])
        .args([format!("./{modules}"), "./boot/vmlinuz-*".to_owned()])
        .stdin(input)
        .status();
    let status = status.map_err(LabError::host("tar"));
    let unpacked = archive.wait().map_err(LabError::host("dpkg-deb"))?;
    if status?.success() && unpacked.success() {
        return Ok(());
    }
    Err(LabError::Unavailable(format!(
        "{} does not unpack",
        package.display()
    )))
}

/// A release of the series, not of a longer one, nor an image for clouds or real time.
fn of_series(release: &str, series: &str) -> bool {
    let rest = release
        .strip_prefix(series)
        .and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// The numbers of a release, by which releases are ordered.
fn numbers(release: &str) -> Vec<u64> {
    let runs = release.split(|character: char| !character.is_ascii_digit());
    runs.filter_map(|run| run.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_is_the_one_with_the_largest_numbers() {
        let releases = [
            "6.12.95+deb12-amd64",
            "6.12.117+deb12-amd64",
            "6.12.100+deb12-amd64",
        ];
        let newest = releases.into_iter().max_by_key(|name| numbers(name));
        assert_eq!(newest, Some("6.12.117+deb12-amd64"));
    }

    #[test]
    fn a_series_is_no_prefix_of_another() {
        assert!(of_series("6.1.0-56-amd64", "6.1"));
        assert!(!of_series("6.12.117+deb12-amd64", "6.1"));
        assert!(!of_series("lock", "6.1"));
    }

    #[test]
    fn the_version_of_qemu_is_read() {
        assert_eq!(
            parse_version("QEMU emulator version 7.2.22 (Debian 1:7.2)"),
            Some(7)
        );
        assert_eq!(parse_version("bash: not found"), None);
    }
}
