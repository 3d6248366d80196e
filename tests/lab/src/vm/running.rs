//! The processes of one machine, and what is kept of it when it ends as it should not.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::protocol::EXIT_MARK;
use crate::{LabError, provision};

/// How long an ended machine's processes may take to be gone.
const GRACE: Duration = Duration::from_secs(2);

/// How many lines of the serial console an error prints.
const TAIL: usize = 20;

/// QEMU and the processes beside it, with the directory of their files. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) name: String,
    pub(super) machine: String,
    pub(super) folder: TempDir,
    pub(super) qemu: Child,
    pub(super) sides: Vec<Child>,
    pub(super) transcript: File,
    kept: Option<PathBuf>,
}

impl Running {
    pub(super) fn new(
        name: &str,
        machine: &str,
        folder: TempDir,
        children: (Child, Vec<Child>),
    ) -> Result<Self, LabError> {
        let path = folder.path().join("transcript");
        let transcript =
            File::create(&path).map_err(LabError::host(format!("make {}", path.display())))?;
        let (qemu, sides) = children;
        let (name, machine) = (name.to_owned(), machine.to_owned());
        Ok(Self {
            name,
            machine,
            folder,
            qemu,
            sides,
            transcript,
            kept: None,
        })
    }

    /// QEMU has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.qemu.try_wait(), Ok(Some(_)))
    }

    /// Adds a line to the transcript, which is kept of a machine that ends with an error.
    pub(super) fn note(&mut self, line: &str) {
        let end = line
            .char_indices()
            .nth(2000)
            .map_or(line.len(), |(end, _)| end);
        let _ = writeln!(self.transcript, "{}", &line[..end]);
    }

    /// The code that the guest ended QEMU with; `None` where something else did.
    pub(super) fn exit_code(&mut self) -> Option<u8> {
        let code = u8::try_from(self.end()?.code()?).ok()? >> 1;
        (code & EXIT_MARK != 0).then_some(code & !EXIT_MARK)
    }

    /// QEMU ended before it had built the machine.
    pub(super) fn refused(&mut self) -> LabError {
        self.end();
        let machine = self.machine.clone();
        let stderr = self.said_by_qemu().join("; ");
        self.keep(|kept| LabError::Refused {
            machine,
            stderr,
            kept,
        })
    }

    /// The guest is gone while it was asked.
    pub(super) fn gone(&mut self, request: &str) -> LabError {
        let status = self.end();
        if let Some(error) = self.panicked() {
            return error;
        }
        let said = self.said_by_qemu();
        let mut how = status.map_or_else(|| "it did not end by itself".to_owned(), describe);
        if let Some(last) = said.last() {
            how = format!("{how}; QEMU said: {last}");
        }
        let request = request.to_owned();
        self.keep(|kept| LabError::Died { how, request, kept })
    }

    /// The guest did not answer in time.
    pub(super) fn hung(&mut self, request: &str, limit: Duration) -> LabError {
        let _ = self.qemu.kill();
        self.end();
        if let Some(error) = self.panicked() {
            return error;
        }
        let request = request.to_owned();
        self.keep(|kept| LabError::Hung {
            request,
            limit,
            kept,
        })
    }

    /// What came is no answer.
    pub(super) fn garbage(&mut self, request: &str, line: &str) -> LabError {
        let request = request.to_owned();
        let line = line.chars().take(200).collect();
        self.keep(|kept| LabError::Garbage {
            request,
            line,
            kept,
        })
    }

    /// The guest has no ACPI tables.
    pub(super) fn no_acpi(&mut self) -> LabError {
        self.keep(|kept| LabError::NoAcpi { kept })
    }

    /// Reading or writing a socket of QEMU's went wrong.
    pub(super) fn broken(&mut self, request: &str, error: &io::Error, limit: Duration) -> LabError {
        match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => self.hung(request, limit),
            ErrorKind::InvalidData => self.garbage(request, &error.to_string()),
            _ => self.gone(request),
        }
    }

    fn panicked(&mut self) -> Option<LabError> {
        let lines = panic_lines(&self.text("serial.log"))?;
        Some(self.keep(|kept| LabError::Panicked { lines, kept }))
    }

    /// QEMU's lines, without those that tell what the emulator lacks of a processor.
    fn said_by_qemu(&self) -> Vec<String> {
        let log = self.text("qemu.log");
        let lines = log.lines().map(str::trim);
        let telling =
            lines.filter(|line| !line.is_empty() && !line.contains("warning: TCG doesn't support"));
        telling.map(str::to_owned).collect()
    }

    fn text(&self, file: &str) -> String {
        let bytes = fs::read(self.folder.path().join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for QEMU to end; ends it after a while.
    fn end(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.qemu.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.stop();
        None
    }

    /// Ends every process of the machine.
    fn stop(&mut self) {
        for child in std::iter::once(&mut self.qemu).chain(&mut self.sides) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends the machine, keeps its files, and tells of them.
    fn keep(&mut self, error: impl FnOnce(PathBuf) -> LabError) -> LabError {
        let place = self.store();
        let error = error(place.clone());
        self.tell(&error.to_string(), &place);
        error
    }

    /// Ends the machine, and copies its command, its logs and what it booted from to where they stay.
    fn store(&mut self) -> PathBuf {
        self.stop();
        let place = provision::cache().join("failed").join(&self.name);
        if self.kept.is_none() {
            self.kept = Some(place.clone());
            if let Err(error) = copy(self.folder.path(), &place) {
                eprintln!("lab: {}: {error}", place.display());
            }
        }
        place
    }

    fn tell(&self, what: &str, place: &Path) {
        eprintln!("lab: {}: {what}", self.name);
        eprintln!(
            "lab: booted again by: sh {}",
            place.join("command").display()
        );
        let serial = self.text("serial.log");
        let lines: Vec<&str> = serial.lines().collect();
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            eprintln!("  {line}");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        // An assertion about a machine failed: its log says more than the assertion.
        if thread::panicking() && self.kept.is_none() {
            let place = self.store();
            self.tell("its log and transcript, since the test failed", &place);
        }
    }
}

/// The kernel's lines from the first that tells of a panic, without their times.
fn panic_lines(serial: &str) -> Option<String> {
    let starts = ["BUG: ", "Oops: ", "Kernel panic", "sysrq: Trigger a crash"];
    serial.contains("Kernel panic - not syncing").then(|| {
        let lines = serial
            .lines()
            .map(|line| line.split_once("] ").map_or(line, |(_, words)| words));
        let first = lines.skip_while(|line| !starts.iter().any(|start| line.contains(start)));
        let telling = first.filter(|line| !line.trim().is_empty()).take(8);
        telling.collect::<Vec<_>>().join("; ")
    })
}

fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(0)) => "it was switched off or reset".to_owned(),
        (None, code) => format!("status {}", code.unwrap_or(-1)),
    }
}

/// Copies regular files, with their holes. The command is written for its new place, and for nobody who listens.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        if entry.file_type()?.is_file() {
            Command::new("cp")
                .arg("--sparse=always")
                .arg(entry.path())
                .arg(to)
                .status()?;
        }
    }
    let command = to.join("command");
    let text = fs::read_to_string(&command)?;
    let text = text.replace(&*from.to_string_lossy(), &to.to_string_lossy());
    fs::write(&command, text.replace(".sock", ".sock,server=on,wait=off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_lines() {
        let serial = "[    1.1] fine\r\n[    2.0] sysrq: Trigger a crash\n\n\
                      [    2.1] Kernel panic - not syncing: sysrq triggered crash\n";
        assert_eq!(
            panic_lines(serial).unwrap(),
            "sysrq: Trigger a crash; Kernel panic - not syncing: sysrq triggered crash"
        );
        assert_eq!(panic_lines("BUG: that it lived through"), None);
    }
}
