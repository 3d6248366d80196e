//! Does Gnomon see what lstopo and lscpu see, on real machines' trees?
//!
//! Every difference is ours to fix, or stands in [`differences`] with its reason.

mod differences;
mod facts;
mod lscpu;
mod lstopo;
mod synthetic;

use std::path::Path;

use libhw::inventory::{Inventory, Scope, discover};
use libhw::io::root::Root;

use crate::facts::Facts;
use crate::synthetic::Shape;

#[test]
fn every_tree_reads_as_lstopo_reads_it() {
    compare("lstopo", |tree, inventory| {
        let xml = lstopo::run(tree)?;
        Some(xml.map(|xml| {
            facts::that_both_can_know(lstopo::facts(&xml), facts::of_inventory(inventory))
        }))
    });
}

#[test]
fn cpus_are_grouped_as_lscpu_groups_them() {
    compare("lscpu -p", |tree, inventory| {
        let text = lscpu::run(tree, &["-p=cpu,core,socket,node"])?;
        Some(text.map(|text| {
            lscpu::that_it_tells(
                lscpu::partition_facts(&text),
                lscpu::our_partition(inventory),
            )
        }))
    });
}

#[test]
fn the_summary_agrees_with_lscpu() {
    compare("lscpu -J", |tree, inventory| {
        let text = lscpu::run(tree, &["-J"])?;
        Some(text.map(|text| {
            lscpu::that_it_tells(lscpu::summary_facts(&text), lscpu::our_summary(inventory))
        }))
    });
}

#[test]
fn dies_and_clusters_read_as_lstopo_reads_them() {
    let base = Shape {
        packages: 2,
        dies: 2,
        clusters: 2,
        cores: 2,
        threads: 2,
        stride: 1,
    };
    for shape in [
        base,
        Shape { stride: 5, ..base },
        Shape {
            threads: 1,
            dies: 3,
            ..base
        },
        Shape {
            clusters: 1,
            ..base
        },
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        synthetic::write(directory.path(), shape);
        let inventory = discover(
            &Root::captured(directory.path()).expect("a tree"),
            &Scope::default(),
        );
        let Some(xml) = lstopo::run(directory.path()) else {
            return support::skipped("lstopo is not installed");
        };
        let (theirs, ours) = (
            lstopo::facts(&xml.expect("lstopo reads it")),
            facts::of_inventory(&inventory),
        );
        assert!(
            theirs.iter().any(|fact| fact.starts_with("die ")),
            "lstopo prints dies of {shape:?}"
        );
        assert_eq!(theirs, ours, "{shape:?}");
    }
}

/// Runs one peer over all trees, and fails with every difference that is not excused.
fn compare(
    peer: &str,
    facts: impl Fn(&Path, &Inventory) -> Option<Result<(Facts, Facts), String>>,
) {
    let Some(trees) = support::trees() else {
        return;
    };
    let (mut compared, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for tree in trees {
        let root = Root::captured(&tree.directory).expect("a tree");
        let scope = Scope {
            virtual_functions: true,
            ..Scope::default()
        };
        let inventory = discover(&root, &scope);
        match facts(&tree.directory, &inventory) {
            None => return support::skipped(&format!("{peer} is not installed")),
            Some(Err(reason)) => refused.push(format!("{}: {reason}", tree.name)),
            Some(Ok((theirs, ours))) => {
                compared += 1;
                let lines = theirs
                    .difference(&ours)
                    .map(|fact| format!("only {peer}: {fact}"));
                let lines = lines.chain(
                    ours.difference(&theirs)
                        .map(|fact| format!("only we: {fact}")),
                );
                wrong.extend(
                    lines
                        .filter(|line| differences::reason(peer, tree, line).is_none())
                        .map(|line| format!("{}: {line}", tree.name)),
                );
            }
        }
    }
    println!(
        "{peer}: {compared} trees compared, {} refused by it: {refused:#?}",
        refused.len()
    );
    assert!(
        compared > trees.len() / 3,
        "{peer} read {compared} of {} trees",
        trees.len()
    );
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
