//! A capture that is still packed: a tar file, compressed or not, as a [`Root`].

#![expect(
    clippy::disallowed_methods,
    reason = "what is opened here is no machine's tree yet, but a file that a person named"
)]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::io::root::Root;

mod packed;
mod unpack;

use unpack::Unpacked;

/// How deep below what was named a tree may lie.
const DEPTH_MAX: usize = 6;

/// How many directories are looked at for a tree.
const DIRECTORIES_MAX: usize = 10_000;

/// The tree at `path`: a directory, or an archive in any of the usual packings, known by its content.
///
/// Of either it is the shallowest directory that holds sys/ or proc/. An archive is unpacked into a private
/// directory below `TMPDIR`, which is gone when the root is.
///
/// # Errors
/// When there is no such tree or more than one, or the archive is none, is damaged, is larger than any
/// machine's, or has a member that would be written outside of it.
pub fn open(path: &Path) -> Result<Root> {
    let unreadable = |source| Error::Root {
        path: path.to_owned(),
        source,
    };
    let kind = fs::metadata(path).map_err(unreadable)?.file_type();
    if kind.is_dir() {
        return Root::captured(&tree(path, path)?);
    }
    if !kind.is_file() {
        return Err(Error::NoArchive {
            path: path.to_owned(),
        });
    }
    let packed = packed::open(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    let packed = packed.ok_or_else(|| Error::NoArchive {
        path: path.to_owned(),
    })?;
    let unpacked = Unpacked::new(
        path,
        packed,
        &std::env::temp_dir(),
        unpack::Limits::default(),
    )?;
    let root = Root::captured(&tree(path, unpacked.directory())?)?;
    Ok(root.keeping(unpacked))
}

/// The one tree in `directory`, which a person knows as `named`.
fn tree(named: &Path, directory: &Path) -> Result<PathBuf> {
    let mut trees = trees(directory);
    match (trees.pop(), trees.is_empty()) {
        (Some(tree), true) => Ok(tree),
        (None, _) => Err(Error::NoTree {
            path: named.to_owned(),
        }),
        (Some(last), false) => {
            let inside = |tree: &PathBuf| {
                let inside = tree.strip_prefix(directory).unwrap_or(tree);
                Error::cut(&inside.to_string_lossy())
            };
            let mut trees: Vec<String> = trees.iter().chain([&last]).map(inside).collect();
            trees.sort();
            Err(Error::ManyTrees {
                path: named.to_owned(),
                trees,
            })
        }
    }
}

/// The directories that hold sys/ or proc/, of the smallest depth at which there are any.
fn trees(top: &Path) -> Vec<PathBuf> {
    let mut level = vec![top.to_owned()];
    let mut seen = 0;
    for _ in 0..=DEPTH_MAX {
        let mut found = Vec::new();
        let mut below = Vec::new();
        for directory in level {
            seen += 1;
            if seen > DIRECTORIES_MAX {
                break;
            }
            // What cannot be listed cannot be a tree for us either.
            let inside = directories(&directory).unwrap_or_default();
            if inside
                .iter()
                .any(|inside| inside.ends_with("sys") || inside.ends_with("proc"))
            {
                found.push(directory);
            } else {
                below.extend(inside);
            }
        }
        if !found.is_empty() || below.is_empty() {
            return found;
        }
        level = below;
    }
    Vec::new()
}

fn directories(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut directories = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            directories.push(entry.path());
        }
    }
    directories.sort();
    Ok(directories)
}

#[cfg(test)]
mod tests;
