//! The guest's first file system: a cpio archive of the `newc` kind.
//!
//! Source: `Documentation/driver-api/early-userspace/buffer-format.rst`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LabError;

/// Files by their paths, without a slash before them. Directories above a file make themselves.
#[derive(Clone, Debug, Default)]
pub struct Initramfs {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    mode: u32,
    bytes: Vec<u8>,
    /// Major and minor number of a device.
    device: (u32, u32),
}

const DIRECTORY: u32 = 0o040_755;
const CHARACTER_DEVICE: u32 = 0o020_600;
const EXECUTABLE: u32 = 0o100_755;
const REGULAR: u32 = 0o100_644;
const LINK: u32 = 0o120_777;

impl Initramfs {
    /// An empty directory.
    pub fn directory(&mut self, path: &str) {
        let path = path.trim_matches('/');
        for (end, _) in path.match_indices('/') {
            self.entries
                .entry(path[..end].to_owned())
                .or_insert_with(directory);
        }
        self.entries
            .entry(path.to_owned())
            .or_insert_with(directory);
    }

    /// A file that can be run where `executable`.
    pub fn file(&mut self, path: &str, bytes: Vec<u8>, executable: bool) {
        let mode = if executable { EXECUTABLE } else { REGULAR };
        self.insert(
            path,
            Entry {
                mode,
                bytes,
                ..Entry::default()
            },
        );
    }

    /// A symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        let bytes = target.as_bytes().to_vec();
        self.insert(
            path,
            Entry {
                mode: LINK,
                bytes,
                ..Entry::default()
            },
        );
    }

    /// A character device.
    pub fn device(&mut self, path: &str, device: (u32, u32)) {
        self.insert(
            path,
            Entry {
                mode: CHARACTER_DEVICE,
                device,
                ..Entry::default()
            },
        );
    }

    /// A program of the host at `path`, and the shared libraries that it needs where the host has them.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn program(&mut self, path: &str, host: &Path) -> Result<(), LabError> {
        self.file(path, read(host)?, true);
        for library in libraries(host)? {
            let place = library.to_string_lossy().into_owned();
            if !self.entries.contains_key(place.trim_matches('/')) {
                self.file(&place, read(&library)?, true);
            }
        }
        Ok(())
    }

    /// The archive.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let mut archive = Vec::new();
        for (inode, (path, entry)) in (1_u32..).zip(&self.entries) {
            append(&mut archive, inode, path, entry);
        }
        append(&mut archive, 0, "TRAILER!!!", &Entry::default());
        archive
    }

    fn insert(&mut self, path: &str, entry: Entry) {
        let path = path.trim_matches('/');
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
        self.entries.insert(path.to_owned(), entry);
    }
}

/// Where a program of the host is: in `PATH`, or where only root looks.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    let mut places = places.into_iter().map(|place| place.join(name));
    places.find(|place| place.is_file())
}

/// The shared libraries of a program, its interpreter among them; none of a static one.
fn libraries(program: &Path) -> Result<Vec<PathBuf>, LabError> {
    let output = Command::new("ldd")
        .arg(program)
        .env("LC_ALL", "C")
        .output()
        .map_err(LabError::host("ldd"))?;
    // A static program is told by a status of 1.
    Ok(parse_ldd(&String::from_utf8_lossy(&output.stdout)))
}

/// ```text
///         libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
///         /lib64/ld-linux-x86-64.so.2 (0x00007f)
///         linux-vdso.so.1 (0x00007f)
/// ```
fn parse_ldd(text: &str) -> Vec<PathBuf> {
    let paths = text.lines().filter_map(|line| {
        let (before, _) = line.rsplit_once(" (")?;
        let path = before
            .rsplit_once("=> ")
            .map_or(before, |(_, path)| path)
            .trim();
        path.starts_with('/').then(|| PathBuf::from(path))
    });
    paths.collect()
}

fn append(archive: &mut Vec<u8>, inode: u32, path: &str, entry: &Entry) {
    let size = u32::try_from(entry.bytes.len()).unwrap_or(u32::MAX);
    let name_size = u32::try_from(path.len() + 1).unwrap_or(u32::MAX);
    let (major, minor) = entry.device;
    // Owner, group and time are 0; so are the numbers of the device that holds the file, and the checksum.
    let fields = [
        inode, entry.mode, 0, 0, 1, 0, size, 0, 0, major, minor, name_size, 0,
    ];
    archive.extend_from_slice(b"070701");
    for field in fields {
        archive.extend_from_slice(format!("{field:08x}").as_bytes());
    }
    archive.extend_from_slice(path.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend_from_slice(&entry.bytes);
    pad(archive);
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

fn directory() -> Entry {
    Entry {
        mode: DIRECTORY,
        ..Entry::default()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LabError> {
    fs::read(path).map_err(LabError::host(format!("read {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::Stdio;

    #[test]
    fn cpio_reads_what_is_written() {
        let mut initramfs = Initramfs::default();
        initramfs.file("/lab/modules/one.ko", b"12345".to_vec(), false);
        initramfs.file("init", Vec::new(), true);
        initramfs.link("/bin/sh", "busybox");
        initramfs.device("dev/console", (5, 1));
        let Some(cpio) = find_program("cpio") else {
            crate::skipped("cpio is not installed");
            return;
        };
        let mut cpio = Command::new(cpio)
            .args(["-t", "-v", "--numeric-uid-gid"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        cpio.stdin
            .take()
            .unwrap()
            .write_all(&initramfs.emit())
            .unwrap();
        let listing = cpio.wait_with_output().unwrap();
        assert!(listing.status.success());
        let listing = String::from_utf8(listing.stdout).unwrap();
        let shown: Vec<(&str, &str)> = listing
            .lines()
            .map(|line| (&line[..10], line.split(" 1970 ").last().unwrap()))
            .collect();
        let expected = [
            ("drwxr-xr-x", "bin"),
            ("lrwxrwxrwx", "bin/sh -> busybox"),
            ("drwxr-xr-x", "dev"),
            ("crw-------", "dev/console"),
            ("-rwxr-xr-x", "init"),
            ("drwxr-xr-x", "lab"),
            ("drwxr-xr-x", "lab/modules"),
            ("-rw-r--r--", "lab/modules/one.ko"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn ldd_is_read() {
        let text = "\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x2)\n\
                    \tlibgone.so => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x3)\n";
        let found = parse_ldd(text);
        let expected = ["/lib/x/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from);
        assert_eq!(found, expected);
        assert_eq!(parse_ldd("\tstatically linked\n"), Vec::<PathBuf>::new());
    }
}
