//! Cryptography: /proc/crypto of a captured machine and of this one against a parser of its own; and trees made up
//! from the kernel's documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use libhw::device::crypto::{
    Accelerator, Binding, Crypto, Implementation, Kind, Role, ServedBy, Service, State,
};
use libhw::inventory::{Class, Inventory, Scope};
use libhw::io::root::Root;

use crate::{replayed, synthetic};

/// /proc/crypto as a program with nothing of ours would read it: a list of maps.
fn entries(text: &str) -> Vec<BTreeMap<String, String>> {
    let entry = |block: &str| {
        let pairs = block.lines().filter_map(|line| {
            let (key, value) = line.split_once(" : ").or_else(|| line.split_once(": "))?;
            Some((key.trim().to_owned(), value.trim().to_owned()))
        });
        pairs.collect::<BTreeMap<_, _>>()
    };
    text.split("\n\n")
        .map(entry)
        .filter(|entry| entry.get("type").is_some_and(|kind| kind != "larval"))
        .collect()
}

/// The name of an algorithm, the kinds that stand in for each other, and what serves it: the first in the file of
/// those with the highest priority that are tested and not internal (crypto/api.c).
fn winners(entries: &[BTreeMap<String, String>]) -> BTreeSet<(String, String, i64)> {
    let group = |kind: &str| match kind {
        "shash" | "ahash" => "hash",
        "skcipher" | "lskcipher" => "skcipher",
        "scomp" | "acomp" => "acomp",
        _ => "own",
    };
    let mut best: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
    for entry in entries {
        let usable = entry["selftest"] == "passed"
            && entry["internal"] != "yes"
            && entry.get("fips").is_none_or(|fips| fips != "no");
        if !usable {
            continue;
        }
        let kind = match group(&entry["type"]) {
            "own" => entry["type"].clone(),
            group => group.to_owned(),
        };
        let priority: i64 = entry["priority"].parse().expect("a priority");
        let of = (entry["name"].clone(), kind);
        let better = best.get(&of).is_none_or(|(known, _)| priority > *known);
        if better {
            best.insert(of, (priority, entry["driver"].clone()));
        }
    }
    best.into_iter()
        .map(|((name, kind), (priority, driver))| (format!("{name}/{kind}"), driver, priority))
        .collect()
}

fn agrees(crypto: &Crypto, text: &str) {
    let entries = entries(text);
    assert_eq!(crypto.implementations.len(), entries.len());
    for (ours, theirs) in crypto.implementations.iter().zip(&entries) {
        same(ours, theirs);
    }
    let ours = crypto.algorithms.iter();
    let ours: BTreeSet<_> = ours
        .map(|one| (one.id.clone(), one.implementation.clone(), one.priority))
        .collect();
    assert_eq!(ours, winners(&entries));
}

fn same(ours: &Implementation, theirs: &BTreeMap<String, String>) {
    let number = |key: &str| {
        theirs
            .get(key)
            .map(|value| value.parse::<u32>().expect("a number"))
    };
    assert_eq!(ours.name, theirs["name"]);
    assert!(ours.id.starts_with(&theirs["driver"]), "{}", ours.id);
    assert_eq!(ours.module, theirs["module"]);
    assert_eq!(ours.kind, theirs["type"]);
    assert_eq!(ours.priority.to_string(), theirs["priority"]);
    assert_eq!(ours.tested, theirs["selftest"] == "passed");
    assert_eq!(ours.internal, theirs["internal"] == "yes");
    assert_eq!(
        ours.asynchronous,
        theirs.get("async").map(|word| word == "yes")
    );
    assert_eq!(ours.block_bytes, number("blocksize"));
    assert_eq!(ours.key_min_bytes, number("min keysize"));
    assert_eq!(ours.key_max_bytes, number("max keysize"));
    assert_eq!(ours.digest_bytes, number("digestsize"));
    assert_eq!(ours.iv_bytes, number("ivsize"));
}

#[test]
fn proc_crypto_of_a_captured_machine_reads_as_its_text_says() {
    let composite = support::machines()
        .map(|machines| machines.join("composite/prometheus-procfs.ttar"))
        .filter(|path| path.is_file());
    let Some(composite) = composite else {
        support::skipped("no composite/prometheus-procfs.ttar where GNOMON_MACHINES points");
        return;
    };
    let tree = support::ttar::ttar(&composite);
    let text = fs::read_to_string(tree.path().join("proc/crypto")).expect("its text");
    let crypto = replayed(tree.path(), &[Class::Crypto])
        .crypto
        .expect("the class");
    assert_eq!(crypto.implementations.len(), 83);
    agrees(&crypto, &text);
    let gcm = crypto.algorithms.iter().find(|one| one.name == "gcm(aes)");
    assert_eq!(gcm.map(|one| &one.served_by), Some(&ServedBy::Instructions));
}

#[test]
fn proc_crypto_of_this_host_reads_as_its_text_says() {
    let Ok(before) = fs::read_to_string("/proc/crypto") else {
        support::skipped("this kernel has no /proc/crypto");
        return;
    };
    let root = Root::live().expect("this host");
    let scope = Scope {
        classes: vec![Class::Crypto],
        ..Scope::default()
    };
    // Another test may have the kernel register one meanwhile: then the two texts differ.
    for _ in 0..8 {
        let crypto = libhw::inventory::discover(&root, &scope)
            .crypto
            .expect("the class");
        let after = fs::read_to_string("/proc/crypto").expect("its text");
        if entries(&before).len() == entries(&after).len() {
            agrees(&crypto, &after);
            return;
        }
    }
    panic!("the kernel's list changed under every look");
}

fn read(inventory: &Inventory) -> &Crypto {
    assert_eq!(inventory.problems, []);
    inventory.crypto.as_ref().expect("the class")
}

fn called<'a>(crypto: &'a Crypto, id: &str) -> &'a Accelerator {
    let found = crypto.accelerators.iter().find(|row| row.id == id);
    found.unwrap_or_else(|| panic!("no {id}: {:?}", crypto.accelerators))
}

#[test]
fn quickassist_and_forward_error_correction_read_as_their_documents_say() {
    let inventory = synthetic("crypto-qat-fec", &[Class::Crypto]);
    let crypto = read(&inventory);
    let generations: BTreeMap<_, _> = crypto
        .qat
        .iter()
        .filter(|row| !row.virtual_function)
        .map(|row| (row.id.as_str(), row.generation))
        .collect();
    let expected = [
        ("0000:3d:00.0", Some(2)),
        ("0000:3f:00.0", Some(2)),
        ("0000:6b:00.0", Some(4)),
        ("0000:70:00.0", Some(6)),
    ];
    assert_eq!(generations, expected.into());
    let up = called(crypto, "0000:6b:00.0");
    assert_eq!((up.vfs, up.vfs_total), (Some(2), Some(16)));
    assert_eq!(up.services, [Service::Symmetric, Service::Asymmetric]);
    let states = [
        "0000:6b:00.0",
        "0000:70:00.0",
        "0000:3d:00.0",
        "0000:3f:00.0",
    ]
    .map(|id| called(crypto, id).now.state.clone().expect("a state"));
    let expected = [State::Up, State::Down, State::Unresponsive, State::Unbound];
    assert_eq!(states, expected);
    let acc100 = &crypto.fec[1];
    assert_eq!(
        (acc100.id.as_str(), &acc100.role),
        ("0000:51:00.0", &Role::Pf)
    );
    assert_eq!(acc100.binding, Binding::Uio);
    assert_eq!(acc100.vfs, Some(2));
    let drivers = [("none".to_owned(), 1), ("vfio-pci".to_owned(), 1)];
    assert_eq!(acc100.vf_drivers, drivers.into());
}

#[test]
fn data_accelerators_read_as_their_document_says() {
    let inventory = synthetic("crypto-idxd", &[Class::Crypto]);
    let crypto = read(&inventory);
    let kinds: Vec<_> = crypto.accelerators.iter().map(|row| &row.kind).collect();
    assert_eq!(kinds, [&Kind::Dsa, &Kind::Iaa]);
    assert_eq!(
        called(crypto, "dsa0").function.as_deref(),
        Some("0000:e7:01.0")
    );
    assert_eq!(called(crypto, "dsa0").node, Some(1));
    assert_eq!(called(crypto, "iax1").now.state, Some(State::Halted));
    let [dsa, iaa] = &crypto.dsa[..] else {
        panic!("{:?}", crypto.dsa);
    };
    assert_eq!(dsa.version.as_deref(), Some("1.0"));
    assert!(dsa.operations.contains(&"crcgen".to_owned()));
    assert_eq!((dsa.now.error, &dsa.now.command), (None, &None));
    assert!(iaa.operations.contains(&"decompress".to_owned()));
    let error = iaa.now.error.expect("an error");
    assert_eq!(
        (error.code, error.work_queue, error.operation),
        (0x12, Some(2), Some(0x43))
    );
    let command = iaa.now.command.as_ref().expect("a command");
    assert_eq!(command.meaning.as_deref(), Some("work queue has no group"));
    let queue = &crypto.work_queues[0];
    assert_eq!(queue.dsa.as_deref(), Some("dsa0"));
    assert_eq!(queue.group.as_deref(), Some("group0.0"));
}

#[test]
fn amds_and_guests_accelerators_read_as_their_documents_say() {
    let inventory = synthetic("crypto-amd-guest", &[Class::Crypto]);
    let crypto = read(&inventory);
    let psp = &crypto.psp[0];
    assert_eq!(psp.tee_version.as_deref(), Some("00.2d.00.78"));
    assert_eq!((psp.fused, psp.memory_encrypted), (Some(true), Some(false)));
    assert_eq!(called(crypto, "virtio3").now.state, Some(State::Up));
    assert_eq!(called(crypto, "virtio4").now.state, Some(State::NeedsReset));
    assert_eq!(
        called(crypto, "virtio4").function.as_deref(),
        Some("0000:00:07.0")
    );
    assert_eq!(called(crypto, "0000:23:00.0").kind, Kind::Controller);
    let served: Vec<_> = crypto
        .algorithms
        .iter()
        .map(|one| {
            (
                one.id.as_str(),
                one.implementation.as_str(),
                one.served_by.as_str(),
            )
        })
        .collect();
    let expected = [
        ("cbc(aes)/skcipher", "virtio_crypto_aes_cbc", "accelerator"),
        ("deflate/acomp", "deflate-iaa", "accelerator"),
        ("sha256/hash", "sha256-ni", "instructions"),
    ];
    assert_eq!(served, expected);
    let hwrng = crypto.hwrng.as_ref().expect("a generator");
    assert_eq!(hwrng.available, ["virtio_rng.0", "ccp-1-rng"]);
    assert_eq!(hwrng.now.quality_per_1024, Some(1024));
}

#[test]
fn crypto_express_and_cpacf_read_as_their_documents_say() {
    let inventory = synthetic("crypto-s390", &[Class::Crypto]);
    let crypto = read(&inventory);
    assert_eq!(called(crypto, "card00").now.state, Some(State::Up));
    assert_eq!(
        called(crypto, "card01").now.state,
        Some(State::Checkstopped)
    );
    assert_eq!(crypto.ap_cards[0].model.as_deref(), Some("CEX8P"));
    assert_eq!(crypto.ap_cards[0].depth, Some(8));
    let queues = crypto.ap_queues.iter();
    let queues: Vec<_> = queues
        .map(|queue| (queue.card.as_str(), queue.domain, queue.driver.as_deref()))
        .collect();
    let expected = [
        ("card00", Some(4), Some("cex4queue")),
        ("card00", Some(5), Some("vfio_ap")),
    ];
    assert_eq!(queues, expected);
    let ids: Vec<_> = crypto
        .instructions
        .iter()
        .map(|row| row.id.as_str())
        .collect();
    assert!(ids.starts_with(&["msa", "dflt", "facility-76"]), "{ids:?}");
}

#[test]
fn arms_accelerators_read_as_their_documents_say() {
    let inventory = synthetic("crypto-arm", &[Class::Crypto]);
    let crypto = read(&inventory);
    let caam = called(crypto, "1700000.crypto");
    assert_eq!(
        (&caam.kind, caam.model.as_deref()),
        (&Kind::Caam, Some("fsl,sec-v5.4, era 8"))
    );
    let rows = crypto
        .accelerators
        .iter()
        .filter(|row| row.kind == Kind::Caam);
    assert_eq!(rows.count(), 1, "its job rings are parts of it");
    assert_eq!(called(crypto, "f1090000.crypto").kind, Kind::Cesa);
    assert_eq!(called(crypto, "0000:75:00.0").now.state, Some(State::Up));
    assert_eq!(
        called(crypto, "0000:b6:00.0").now.state,
        Some(State::Isolated)
    );
    assert_eq!(called(crypto, "0002:20:00.0").kind, Kind::Cpt);
    assert_eq!(
        crypto.uacce[1].algorithms,
        ["zlib", "gzip", "deflate", "lz77_zstd"]
    );
    assert_eq!(crypto.uacce[1].function.as_deref(), Some("0000:75:00.0"));
}

/// Every processor's crypto instructions that lscpu's captures have, by lscpu's own words.
#[test]
fn instructions_of_captured_machines_are_among_their_flags() {
    let Some(trees) = support::trees() else {
        return;
    };
    let mut seen = 0;
    for tree in trees {
        let crypto = replayed(&tree.directory, &[Class::Crypto])
            .crypto
            .expect("the class");
        let text = fs::read_to_string(tree.directory.join("proc/cpuinfo")).unwrap_or_default();
        let words: BTreeSet<&str> = text.split([' ', '\t', '\n', ',', '_']).collect();
        let whole: BTreeSet<&str> = text.split_whitespace().collect();
        for one in &crypto.instructions {
            let number = one.id.strip_prefix("facility-").unwrap_or(&one.id);
            assert!(
                words.contains(number) || whole.contains(number),
                "{}: {number}",
                tree.name
            );
            seen += 1;
        }
        let aes = text.lines().any(|line| {
            let flags = line.starts_with("flags") || line.starts_with("Features");
            flags && line.split_whitespace().any(|word| word == "aes")
        });
        let ours = crypto.instructions.iter().any(|one| one.id == "aes");
        assert_eq!(ours, aes, "{}", tree.name);
    }
    assert!(seen > 20, "{seen}");
}

/// The trees of this file are all marked, so that nobody takes them for a machine's.
#[test]
fn made_up_trees_say_so() {
    let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("classes/trees");
    for entry in fs::read_dir(trees).expect("trees").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a tree");
        assert!(
            text.starts_with("# SYNTHETIC"),
            "{}",
            entry.path().display()
        );
    }
}
