//! Does the lab do what a test of hardware rests on: boot, answer, tell what went wrong, and leave nothing?

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gnomon_lab::protocol::Answer;
use gnomon_lab::{Boot, LabError, Machine, Vm, ready};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(10);

/// A machine that takes requests; `None` where there are none.
fn booted(boot: &Boot) -> Option<Vm> {
    ready().then(|| Vm::boot(&Machine::plain(), boot).unwrap())
}

/// What a running machine has on the host: the process of QEMU, and its directory.
fn traces(vm: &Vm) -> (String, std::path::PathBuf) {
    (format!("/proc/{}", vm.process()), vm.folder().to_owned())
}

/// Neither process nor files are left of a machine, and its command and log are kept.
fn ended_well((process, folder): &(String, std::path::PathBuf), error: &LabError) {
    assert!(!Path::new(process).exists(), "{error}");
    let kept = error.kept().unwrap();
    let command = fs::read_to_string(kept.join("command")).unwrap();
    assert!(command.contains("qemu-system-x86_64") && command.contains("-kernel"));
    assert!(!command.contains(&*folder.to_string_lossy()), "{command}");
    for name in ["serial.log", "qemu.log", "transcript", "initramfs.cpio"] {
        assert!(kept.join(name).is_file(), "{name}");
    }
    assert!(error.to_string().contains(&*kept.to_string_lossy()));
}

#[test]
fn a_machine_boots_and_answers() {
    let Some(mut vm) = booted(&Boot::new("a_machine_boots_and_answers")) else {
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
    let long = "0123456789abcdef".repeat(1 << 16);
    vm.write("/tmp/long", &long).unwrap();
    assert!(
        vm.read("/tmp/long").unwrap() == long,
        "a megabyte comes back"
    );
    let (process, folder) = traces(&vm);
    assert!(vm.exit(5).unwrap());
    assert!(!Path::new(&process).exists() && !folder.exists());
}

#[test]
fn programs_run_to_their_end_or_to_their_limit() {
    let boot = Boot::new("programs_run_to_their_end")
        .peer("sleep")
        .peer("cat")
        .peer("env")
        .peer("false");
    let Some(mut vm) = booted(&boot) else {
        return;
    };
    let cat = vm
        .run_with(&["cat", "-", "/nowhere"], &[], "what it reads\n")
        .unwrap();
    assert_eq!((cat.status, cat.stdout.as_str()), (1, "what it reads\n"));
    assert!(cat.stderr.contains("/nowhere"));
    let env = vm.run_with(&["env"], &[("ONE", "1")], "").unwrap();
    assert!(env.stdout.lines().any(|line| line == "ONE=1"));
    assert_eq!(vm.run(&["false"]).unwrap().status, 1);

    let id = vm.spawn(&["sleep", "1000"]).unwrap();
    assert_eq!(vm.wait(id, Duration::from_millis(50)).unwrap(), None);
    vm.kill(id, 15).unwrap();
    assert_eq!(vm.wait(id, SOON).unwrap(), Some(128 + 15));
    let gone = vm.kill(id, 15).unwrap_err();
    assert!(matches!(&gone, LabError::Guest { .. }), "{gone}");

    vm.limit(Duration::from_secs(2));
    let late = vm.run(&["sleep", "1000"]).unwrap();
    assert!(late.timed_out && late.status == 128 + 9);
}

#[test]
fn what_the_guest_refuses_ends_nothing() {
    let Some(mut vm) = booted(&Boot::new("what_the_guest_refuses").available(&["igb"])) else {
        return;
    };
    let refused = |error: LabError| match error {
        LabError::Guest { reason, .. } => reason,
        other => panic!("{other}"),
    };
    assert!(refused(vm.read("/nowhere").unwrap_err()).contains("No such file"));
    assert!(refused(vm.run(&["nothing"]).unwrap_err()).contains("nothing"));
    assert!(refused(vm.load("nothing", "").unwrap_err()).contains("no such module"));
    assert!(refused(vm.test("nothing", Value::Null).unwrap_err()).contains("no test"));
    let panicked = refused(vm.test("panic", json!("words")).unwrap_err());
    assert!(
        panicked.contains("as asked") && panicked.contains("words"),
        "{panicked}"
    );
    vm.load("igb", "").unwrap();
    vm.load("igb", "").unwrap();
    let modules = vm.read("/proc/modules").unwrap();
    assert!(
        modules.contains("igb ") && modules.contains("i2c_algo_bit "),
        "{modules}"
    );
}

#[test]
fn qemu_is_commanded_and_tells_of_events() {
    let boot = Boot::new("qemu_is_commanded").arguments(&[
        "-device",
        "pcie-root-port,id=hot,bus=pcie.0,chassis=1,slot=1",
    ]);
    let Some(mut vm) = booted(&boot) else {
        return;
    };
    assert!(vm.hmp("info version").unwrap().starts_with("1"));
    let refused = vm
        .qmp("device_add", json!({"driver": "no-such-device"}))
        .unwrap_err();
    assert!(
        matches!(&refused, LabError::Qmp { reason, .. } if reason.contains("no-such-device")),
        "{refused}"
    );
    let devices = |vm: &mut Vm| Ok(vm.list("/sys/bus/pci/devices")?.len());
    let before = devices(&mut vm).unwrap();
    vm.qmp(
        "device_add",
        json!({"driver": "virtio-rng-pci", "bus": "hot", "id": "plugged"}),
    )
    .unwrap();
    vm.wait_for("the device", SOON, |vm| {
        Ok((devices(vm)? == before + 1).then_some(()))
    })
    .unwrap();
    vm.qmp("device_del", json!({"id": "plugged"})).unwrap();
    vm.event_with("DEVICE_DELETED", SOON, |data| data["device"] == "plugged")
        .unwrap();
    vm.wait_for("its removal", SOON, |vm| {
        Ok((devices(vm)? == before).then_some(()))
    })
    .unwrap();
    let never = vm
        .event("WATCHDOG", Duration::from_millis(100))
        .unwrap_err();
    assert!(matches!(never, LabError::Awaited { .. }), "{never}");
}

#[test]
fn a_machine_that_qemu_cannot_build_is_refused_in_its_words() {
    if !ready() {
        return;
    }
    let boot = Boot::new("qemu_cannot_build").arguments(&["-device", "no-such-device"]);
    let error = Vm::boot(&Machine::plain(), &boot).unwrap_err();
    let LabError::Refused {
        machine, stderr, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(machine, "plain");
    assert!(stderr.contains("no-such-device"), "{stderr}");
    ended_well(&("/proc/none".to_owned(), "/nowhere".into()), &error);
}

#[test]
fn a_module_that_the_kernel_lacks_is_named() {
    if !ready() {
        return;
    }
    let boot = Boot::new("a_kernel_without_a_module").modules(&["no-such-module"]);
    let error = Vm::boot(&Machine::plain(), &boot).unwrap_err();
    assert!(
        matches!(&error, LabError::NoModule { module, .. } if module == "no-such-module"),
        "{error}"
    );
    assert!(error.to_string().starts_with("kernel 6.12."));
}

#[test]
fn a_module_that_the_kernel_refuses_is_named() {
    if !ready() {
        return;
    }
    let boot = Boot::new("a_module_is_refused").modules(&["ptp_kvm"]);
    let error = Vm::boot(&Machine::plain(), &boot).unwrap_err();
    assert!(
        matches!(&error, LabError::Guest { reason, .. } if reason.contains("ptp_kvm")),
        "{error}"
    );
}

#[test]
fn a_guest_that_panics_is_told_by_the_kernels_lines() {
    let Some(mut vm) = booted(&Boot::new("a_guest_that_panics")) else {
        return;
    };
    let traces = traces(&vm);
    let error = vm.write("/proc/sysrq-trigger", "c").unwrap_err();
    assert!(
        matches!(&error, LabError::Panicked { lines, .. } if lines.contains("sysrq")),
        "{error}"
    );
    ended_well(&traces, &error);
}

#[test]
fn a_guest_whose_program_dies_is_a_panic() {
    let Some(mut vm) = booted(&Boot::new("a_guest_that_dies")) else {
        return;
    };
    let traces = traces(&vm);
    let error = vm.test("die", Value::Null).unwrap_err();
    assert!(
        matches!(&error, LabError::Panicked { lines, .. } if lines.contains("kill init")),
        "{error}"
    );
    ended_well(&traces, &error);
}

#[test]
fn a_guest_that_hangs_is_ended_at_its_limit() {
    let Some(mut vm) = booted(&Boot::new("a_guest_that_hangs")) else {
        return;
    };
    let traces = traces(&vm);
    let limit = Duration::from_millis(700);
    vm.limit(limit);
    let error = vm.test("hang", Value::Null).unwrap_err();
    let LabError::Hung {
        request,
        limit: told,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((request.as_str(), *told), ("test hang", limit));
    ended_well(&traces, &error);
}

#[test]
fn garbage_on_the_port_is_shown() {
    for (name, garbage) in [
        ("a_line_of_garbage", "Segmentation fault\n"),
        ("garbage_without_end", "{\"done\":"),
    ] {
        let Some(mut vm) = booted(&Boot::new(name)) else {
            return;
        };
        let traces = traces(&vm);
        vm.limit(Duration::from_millis(1500));
        let error = vm.test("garbage", json!(garbage)).unwrap_err();
        assert!(
            matches!(&error, LabError::Garbage { line, .. } if line == garbage.trim_end()),
            "{error}"
        );
        ended_well(&traces, &error);
    }
}

#[test]
fn a_qemu_that_dies_is_told_by_its_signal() {
    let Some(mut vm) = booted(&Boot::new("a_qemu_that_dies")) else {
        return;
    };
    let traces = traces(&vm);
    let killed = Command::new("kill")
        .args(["-9", &vm.process().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let error = vm.read("/proc/uptime").unwrap_err();
    assert!(
        matches!(&error, LabError::Died { how, .. } if how == "signal 9"),
        "{error}"
    );
    ended_well(&traces, &error);
}

#[test]
fn a_guest_without_acpi_tables_is_refused() {
    if !ready() {
        return;
    }
    let boot = Boot::new("no_acpi_tables").kernel_argument("acpi=off");
    let error = Vm::boot(&Machine::plain(), &boot).unwrap_err();
    assert!(matches!(error, LabError::NoAcpi { .. }), "{error}");
}

#[test]
fn nothing_is_left_of_a_machine_that_nobody_ended() {
    let Some(vm) = booted(&Boot::new("nobody_ended_it")) else {
        return;
    };
    let (process, folder) = traces(&vm);
    drop(vm);
    assert!(!Path::new(&process).exists() && !folder.exists());
}

#[test]
fn qemu_ends_with_the_thread_that_forgot_it() {
    if !ready() {
        return;
    }
    let booting = std::thread::spawn(|| {
        let vm = booted(&Boot::new("a_thread_that_forgets")).unwrap();
        let traces = traces(&vm);
        std::mem::forget(vm);
        traces
    });
    let (process, folder) = booting.join().unwrap();
    let state = || fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
    for _ in 0..200 {
        if state().is_empty() || state().contains(" Z ") {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(state().is_empty() || state().contains(" Z "), "{}", state());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_test_named_on_the_command_line_ends_the_machine_with_its_code() {
    if !ready() {
        return;
    }
    for (name, passes) in [("echo", true), ("nothing", false)] {
        let boot = Boot::new("a_named_test").kernel_argument(&format!("lab.test={name}"));
        let (answer, code) = Vm::boot(&Machine::plain(), &boot)
            .unwrap()
            .outcome()
            .unwrap();
        assert_eq!(code, Some(u8::from(!passes)));
        assert_eq!(
            matches!(answer, Answer::Done(Value::Null)),
            passes,
            "{answer:?}"
        );
    }
}

#[test]
fn a_saved_state_is_the_same_machine_again() {
    let boot = Boot::new("a_saved_state").saved().peer("sleep");
    let Some(mut first) = booted(&boot) else {
        return;
    };
    let boot_id = first.read("/proc/sys/kernel/random/boot_id").unwrap();
    first.write("/tmp/mark", "of the first\n").unwrap();
    drop(first);
    let mut again = Vm::boot(&Machine::plain(), &boot).unwrap();
    assert_eq!(
        again.read("/proc/sys/kernel/random/boot_id").unwrap(),
        boot_id
    );
    assert!(
        again.read("/tmp/mark").is_err(),
        "it was saved before the mark"
    );
    assert!(again.ready().acpi_tables > 3);
    assert!(again.exit(0).unwrap());
}
