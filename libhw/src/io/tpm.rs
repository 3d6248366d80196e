//! What a TPM of version 2 answers to a command: it has no attribute that says who made it.
#![expect(clippy::disallowed_types, reason = "io/ opens devices")]

use std::io::{Read, Result as IoResult, Write};

use crate::error::Result;
use crate::io::root::Root;

/// The first of `TPM_PT`'s fixed and of its variable properties, of which each command asks for 64.
const GROUPS: [u8; 2] = [0x01, 0x02];

/// The largest answer that a TPM gives (`TPM2_MAX_RESPONSE_SIZE`).
const ANSWER_MAX: usize = 4096;

/// The answers of the chip called `id`, as they came: the properties that never change, then those that do.
///
/// # Errors
/// When the device cannot be opened, or does not answer in time.
pub(crate) fn properties(root: &Root, id: &str) -> Result<Option<Vec<Vec<u8>>>> {
    let number = id.trim_start_matches("tpm").to_owned();
    root.slow_probe(&format!("{id}-properties"), move || {
        // The kernel's resource manager shares the chip; kernels before 4.12 have only the chip.
        let shared = format!("/dev/tpmrm{number}");
        let answers = ask(&shared).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ask(&format!("/dev/tpm{number}")),
            _ => Err(error),
        });
        match answers {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            answers => answers.map(Some),
        }
    })
}

fn ask(device: &str) -> IoResult<Vec<Vec<u8>>> {
    let mut options = std::fs::OpenOptions::new();
    let mut device = options.read(true).write(true).open(device)?;
    let mut answers = Vec::new();
    for group in GROUPS {
        // TPM_ST_NO_SESSIONS, 22 bytes, TPM2_CC_GetCapability, TPM_CAP_TPM_PROPERTIES, first property, count.
        device.write_all(&[
            0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 6, 0, 0, group, 0, 0, 0, 0, 64,
        ])?;
        let mut answer = vec![0; ANSWER_MAX];
        let length = device.read(&mut answer)?;
        answer.truncate(length);
        answers.push(answer);
    }
    Ok(answers)
}
