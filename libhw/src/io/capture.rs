//! Saves what discovery read, so that it can be read again elsewhere.
//!
//! There is no list of what to save: discovery runs on a root that remembers each question and its answer, and
//! the archive holds the answers. What other tools need beyond that is in the table of `companions`.

use std::collections::BTreeSet;
use std::io::Write;

use crate::error::{Error, Result};
use crate::inventory::{Inventory, Scope, discover};
use crate::io::root::Root;

mod companions;
mod emit;
mod mask;
mod members;

use members::{Member, Members};

/// How to capture.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What to look at.
    pub scope: Scope,
    /// Leave serial numbers, MAC addresses and UUIDs as they are.
    pub unmasked: bool,
    /// The secret that pseudonyms are made with; none is one of this machine's own.
    pub key: Option<Vec<u8>>,
}

/// What was captured.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// The inventory that was read on the way, unmasked.
    pub inventory: Inventory,
    /// Files saved.
    pub files: usize,
    /// Links saved.
    pub links: usize,
    /// Errors met and recorded.
    pub errors: usize,
    /// Identities that were replaced by pseudonyms.
    pub masked: usize,
}

/// Discovers `root` and writes what was read as an uncompressed tar to `out`, below a directory called `name`.
///
/// The same tree gives the same bytes. Unless [`Options::unmasked`], identities are replaced by pseudonyms in
/// texts, binary tables, link targets, names and `name` itself.
///
/// # Errors
/// When `out` cannot be written, or there are more identities than can be masked.
pub fn write(root: Root, options: &Options, name: &str, out: &mut dyn Write) -> Result<Captured> {
    let mut root = root.recording();
    let inventory = discover(&root, &options.scope);
    let record = root.recorded();
    let mut members = Members::default();
    let errors = members.add_record(&root, record);
    companions::add(&mut members, &root);
    let mut members = members.complete();
    let mut name = name.to_owned();
    let mut masked = BTreeSet::new();
    if !options.unmasked {
        let mask = mask::Mask::of(&root, &members, options.key.as_deref())?;
        members = mask.members(members, &mut masked);
        name = mask.text(&name, &mut masked);
    }
    members::add_listed(&mut members);
    emit::tar(&members, &name, out).map_err(|source| Error::Write { source })?;
    let count = |is: fn(&Member) -> bool| members.values().filter(|member| is(member)).count();
    Ok(Captured {
        inventory,
        files: count(|member| matches!(member, Member::File(_))),
        links: count(|member| matches!(member, Member::Link(_))),
        errors,
        masked: masked.len(),
    })
}
