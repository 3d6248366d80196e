//! `gnomon capture`: saves what discovery reads into one file.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use flate2::Compression;
use flate2::write::GzEncoder;
use libhw::inventory::Scope;
use libhw::io::capture::{self, Captured, Options};
use libhw::io::root::Root;
use tempfile::NamedTempFile;

use crate::command::{self, Depth, Error, Outcome, Place};
use crate::table::printable;

pub(crate) const HELP: &str = "\
Examples:
  gnomon capture -o node7.tar.gz           this host, its identities masked
  gnomon capture -o - | ssh host 'cat > node7.tar'
  gnomon capture --mask-key fleet.key -o node7.tar.gz
                                           one identity, one pseudonym on every node with this key
  gnomon inventory --root node7.tar.gz     read it again

Exit status:
  0 also where the kernel answered with errors: they are saved, and come back when it is read";

/// The arguments of `gnomon capture`.
#[derive(Args, Clone, Debug)]
pub(crate) struct CaptureArguments {
    /// Where to write: FILE.tar, FILE.tar.gz or FILE.tgz; - is standard output, not compressed
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Replace FILE where there is one
    #[arg(long)]
    force: bool,
    /// Leave serial numbers, MAC addresses and UUIDs as they are; only you may then read FILE
    #[arg(long, conflicts_with = "mask_key")]
    unmasked: bool,
    /// Make the pseudonyms of identities with the secret in FILE, not with one of this host's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    mask_key: Option<PathBuf>,
    #[command(flatten)]
    depth: Depth,
    #[command(flatten)]
    place: Place,
}

/// How the file's name asks for it to be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
}

const SUFFIXES: [(&str, Packing); 3] = [
    (".tar", Packing::Plain),
    (".tar.gz", Packing::Gzip),
    (".tgz", Packing::Gzip),
];

/// No secret is longer.
const KEY_MAX: u64 = 64 << 10;

/// A secret that is shorter could be guessed from the pseudonyms.
const KEY_MIN: usize = 16;

/// Captures, and says on standard error what was saved.
pub(crate) fn run(arguments: &CaptureArguments) -> Result<Outcome, Error> {
    let path = &arguments.output;
    let key = arguments.mask_key.as_deref().map(key).transpose()?;
    let options = Options {
        scope: Scope {
            deep: arguments.depth.deep,
            virtual_functions: arguments.depth.vfs,
            ..Scope::default()
        },
        unmasked: arguments.unmasked,
        key,
    };
    let captured = if command::is_standard(path) {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            let text = "an archive is not for a terminal: redirect it, or name a file with -o";
            return Err(Error::Usage(text.to_owned()));
        }
        to_stdout(arguments.place.open()?, &options)?
    } else {
        let (name, packing) = packing(path)?;
        if !arguments.force && path.symlink_metadata().is_ok() {
            return Err(Error::Exists { path: path.clone() });
        }
        let root = arguments.place.open()?;
        to_file(arguments, packing, |out| {
            Ok(capture::write(root, &options, &name, out)?)
        })?
    };
    summarize(arguments, &captured);
    Ok(Outcome::Done)
}

/// The archive's name without its suffix, which becomes the directory in it, and how to pack it.
fn packing(path: &Path) -> Result<(String, Packing), Error> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    for (suffix, packing) in SUFFIXES {
        match name.strip_suffix(suffix) {
            Some(stem) if !stem.is_empty() && stem != "." && stem != ".." => {
                return Ok((stem.to_owned(), packing));
            }
            _ => {}
        }
    }
    Err(Error::Usage(format!(
        "cannot tell from {} how to pack it: name it FILE.tar, FILE.tar.gz or FILE.tgz",
        path.display()
    )))
}

fn key(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let mut key = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(KEY_MAX + 1).read_to_end(&mut key);
    read.map_err(unreadable)?;
    // The newline that an editor leaves must not make it another secret.
    key.truncate(key.trim_ascii_end().len());
    if key.len() < KEY_MIN {
        return Err(Error::ShortKey {
            path: path.to_owned(),
            least: KEY_MIN,
        });
    }
    if key.len() as u64 > KEY_MAX {
        return Err(Error::TooLarge {
            path: path.to_owned(),
            limit: KEY_MAX,
        });
    }
    Ok(key)
}

fn to_stdout(root: Root, options: &Options) -> Result<Captured, Error> {
    let mut out = Watched::new(io::stdout().lock());
    let captured = capture::write(root, options, "capture", &mut out);
    let flushed = out.flush();
    // What the library reports of its output, we know better: a closed pipe is no failure.
    out.failed
        .map_or(Ok(()), Err)
        .and(flushed)
        .map_err(Error::Stdout)?;
    Ok(captured?)
}

/// Writes beside the file and renames at the end: at no time is there half a capture under its name.
fn to_file(
    arguments: &CaptureArguments,
    packing: Packing,
    write: impl FnOnce(&mut dyn Write) -> Result<Captured, Error>,
) -> Result<Captured, Error> {
    let path = &arguments.output;
    let failed = |source| Error::Write {
        path: path.clone(),
        source,
    };
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mode = if arguments.unmasked { 0o600 } else { 0o666 };
    let temporary = tempfile::Builder::new()
        .prefix(".gnomon-capture-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)
        .map_err(failed)?;
    let (captured, written) = pack(temporary.as_file(), packing, write);
    written.map_err(failed)?;
    let captured = captured?;
    persist(temporary, arguments).map_err(failed)?;
    // The name is kept only once its directory is.
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)?;
    Ok(captured)
}

/// Writes the archive into `file`: what the library made of it, and how the writing went.
fn pack(
    file: &File,
    packing: Packing,
    write: impl FnOnce(&mut dyn Write) -> Result<Captured, Error>,
) -> (Result<Captured, Error>, io::Result<()>) {
    let mut out = Watched::new(BufWriter::with_capacity(1 << 20, file));
    let (captured, finished) = match packing {
        Packing::Plain => (write(&mut out), Ok(())),
        Packing::Gzip => {
            let mut packed = GzEncoder::new(&mut out, Compression::default());
            let captured = write(&mut packed);
            (captured, packed.finish().map(drop))
        }
    };
    let flushed = out.flush();
    let first = out.failed.take().map_or(Ok(()), Err);
    (captured, first.and(finished).and(flushed))
}

fn persist(temporary: NamedTempFile, arguments: &CaptureArguments) -> io::Result<()> {
    temporary.as_file().sync_all()?;
    let path = &arguments.output;
    if arguments.force {
        temporary.persist(path)?;
    } else {
        temporary.persist_noclobber(path)?;
    }
    Ok(())
}

/// A writer that keeps its first error, which would else be told as the library's.
struct Watched<W> {
    inner: W,
    failed: Option<io::Error>,
}

impl<W> Watched<W> {
    const fn new(inner: W) -> Self {
        Self {
            inner,
            failed: None,
        }
    }

    fn watch<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            self.failed.get_or_insert(error);
            kind.into()
        })
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.watch(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.watch(flushed)
    }
}

fn summarize(arguments: &CaptureArguments, captured: &Captured) {
    let Captured {
        files,
        links,
        errors,
        masked,
        ..
    } = captured;
    let identities = if arguments.unmasked {
        "identities left as they are".to_owned()
    } else {
        format!("{masked} identities masked")
    };
    let path = printable(&arguments.output.display().to_string());
    let path = if path == "-" {
        "standard output"
    } else {
        &path
    };
    let _ = writeln!(
        io::stderr(),
        "{path}: {files} files, {links} links, {errors} errors recorded, {identities}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_how_to_pack() {
        for (path, expected) in [
            ("a.tar", Some(("a", Packing::Plain))),
            ("/var/b.c.tar.gz", Some(("b.c", Packing::Gzip))),
            ("d.tgz", Some(("d", Packing::Gzip))),
            ("a.zip", None),
            ("a", None),
            (".tar", None),
            ("...tar", None),
            ("", None),
        ] {
            let found = packing(Path::new(path)).ok();
            let expected = expected.map(|(name, packing)| (name.to_owned(), packing));
            assert_eq!(found, expected, "{path}");
        }
    }
}
