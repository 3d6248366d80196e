//! How full a mounted file system is, by statvfs(3). One whose server is gone (NFS, FUSE) does not answer.

use nix::errno::Errno;
use nix::sys::statvfs::fstatvfs;
use serde::{Deserialize, Serialize};

use crate::io::tree::Tree;

/// How full a file system is. A file system without blocks (/proc) has a size of 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Space {
    /// All of it: `f_blocks` times `f_frsize`.
    pub size_bytes: u64,
    /// Not used: `f_bfree`.
    pub free_bytes: u64,
    /// Not used, and open to all users: `f_bavail`.
    pub available_bytes: u64,
    /// Files that there can be: `f_files`; 0 where there is no such limit.
    pub inodes: u64,
    /// Files that can still be made: `f_ffree`.
    pub inodes_free: u64,
}

/// Asks the file system that `path` is in.
pub(super) fn of(tree: &Tree, path: &str) -> Result<Space, Errno> {
    let stat = fstatvfs(tree.place(path)?)?;
    // Wide enough for every libc; some have 32 bits.
    #[expect(
        clippy::useless_conversion,
        reason = "the width of these fields is the C library's choice"
    )]
    let [unit, blocks, free, available, inodes, inodes_free] = [
        u64::from(stat.fragment_size()),
        u64::from(stat.blocks()),
        u64::from(stat.blocks_free()),
        u64::from(stat.blocks_available()),
        u64::from(stat.files()),
        u64::from(stat.files_free()),
    ];
    let bytes = |blocks: u64| blocks.saturating_mul(unit);
    Ok(Space {
        size_bytes: bytes(blocks),
        free_bytes: bytes(free),
        available_bytes: bytes(available),
        inodes,
        inodes_free,
    })
}
