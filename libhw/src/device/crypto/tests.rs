use super::*;
use crate::inventory::Class;
use crate::survey::Problem;
use crate::tree::{Tree, told};

const QAT: &str = "sys/bus/pci/devices/0000:6b:00.0";

fn modalias(vendor: u16, device: u16, class: &str) -> String {
    format!("pci:v{vendor:08X}d{device:08X}sv00008086sd00000000{class}\n")
}

fn deep(tree: &Tree) -> (Crypto, Vec<Problem>) {
    let root = tree.root();
    let survey = Survey::new(&root, "crypto", true, false);
    let crypto = discover(&survey);
    (crypto, survey.into_problems())
}

/// Files of devices and of the kernel that may hold anything.
const FILES: &[&str] = &[
    "sys/bus/dsa/devices/dsa0/state",
    "sys/bus/dsa/devices/dsa0/op_cap",
    "sys/bus/dsa/devices/dsa0/errors",
    "sys/bus/dsa/devices/dsa0/cmd_status",
    "sys/bus/dsa/devices/dsa0/version",
    "sys/bus/dsa/devices/dsa0/numa_node",
    "sys/bus/dsa/devices/wq0.0/group_id",
    "sys/bus/dsa/devices/wq0.0/mode",
    "sys/bus/dsa/devices/wq/size",
    "sys/bus/dsa/devices/engine0.0/group_id",
    "sys/bus/dsa/devices/group0.0/read_buffers_allowed",
    "sys/bus/ap/devices/card00/type",
    "sys/bus/ap/devices/card00/depth",
    "sys/bus/ap/devices/card00/chkstop",
    "sys/bus/ap/devices/00.zz/online",
    "sys/class/uacce/x-0/flags",
    "sys/class/uacce/x-0/isolate",
    "sys/class/uacce/x-0/algorithms",
    "sys/bus/virtio/devices/virtio0/device",
    "sys/class/misc/hw_random/rng_available",
    "sys/class/misc/hw_random/rng_current",
    "sys/class/misc/hw_random/rng_quality",
    "proc/crypto",
    "proc/cpuinfo",
    "proc/sys/crypto/fips_enabled",
];

/// Devices of every sort, each of whose files may hold anything.
fn devices(text: &str) -> Tree {
    let tree = Tree::new(&[]);
    let write = |path: &str| tree.write(path, text);
    for (place, vendor, device) in [
        (QAT, 0x8086, 0x4940),
        ("sys/bus/pci/devices/0000:22:00.0", 0x1022, 0x1649),
        ("sys/bus/pci/devices/0000:51:00.0", 0x8086, 0x0d5c),
    ] {
        tree.write(
            &format!("{place}/modalias"),
            &modalias(vendor, device, "bc10sc80i00"),
        );
        tree.link(&format!("{place}/driver"), "../../../bus/pci/drivers/x");
        write(&format!("{place}/sriov_totalvfs"));
        tree.link(&format!("{place}/virtfn0"), "../nowhere");
    }
    for name in [
        "state",
        "cfg_services",
        "num_rps",
        "pm_idle_enabled",
        "auto_reset",
    ] {
        write(&format!("{QAT}/qat/{name}"));
    }
    write(&format!("{QAT}/qat_ras/errors_fatal"));
    for name in ["status", "queries_sent", "queries_failed"] {
        write(&format!(
            "sys/kernel/debug/qat_4xxx_0000:6b:00.0/heartbeat/{name}"
        ));
    }
    for name in ["fused_part", "tee_version"] {
        write(&format!("sys/bus/pci/devices/0000:22:00.0/{name}"));
    }
    for path in FILES {
        write(path);
    }
    tree
}

#[test]
fn a_machine_without_any_of_it_has_none_and_no_problem() {
    let inventory = Tree::new(&[("proc/version", "Linux")]).discover(Class::Crypto);
    assert_eq!(inventory.crypto, Some(Crypto::default()));
    assert_eq!(told(&inventory.problems), []);
}

#[test]
fn whatever_the_files_hold_the_devices_are_there_and_what_is_malformed_is_told() {
    let huge = "9".repeat(5000);
    for text in [
        "",
        "\0\0",
        "garbage: x\n",
        "-7\n",
        "0xffffffffffffffffffff\n",
        "name : é\n",
        &huge,
    ] {
        let tree = devices(text);
        let (crypto, problems) = deep(&tree);
        let ids: Vec<_> = crypto
            .accelerators
            .iter()
            .map(|row| row.id.as_str())
            .collect();
        let expected = ["dsa0", "card00", "0000:22:00.0", "0000:6b:00.0", "x-0"];
        assert_eq!(ids, expected, "{text:?}");
        assert_eq!(
            (crypto.fec.len(), crypto.qat.len(), crypto.ap_queues.len()),
            (1, 1, 1)
        );
        let empty = text.trim_matches('\0').is_empty();
        let named = |problem: &&Problem| problem.path.ends_with("num_rps");
        assert_eq!(
            problems.iter().filter(named).count(),
            usize::from(!empty),
            "{text:?}"
        );
        let mut again = crypto.clone();
        let root = tree.root();
        refresh(&mut again, &Survey::new(&root, "crypto", true, false));
        assert_eq!(again, crypto, "{text:?}");
    }
}

#[test]
fn a_device_whose_reads_fail_is_there_and_each_failure_is_told() {
    let tree = devices("1\n");
    let state = format!("{QAT}/qat/state");
    let fatal = format!("{QAT}/qat_ras/errors_fatal");
    let heartbeat = "sys/kernel/debug/qat_4xxx_0000:6b:00.0/heartbeat/status";
    tree.fail(&[
        (&state, 5),
        (&fatal, 13),
        (heartbeat, 110),
        ("proc/crypto", 5),
    ]);
    let (crypto, problems) = deep(&tree);
    assert_eq!(crypto.qat[0].ring_pairs, Some(1));
    assert_eq!(
        crypto.qat[0].now,
        QatNow {
            queries_sent: Some(1),
            queries_failed: Some(1),
            ..QatNow::default()
        }
    );
    let told = told(&problems);
    for (path, word) in [
        (state.as_str(), "unreadable"),
        (fatal.as_str(), "denied"),
        (heartbeat, "timed out"),
        ("proc/crypto", "unreadable"),
    ] {
        assert!(
            told.contains(&(format!("/{path}").as_str(), word)),
            "{path}: {told:?}"
        );
    }
}

#[test]
fn what_is_asked_by_writing_is_never_read() {
    let tree = devices("1\n");
    let path = format!("{QAT}/qat/rp2srv");
    tree.write(&path, "sym\n");
    tree.fail(&[(&path, 5)]);
    let (_, problems) = deep(&tree);
    assert!(
        !problems
            .iter()
            .any(|problem| problem.path.contains("rp2srv"))
    );
}

#[test]
fn a_look_that_is_not_deep_sends_no_heartbeat() {
    let tree = devices("0\n");
    let crypto = tree.discover(Class::Crypto).crypto.unwrap();
    let now = &crypto.qat[0].now;
    assert_eq!(
        (now.responsive, now.queries_sent, now.queries_failed),
        (None, None, None)
    );
    let (mut crypto, _) = deep(&tree);
    assert_eq!(crypto.qat[0].now.responsive, Some(true));
    let root = tree.root();
    refresh(&mut crypto, &Survey::new(&root, "crypto", false, false));
    assert_eq!(
        crypto.qat[0].now.responsive,
        Some(true),
        "as the last deep look had it"
    );
}

#[test]
fn the_kernels_choice_is_the_highest_priority_and_then_the_latest() {
    let entry = |driver: &str, kind: &str, priority: i32, rest: &str| {
        format!(
            "name : x\ndriver : {driver}\nmodule : kernel\npriority : {priority}\nrefcnt : 1\n\
             selftest : passed\ninternal : no\n{rest}type : {kind}\n\n"
        )
    };
    let choice = |text: &str| {
        let tree = Tree::new(&[("proc/crypto", text)]);
        let crypto = tree.discover(Class::Crypto).crypto.unwrap();
        let all = crypto.algorithms.into_iter();
        all.map(|one| format!("{} {}", one.id, one.implementation))
            .collect::<Vec<_>>()
    };
    let low = entry("low", "shash", 100, "");
    let high = entry("high", "ahash", 300, "");
    assert_eq!(choice(&format!("{low}{high}")), ["x/hash high"]);
    let latest = entry("latest", "shash", 300, "");
    assert_eq!(choice(&format!("{latest}{high}{low}")), ["x/hash latest"]);
    let forbidden = entry("forbidden", "shash", 900, "fips : no\n");
    assert_eq!(choice(&format!("{forbidden}{low}")), ["x/hash low"]);
    let cipher = entry("c", "skcipher", 1, "");
    assert_eq!(
        choice(&format!("{cipher}{low}")),
        ["x/skcipher c", "x/hash low"]
    );
    let negative = entry("n", "rng", -1, "");
    assert_eq!(choice(&negative), ["x/rng n"]);
}

#[test]
fn implementations_with_one_name_are_told_apart_and_broken_entries_are_told() {
    let text = "name : a\ndriver : d\nmodule : m\npriority : 1\nselftest : passed\ntype : shash\n\
                name : a\ndriver : d\nmodule : m\npriority : 1\nselftest : passed\ntype : ahash\n\n\n\
                name : a\ndriver : d\nmodule : m\npriority : 1\nselftest : passed\ntype : ahash\n\n\
                name : b\ndriver : e\nmodule : m\npriority : many\ntype : shash\n\n\
                driver : f\nname : c\nmodule : m\npriority : 2\nselftest : unknown\ntype : sig";
    let tree = Tree::new(&[("proc/crypto", text)]);
    let inventory = tree.discover(Class::Crypto);
    let crypto = inventory.crypto.unwrap();
    let ids: Vec<_> = crypto
        .implementations
        .iter()
        .map(|row| row.id.as_str())
        .collect();
    assert_eq!(ids, ["d", "d/ahash", "d/ahash/2", "f"]);
    assert_eq!(told(&inventory.problems), [("/proc/crypto", "malformed")]);
    assert_eq!(
        crypto.algorithms.len(),
        1,
        "what did not pass its test is not taken"
    );
}

#[test]
fn a_generator_that_is_not_there_is_no_problem() {
    let tree = Tree::new(&[
        ("sys/class/misc/hw_random/rng_available", "none\n"),
        ("sys/class/misc/hw_random/rng_current", "none\n"),
        ("sys/class/misc/hw_random/rng_selected", "0\n"),
        ("sys/class/misc/hw_random/rng_quality", ""),
    ]);
    // The kernel answers the quality of no generator with ENODEV.
    tree.fail(&[("sys/class/misc/hw_random/rng_quality", 19)]);
    let inventory = tree.discover(Class::Crypto);
    assert_eq!(inventory.problems, []);
    let hwrng = inventory.crypto.unwrap().hwrng.unwrap();
    assert_eq!((hwrng.available.len(), hwrng.now.current), (0, None));
}

#[test]
fn virtual_functions_are_counted_and_listed_only_when_asked_for() {
    let tree = Tree::new(&[
        (
            &format!("{QAT}/modalias"),
            &modalias(0x8086, 0x4940, "bc0Bsc40i00"),
        ),
        (&format!("{QAT}/sriov_totalvfs"), "16\n"),
        (
            "sys/bus/pci/devices/0000:6b:00.1/modalias",
            &modalias(0x8086, 0x4941, "bc0Bsc40i00"),
        ),
        // One that came to a guest alone.
        (
            "sys/bus/pci/devices/0000:70:00.1/modalias",
            &modalias(0x8086, 0x4941, "bc0Bsc40i00"),
        ),
    ]);
    tree.link(&format!("{QAT}/virtfn0"), "../0000:6b:00.1");
    tree.link("sys/bus/pci/devices/0000:6b:00.1/physfn", "../0000:6b:00.0");
    let crypto = tree.discover(Class::Crypto).crypto.unwrap();
    let rows: Vec<_> = crypto
        .accelerators
        .iter()
        .map(|row| (row.id.as_str(), row.vfs))
        .collect();
    assert_eq!(rows, [("0000:6b:00.0", Some(1)), ("0000:70:00.1", None)]);
    let root = tree.root();
    let survey = Survey::new(&root, "crypto", false, true);
    assert_eq!(discover(&survey).accelerators.len(), 3);
}
