//! The virtio-serial port to the host.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use gnomon_lab::protocol::{Answer, PORT};

/// The device that answers are written to; named tests that misbehave write to it, too.
static DEVICE: OnceLock<File> = OnceLock::new();

/// How long the kernel may take to find the port after the driver was loaded.
const LIMIT: Duration = Duration::from_secs(5);

/// Requests from the host, and answers to it.
#[derive(Debug)]
pub(crate) struct Port {
    requests: BufReader<File>,
}

impl Port {
    /// Finds the port by its name.
    pub(crate) fn open() -> Result<Self, String> {
        let until = Instant::now() + LIMIT;
        let node = loop {
            match find() {
                Some(node) => break node,
                None if Instant::now() > until => {
                    return Err(format!("no virtio port is called {PORT}"));
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let device = File::options().read(true).write(true).open(&node);
        let device = device.map_err(|error| format!("{node}: {error}"))?;
        let requests = device
            .try_clone()
            .map_err(|error| format!("{node}: {error}"))?;
        let _ = DEVICE.set(device);
        Ok(Self {
            requests: BufReader::with_capacity(1 << 16, requests),
        })
    }

    /// The next request; `None` when the host is gone.
    pub(crate) fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.requests.read_line(&mut line).ok()?;
        (read > 0).then_some(line)
    }

    /// Sends an answer.
    pub(crate) fn send(&mut self, answer: &Answer) {
        let mut line = serde_json::to_vec(answer).unwrap_or_default();
        line.push(b'\n');
        send_bytes(&line);
    }
}

/// Writes bytes that need not be an answer.
pub(crate) fn send_bytes(bytes: &[u8]) {
    if let Some(mut device) = DEVICE.get() {
        let sent = device.write_all(bytes);
        if let Err(error) = sent {
            eprintln!("lab: the port took no answer: {error}");
        }
    }
}

/// `/sys/class/virtio-ports/vport0p1/name` -> `/dev/vport0p1`.
fn find() -> Option<String> {
    let ports = fs::read_dir("/sys/class/virtio-ports").ok()?;
    let named = |port: &fs::DirEntry| {
        let name = fs::read_to_string(port.path().join("name"));
        name.is_ok_and(|name| name.trim() == PORT)
    };
    let port = ports.flatten().find(named)?;
    Some(format!("/dev/{}", port.file_name().to_string_lossy()))
}
