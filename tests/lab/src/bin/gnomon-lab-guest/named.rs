//! The functions that a test calls in the guest by name.

use std::thread;

use libhw::inventory::{Scope, discover};
use libhw::io::root::Root;
use serde_json::Value;

use crate::{changes, files, port, value};

/// A function: what it takes, and what it answers.
type Function = fn(&Value) -> Result<Value, String>;

/// Each with its name.
pub(crate) const TESTS: &[(&str, Function)] = &[
    ("echo", |arguments| Ok(arguments.clone())),
    ("inventory", |_| inventory()),
    ("listen", changes::listen),
    ("recorded", changes::recorded),
    ("write_at", files::write_at),
    ("now_ns", |_| value(changes::now_ns())),
    ("panic", |arguments| panic!("as asked: {arguments}")),
    ("garbage", |arguments| garbage(arguments)),
    ("hang", |_| hang()),
    ("die", |_| std::process::exit(3)),
];

/// The whole inventory, in process.
fn inventory() -> Result<Value, String> {
    let root = Root::live().map_err(|error| error.to_string())?;
    value(discover(&root, &Scope::default()))
}

/// Writes a text that is no answer.
fn garbage(arguments: &Value) -> Result<Value, String> {
    port::send_bytes(arguments.as_str().unwrap_or_default().as_bytes());
    hang()
}

/// Never answers.
fn hang() -> Result<Value, String> {
    loop {
        thread::park();
    }
}
