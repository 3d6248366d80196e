//! Where there is a GPU, we and nvidia-smi agree on it.

use std::process::Command;

use libhw::device::gpu::nvml::{NvmlDevice, NvmlLine};

use super::stub::{lines, skip};

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
    let devices: Vec<&NvmlDevice> = lines
        .iter()
        .filter_map(|line| match line {
            NvmlLine::Device(device) => Some(&**device),
            _ => None,
        })
        .collect();
    for row in String::from_utf8(smi.stdout).unwrap().lines() {
        let fields: Vec<&str> = row.split(',').map(str::trim).collect();
        // 00000000:81:00.0 of nvidia-smi has a longer domain.
        let function = fields[0].to_lowercase()[4..].to_owned();
        let of_row = |device: &&&NvmlDevice| device.function == function;
        let device = devices.iter().find(of_row);
        compare(device.unwrap_or_else(|| panic!("no {function}")), &fields);
        assert_eq!(driver.as_deref(), Some(fields[7]));
    }
}

fn compare(device: &NvmlDevice, fields: &[&str]) {
    let [
        _,
        name,
        uuid,
        memory,
        ecc,
        generation,
        width,
        _,
        temperature,
    ] = fields
    else {
        panic!("{fields:?}");
    };
    let nvml = &device.nvml;
    assert_eq!(device.name.as_deref(), Some(*name));
    assert_eq!(device.uuid.as_deref(), Some(*uuid));
    let mib = nvml.memory_bytes.map(|bytes| (bytes.0 >> 20).to_string());
    assert_eq!(mib.as_deref(), Some(*memory));
    let word = |current: bool| if current { "Enabled" } else { "Disabled" };
    assert_eq!(nvml.ecc.map_or("[N/A]", |ecc| word(ecc.current)), *ecc);
    let link = nvml.link_max.unwrap();
    assert_eq!(link.generation.to_string(), *generation);
    assert_eq!(link.width.to_string(), *width);
    // It is not asked at the same moment.
    let ours = nvml.now.temperature_celsius.unwrap();
    let apart = ours.abs_diff(temperature.parse().unwrap());
    assert!(apart <= 5, "{ours} {temperature}");
}
