//! Files of the guest.

use std::fs::{self, File};
use std::io::Write;

use gnomon_lab::protocol::to_hex;
use serde_json::Value;

use crate::{value, words};

pub(crate) fn read(path: &str) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| words(&error))?;
    value(String::from_utf8_lossy(&bytes))
}

pub(crate) fn fetch(path: &str) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| words(&error))?;
    value(to_hex(&bytes))
}

/// One call, since an attribute takes each as a whole; what is left is written after it.
pub(crate) fn write(path: &str, text: &str) -> Result<Value, String> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| words(&error)).map(|()| Value::Null)
}

pub(crate) fn list(path: &str) -> Result<Value, String> {
    let entries = fs::read_dir(path).map_err(|error| words(&error))?.flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    value(names)
}
