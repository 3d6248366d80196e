//! A capture that is still packed: a tar file, compressed or not, as a [`Root`].

use std::path::Path;

use crate::error::Result;
use crate::io::root::Root;

/// The tree at `path`: a directory that holds sys/ or proc/, or an archive with one such directory in it.
///
/// # Errors
/// When there is no such tree, or the archive is none, is damaged, or would reach outside itself.
pub fn open(path: &Path) -> Result<Root> {
    Root::captured(path)
}
