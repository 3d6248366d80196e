//! A library made for the test (../stub.c), and the program that asks it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use libhw::device::gpu::nvml::{NvmlDevice, NvmlError, NvmlLibrary, NvmlLine, NvmlRefusal};
use tempfile::TempDir;

/// Says that a test did not run, and why: on standard error, and in the list that `ci/test` shows at its end.
pub(crate) fn skip(why: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {why}\n", thread.name().unwrap_or("a test"));
    let _ = write!(std::io::stderr(), "SKIPPED: {line}");
    if let Some(list) = std::env::var_os("GNOMON_SKIPPED") {
        let list = std::fs::File::options()
            .append(true)
            .create(true)
            .open(list);
        list.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// A directory with a libnvidia-ml.so.1 in it that obeys `STUB`; `None`, and told, without a C compiler.
pub(crate) fn library(flags: &[&str]) -> Option<TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stub.c");
    let built = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"])
        .args(flags)
        .arg("-o")
        .arg(directory.path().join("libnvidia-ml.so.1"))
        .arg(source)
        .status();
    match built {
        Ok(status) => assert!(status.success()),
        Err(error) => {
            skip(&format!("cc: {error}"));
            return None;
        }
    }
    Some(directory)
}

pub(crate) fn program(library: &Path, stub: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gnomon-nvml"));
    command.env("LD_LIBRARY_PATH", library);
    if !stub.is_empty() {
        command.env("STUB", stub);
    }
    command
}

/// Its lines; what is none is a failure.
pub(crate) fn lines(output: &Output) -> Vec<NvmlLine> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The library and the devices of a run that came to its end.
pub(crate) fn whole(library: &Path, stub: &str) -> (NvmlLibrary, Vec<NvmlDevice>) {
    let output = program(library, stub).output().unwrap();
    assert!(output.status.success(), "{stub}: {:?}", output.status);
    let lines = lines(&output);
    assert_eq!(lines.last(), Some(&NvmlLine::Done), "{stub}");
    let mut about = NvmlLibrary::default();
    let mut devices = Vec::new();
    for line in lines {
        match line {
            NvmlLine::Library(library) => about = library,
            NvmlLine::Device(device) => devices.push(*device),
            NvmlLine::Calls(_) | NvmlLine::Done => {}
            other => panic!("{stub}: {other:?}"),
        }
    }
    (about, devices)
}

pub(crate) fn why(refused: &[NvmlRefusal], id: &str) -> Option<NvmlError> {
    let refusal = refused.iter().find(|refusal| refusal.id == id);
    refusal.map(|refusal| refusal.error)
}
