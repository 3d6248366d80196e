//! The lines that are written.

use std::io::{self, Write};

use libhw::device::gpu::nvml::NvmlLine;

/// Standard output, a line at a time: none waits in a buffer when a call does not come back.
#[derive(Debug, Default)]
pub(crate) struct Lines;

impl Lines {
    /// Says what is called next, and of which device.
    pub(crate) fn calls(&mut self, name: &str, device: &str) {
        let of = if device.is_empty() { "" } else { " of " };
        self.write(&NvmlLine::Calls(format!("{name}{of}{device}")));
    }

    /// Writes a line. When nobody reads any more there is nothing to do but to end.
    pub(crate) fn write(&mut self, line: &NvmlLine) {
        let Ok(mut bytes) = serde_json::to_vec(line) else {
            return;
        };
        bytes.push(b'\n');
        let mut out = io::stdout().lock();
        if out.write_all(&bytes).and_then(|()| out.flush()).is_err() {
            std::process::exit(1);
        }
    }
}
