//! What the host and the guest program say to each other: one JSON value on a line, over virtio-serial.
//!
//! ```text
//! guest  {"ready":{"kernel":"6.12.1","acpi_tables":9,"refused":[]}}       once, unasked
//! host   {"request":"read","path":"/proc/uptime"}
//! guest  {"done":"2.05 1.20\n"}      or      {"refused":"No such file or directory"}
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of the virtio-serial port.
pub const PORT: &str = "gnomon.lab";

/// The I/O port of QEMU's isa-debug-exit: a byte `v` written there ends QEMU with `v << 1 | 1`.
pub const EXIT_PORT: u16 = 0x501;

/// Added to an exit code, so that it is told from QEMU's own.
pub const EXIT_MARK: u8 = 0x40;

/// Where the guest program finds its [`Start`].
pub const START: &str = "/lab/start.json";

/// What the guest is asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Runs a program to its end, or kills it and what it started at the limit: an [`Output`].
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
        /// Added to its environment.
        #[serde(default)]
        env: BTreeMap<String, String>,
        /// What it reads.
        #[serde(default)]
        stdin: String,
        /// How long it may run.
        limit_ms: u64,
    },
    /// Starts a program that goes on: its process id. It writes to `/run/lab/ID.out` and `/run/lab/ID.err`.
    Spawn {
        /// The program and its arguments.
        argv: Vec<String>,
    },
    /// Waits for a spawned program to end: its status, as in [`Output`], or null at the limit.
    Wait {
        /// Its process id.
        id: u32,
        /// How long.
        limit_ms: u64,
    },
    /// Sends a signal to a spawned program.
    Kill {
        /// Its process id.
        id: u32,
        /// The signal's number.
        signal: i32,
    },
    /// A file's text.
    Read {
        /// Where.
        path: String,
    },
    /// A file's bytes, as hexadecimal digits.
    Fetch {
        /// Where.
        path: String,
    },
    /// Writes a text in one call, as sysfs wants it; the file is made where it is not there.
    Write {
        /// Where.
        path: String,
        /// What.
        text: String,
    },
    /// A directory's names, sorted.
    List {
        /// Where.
        path: String,
    },
    /// Loads a module and what it needs.
    Load {
        /// Its name.
        module: String,
        /// `key=value` words.
        #[serde(default)]
        parameters: String,
    },
    /// Calls a function that was compiled into the guest program: any value.
    Test {
        /// Its name in the guest's table.
        name: String,
        /// What it takes.
        #[serde(default)]
        arguments: Value,
    },
    /// Ends QEMU with this code.
    Exit {
        /// 0 to 63.
        code: u8,
    },
}

/// As messages name it: the request and its first words.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { argv, .. } => write!(f, "run {}", argv.join(" ")),
            Self::Spawn { argv } => write!(f, "spawn {}", argv.join(" ")),
            Self::Wait { id, .. } => write!(f, "wait {id}"),
            Self::Kill { id, signal } => write!(f, "kill -{signal} {id}"),
            Self::Read { path } => write!(f, "read {path}"),
            Self::Fetch { path } => write!(f, "fetch {path}"),
            Self::Write { path, text } => write!(f, "write {:?} to {path}", text.trim_end()),
            Self::List { path } => write!(f, "list {path}"),
            Self::Load { module, parameters } => write!(f, "load {module} {parameters}"),
            Self::Test { name, .. } => write!(f, "test {name}"),
            Self::Exit { code } => write!(f, "exit {code}"),
        }
    }
}

/// What the guest answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It takes requests now.
    Ready(Ready),
    /// The request's value; null where it has none.
    Done(Value),
    /// Why not.
    Refused(String),
}

/// The state in which the guest takes requests.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Ready {
    /// The kernel's release.
    pub kernel: String,
    /// How many ACPI tables the kernel took from the firmware.
    pub acpi_tables: usize,
    /// Modules and settings that the kernel refused, each with its reason.
    pub refused: Vec<String>,
}

/// How a program ended, and what it wrote.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Output {
    /// Its exit status, or 128 and the number of the signal that ended it.
    pub status: i32,
    /// Standard output; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// It was killed at its limit.
    pub timed_out: bool,
}

/// What the guest program finds in its initramfs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Start {
    /// Modules to load before anything is answered, in order.
    pub load: Vec<String>,
    /// Every module that is there, by name: the modules that it needs, in the order in which they are loaded.
    pub modules: BTreeMap<String, Vec<String>>,
    /// Files, each with the text that is written to it once the modules are loaded, in this order.
    pub settings: Vec<(String, String)>,
}

/// Where a module's file is in the guest.
#[must_use]
pub fn module_path(name: &str) -> String {
    format!("/lab/modules/{name}.ko")
}

/// The one spelling of a module's name: the kernel's, with underscores.
#[must_use]
pub fn module_name(name: &str) -> String {
    name.replace('-', "_")
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let pairs = bytes
        .iter()
        .map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    pairs.flatten().collect()
}

/// Bytes of hexadecimal digits; `None` where it is none.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_one_line_and_comes_back() {
        let request = Request::Run {
            argv: vec!["lscpu".to_owned(), "-J\n".to_owned()],
            env: BTreeMap::new(),
            stdin: String::new(),
            limit_ms: 5,
        };
        let line = serde_json::to_string(&request).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
        let short = json!({"request": "load", "module": "igb"});
        let load: Request = serde_json::from_value(short).unwrap();
        assert_eq!(load.to_string(), "load igb ");
    }

    #[test]
    fn hexadecimal_comes_back_and_nothing_else_is_taken() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&all)).unwrap(), all);
        assert_eq!(from_hex("0"), None);
        assert_eq!(from_hex("0g"), None);
        assert_eq!(from_hex("+1"), None);
    }
}
