//! The secret that pseudonyms are made with, and what it makes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::identity::{Identities, signs};
use crate::io::root::Root;

/// Where a machine has something of its own that is the same at every capture; the first that is there counts.
/// machine-id(5) is 128 bits that are nobody else's, and machine-id(5) itself says to keep it so.
const OWN: [&str; 5] = [
    "etc/machine-id",
    "var/lib/dbus/machine-id",
    "sys/class/dmi/id/product_uuid",
    "sys/class/dmi/id/product_serial",
    "proc/device-tree/serial-number",
];

/// The key of all pseudonyms of one machine.
pub(super) struct Key(Hmac<Sha256>);

/// The key that a person gave.
pub(super) fn of_key(key: &[u8]) -> Key {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(Sha256::digest(key)) {
        *to = from;
    }
    Key(Hmac::new(&block.into()))
}

/// The key that the machine itself gives; without anything of its own, its identities taken together.
pub(super) fn of_machine(root: &Root, identities: &Identities) -> Key {
    let own = |path: &&str| {
        let text = root.text(path).ok().flatten()?;
        let signs = signs(&text);
        let first = signs.chars().next()?;
        signs.chars().any(|sign| sign != first).then_some(signs)
    };
    let secret = OWN.iter().find_map(own).unwrap_or_else(|| {
        let all: Vec<&str> = identities.signs().collect();
        all.join("\n")
    });
    of_key(format!("gnomon capture\n{secret}").as_bytes())
}

impl Key {
    /// Random bytes that are always the same for the same identity.
    pub(super) fn stream<'a>(&'a self, identity: &'a str, attempt: u32) -> Stream<'a> {
        Stream {
            key: self,
            identity,
            attempt,
            block: 0,
            bytes: Vec::new(),
        }
    }
}

/// Bytes without end.
pub(super) struct Stream<'a> {
    key: &'a Key,
    identity: &'a str,
    attempt: u32,
    block: u32,
    bytes: Vec<u8>,
}

impl Stream<'_> {
    pub(super) fn next(&mut self) -> u8 {
        if let Some(byte) = self.bytes.pop() {
            return byte;
        }
        let mut mac = self.key.0.clone();
        mac.update(&self.attempt.to_be_bytes());
        mac.update(&self.block.to_be_bytes());
        mac.update(self.identity.as_bytes());
        self.block += 1;
        self.bytes = mac.finalize().into_bytes().to_vec();
        self.bytes.pop().unwrap_or_default()
    }
}
