//! Does the inventory tell of what goes wrong with real drivers of a real kernel? Each fault is one line.

use std::time::Duration;

use gnomon_lab::fault::{PciError, Severity};
use gnomon_lab::machine::{Device, Slot};
use gnomon_lab::{Boot, LabError, Machine, Vm, fault, ready, scale};
use serde_json::{Value, json};

/// The function in the first slot, and the port above it.
const FUNCTION: &str = "0000:01:00.0";
const PORT: &str = "0000:00:01.0";

/// A page that is free, as most of them are.
const PAGE: u64 = 0x1400_0000;

fn boot(name: &str) -> Boot {
    Boot::new(name).agent()
}

fn with_device(device: Device) -> Machine {
    Machine {
        slots: vec![Slot {
            device: Some(device),
            ..Slot::default()
        }],
        ..Machine::plain()
    }
}

fn booted(machine: &Machine, boot: &Boot) -> Option<Vm> {
    ready().then(|| Vm::boot(machine, boot).unwrap())
}

fn inventory(vm: &mut Vm, arguments: &[&str]) -> Result<Value, LabError> {
    let argv = [&["gnomon", "inventory", "--json"], arguments].concat();
    let output = vm.run(&argv)?;
    let seen = serde_json::from_str(&output.stdout);
    Ok(seen.unwrap_or_else(|error| panic!("{error}: {output:?}")))
}

/// The value at a place in the inventory; `[field=value]` is a row of a table.
fn at(seen: &Value, path: &str) -> Value {
    let found = gnomon_lab::machine::find(seen, path);
    found.cloned().unwrap_or_default()
}

/// Looks until the value at this place is wanted.
fn until(
    vm: &mut Vm,
    (arguments, path): (&[&str], &str),
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let mut last = Value::Null;
    let found = vm.wait_for(path, Duration::from_secs(10).mul_f64(scale()), |vm| {
        last = at(&inventory(vm, arguments)?, path);
        Ok(wanted(&last).then(|| last.clone()))
    });
    found.unwrap_or_else(|error| panic!("{error}; it is {last}"))
}

#[test]
fn errors_of_pci_express_are_counted_by_name_and_by_the_port_above() {
    let machine = with_device(Device::VirtioNet {
        mac: None,
        aer: true,
    });
    let Some(mut vm) = booted(&machine, &boot("errors_of_pci_express")) else {
        return;
    };
    let errors = [
        (PciError::Receiver, "correctable", "RxErr"),
        (PciError::BadPacket, "correctable", "BadTLP"),
        (PciError::PoisonedPacket, "nonfatal", "TLP"),
    ];
    for (error, severity, name) in errors {
        fault::pci_error(&mut vm, "slot0-device", error).unwrap();
        let path = format!("pci.functions[{FUNCTION}].now.aer.{severity}.{name}");
        until(&mut vm, (&["pci"], &path), |count| *count == 1);
    }
    // The kernel doesn't ask a function behind a link that is broken which error it had: the port's count tells of it.
    fault::pci_error(&mut vm, "slot0-device", PciError::LinkProtocol).unwrap();
    let received = format!("pci.functions[{PORT}].now.aer.received");
    until(&mut vm, (&["pci"], &received), |received| {
        *received == json!({"correctable": 2, "nonfatal": 1, "fatal": 1})
    });
}

#[test]
fn errors_of_a_port_itself_are_counted_with_it() {
    let machine = Machine {
        slots: vec![Slot::default()],
        ..Machine::plain()
    };
    let Some(mut vm) = booted(&machine, &boot("errors_of_a_port_itself")) else {
        return;
    };
    fault::pci_error(&mut vm, "slot0", PciError::CompletionTimeout).unwrap();
    let path = format!("pci.functions[{PORT}].now.aer.nonfatal.CmpltTO");
    until(&mut vm, (&["pci"], &path), |count| *count == 1);
    let refused = fault::pci_error(&mut vm, "nothing", PciError::Receiver);
    assert!(matches!(refused, Err(LabError::Qmp { .. })));
}

#[test]
fn a_corrected_machine_check_is_polled_and_told() {
    let machine = Machine::plain();
    let Some(mut vm) = booted(&machine, &boot("a_corrected_machine_check")) else {
        return;
    };
    fault::machine_checks_each_second(&mut vm).unwrap();
    let tracing = "/sys/kernel/tracing";
    vm.write(&format!("{tracing}/events/mce/mce_record/enable"), "1")
        .unwrap();
    let seen = inventory(&mut vm, &["ras"]).unwrap();
    assert_eq!(at(&seen, "ras.machine_check.check_interval_seconds"), 1);
    let before = at(&seen, "ras.interrupts[MCP].now.count").as_u64().unwrap();
    fault::machine_check_corrected(&mut vm, PAGE).unwrap();
    until(
        &mut vm,
        (&["ras"], "ras.interrupts[MCP].now.count"),
        |count| count.as_u64().is_some_and(|count| count > before),
    );
    vm.wait_for(
        "the record",
        Duration::from_secs(5).mul_f64(scale()),
        |vm| {
            let trace = vm.read(&format!("{tracing}/trace"))?;
            Ok(trace.contains(&format!("{PAGE:016x}")).then_some(()))
        },
    )
    .unwrap();
}

#[test]
fn an_error_that_firmware_reports_takes_its_page_out_of_use() {
    if !ready() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let boot = fault::with_error_source(boot("an_error_that_firmware_reports"), folder.path());
    let Some(mut vm) = booted(&Machine::plain(), &boot.unwrap()) else {
        return;
    };
    let seen = inventory(&mut vm, &["ras", "memory"]).unwrap();
    assert_eq!(at(&seen, "ras.firmware.tables"), json!(["HEST"]));
    assert_eq!(at(&seen, "ras.firmware.error_source_count"), 1);
    assert_eq!(at(&seen, "ras.firmware.generic_source_count"), 1);
    assert_eq!(at(&seen, "memory.now.hardware_corrupted_bytes"), 0);
    fault::firmware_memory_error(&mut vm, PAGE, Severity::Recoverable).unwrap();
    until(
        &mut vm,
        (&["memory"], "memory.now.hardware_corrupted_bytes"),
        |bytes| *bytes == 4096,
    );
    let path = "ras.memory_failures[0].now.total";
    until(&mut vm, (&["ras"], path), |total| *total == 1);
}

#[test]
fn pages_that_were_taken_out_of_use_are_counted() {
    let Some(mut vm) = booted(&Machine::plain(), &boot("pages_out_of_use")) else {
        return;
    };
    fault::page_offline(&mut vm, PAGE, true).unwrap();
    fault::page_offline(&mut vm, PAGE + 0x10_0000, false).unwrap();
    let seen = inventory(&mut vm, &["memory", "ras"]).unwrap();
    assert_eq!(at(&seen, "memory.now.hardware_corrupted_bytes"), 8192);
    let failures = at(&seen, "ras.memory_failures[0].now");
    assert_eq!(
        (&failures["total"], &failures["recovered"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_drive_that_warns_is_told_in_a_deep_look() {
    let machine = with_device(Device::Nvme {
        serial: "WARNS1".to_owned(),
        size: gnomon_lab::machine::Size::mib(64),
    });
    let Some(mut vm) = booted(&machine, &boot("a_drive_that_warns")) else {
        return;
    };
    let path = "storage.nvme_controllers[serial=WARNS1].now.health.critical_warnings";
    let deep: &[&str] = &["storage", "--deep"];
    until(&mut vm, (deep, path), |warnings| *warnings == json!([]));
    // Spare capacity, and reliability.
    fault::nvme_critical_warning(&mut vm, "slot0-device", 0b101).unwrap();
    let told = until(&mut vm, (deep, path), |warnings| *warnings != json!([]));
    assert_eq!(told.as_array().unwrap().len(), 2, "{told}");
}

#[test]
fn a_disk_with_bad_sectors_has_its_errors_counted() {
    let machine = Machine {
        slots: vec![Slot::default()],
        ..Machine::plain()
    };
    let boot = boot("a_disk_with_bad_sectors")
        .modules(&["virtio_scsi", "sd_mod"])
        .peer("dd");
    let Some(mut vm) = booted(&machine, &boot) else {
        return;
    };
    fault::bad_disk(&mut vm, "slot0", 2048).unwrap();
    let path = "storage.disks[sda].now.errors.errors";
    let before = until(&mut vm, (&["storage"], path), |errors| errors.is_u64());
    let read = vm
        .run(&[
            "dd",
            "if=/dev/sda",
            "of=/dev/null",
            "bs=4096",
            "skip=256",
            "count=1",
        ])
        .unwrap();
    assert!(read.stderr.contains("Input/output error"), "{read:?}");
    until(&mut vm, (&["storage"], path), |errors| {
        errors.as_u64() > before.as_u64()
    });
}

#[test]
fn a_link_that_goes_down_is_told() {
    let machine = with_device(Device::VirtioNet {
        mac: None,
        aer: false,
    });
    let Some(mut vm) = booted(&machine, &boot("a_link_that_goes_down").peer("ip")) else {
        return;
    };
    assert_eq!(
        vm.run(&["ip", "link", "set", "eth0", "up"]).unwrap().status,
        0
    );
    let path = "nic.interfaces[eth0].carrier";
    until(&mut vm, (&["nic"], path), |carrier| *carrier == true);
    let count = "nic.interfaces[eth0].now.carrier_down_count";
    let before = at(&inventory(&mut vm, &["nic"]).unwrap(), count);
    fault::link(&mut vm, "slot0-device", false).unwrap();
    until(&mut vm, (&["nic"], path), |carrier| *carrier == false);
    let after = at(&inventory(&mut vm, &["nic"]).unwrap(), count);
    assert_eq!(after.as_u64(), before.as_u64().map(|count| count + 1));
    fault::link(&mut vm, "slot0-device", true).unwrap();
    until(&mut vm, (&["nic"], path), |carrier| *carrier == true);
}

#[test]
fn a_watchdog_that_nobody_feeds_is_active_and_expires() {
    let boot = boot("a_watchdog_that_nobody_feeds")
        .arguments(&["-device", "i6300esb", "-action", "watchdog=none"])
        .available(&["i6300esb"]);
    let Some(mut vm) = booted(&Machine::plain(), &boot) else {
        return;
    };
    vm.load("i6300esb", "heartbeat=2").unwrap();
    let state = "watchdog.timers[identity=i6300ESB timer].now.state";
    assert_eq!(
        at(&inventory(&mut vm, &["watchdog"]).unwrap(), state),
        "inactive"
    );
    fault::watchdog_expires(&mut vm, "/dev/watchdog0").unwrap();
    assert_eq!(
        at(&inventory(&mut vm, &["watchdog"]).unwrap(), state),
        "active"
    );
    vm.limit(Duration::from_secs(60).mul_f64(scale()));
    let event = vm.event("WATCHDOG", Duration::from_secs(40).mul_f64(scale()));
    assert_eq!(event.unwrap()["data"]["action"], "none");
}
