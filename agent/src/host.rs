//! This host as a tree to look at: what may never be answered is asked by a process of its own.

use std::path::{Path, PathBuf};

use libhw::error::Error;
use libhw::io::aside;
use libhw::io::root::Root;

/// The process that asks: this very program, even when its file was replaced meanwhile.
const ANSWERS: [&str; 2] = ["/proc/self/exe", "answer"];

/// The program that asks NVIDIA's library, beside our own.
const NVML: &str = "gnomon-nvml";

/// This host; `nvml` is where the program stands that asks NVIDIA's library, if somebody said.
pub(crate) fn root(nvml: Option<&Path>) -> Result<Root, Error> {
    // What was left open by whoever started us is nothing for the processes that we start.
    aside::keep_descriptors();
    let root = Root::live()?.asking_aside(ANSWERS);
    let nvml = nvml.map(Path::to_owned).or_else(beside);
    Ok(match nvml {
        Some(program) => root.asking_nvml(program),
        None => root,
    })
}

fn beside() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.with_file_name(NVML))
}
