//! The members of a tar as files below one private directory, and nowhere else.
//!
//! The archive is hostile: nothing is written through a link, links themselves are made but never followed, and
//! size, number and depth have limits. Owners, rights and times are not taken over: what was unpacked must be
//! readable, and removable, by us. Device nodes, FIFOs and sockets are left out, since nothing reads them.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, Entry, EntryType, PaxExtensions};

use crate::error::{Error, Result};

/// What is more than any machine's tree holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Of the tar, unpacked.
    pub(super) bytes: u64,
    /// Members, and directories that stand only in the names of others.
    pub(super) members: usize,
    /// Parts of a name.
    pub(super) depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 2 << 30,
            members: 1_000_000,
            depth: 64,
        }
    }
}

/// The longest name or link target; with the directory before it, it must fit the kernel's 4096.
const NAME_MAX_BYTES: usize = 3840;

/// The longest part of a name, the kernel's own limit.
const PART_MAX_BYTES: usize = 255;

/// The longest extended header (pax) of a member.
const PAX_MAX_BYTES: usize = 64 << 10;

/// A tar ends in two such blocks.
const BLOCK: usize = 512;

const OUTSIDE: &str =
    "would be written outside of the tree; pack it again with names below one directory";
const TOO_DEEP: &str = "has too long or too deep a name; no machine's tree has";
const UNDER_FILE: &str =
    "lies below a link or a file of the same archive; pack it again, links as links";
const ON_DIRECTORY: &str = "stands where the archive has a directory; pack it again";
const NO_TARGET: &str = "is a hard link to no earlier file of the archive; pack it again";
const SPARSE: &str = "is stored sparse; pack it again without --sparse";
const MULTI_VOLUME: &str = "is split over archives; pack it again as one";
const NO_LINK: &str = "is a link to something that no path can be; pack it again";
const TOO_LARGE: &str =
    "makes the archive larger than any machine's tree; nothing of it is unpacked";
const TOO_MANY: &str = "is one too many; no machine's tree has as many files";

/// An archive's content in a directory that goes away with this.
#[derive(Debug)]
pub(super) struct Unpacked {
    directory: PathBuf,
}

impl Unpacked {
    /// Unpacks `tar`, the content of the archive at `path`, below the directory `temporary`.
    pub(super) fn new(
        path: &Path,
        tar: impl Read,
        temporary: &Path,
        limits: Limits,
    ) -> Result<Self> {
        let template = temporary.join("gnomon-XXXXXX");
        // The directory is ours alone (mkdtemp(3): mode 0700).
        let directory = nix::unistd::mkdtemp(&template).map_err(|errno| Error::Unpack {
            path: path.to_owned(),
            into: template,
            source: errno.into(),
        })?;
        let unpacked = Self { directory };
        let mut unpacking = Unpacking {
            into: &unpacked.directory,
            limits,
            directories: HashSet::from([PathBuf::new()]),
            members: 0,
            member: String::new(),
        };
        let done = unpacking.all(tar);
        let member = unpacking.member;
        let path = path.to_owned();
        match done {
            Ok(()) => Ok(unpacked),
            Err(Fault::Member(why)) => Err(Error::Member { path, member, why }),
            Err(Fault::Read(source)) => Err(Error::Damaged {
                path,
                member,
                source,
            }),
            Err(Fault::Write(source)) => Err(Error::Unpack {
                path,
                into: unpacked.directory.clone(),
                source,
            }),
        }
    }

    /// Where the content lies.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // Nobody is left to be told; what stays is in the system's own place for temporary files.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Why an archive is not taken.
enum Fault {
    Member(&'static str),
    Read(io::Error),
    Write(io::Error),
}

impl Fault {
    fn read(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::Member(TOO_LARGE),
            _ => Self::Read(error),
        }
    }
}

/// What stands before a member in members of its own, since the header has too little room for it.
#[derive(Default)]
struct Extension {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

struct Unpacking<'a> {
    into: &'a Path,
    limits: Limits,
    /// Directories made so far: real ones, in which it is safe to write.
    directories: HashSet<PathBuf>,
    members: usize,
    member: String,
}

impl Unpacking<'_> {
    fn all(&mut self, tar: impl Read) -> std::result::Result<(), Fault> {
        let mut tar = Archive::new(Bounded {
            tar,
            left: self.limits.bytes,
            zeros: 0,
        });
        let mut extension = Extension::default();
        // Raw: the library would read an extension of any size into memory.
        for entry in tar.entries().map_err(Fault::read)?.raw(true) {
            let mut entry = entry.map_err(Fault::read)?;
            if !extend(&mut extension, &mut entry)? {
                self.take(&mut entry, std::mem::take(&mut extension))?;
            }
        }
        let mut rest = tar.into_inner();
        // To the end, so that a packing's checksum is looked at.
        io::copy(&mut rest, &mut io::sink()).map_err(Fault::read)?;
        if rest.zeros < BLOCK {
            return Err(Fault::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }

    fn take(
        &mut self,
        entry: &mut Entry<'_, impl Read>,
        extension: Extension,
    ) -> std::result::Result<(), Fault> {
        let name = extension
            .name
            .unwrap_or_else(|| entry.path_bytes().into_owned());
        self.member = Error::cut(&String::from_utf8_lossy(&name));
        let target = extension
            .target
            .or_else(|| entry.link_name_bytes().map(std::borrow::Cow::into_owned))
            .unwrap_or_default();
        let place = self.place(&name)?;
        match entry.header().entry_type() {
            EntryType::Directory => self.directory(&place),
            EntryType::Symlink if !path_can_be(&target) => Err(Fault::Member(NO_LINK)),
            EntryType::Symlink => {
                self.make(&place, |path| symlink(OsStr::from_bytes(&target), path))
            }
            EntryType::Link => self.hard_link(&place, &target),
            EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => {
                self.directory(&place)
            }
            EntryType::Regular | EntryType::Continuous => self.file(&place, entry),
            EntryType::GNUSparse => Err(Fault::Member(SPARSE)),
            other if other.as_byte() == b'M' => Err(Fault::Member(MULTI_VOLUME)),
            _ => Ok(()),
        }
    }

    /// A member's name as a path below our directory.
    fn place(&self, name: &[u8]) -> std::result::Result<PathBuf, Fault> {
        let name = Path::new(OsStr::from_bytes(name));
        let mut place = PathBuf::new();
        let mut depth = 0;
        for part in name.components() {
            match part {
                Component::Normal(part) if part.len() > PART_MAX_BYTES => {
                    return Err(Fault::Member(TOO_DEEP));
                }
                Component::Normal(part) => place.push(part),
                Component::CurDir => {}
                _ => return Err(Fault::Member(OUTSIDE)),
            }
            depth += 1;
        }
        if depth > self.limits.depth || !path_can_be(name.as_os_str().as_bytes()) {
            return Err(Fault::Member(TOO_DEEP));
        }
        Ok(place)
    }

    fn count(&mut self) -> std::result::Result<(), Fault> {
        self.members += 1;
        if self.members > self.limits.members {
            return Err(Fault::Member(TOO_MANY));
        }
        Ok(())
    }

    fn file(
        &mut self,
        place: &Path,
        entry: &mut Entry<'_, impl Read>,
    ) -> std::result::Result<(), Fault> {
        let mut file = None;
        self.make(place, |path| {
            file = Some(File::create_new(path)?);
            Ok(())
        })?;
        let mut buffer = [0; 16 << 10];
        while let Some(file) = &mut file {
            let read = entry.read(&mut buffer).map_err(Fault::read)?;
            if read == 0 {
                break;
            }
            file.write_all(buffer.get(..read).unwrap_or_default())
                .map_err(Fault::Write)?;
        }
        Ok(())
    }

    fn hard_link(&mut self, place: &Path, target: &[u8]) -> std::result::Result<(), Fault> {
        let target = self.place(target)?;
        let inside = target
            .parent()
            .is_some_and(|parent| self.directories.contains(parent));
        let earlier = self.into.join(&target);
        if !inside || !fs::symlink_metadata(&earlier).is_ok_and(|found| found.is_file()) {
            return Err(Fault::Member(NO_TARGET));
        }
        if target == place {
            return Ok(());
        }
        self.make(place, |path| fs::hard_link(&earlier, path))
    }

    /// Makes what is no directory; of several members with one name the last one counts.
    fn make(
        &mut self,
        place: &Path,
        mut make: impl FnMut(&Path) -> io::Result<()>,
    ) -> std::result::Result<(), Fault> {
        if self.directories.contains(place) {
            return Err(Fault::Member(ON_DIRECTORY));
        }
        self.count()?;
        self.directory(place.parent().unwrap_or(Path::new("")))?;
        let path = self.into.join(place);
        match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&path).and_then(|()| make(&path))
            }
            done => done,
        }
        .map_err(Fault::Write)
    }

    /// Makes a directory and those above it.
    fn directory(&mut self, place: &Path) -> std::result::Result<(), Fault> {
        let missing: Vec<&Path> = place
            .ancestors()
            .take_while(|above| !self.directories.contains(*above))
            .collect();
        for directory in missing.into_iter().rev() {
            self.count()?;
            match fs::create_dir(self.into.join(directory)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(Fault::Member(UNDER_FILE));
                }
                Err(error) => return Err(Fault::Write(error)),
            }
            self.directories.insert(directory.to_owned());
        }
        Ok(())
    }
}

fn path_can_be(text: &[u8]) -> bool {
    !text.is_empty() && text.len() <= NAME_MAX_BYTES && !text.contains(&0)
}

/// Takes `entry` into `extension` if it only says more about the member that follows (GNU `L` and `K`, pax `x`).
fn extend(
    extension: &mut Extension,
    entry: &mut Entry<'_, impl Read>,
) -> std::result::Result<bool, Fault> {
    let whole = |entry: &mut Entry<'_, _>, limit: usize| {
        let mut bytes = Vec::new();
        let read = entry.take(limit as u64 + 1).read_to_end(&mut bytes);
        read.map_err(Fault::read)?;
        if bytes.len() > limit {
            return Err(Fault::Member(TOO_DEEP));
        }
        Ok(bytes)
    };
    let text = |mut bytes: Vec<u8>| {
        bytes.truncate(
            bytes
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(bytes.len()),
        );
        Some(bytes)
    };
    match entry.header().entry_type() {
        EntryType::GNULongName => extension.name = text(whole(entry, NAME_MAX_BYTES)?),
        EntryType::GNULongLink => extension.target = text(whole(entry, NAME_MAX_BYTES)?),
        EntryType::XHeader => {
            let bytes = whole(entry, PAX_MAX_BYTES)?;
            for field in PaxExtensions::new(&bytes) {
                let field = field.map_err(Fault::read)?;
                match field.key_bytes() {
                    b"path" => extension.name = text(field.value_bytes().to_vec()),
                    b"linkpath" => extension.target = text(field.value_bytes().to_vec()),
                    // Only a file that the header has no room for has it, and none of ours is so large.
                    b"size" => return Err(Fault::Member(TOO_LARGE)),
                    key if key.starts_with(b"GNU.sparse.") => return Err(Fault::Member(SPARSE)),
                    _ => {}
                }
            }
        }
        EntryType::XGlobalHeader => {}
        _ => return Ok(false),
    }
    Ok(true)
}

/// A tar that ends, with an error, where it is larger than allowed; and how many zeros it has ended in so far.
struct Bounded<R> {
    tar: R,
    left: u64,
    zeros: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.tar.read(buffer)?;
        let new = buffer.get(..read).unwrap_or_default();
        let zeros = new.iter().rev().take_while(|byte| **byte == 0).count();
        self.zeros = if zeros == read {
            self.zeros.saturating_add(zeros)
        } else {
            zeros
        };
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}
