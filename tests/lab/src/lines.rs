//! Lines from a socket, each awaited no longer than a limit.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

/// The longest line that is an answer; a machine's whole capture, in hexadecimal digits, is shorter.
const LONGEST: usize = 256 << 20;

/// A socket that carries lines.
#[derive(Debug)]
pub(crate) struct Lines {
    socket: UnixStream,
    /// Bytes that were read and are in no line yet; the first `seen` of them hold no line's end.
    held: Vec<u8>,
    seen: usize,
}

impl Lines {
    pub(crate) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            held: Vec::new(),
            seen: 0,
        }
    }

    /// The next line without its end; `None` where the other side is gone.
    ///
    /// # Errors
    /// `TimedOut` at `until`, `InvalidData` where no end of the line comes.
    pub(crate) fn next(&mut self, until: Instant) -> io::Result<Option<String>> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            if let Some(line) = self.held_line() {
                return Ok(Some(line));
            }
            if self.held.len() > LONGEST {
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    "a line without an end",
                ));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.socket.set_read_timeout(Some(left))?;
            match self.socket.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(read) => self.held.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes a line; what the other side doesn't take by `until` is an error.
    pub(crate) fn send(&mut self, line: &str, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.socket.set_write_timeout(Some(left))?;
        self.socket.write_all(format!("{line}\n").as_bytes())
    }

    /// What came and is no line yet.
    pub(crate) fn rest(&self) -> String {
        String::from_utf8_lossy(&self.held[..self.held.len().min(200)]).into_owned()
    }

    fn held_line(&mut self) -> Option<String> {
        let end = self.held[self.seen..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(end) = end else {
            self.seen = self.held.len();
            return None;
        };
        let line: Vec<u8> = self.held.drain(..=self.seen + end).collect();
        self.seen = 0;
        Some(
            String::from_utf8_lossy(&line[..line.len() - 1])
                .trim_end_matches('\r')
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lines_come_whole_however_they_were_sent() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut lines = Lines::new(near);
        let soon = || Instant::now() + Duration::from_millis(20);
        far.write_all(b"one\r\ntw").unwrap();
        assert_eq!(lines.next(soon()).unwrap().as_deref(), Some("one"));
        assert_eq!(lines.next(soon()).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(lines.rest(), "tw");
        far.write_all(b"o\n\n").unwrap();
        drop(far);
        assert_eq!(lines.next(soon()).unwrap().as_deref(), Some("two"));
        assert_eq!(lines.next(soon()).unwrap().as_deref(), Some(""));
        assert_eq!(lines.next(soon()).unwrap(), None);
    }
}
