//! Two hundred rounds of plugging and unplugging.

use std::time::Duration;

use gnomon_lab::{Vm, scale};
use serde_json::json;

use crate::watched::Watched;
use crate::{FUNCTION, of};

const ROUNDS: u32 = 200;

/// What the agent has is looked at after so many.
const STEP: u32 = 20;

/// Between the first hundred rounds and the second: so much the pages of an allocator may be cut otherwise. A record that
/// is kept is one to two KiB, and a round makes at least six.
const GROWTH_MAX_KIB: u64 = 128;

/// What the agent has of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    threads: u64,
    /// Its own memory: that of its code comes and goes as the kernel likes.
    anonymous_kib: u64,
}

#[test]
fn two_hundred_rounds_leak_nothing() {
    let machine = Watched::with_slots(1);
    let Some(mut watched) = Watched::boot("two_hundred_rounds", &machine, &["virtio_net"]) else {
        return;
    };
    watched.vm.limit(Duration::from_secs(180).mul_f64(scale()));
    let [comes, goes] = [("add", "added"), ("remove", "removed")].map(|(act, change)| {
        of(
            act,
            FUNCTION,
            json!({"class": "pci", "id": FUNCTION, "change": change}),
        )
    });
    let rounds = |watched: &mut Watched, count: u32| {
        for _ in 0..count {
            let device = json!({"driver": "virtio-net-pci", "bus": "slot0", "id": "nic"});
            watched.plugs(device, &[&comes]);
            watched.unplugs("nic", &[&goes]);
        }
        held(&mut watched.vm, watched.agent)
    };
    let steps: Vec<Held> = (0..ROUNDS / STEP)
        .map(|_| rounds(&mut watched, STEP))
        .collect();
    println!("after every {STEP} rounds {steps:?}");
    let first = &steps[0];
    for held in &steps {
        assert_eq!(
            (held.descriptors, held.threads),
            (first.descriptors, first.threads),
            "{steps:?}"
        );
    }
    let most = |steps: &[Held]| steps.iter().map(|held| held.anonymous_kib).max().unwrap();
    let (before, after) = steps.split_at(steps.len() / 2);
    assert!(most(after) <= most(before) + GROWTH_MAX_KIB, "{steps:?}");
    watched.print_times("200 rounds");
}

/// What the agent has once it rests: its helper ends when there was nothing to ask for a while.
fn held(vm: &mut Vm, agent: u32) -> Held {
    let mut last: Option<Held> = None;
    let resting = vm.wait_for(
        "the agent's rest",
        Duration::from_secs(10).mul_f64(scale()),
        |vm| {
            let now = look(vm, agent)?;
            let same = last.replace(now.clone()) == Some(now.clone());
            std::thread::sleep(Duration::from_millis(200));
            Ok(same.then_some(now))
        },
    );
    resting.unwrap()
}

fn look(vm: &mut Vm, agent: u32) -> Result<Held, gnomon_lab::LabError> {
    let status = vm.read(&format!("/proc/{agent}/status"))?;
    let memory = vm.read(&format!("/proc/{agent}/smaps_rollup"))?;
    Ok(Held {
        descriptors: vm.list(&format!("/proc/{agent}/fd"))?.len(),
        threads: number(&status, "Threads:"),
        anonymous_kib: number(&memory, "Pss_Anon:"),
    })
}

fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}
