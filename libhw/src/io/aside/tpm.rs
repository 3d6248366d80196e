//! What a TPM of version 2 answers to a command: it has no attribute that says who made it.

use nix::errno::Errno;

use crate::io::octets::Octets;
use crate::io::sys;
use crate::io::tree::Tree;

/// The first of `TPM_PT`'s fixed and of its variable properties, of which each command asks for 64.
const GROUPS: [u8; 2] = [0x01, 0x02];

/// The largest answer that a TPM gives (`TPM2_MAX_RESPONSE_SIZE`).
const ANSWER_MAX: usize = 4096;

/// The answers of a chip, as they came: the properties that never change, then those that do.
///
/// `path` is the chip's own device, `dev/tpm0`. The kernel's resource manager shares it as `dev/tpmrm0`; kernels
/// before 4.12 have only the chip.
pub(super) fn properties(tree: &Tree, path: &str) -> Result<Vec<Octets>, Errno> {
    let shared = path.replacen("/tpm", "/tpmrm", 1);
    let device = match tree.conversation(&shared) {
        Err(Errno::ENOENT) => tree.conversation(path)?,
        opened => opened?,
    };
    let mut answers = Vec::new();
    for group in GROUPS {
        // TPM_ST_NO_SESSIONS, 22 bytes, TPM2_CC_GetCapability, TPM_CAP_TPM_PROPERTIES, first property, count.
        let command = [
            0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 6, 0, 0, group, 0, 0, 0, 0, 64,
        ];
        sys::write_once(&device, &command)?;
        let mut answer = vec![0; ANSWER_MAX];
        let length = sys::read_some(&device, &mut answer)?;
        answer.truncate(length);
        answers.push(Octets(answer));
    }
    Ok(answers)
}
