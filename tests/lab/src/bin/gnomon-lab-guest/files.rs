//! Files of the guest.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;

use gnomon_lab::protocol::{from_hex, to_hex};
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

/// Writes bytes to a place in a file or in a device: `path`, `offset`, and `bytes` as hexadecimal digits.
pub(crate) fn write_at(arguments: &Value) -> Result<Value, String> {
    let (path, bytes) = (arguments["path"].as_str(), arguments["bytes"].as_str());
    let bytes = bytes.and_then(from_hex).ok_or("bytes: no digits")?;
    let offset = arguments["offset"].as_u64().ok_or("offset: no number")?;
    let file = File::options()
        .write(true)
        .open(path.ok_or("path: no text")?);
    let written = file.and_then(|file| file.write_all_at(&bytes, offset));
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
