//! A process that is waited for as long as agreed, and not a moment longer.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{self, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long a process has to end that was told to; one that the kernel holds does not.
const GRACE: Duration = Duration::from_millis(200);

/// A process that was killed says no more than its pipe holds.
const LAST_WORDS_MAX: usize = 1 << 20;

/// A process with a pipe to it and one from it. Its standard error goes nowhere: one that is left behind must hold
/// nothing that somebody waits for.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

/// Why nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The deadline passed.
    TimedOut,
    /// It said more than agreed.
    TooLong,
    /// The pipe is broken.
    Broken,
}

impl Child {
    /// Starts the program that is the first word of `command`.
    pub(super) fn start(command: &[OsString]) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "io/ starts the programs that its caller names"
        )]
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let output = output.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            process,
            input,
            output,
        })
    }

    /// Says `line` to it; it must be short enough for a pipe to take it at once.
    pub(super) fn say(&mut self, line: &[u8]) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(line)
    }

    /// Closes the pipe to it, which is how it is told that there is nothing more.
    pub(super) fn hush(&mut self) {
        self.input = None;
    }

    /// Adds to `heard` what it says until `is_whole`, or until it closes its pipe; at most `most` bytes.
    pub(super) fn hear(
        &mut self,
        heard: &mut Vec<u8>,
        deadline: Instant,
        most: usize,
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Stopped> {
        let mut buffer = [0_u8; 16 << 10];
        loop {
            if !self.has_more(deadline)? {
                return Err(Stopped::TimedOut);
            }
            let read = match self.output.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                Err(_) => return Err(Stopped::Broken),
            };
            heard.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if heard.len() > most {
                return Err(Stopped::TooLong);
            }
            if is_whole(heard) {
                return Ok(());
            }
        }
    }

    /// Waits until there is more to read, or an end; false at the deadline.
    fn has_more(&self, deadline: Instant) -> Result<bool, Stopped> {
        loop {
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                return Ok(false);
            }
            let left =
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(self.output.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, left) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(_) => return Err(Stopped::Broken),
            }
        }
    }

    /// How it ended, once it has; `None` while it runs, or the kernel holds it.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Waits a little for it to end by itself. What it still says is not heard.
    pub(super) fn ends(&mut self) -> Option<ExitStatus> {
        // A process closes its pipe when it ends; one that the kernel holds keeps it.
        let deadline = now() + GRACE;
        let mut unheard = Vec::new();
        match self.hear(&mut unheard, deadline, LAST_WORDS_MAX, |_| false) {
            Ok(()) => self.process.wait().ok(),
            Err(_) => self.ended(),
        }
    }

    /// Ends it by force, and says how it ended; `None` when the kernel holds it, and it can only be left behind.
    pub(super) fn kill(&mut self) -> Option<ExitStatus> {
        self.hush();
        let _ = self.process.kill();
        self.ends()
    }
}

#[expect(clippy::disallowed_methods, reason = "io/ may look at the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

impl Drop for Child {
    /// Whatever becomes of it, it is not to go on. The kernel may hold it all the same.
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
        }
    }
}
