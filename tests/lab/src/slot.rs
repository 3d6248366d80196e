//! How many machines run at once on this host: one for each processor, whatever processes the tests are in.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use crate::{LabError, provision};

/// The right to run a machine; given back when it is dropped, or when its process ends.
#[derive(Debug)]
pub(crate) struct Slot {
    _lock: File,
}

/// Waits for a slot. `GNOMON_LAB_SLOTS` sets how many there are.
pub(crate) fn take() -> Result<Slot, LabError> {
    let folder = provision::cache().join("slots");
    fs::create_dir_all(&folder).map_err(LabError::host(format!("make {}", folder.display())))?;
    let named = std::env::var("GNOMON_LAB_SLOTS")
        .ok()
        .and_then(|text| text.parse().ok());
    let count = named
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
        .max(1);
    loop {
        for number in 0..count {
            let path = folder.join(number.to_string());
            let file =
                File::create(&path).map_err(LabError::host(format!("make {}", path.display())))?;
            if file.try_lock().is_ok() {
                return Ok(Slot { _lock: file });
            }
        }
        // The kernel tells of one lock, not of the first of several.
        thread::sleep(Duration::from_millis(50));
    }
}
