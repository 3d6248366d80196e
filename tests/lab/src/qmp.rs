//! QEMU's own protocol: commands to the machine, and events of it.
//!
//! Source: QEMU's `docs/interop/qmp-spec.rst`.

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use serde_json::{Value, json};

use crate::lines::Lines;

/// A session with one QEMU, after its greeting.
#[derive(Debug)]
pub(crate) struct Qmp {
    lines: Lines,
    /// Events that nobody took yet.
    events: VecDeque<Value>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) enum Reply {
    /// What it returned.
    Done(Value),
    /// What QEMU said against it.
    Refused(String),
    /// QEMU is gone.
    Gone,
}

impl Qmp {
    /// Takes QEMU's greeting, which comes when every device was built; `None` where it ends instead.
    pub(crate) fn greeted(socket: UnixStream, until: Instant) -> io::Result<Option<Self>> {
        let mut qmp = Self {
            lines: Lines::new(socket),
            events: VecDeque::new(),
        };
        if qmp.lines.next(until)?.is_none() {
            return Ok(None);
        }
        match qmp.execute("qmp_capabilities", &json!({}), until)? {
            Reply::Done(_) => Ok(Some(qmp)),
            Reply::Refused(_) | Reply::Gone => Ok(None),
        }
    }

    /// Runs one command to its end.
    pub(crate) fn execute(
        &mut self,
        command: &str,
        arguments: &Value,
        until: Instant,
    ) -> io::Result<Reply> {
        let request = json!({"execute": command, "arguments": arguments});
        match self.lines.send(&request.to_string(), until) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Reply::Gone),
            sent => sent?,
        }
        loop {
            let Some(line) = self.lines.next(until)? else {
                return Ok(Reply::Gone);
            };
            let mut message: Value = serde_json::from_str(&line)?;
            if message.get("event").is_some() {
                self.events.push_back(message);
            } else if let Some(value) = message.get_mut("return") {
                return Ok(Reply::Done(value.take()));
            } else {
                let words = message["error"]["desc"].as_str().unwrap_or(&line);
                return Ok(Reply::Refused(words.to_owned()));
            }
        }
    }

    /// The oldest event of that name and with such data that nobody took; the others are kept. `None` where QEMU ends
    /// first.
    pub(crate) fn event(
        &mut self,
        name: &str,
        until: Instant,
        is_it: impl Fn(&Value) -> bool,
    ) -> io::Result<Option<Value>> {
        loop {
            if let Some(found) = self
                .events
                .iter()
                .position(|event| event["event"] == name && is_it(&event["data"]))
            {
                return Ok(self.events.remove(found));
            }
            let Some(line) = self.lines.next(until)? else {
                return Ok(None);
            };
            self.events.push_back(serde_json::from_str(&line)?);
        }
    }
}
