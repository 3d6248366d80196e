//! A virtual machine that runs: requests to the program in it, and commands to QEMU.
//!
//! What it starts ends with it: QEMU and the processes beside it are killed when the [`Vm`] is dropped, and by the kernel
//! when the thread that booted it ends in any other way.

mod launch;
mod running;
mod saved;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

pub use launch::scale;
use running::Running;
use serde_json::{Value, json};

use crate::lines::Lines;
use crate::protocol::{Answer, Output, Ready, Request, from_hex};
use crate::qmp::{Qmp, Reply};
use crate::slot::Slot;
use crate::{Boot, LabError, Machine};

/// A machine that takes requests.
///
/// Every method but those that say otherwise ends the machine when the guest or QEMU is gone, hangs, or answers with
/// something else than an answer; the error then says where its command and logs are kept.
#[derive(Debug)]
pub struct Vm {
    running: Running,
    qmp: Qmp,
    port: Lines,
    ready: Ready,
    until: Instant,
    limit: Duration,
    _slot: Option<Slot>,
    /// The kernel ends QEMU with the thread that started it, so it stays with that thread.
    _thread: PhantomData<*const ()>,
}

impl Vm {
    /// Boots `machine` until the program in it takes requests.
    ///
    /// # Errors
    /// What [`LabError`] tells apart.
    pub fn boot(machine: &Machine, boot: &Boot) -> Result<Self, LabError> {
        launch::boot(machine, boot)
    }

    /// What the guest said of itself when it took requests first.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// How long the machine may go on.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Lets the machine go on for `limit` from now, instead of what was left to it.
    pub fn limit(&mut self, limit: Duration) {
        self.limit = limit;
        self.until = Instant::now() + limit;
    }

    /// The process id of QEMU.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.running.qemu.id()
    }

    /// The directory with the machine's files, such as the images of its drives.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.running.folder.path()
    }

    /// Runs a program in the guest to its end.
    ///
    /// # Errors
    /// No such program; and as [`Vm`] says.
    pub fn run(&mut self, argv: &[&str]) -> Result<Output, LabError> {
        self.run_with(argv, &[], "")
    }

    /// Runs a program with more in its environment, and something to read.
    ///
    /// # Errors
    /// As [`Vm::run`].
    pub fn run_with(
        &mut self,
        argv: &[&str],
        env: &[(&str, &str)],
        stdin: &str,
    ) -> Result<Output, LabError> {
        let left = self.left().saturating_sub(Duration::from_millis(500));
        let env = env
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.ask_for(&Request::Run {
            argv: owned(argv),
            env: env.collect::<BTreeMap<_, _>>(),
            stdin: stdin.to_owned(),
            limit_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Starts a program in the guest that goes on: its process id. It writes to `/run/lab/ID.out` and `/run/lab/ID.err`.
    ///
    /// # Errors
    /// As [`Vm::run`].
    pub fn spawn(&mut self, argv: &[&str]) -> Result<u32, LabError> {
        self.ask_for(&Request::Spawn { argv: owned(argv) })
    }

    /// Waits for a spawned program to end: its status, or `None` at the limit.
    ///
    /// # Errors
    /// No such program was spawned; and as [`Vm`] says.
    pub fn wait(&mut self, id: u32, limit: Duration) -> Result<Option<i32>, LabError> {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.ask_for(&Request::Wait { id, limit_ms })
    }

    /// Sends a signal to a spawned program.
    ///
    /// # Errors
    /// No such program was spawned; and as [`Vm`] says.
    pub fn kill(&mut self, id: u32, signal: i32) -> Result<(), LabError> {
        self.ask_for(&Request::Kill { id, signal })
    }

    /// A file's text.
    ///
    /// # Errors
    /// The guest can't read it; and as [`Vm`] says.
    pub fn read(&mut self, path: &str) -> Result<String, LabError> {
        self.ask_for(&Request::Read {
            path: path.to_owned(),
        })
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// As [`Vm::read`].
    pub fn fetch(&mut self, path: &str) -> Result<Vec<u8>, LabError> {
        let request = Request::Fetch {
            path: path.to_owned(),
        };
        let text: String = self.ask_for(&request)?;
        from_hex(&text).ok_or_else(|| self.running.garbage(&request.to_string(), &text))
    }

    /// Writes a text to a file in one call.
    ///
    /// # Errors
    /// The guest can't write it; and as [`Vm`] says.
    pub fn write(&mut self, path: &str, text: &str) -> Result<(), LabError> {
        self.ask_for(&Request::Write {
            path: path.to_owned(),
            text: text.to_owned(),
        })
    }

    /// A directory's names, sorted.
    ///
    /// # Errors
    /// As [`Vm::read`].
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, LabError> {
        self.ask_for(&Request::List {
            path: path.to_owned(),
        })
    }

    /// Loads a module and what it needs.
    ///
    /// # Errors
    /// It is not in the initramfs, or the kernel refuses it; and as [`Vm`] says.
    pub fn load(&mut self, module: &str, parameters: &str) -> Result<(), LabError> {
        self.ask_for(&Request::Load {
            module: module.to_owned(),
            parameters: parameters.to_owned(),
        })
    }

    /// Calls a function that was compiled into the guest program.
    ///
    /// # Errors
    /// It is not in its table, or fails; and as [`Vm`] says.
    pub fn test(&mut self, name: &str, arguments: Value) -> Result<Value, LabError> {
        self.ask(&Request::Test {
            name: name.to_owned(),
            arguments,
        })
    }

    /// Ends the machine by the guest's own hand; true where it ended with that code.
    ///
    /// # Errors
    /// As [`Vm`] says.
    pub fn exit(mut self, code: u8) -> Result<bool, LabError> {
        let request = Request::Exit { code };
        self.send(&request)?;
        match self.port.next(self.until) {
            Ok(None) => Ok(self.running.exit_code() == Some(code)),
            Ok(Some(line)) => Err(self.running.garbage(&request.to_string(), &line)),
            Err(error) => Err(self.broken(&request.to_string(), &error)),
        }
    }

    /// What the test that `lab.test=NAME` on the kernel's command line named answered, and the code by which the machine
    /// ended: 0 where it passed.
    ///
    /// # Errors
    /// As [`Vm`] says.
    pub fn outcome(mut self) -> Result<(Answer, Option<u8>), LabError> {
        let request = "lab.test";
        let answer = self.answer(request)?;
        match self.port.next(self.until) {
            Ok(None) => Ok((answer, self.running.exit_code())),
            Ok(Some(line)) => Err(self.running.garbage(request, &line)),
            Err(error) => Err(self.broken(request, &error)),
        }
    }

    /// Runs a command of QEMU's machine protocol.
    ///
    /// # Errors
    /// [`LabError::Qmp`] where QEMU refuses it; and as [`Vm`] says.
    pub fn qmp(&mut self, command: &str, arguments: Value) -> Result<Value, LabError> {
        self.running.note(&format!("qmp {command} {arguments}"));
        let reply = self.qmp.execute(command, &arguments, self.until);
        self.running.note(&format!("{reply:?}"));
        match reply {
            Ok(Reply::Done(value)) => Ok(value),
            Ok(Reply::Refused(reason)) => Err(LabError::Qmp {
                command: command.to_owned(),
                reason,
            }),
            Ok(Reply::Gone) => Err(self.running.gone(&format!("QMP {command}"))),
            Err(error) => Err(self.broken(&format!("QMP {command}"), &error)),
        }
    }

    /// Runs a command of QEMU's monitor for people: what it printed.
    ///
    /// # Errors
    /// As [`Vm::qmp`].
    pub fn hmp(&mut self, line: &str) -> Result<String, LabError> {
        let text = self.qmp("human-monitor-command", json!({"command-line": line}))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits for an event of QEMU's; those before it are kept for later.
    ///
    /// # Errors
    /// [`LabError::Awaited`] where it does not come; and as [`Vm`] says.
    pub fn event(&mut self, name: &str, limit: Duration) -> Result<Value, LabError> {
        self.event_with(name, limit, |_| true)
    }

    /// Waits for an event with such data: `DEVICE_DELETED` also comes for what is part of the device that is meant.
    ///
    /// # Errors
    /// As [`Vm::event`].
    pub fn event_with(
        &mut self,
        name: &str,
        limit: Duration,
        is_it: impl Fn(&Value) -> bool,
    ) -> Result<Value, LabError> {
        let until = self.until.min(Instant::now() + limit);
        match self.qmp.event(name, until, is_it) {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err(self.running.gone(&format!("event {name}"))),
            Err(error) if error.kind() == ErrorKind::TimedOut && Instant::now() < self.until => {
                Err(LabError::Awaited {
                    awaited: format!("event {name}"),
                    limit,
                })
            }
            Err(error) => Err(self.broken(&format!("event {name}"), &error)),
        }
    }

    /// Asks `condition` until it has a value. `awaited` is what the error says did not come.
    ///
    /// # Errors
    /// [`LabError::Awaited`] at the limit; and what `condition` fails with.
    pub fn wait_for<T>(
        &mut self,
        awaited: &str,
        limit: Duration,
        mut condition: impl FnMut(&mut Self) -> Result<Option<T>, LabError>,
    ) -> Result<T, LabError> {
        let until = Instant::now() + limit;
        loop {
            if let Some(value) = condition(self)? {
                return Ok(value);
            }
            if Instant::now() >= until {
                return Err(LabError::Awaited {
                    awaited: awaited.to_owned(),
                    limit,
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends any request: its value.
    ///
    /// # Errors
    /// [`LabError::Guest`] where the guest refuses it; and as [`Vm`] says.
    pub fn ask(&mut self, request: &Request) -> Result<Value, LabError> {
        self.send(request)?;
        match self.answer(&request.to_string())? {
            Answer::Done(value) => Ok(value),
            Answer::Refused(reason) => Err(LabError::Guest {
                request: request.to_string(),
                reason,
            }),
            Answer::Ready(ready) => Err(self
                .running
                .garbage(&request.to_string(), &format!("{ready:?}"))),
        }
    }

    fn ask_for<T: serde::de::DeserializeOwned>(
        &mut self,
        request: &Request,
    ) -> Result<T, LabError> {
        let value = self.ask(request)?;
        let text = value.to_string();
        serde_json::from_value(value).map_err(|_| self.running.garbage(&request.to_string(), &text))
    }

    fn send(&mut self, request: &Request) -> Result<(), LabError> {
        let sent = serde_json::to_string(request)
            .map_err(io::Error::from)
            .and_then(|line| {
                self.running.note(&line);
                self.port.send(&line, self.until)
            });
        sent.map_err(|error| self.broken(&request.to_string(), &error))
    }

    fn answer(&mut self, request: &str) -> Result<Answer, LabError> {
        match self.port.next(self.until) {
            Ok(Some(line)) => {
                self.running.note(&line);
                serde_json::from_str(&line).map_err(|_| self.running.garbage(request, &line))
            }
            Ok(None) => Err(self.running.gone(request)),
            Err(error) => Err(self.broken(request, &error)),
        }
    }

    fn broken(&mut self, request: &str, error: &io::Error) -> LabError {
        let rest = self.port.rest();
        if rest.is_empty() {
            self.running.broken(request, error, self.limit)
        } else {
            self.running.garbage(request, &rest)
        }
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
