//! Does the program survive whatever libnvidia-ml does, and say what it says? Against a library made for the test
//! (stub.c), and where there is a GPU against nvidia-smi.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use libhw::device::gpu::ThrottleReason;
use libhw::device::gpu::nvml::{
    NvLinkEnd, NvmlArchitecture, NvmlComputeMode, NvmlDevice, NvmlError, NvmlLibrary, NvmlLine,
    NvmlPath, NvmlRefusal, NvmlState,
};
use libhw::units::{Bytes, Hertz};
use tempfile::TempDir;

/// Says that a test did not run, and why: on standard error, and in the list that `ci/test` shows at its end.
fn skip(why: &str) {
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
fn library(flags: &[&str]) -> Option<TempDir> {
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

fn program(library: &Path, stub: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gnomon-nvml"));
    command.env("LD_LIBRARY_PATH", library);
    if !stub.is_empty() {
        command.env("STUB", stub);
    }
    command
}

/// Its lines; what is none is a failure.
fn lines(output: &Output) -> Vec<NvmlLine> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The library and the devices of a run that came to its end.
fn whole(library: &Path, stub: &str) -> (NvmlLibrary, Vec<NvmlDevice>) {
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

fn why(refused: &[NvmlRefusal], id: &str) -> Option<NvmlError> {
    let refusal = refused.iter().find(|refusal| refusal.id == id);
    refusal.map(|refusal| refusal.error)
}

#[test]
fn every_value_of_the_library_arrives() {
    let Some(library) = library(&[]) else { return };
    let (about, devices) = whole(library.path(), "");
    assert_eq!(about.driver_version.as_deref(), Some("550.54.15"));
    assert_eq!(about.nvml_version.as_deref(), Some("12.550.54.15"));
    assert_eq!(about.cuda_version.as_deref(), Some("12.4"));
    assert_eq!(about.unavailable, []);
    let [first, second] = &devices[..] else {
        panic!("{devices:?}");
    };
    assert_eq!(
        (&*first.function, &*second.function),
        ("0000:81:00.0", "0000:c1:00.0")
    );
    assert_eq!(first.name.as_deref(), Some("NVIDIA H100 80GB HBM3"));
    assert_eq!(first.serial.as_deref(), Some("1650123456781"));
    assert_eq!(first.vbios.as_deref(), Some("96.00.74.00.01"));
    assert_eq!(
        first.uuid.as_deref(),
        Some("GPU-11111111-2222-3333-4444-555555555581")
    );
    let nvml = &first.nvml;
    assert_eq!(nvml.state, NvmlState::Answers);
    assert_eq!(nvml.architecture, Some(NvmlArchitecture::Hopper));
    assert_eq!(nvml.compute_capability.as_deref(), Some("9.0"));
    assert_eq!(nvml.compute_mode, Some(NvmlComputeMode::ExclusiveProcess));
    assert_eq!(nvml.memory_bytes, Some(Bytes(80 << 30)));
    assert_eq!(nvml.memory_reserved_bytes, Some(Bytes(1 << 30)));
    assert_eq!(nvml.bar1_bytes, Some(Bytes(128 << 30)));
    assert_eq!(
        (nvml.inforom_ecc.as_deref(), &nvml.inforom_power),
        (Some("7.16"), &None)
    );
    assert_eq!(nvml.power.enforced_milliwatts, Some(650_000));
    assert_eq!(
        (nvml.power.min_milliwatts, nvml.power.max_milliwatts),
        (Some(200_000), Some(700_000))
    );
    let limits = nvml.temperature;
    assert_eq!(
        (limits.shutdown_celsius, limits.slowdown_celsius),
        (Some(95), Some(90))
    );
    assert_eq!(
        (limits.memory_max_celsius, limits.max_celsius),
        (Some(105), Some(87))
    );
    assert_eq!(nvml.clocks_max.memory_hz, Some(Hertz(1_982_000_000)));
    assert_eq!(
        nvml.link_max.map(|link| (link.generation, link.width)),
        Some((5, 16))
    );
    assert!(nvml.ecc.unwrap().current && !nvml.mig.unwrap().current);
    assert_eq!((nvml.nvlinks.len(), &nvml.instances[..]), (2, &[][..]));
    assert_eq!(nvml.nvlinks[0].remote, Some(NvLinkEnd::Gpu));
    assert_eq!(nvml.nvlinks[0].now.crc_data_errors, Some(3));
    assert!(nvml.nvlinks[0].now.active && !nvml.nvlinks[1].now.active);
    let peer = &nvml.peers[0];
    assert_eq!(
        (&*peer.id, peer.path, peer.nvlinks),
        ("0000:c1:00.0", NvmlPath::System, 1)
    );
}

#[test]
fn what_changes_and_what_a_device_is_cut_into_arrives() {
    let Some(library) = library(&[]) else { return };
    let (_, devices) = whole(library.path(), "");
    let now = &devices[0].nvml.now;
    let throttle = [
        ThrottleReason::SwPowerCap,
        ThrottleReason::HwThermalSlowdown,
    ];
    assert_eq!(now.throttle.as_deref(), Some(&throttle[..]));
    assert_eq!(
        (now.temperature_celsius, now.memory_temperature_celsius),
        (Some(41), Some(52))
    );
    assert_eq!(
        (now.power_milliwatts, now.energy_millijoules),
        (Some(123_456), Some(9_876_543_210))
    );
    assert_eq!(
        (now.compute_percent, now.decoder_percent),
        (Some(37), Some(4))
    );
    assert_eq!(
        (now.fans[0].speed_percent, now.fans[0].speed_rpm),
        (Some(30), Some(1200))
    );
    assert_eq!(
        now.link.map(|link| (link.generation, link.width)),
        Some((4, 8))
    );
    assert_eq!(
        (now.link_replays, now.performance_state),
        (Some(7), Some(2))
    );
    let memory = &now.memory;
    assert_eq!(memory.used_bytes, Some(Bytes(20 << 30)));
    let places: Vec<&str> = memory.ecc.iter().map(|count| &*count.id).collect();
    assert_eq!(places, ["dram", "sram", "total"]);
    assert_eq!(memory.ecc[0].uncorrected_aggregate, Some(211));
    assert_eq!(memory.ecc[1].corrected_volatile, Some(700));
    let pages = memory.retired_pages.unwrap();
    assert_eq!(
        (pages.corrected, pages.uncorrected, pages.pending),
        (Some(1), Some(2), Some(true))
    );
    let rows = memory.remapped_rows.unwrap();
    assert!((rows.corrected, rows.uncorrected, rows.pending, rows.failed) == (3, 2, true, false));
    assert_eq!(
        (rows.banks_exhausted, rows.banks_untouched),
        (Some(1), Some(639))
    );
    let instances = &devices[1].nvml.instances;
    assert_eq!(instances.len(), 2);
    assert_eq!(instances[1].id, "MIG-11111111-2222-5333-8444-000000000002");
    assert_eq!(instances[1].profile.as_deref(), Some("1g.10gb"));
    assert_eq!(
        (instances[1].gpu_instance, instances[1].compute_instance),
        (Some(8), Some(0))
    );
    assert_eq!(instances[1].memory_bytes, Some(Bytes(10 << 30)));
    assert_eq!(
        (instances[1].slices, instances[1].multiprocessors),
        (Some(1), Some(16))
    );
}

#[test]
fn an_old_library_tells_what_it_knows() {
    let Some(library) = library(&["-DOLD"]) else {
        return;
    };
    let (about, devices) = whole(library.path(), "");
    assert_eq!(about.cuda_version.as_deref(), Some("12.4"));
    let nvml = &devices[0].nvml;
    // By the functions that were there before.
    assert_eq!(devices[0].function, "0000:81:00.0");
    assert_eq!(nvml.memory_bytes, Some(Bytes(80 << 30)));
    assert_eq!(
        (nvml.memory_reserved_bytes, nvml.now.memory.used_bytes),
        (None, Some(Bytes(20 << 30)))
    );
    assert_eq!(nvml.now.throttle.as_ref().map(Vec::len), Some(2));
    for missing in [
        "nvmlDeviceGetRemappedRows",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetArchitecture",
        "nvmlDeviceGetFieldValues",
    ] {
        assert_eq!(
            why(&nvml.unavailable, missing),
            Some(NvmlError::NoFunction),
            "{missing}"
        );
    }
    assert_eq!(nvml.state, NvmlState::Answers);
}

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

#[test]
fn it_agrees_with_nvidia_smi() {
    let fields = "pci.bus_id,name,uuid,memory.total,ecc.mode.current,pcie.link.gen.max,pcie.link.width.max,driver_version,temperature.gpu";
    let smi = Command::new("nvidia-smi")
        .arg(format!("--query-gpu={fields}"))
        .arg("--format=csv,noheader,nounits")
        .output();
    let smi = match smi {
        Ok(smi) if smi.status.success() => smi,
        Ok(smi) => return skip(&format!("nvidia-smi: {}", smi.status)),
        Err(error) => return skip(&format!("nvidia-smi: {error}")),
    };
    let output = Command::new(env!("CARGO_BIN_EXE_gnomon-nvml"))
        .output()
        .unwrap();
    let lines = lines(&output);
    let driver = lines.iter().find_map(|line| match line {
        NvmlLine::Library(library) => library.driver_version.clone(),
        _ => None,
    });
    for row in String::from_utf8(smi.stdout).unwrap().lines() {
        let fields: Vec<&str> = row.split(',').map(str::trim).collect();
        let [
            bus,
            name,
            uuid,
            memory,
            ecc,
            generation,
            width,
            version,
            temperature,
        ] = fields[..]
        else {
            panic!("{row}");
        };
        // 00000000:81:00.0 of nvidia-smi has a longer domain.
        let function = bus.to_lowercase()[4..].to_owned();
        let device = lines.iter().find_map(|line| match line {
            NvmlLine::Device(device) if device.function == function => Some(device),
            _ => None,
        });
        let device = device.unwrap_or_else(|| panic!("no {function}"));
        assert_eq!(
            (device.name.as_deref(), device.uuid.as_deref()),
            (Some(name), Some(uuid))
        );
        let mib = device
            .nvml
            .memory_bytes
            .map(|bytes| (bytes.0 >> 20).to_string());
        assert_eq!(mib.as_deref(), Some(memory));
        let mode = device
            .nvml
            .ecc
            .map(|ecc| if ecc.current { "Enabled" } else { "Disabled" });
        assert_eq!(mode.unwrap_or("[N/A]"), ecc);
        let link = device.nvml.link_max.unwrap();
        assert_eq!(
            (link.generation.to_string(), link.width.to_string()),
            (generation.into(), width.into())
        );
        assert_eq!(driver.as_deref(), Some(version));
        // It is not asked at the same moment.
        let ours = device.nvml.now.temperature_celsius.unwrap();
        assert!(
            ours.abs_diff(temperature.parse().unwrap()) <= 5,
            "{ours} {temperature}"
        );
    }
}
