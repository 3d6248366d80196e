//! Limits: is what we may use what others say that we may?

use std::process::Command;

use libhw::device::limits::Limits;
use libhw::inventory::{Class, Scope, discover};
use libhw::io::root::Root;

use super::{replayed, synthetic};

fn live() -> Limits {
    let scope = Scope {
        classes: vec![Class::Limits],
        ..Scope::default()
    };
    let inventory = discover(&Root::live().expect("this host"), &scope);
    inventory.limits.expect("limits")
}

#[test]
fn allowed_cpus_and_nodes_of_every_tree_are_those_that_lstopo_allows() {
    let Some(trees) = support::trees() else {
        return;
    };
    if !support::installed("lstopo") {
        return;
    }
    let mut compared = 0;
    for tree in trees {
        let inventory = replayed(&tree.directory, &[Class::Limits, Class::Cpu]);
        let limits = inventory.limits.expect("limits");
        // Only what a cpuset takes away is told apart from all that there is.
        if !limits
            .cgroups
            .iter()
            .any(|group| group.cpuset.cpus.is_some() || group.cpuset.cpus_effective.is_some())
        {
            continue;
        }
        let Some(cpus) = limits.effective.cpus else {
            continue;
        };
        let online = inventory
            .cpu
            .and_then(|cpu| cpu.online)
            .unwrap_or_else(|| cpus.clone());
        // lstopo reads what a cpuset of version 1 was given, not what of it is in effect: `cpuset.effective_cpus`,
        // which leaves out what is offline (Documentation/admin-guide/cgroup-v1/cpusets.rst, 1.4).
        let given = limits
            .cgroups
            .iter()
            .find(|group| group.distance == 0 && group.cpuset.cpus.is_some());
        let given = given
            .filter(|group| group.version == 1)
            .and_then(|group| group.cpuset.cpus.clone());
        let seen = given.unwrap_or_else(|| cpus.clone());
        let allowed = lstopo_allowed(&tree.directory);
        assert_eq!(
            seen.intersection(&online).to_string(),
            allowed,
            "{}",
            tree.name
        );
        assert!(
            cpus.difference(&seen).is_empty(),
            "{}: {cpus} of {seen}",
            tree.name
        );
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} trees have cpusets");
}

/// The allowed CPUs of the whole machine in lstopo's XML.
fn lstopo_allowed(tree: &std::path::Path) -> String {
    let output = Command::new("lstopo")
        .args(["--if", "fsroot", "--disallowed", "--of", "xml", "-i"])
        .arg(tree)
        .output()
        .expect("lstopo");
    let text = String::from_utf8_lossy(&output.stdout);
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(&text, options).expect("XML");
    let machine = document
        .descendants()
        .find(|node| node.attribute("allowed_cpuset").is_some());
    let mask = machine
        .and_then(|node| node.attribute("allowed_cpuset"))
        .expect("a set");
    let mask: Vec<&str> = mask
        .split(',')
        .map(|word| word.trim_start_matches("0x"))
        .collect();
    let words: Vec<String> = mask.iter().map(|word| format!("{word:0>8}")).collect();
    libhw::parse::bitmap(&words.join(","))
        .expect("a bitmap")
        .to_string()
}

#[test]
fn rlimits_and_affinity_are_those_that_util_linux_tells() {
    let limits = live();
    if support::installed("prlimit") {
        let output = Command::new("prlimit")
            .args(["--noheadings", "--raw", "-o", "RESOURCE,SOFT,HARD"])
            .output()
            .expect("prlimit");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut compared = 0;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, soft, hard] = words.as_slice() else {
                panic!("{line}");
            };
            let number = |text: &str| text.parse::<u64>().ok();
            let own = limits
                .rlimits
                .iter()
                .find(|one| one.id == name.to_lowercase());
            let own = own.unwrap_or_else(|| panic!("{name}"));
            assert_eq!((own.soft, own.hard), (number(soft), number(hard)), "{name}");
            compared += 1;
        }
        assert_eq!(compared, limits.rlimits.len());
    }
    if support::installed("taskset") {
        let own = std::process::id().to_string();
        let output = Command::new("taskset")
            .args(["-c", "-p", &own])
            .output()
            .expect("taskset");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let list = text
            .trim()
            .rsplit(": ")
            .next()
            .unwrap_or_default()
            .to_owned();
        let told: libhw::idset::IdSet = list.parse().expect("a list");
        assert_eq!(limits.process.cpus, Some(told));
    }
}

#[test]
fn capabilities_are_those_that_capsh_decodes() {
    if !support::installed("capsh") {
        return;
    }
    let text = std::fs::read_to_string("/proc/self/status").expect("our status");
    let limits = live();
    for (id, key) in [
        ("effective", "CapEff:"),
        ("bounding", "CapBnd:"),
        ("inheritable", "CapInh:"),
    ] {
        let mask = text
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .expect("a mask")
            .trim();
        let output = Command::new("capsh")
            .arg(format!("--decode={mask}"))
            .output()
            .expect("capsh");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, names) = told.trim().split_once('=').expect("names");
        let names: Vec<&str> = names
            .split(',')
            .filter_map(|name| name.strip_prefix("cap_"))
            .collect();
        let own = limits
            .capabilities
            .iter()
            .find(|set| set.id == id)
            .expect("a set");
        assert_eq!(own.names, names, "{id}");
    }
}

#[test]
fn a_pod_in_a_partition_tells_all_of_its_limits() {
    let inventory = synthetic("limits-pod", &[Class::Limits]);
    assert_eq!(inventory.problems, []);
}
