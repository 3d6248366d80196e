//! Whatever the library does wrong is told, and hides nothing else.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use libhw::device::gpu::ThrottleReason;
use libhw::device::gpu::nvml::{
    NvLinkEnd, NvmlArchitecture, NvmlError, NvmlLine, NvmlRefusal, NvmlState,
};

use super::stub::{library, lines, program, whole, why};

#[test]
fn each_error_is_told_apart_and_hides_nothing_else() {
    let Some(library) = library(&[]) else { return };
    for number in (1..=30).chain([999, 31, -1, 12345]) {
        let error = NvmlError::of(number).unwrap();
        let (_, devices) = whole(
            library.path(),
            &format!("fail:nvmlDeviceGetPowerUsage:{number}"),
        );
        let nvml = &devices[0].nvml;
        assert_eq!(nvml.now.power_milliwatts, None, "{number}");
        assert_eq!(
            why(&nvml.unavailable, "nvmlDeviceGetPowerUsage"),
            Some(error),
            "{number}"
        );
        assert_eq!(devices[1].nvml.now.power_milliwatts, None, "{number}");
        let lost = error == NvmlError::GpuIsLost;
        assert_eq!(nvml.state == NvmlState::Lost, lost, "{number}");
        // What was asked before is there; of a lost device nothing is asked any more.
        assert!(nvml.ecc.is_some(), "{number}");
        assert_eq!(nvml.now.link.is_none(), lost, "{number}");
    }
}

#[test]
fn a_device_that_answers_nothing_is_still_a_device() {
    let Some(library) = library(&[]) else { return };
    for (number, state) in [
        (15, NvmlState::Lost),
        (16, NvmlState::ResetRequired),
        (4, NvmlState::Answers),
    ] {
        let stub = format!("all:{number}");
        let output = program(library.path(), &stub).output().unwrap();
        let lines = lines(&output);
        assert!(
            output.status.success() && lines.last() == Some(&NvmlLine::Done),
            "{stub}"
        );
        // Not even where it is: so it has no row, and a line says why.
        let refused = |line: &&NvmlLine| {
            matches!(line, NvmlLine::Refuses(refusal)
            if Some(refusal.error) == NvmlError::of(number))
        };
        assert_eq!(lines.iter().filter(refused).count(), 2, "{stub}");
        let (_, devices) = whole(library.path(), &format!("fail:nvmlDeviceGetName:{number}"));
        assert_eq!(devices[0].nvml.state, state, "{stub}");
    }
}

#[test]
fn a_library_without_a_driver_or_of_another_version_says_so() {
    let Some(library) = library(&[]) else { return };
    for (number, error) in [
        (9, NvmlError::DriverNotLoaded),
        (18, NvmlError::LibRmVersionMismatch),
    ] {
        let output = program(library.path(), &format!("fail:nvmlInit_v2:{number}"))
            .output()
            .unwrap();
        let id = "nvmlInit_v2".to_owned();
        let refused = NvmlLine::Refuses(NvmlRefusal { id, error });
        assert!(lines(&output).contains(&refused), "{number}");
    }
    let none = tempfile::tempdir().unwrap();
    if let Ok(output) = program(none.path(), "").output()
        && !Path::new("/proc/driver/nvidia").exists()
    {
        assert!(lines(&output).contains(&NvmlLine::NoLibrary));
    }
    std::fs::write(none.path().join("libnvidia-ml.so.1"), "no library").unwrap();
    let output = program(none.path(), "").output().unwrap();
    let broken = |line: &NvmlLine| matches!(line, NvmlLine::BadLibrary(_));
    assert!(lines(&output).iter().any(broken), "{output:?}");
}

#[test]
fn hostile_sizes_and_texts_do_no_harm() {
    let Some(library) = library(&[]) else { return };
    let output = program(library.path(), "hostile").output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    assert!(output.stdout.len() < 4 << 20, "{}", output.stdout.len());
    let lines = lines(&output);
    let devices: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            NvmlLine::Device(device) => Some(device),
            _ => None,
        })
        .collect();
    // Those whose address is none are left out, and the count has its bound.
    assert_eq!(devices.len(), 64);
    let device = devices[0];
    let refused = |id| why(&device.nvml.unavailable, id);
    assert_eq!((&device.name, &device.uuid), (&None, &None));
    assert_eq!(refused("nvmlDeviceGetName"), Some(NvmlError::Malformed));
    assert_eq!(
        refused("nvmlDeviceGetMemoryInfo"),
        Some(NvmlError::Malformed)
    );
    assert_eq!(
        refused("nvmlDeviceGetFieldValues"),
        Some(NvmlError::Malformed)
    );
    assert_eq!(device.nvml.nvlinks.len(), 36);
    assert_eq!(device.nvml.nvlinks[0].remote, Some(NvLinkEnd::Other(77)));
    assert_eq!(
        device.nvml.architecture,
        Some(NvmlArchitecture::Other(u32::MAX))
    );
    assert_eq!(device.nvml.now.performance_state, None);
    assert_eq!(device.nvml.now.fans.len(), 16);
    let throttle = device.nvml.now.throttle.as_ref().unwrap();
    assert_eq!(throttle.len(), 64);
    assert_eq!(throttle[63], ThrottleReason::Other("bit63".into()));
}

#[test]
fn a_call_that_crashes_or_hangs_was_named_before() {
    let Some(library) = library(&[]) else { return };
    let name = "nvmlDeviceGetEccMode";
    let last = |output: &Output| match lines(output).pop() {
        Some(NvmlLine::Calls(what)) => what,
        other => panic!("{other:?}"),
    };
    let crashed = program(library.path(), &format!("crash:{name}"))
        .output()
        .unwrap();
    assert!(!crashed.status.success());
    assert_eq!(last(&crashed), format!("{name} of 0000:81:00.0"));
    let mut hanging = program(library.path(), &format!("hang:{name}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(hanging.stdout.take().unwrap()).lines();
    let called = format!("{{\"calls\":\"{name} of 0000:81:00.0\"}}");
    assert!(said.map(Result::unwrap).any(|line| line == called));
    assert!(hanging.try_wait().unwrap().is_none());
    hanging.kill().unwrap();
    hanging.wait().unwrap();
}
