//! Does the lab do what a test of hardware rests on: boot, answer, tell what went wrong, and leave nothing?

use std::time::{Duration, Instant};

use gnomon_lab::{Boot, LabError, Machine, Vm, ready};
use serde_json::json;

/// A machine that answers; `None` where there are none.
fn booted(name: &str) -> Option<Vm> {
    ready().then(|| Vm::boot(&Machine::plain(), &Boot::new(name)).unwrap())
}

#[test]
fn a_machine_boots_and_answers() {
    let Some(mut vm) = booted("a_machine_boots_and_answers") else {
        return;
    };
    assert!(vm.ready().acpi_tables > 3);
    assert_eq!(
        vm.read("/proc/sys/kernel/osrelease").unwrap().trim(),
        vm.ready().kernel
    );
    let arguments = json!({"text": "lines\nand \u{fc}mlauts", "numbers": [1, 2.5, null]});
    assert_eq!(vm.test("echo", arguments.clone()).unwrap(), arguments);
    assert!(
        vm.list("/sys/class")
            .unwrap()
            .contains(&"virtio-ports".to_owned())
    );
    vm.write("/tmp/text", "one\n").unwrap();
    assert_eq!(vm.fetch("/tmp/text").unwrap(), b"one\n");
    assert!(vm.exit(5).unwrap());
}
