//! `gnomon-nvml`: asks NVIDIA's management library, and writes what it answers as lines of JSON.
//!
//! A program of its own, since the library may hang or crash with the driver, and since a static program cannot
//! load it. Before each call a line says what is called, so that whoever reads knows where it stopped. It takes
//! no arguments and ends with status 0, also where there is no library: that is a line as well.

mod device;
mod lines;
mod sys;

use std::process::ExitCode;

use libhw::device::gpu::nvml::{NvmlError, NvmlLibrary, NvmlLine, NvmlRefusal};
use nix::sys::prctl;
use nix::sys::signal::Signal;

use device::Asked;
use lines::Lines;
use sys::{Handle, Library, Missing};

/// More devices than any machine has.
const DEVICES_MAX: u32 = 128;

fn main() -> ExitCode {
    // Who asked is gone: nobody hears the answer.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    let mut lines = Lines::default();
    run(&mut lines);
    lines.write(&NvmlLine::Done);
    // The library is not shut down: that may hang as well, and ending the process does the same.
    ExitCode::SUCCESS
}

fn run(lines: &mut Lines) {
    lines.calls("dlopen", "");
    let library = match Library::open() {
        Ok(library) => library,
        Err(Missing::Absent) => return lines.write(&NvmlLine::NoLibrary),
        Err(Missing::Broken(why)) => return lines.write(&NvmlLine::BadLibrary(why)),
    };
    let mut asked = Asked::new(&library, lines, String::new());
    let listed = asked
        .must("nvmlInit_v2", |library| library.plain(c"nvmlInit_v2"))
        .and_then(|()| devices(&mut asked));
    let (about, handles) = match listed {
        Ok(handles) => (about(&mut asked), handles),
        Err(refusal) => return lines.write(&NvmlLine::Refuses(refusal)),
    };
    lines.write(&NvmlLine::Library(about));
    let found: Vec<(Handle, String)> = handles
        .into_iter()
        .filter_map(|handle| Some((handle, device::function(&library, lines, handle)?)))
        .collect();
    for (handle, function) in &found {
        let device = device::ask(&library, lines, *handle, function, &found);
        lines.write(&NvmlLine::Device(Box::new(device)));
    }
}

fn devices(asked: &mut Asked<'_>) -> Result<Vec<Handle>, NvmlRefusal> {
    let mut count = 0;
    asked.must("nvmlDeviceGetCount_v2", |library| {
        library.count(c"nvmlDeviceGetCount_v2", &mut count)
    })?;
    let mut handles = Vec::new();
    for index in 0..count.min(DEVICES_MAX) {
        let mut handle = Handle::default();
        let name = "nvmlDeviceGetHandleByIndex_v2";
        let found = asked.must(name, |library| {
            library.by_index(c"nvmlDeviceGetHandleByIndex_v2", index, &mut handle)
        });
        match found {
            Ok(()) => handles.push(handle),
            // One that is lost, or another user's, hides none of the others.
            Err(refusal) => asked.keep(refusal),
        }
    }
    Ok(handles)
}

fn about(asked: &mut Asked<'_>) -> NvmlLibrary {
    let driver_version = asked.text("nvmlSystemGetDriverVersion", |library, buffer| {
        library.system_text(c"nvmlSystemGetDriverVersion", buffer)
    });
    let nvml_version = asked.text("nvmlSystemGetNVMLVersion", |library, buffer| {
        library.system_text(c"nvmlSystemGetNVMLVersion", buffer)
    });
    let mut cuda = 0;
    let cuda = asked
        .first(
            &[
                (
                    "nvmlSystemGetCudaDriverVersion_v2",
                    c"nvmlSystemGetCudaDriverVersion_v2",
                ),
                (
                    "nvmlSystemGetCudaDriverVersion",
                    c"nvmlSystemGetCudaDriverVersion",
                ),
            ],
            |library, name| library.count(name, &mut cuda),
        )
        .map(|()| cuda);
    NvmlLibrary {
        driver_version,
        nvml_version,
        // 12040 is 12.4.
        cuda_version: cuda.map(|cuda| format!("{}.{}", cuda / 1000, cuda % 1000 / 10)),
        unavailable: asked.refused(),
    }
}

/// A refusal of `name`.
fn refusal(name: &str, error: NvmlError) -> NvmlRefusal {
    NvmlRefusal {
        id: name.to_owned(),
        error,
    }
}
