//! The processor's idle states, heat, interrupts and shares: are they what the machine's own files say?

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use libhw::device::cpu::Cpu;
use libhw::inventory::{Class, Scope, discover};
use libhw::io::root::Root;

use super::{replayed, synthetic};

fn cpu(tree: &Path) -> Cpu {
    replayed(tree, &[Class::Cpu]).cpu.expect("cpus")
}

#[test]
fn interrupts_and_heat_of_the_composite_tree_are_those_in_its_files() {
    let Some(machines) = support::machines() else {
        return support::skipped("no machines");
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let cpu = cpu(tree.path());
    let text = fs::read_to_string(tree.path().join("proc/interrupts")).expect("interrupts");
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let Some((name, rest)) = line.split_once(':') else {
            continue;
        };
        let counts = rest
            .split_whitespace()
            .map_while(|word| word.parse::<u64>().ok());
        expected.insert(name.trim().to_owned(), counts.take(4).sum());
    }
    let told: BTreeMap<String, u64> = cpu
        .interrupts
        .iter()
        .map(|one| (one.id.clone(), one.now.count))
        .collect();
    assert_eq!(told, expected);
    assert!(told.len() > 40);
    let ahci = cpu
        .interrupts
        .iter()
        .find(|one| one.id == "29")
        .expect("29");
    assert_eq!(
        (
            ahci.controller.as_deref(),
            ahci.action.as_deref(),
            ahci.now.cpus.to_string().as_str()
        ),
        (Some("PCI-MSI"), Some("ahci[0000:00:1f.2]"), "0,3")
    );
    let signalled = |number: &str| {
        cpu.interrupts
            .iter()
            .find(|one| one.id == number)
            .and_then(|one| one.function.clone())
    };
    assert_eq!(signalled("39").as_deref(), Some("0000:00:02.1"));
    let count = |path: &str| -> Option<u64> {
        let text =
            fs::read_to_string(tree.path().join("sys/devices/system/cpu").join(path)).ok()?;
        text.trim().parse().ok()
    };
    assert!(!cpu.throttles.is_empty());
    for row in &cpu.throttles {
        let word = if row.package.is_some() {
            "package"
        } else {
            "core"
        };
        let path = format!("cpu{}/thermal_throttle/{word}_throttle_count", row.cpu);
        assert_eq!(row.now.count, count(&path), "{}", row.id);
    }
}

/// Every state of every CPU, read without us.
#[test]
fn idle_states_of_every_captured_machine_are_those_in_its_files() {
    let Some(trees) = support::trees() else {
        return;
    };
    let mut compared = 0;
    for tree in trees {
        let cpu = cpu(&tree.directory);
        for state in cpu.idle.iter().flat_map(|idle| &idle.states) {
            let (lowest, number) = state.id.split_once('/').expect("a CPU and a number");
            let cpus = tree.directory.join("sys/devices/system/cpu");
            let of = |cpu: &str, name: &str| {
                let path = cpus.join(format!("cpu{cpu}/cpuidle/state{number}/{name}"));
                fs::read_to_string(path)
                    .ok()
                    .map(|text| text.trim().to_owned())
            };
            let value = |name: &str| of(lowest, name)?.parse::<u64>().ok();
            assert_eq!(
                (state.latency_us, state.residency_us),
                (value("latency"), value("residency")),
                "{}",
                tree.name
            );
            assert_eq!(state.name, of(lowest, "name"), "{}", tree.name);
            let kind = cpu.kinds.iter().find(|kind| Some(kind.id) == state.kind);
            let online = cpu.online.clone().unwrap_or_default();
            let all = kind.map_or(online, |kind| kind.cpus.clone());
            let sum = |name: &str| {
                all.iter()
                    .filter_map(|cpu| of(&cpu.to_string(), name)?.parse::<u64>().ok())
                    .sum::<u64>()
            };
            let now = state.now.expect("counted");
            assert_eq!(
                (now.entered, now.time_us),
                (sum("usage"), sum("time")),
                "{} {}",
                tree.name,
                state.id
            );
            compared += 1;
        }
    }
    assert!(compared >= 10, "only {compared} states");
}

#[test]
fn interrupts_of_this_host_are_those_that_lsirq_tells() {
    if !support::installed("lsirq") {
        return;
    }
    let output = Command::new("lsirq")
        .args(["-P", "-o", "IRQ,NAME"])
        .output()
        .expect("lsirq");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let scope = Scope {
        classes: vec![Class::Cpu],
        deep: true,
        ..Scope::default()
    };
    let inventory = discover(&Root::live().expect("this host"), &scope);
    let cpu = inventory.cpu.expect("cpus");
    let mut compared = 0;
    for line in text.lines() {
        let parts: Vec<&str> = line.split('"').collect();
        let [_, id, _, name, ..] = parts.as_slice() else {
            panic!("{line}");
        };
        let own = cpu.interrupts.iter().find(|one| one.id == *id);
        let own = own.unwrap_or_else(|| panic!("no interrupt {id}"));
        let action = own.action.clone().unwrap_or_default();
        assert!(name.ends_with(&action), "{id}: {name}, {action}");
        compared += 1;
    }
    assert!(compared > 0, "{text}");
}

#[test]
fn a_hybrid_processor_with_shares_and_throttled_cores_tells_them_all() {
    let inventory = synthetic("cpu-shares", &[Class::Cpu]);
    assert_eq!(inventory.problems, []);
}
