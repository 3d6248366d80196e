//! Listens to the agent's file of changes: what it recorded, and when that could be read, by the clock of the kernel's trace.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::words;

/// Records in the order of the file, each with the time at which it was there.
static RECORDS: Mutex<Vec<(u64, Value)>> = Mutex::new(Vec::new());
static MORE: Condvar = Condvar::new();

/// Listens to `file` from now on, in a thread that ends with the guest.
pub(crate) fn listen(arguments: &Value) -> Result<Value, String> {
    let path = arguments["file"].as_str().ok_or("no file is named")?;
    let inotify = Inotify::init(InitFlags::empty()).map_err(|error| error.to_string())?;
    inotify
        .add_watch(path, AddWatchFlags::IN_MODIFY)
        .map_err(|error| format!("{path}: {error}"))?;
    let mut lines = BufReader::new(File::open(path).map_err(|error| words(&error))?);
    take(&mut lines);
    thread::spawn(move || {
        while inotify.read_events().is_ok() {
            take(&mut lines);
        }
    });
    Ok(Value::Null)
}

/// Waits for the first record after the time `after_ns` that has all of `wanted`.
pub(crate) fn recorded(arguments: &Value) -> Result<Value, String> {
    let wanted = &arguments["wanted"];
    let after_ns = arguments["after_ns"].as_u64().unwrap_or_default();
    let limit = Duration::from_millis(arguments["limit_ms"].as_u64().unwrap_or_default());
    let until = Instant::now() + limit;
    let is_wanted = |(at_ns, record): &&(u64, Value)| *at_ns >= after_ns && has(record, wanted);
    let mut records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some((at_ns, record)) = records.iter().find(is_wanted) {
            return Ok(json!({"at_ns": at_ns, "record": record}));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let told = records.iter().filter(|(at_ns, _)| *at_ns >= after_ns);
            let told: Vec<String> = told.map(|(_, record)| summary(record)).collect();
            return Err(format!("no such change, but: {}", told.join(", ")));
        }
        let waited = MORE.wait_timeout(records, left);
        records = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// The time, as records and the kernel's trace tell it.
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    let now = now.unwrap_or_default().as_nanos();
    u64::try_from(now).unwrap_or(u64::MAX)
}

/// The agent writes whole lines.
fn take(lines: &mut BufReader<File>) {
    let at_ns = now_ns();
    let mut records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        records.extend(serde_json::from_str(&line).map(|record| (at_ns, record)));
        line.clear();
    }
    drop(records);
    MORE.notify_all();
}

/// Whether a value has all of another: an object its fields, an array an item for each of its items.
fn has(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| found.get(name).is_some_and(|found| has(found, wanted))),
        (Value::Array(found), Value::Array(wanted)) => wanted
            .iter()
            .all(|wanted| found.iter().any(|found| has(found, wanted))),
        _ => found == wanted,
    }
}

fn summary(record: &Value) -> String {
    let word = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
    format!(
        "{} {} {} {}",
        word("class"),
        word("table"),
        word("id"),
        word("change")
    )
}
