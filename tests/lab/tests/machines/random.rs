//! Machines drawn at random.

use std::ops::Range;
use std::time::Instant;

use gnomon_lab::{Machine, ready};

use crate::{boot, differences, inventory, peers};

/// Boots the machines of these seeds, or of those that `GNOMON_LAB_SEEDS` names (`100-131`), and says of each what its
/// inventory tells otherwise than it was drawn, and otherwise than the peers in the same guest.
fn agree(seeds: Range<u64>, name: &str) {
    if !ready() {
        return;
    }
    let mut wrong = Vec::new();
    for seed in asked(&seeds) {
        let machine = Machine::random(seed);
        let started = Instant::now();
        let mut said = match boot(&machine, &format!("{name}_{seed}")) {
            Ok(mut vm) => {
                let inventory = inventory(&mut vm);
                let mut said = differences(&machine, &inventory);
                said.extend(peers::differences(&mut vm, &inventory));
                said
            }
            Err(error) => vec![error.to_string()],
        };
        println!(
            "seed {seed}: {:.1?}, {} differences",
            started.elapsed(),
            said.len()
        );
        if !said.is_empty() {
            said.insert(0, format!("`gnomon-lab random {seed}` shows the machine:"));
            wrong.extend(said);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// This test's part of the seeds that were asked for; its own where none were.
fn asked(own: &Range<u64>) -> Vec<u64> {
    let named = std::env::var("GNOMON_LAB_SEEDS").ok();
    let Some(named) = named else {
        return own.clone().collect();
    };
    let (first, last) = named.split_once('-').expect("FIRST-LAST");
    let (first, last): (u64, u64) = (
        first.parse().expect("a seed"),
        last.parse().expect("a seed"),
    );
    let parts = 4;
    (first..=last)
        .filter(|seed| seed % parts == own.start / 8 % parts)
        .collect()
}

#[test]
fn an_inventory_tells_what_a_drawn_machine_is_first_part() {
    agree(0..8, "drawn");
}

#[test]
fn an_inventory_tells_what_a_drawn_machine_is_second_part() {
    agree(8..16, "drawn");
}

#[test]
fn an_inventory_tells_what_a_drawn_machine_is_third_part() {
    agree(16..24, "drawn");
}

#[test]
fn an_inventory_tells_what_a_drawn_machine_is_fourth_part() {
    agree(24..32, "drawn");
}
