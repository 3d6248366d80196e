use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use nix::errno::Errno;

use super::*;
use crate::error::Error;
use crate::io::root::Root;
use crate::tree::Tree;
use crate::units::Bytes;

mod governor;
mod vfs;

#[expect(clippy::disallowed_methods, reason = "a test stands for the kernel")]
fn put(directory: &Path, path: &str, text: &str) {
    std::fs::write(directory.join(path), format!("{}\n", text.trim())).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test stands for the kernel")]
fn get(directory: &Path, path: &str) -> u64 {
    let text = std::fs::read_to_string(directory.join(path)).unwrap();
    text.trim().parse().unwrap()
}

/// A kernel that takes every write.
fn willing(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
    put(directory, path, text);
    Ok(())
}

fn acting(tree: &Tree, kernel: fn(&Path, &str, &str) -> Result<(), Errno>) -> Root {
    Root::acting(tree.directory_path(), kernel)
}

const SECOND: Duration = Duration::from_secs(1);

fn refused(change: &Change) -> (Refusal, &str) {
    match &change.outcome {
        Outcome::Refused { reason, detail } => (*reason, detail),
        other => panic!("{other:?}"),
    }
}

const POOL: &str = "sys/devices/system/node/node0/hugepages/hugepages-2048kB";

fn pool_tree(total: u64, surplus: u64) -> Tree {
    let tree = Tree::new(&[
        ("proc/self/loginuid", "1000\n"),
        (
            "sys/devices/system/node/node0/meminfo",
            "Node 0 MemTotal:  8388608 kB\n",
        ),
    ]);
    tree.write(&format!("{POOL}/nr_hugepages"), &format!("{total}\n"));
    tree.write(
        &format!("{POOL}/surplus_hugepages"),
        &format!("{surplus}\n"),
    );
    tree.directory("sys/devices/system/node/node0/hugepages/hugepages-1048576kB");
    tree
}

const fn pool(count: u64, all: bool) -> Hugepages {
    Hugepages {
        node: Some(0),
        size: Bytes(2 << 20),
        count,
        all,
    }
}

/// Memory for a hundred pages.
fn short_of_memory(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
    let asked: u64 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
    put(directory, path, &asked.min(100).to_string());
    Ok(())
}

/// Four pages are in use, and stay as surplus.
fn in_use(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
    let asked: u64 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
    put(directory, path, &asked.max(4).to_string());
    put(
        directory,
        &path.replace("nr_", "surplus_"),
        &4_u64.saturating_sub(asked).to_string(),
    );
    Ok(())
}

type Kernel = fn(&Path, &str, &str) -> Result<(), Errno>;

#[test]
fn a_pool_is_taken_in_full_in_part_or_not_at_all() {
    let part = |accepted, asked| Outcome::Partial { accepted, asked };
    let busy = |detail: &str| Outcome::Refused {
        reason: Refusal::Busy,
        detail: detail.to_owned(),
    };
    let none = busy("no memory in one piece for another page of 2 MiB");
    let some = busy("100 of 200 pages of 2 MiB could be had");
    let used = busy("4 pages of 2 MiB stay, since they are in use");
    let (part_had, part_used) = (part(100, 200), part(4, 1));
    type Case = (u64, Kernel, Hugepages, Outcome, u64);
    let cases: [Case; 8] = [
        (0, willing, pool(64, false), Outcome::Full, 64),
        (64, willing, pool(64, false), Outcome::Full, 64),
        (64, willing, pool(8, false), Outcome::Full, 8),
        (0, short_of_memory, pool(200, false), part_had, 100),
        (7, short_of_memory, pool(200, true), some, 7),
        (100, short_of_memory, pool(200, false), none, 100),
        (64, in_use, pool(1, false), part_used, 4),
        (64, in_use, pool(1, true), used, 64),
    ];
    for (before, kernel, asked, outcome, after) in cases {
        let tree = pool_tree(before, 0);
        let root = acting(&tree, kernel);
        let change = hugepages(&root, &asked, Mode::Change).unwrap();
        assert_eq!(change.outcome, outcome, "{before} {asked:?}");
        assert_eq!(
            get(tree.directory_path(), &format!("{POOL}/nr_hugepages")),
            after,
            "{before} {asked:?}"
        );
        assert_eq!(change.login_user, Some(1000));
    }
}

#[test]
fn a_pool_whose_pages_are_all_in_use_is_still_made_smaller() {
    // The kernel remembers: two of the four that are in use are above the pool's size now.
    let tree = pool_tree(4, 0);
    let root = acting(&tree, in_use);
    let change = hugepages(&root, &pool(2, false), Mode::Change).unwrap();
    assert_eq!(
        change.outcome,
        Outcome::Partial {
            accepted: 4,
            asked: 2
        }
    );
    let again = hugepages(&root, &pool(2, false), Mode::Change).unwrap();
    assert_eq!((again.outcome, again.writes.len()), (Outcome::Full, 0));
    let change = hugepages(&acting(&tree, in_use), &pool(0, true), Mode::Change).unwrap();
    assert_eq!(refused(&change).0, Refusal::Busy);
    assert_eq!(
        get(tree.directory_path(), &format!("{POOL}/surplus_hugepages")),
        2,
        "set back"
    );
}

#[test]
fn what_there_is_not_or_cannot_be_is_refused_before_anything_is_written() {
    fn never(_: &Path, path: &str, _: &str) -> Result<(), Errno> {
        panic!("{path} was written")
    }
    let tree = pool_tree(0, 0);
    let root = acting(&tree, never);
    let base = pool(1, false);
    for (asked, reason, detail) in [
        (
            Hugepages {
                node: Some(3),
                ..base
            },
            Refusal::Invalid,
            "no node 3",
        ),
        (
            Hugepages {
                size: Bytes(4 << 20),
                ..base
            },
            Refusal::Unsupported,
            "no huge pages of 4 MiB: there are 2 MiB, 1 GiB",
        ),
        (
            Hugepages {
                size: Bytes(2_097_153),
                ..base
            },
            Refusal::Unsupported,
            "no huge pages of 2 MiB: there are 2 MiB, 1 GiB",
        ),
        (
            Hugepages { node: None, ..base },
            Refusal::Unsupported,
            "no huge pages of 2 MiB: there are none",
        ),
        (
            pool(4097, false),
            Refusal::Invalid,
            "4097 pages of 2 MiB are 8 GiB, and there are 8 GiB",
        ),
        (
            pool(u64::MAX, false),
            Refusal::Invalid,
            "18446744073709551615 pages of 2 MiB are more than can be counted, and there are 8 GiB",
        ),
    ] {
        let change = hugepages(&root, &asked, Mode::Change).unwrap();
        assert_eq!(refused(&change), (reason, detail));
        assert!(change.writes.is_empty() && !change.changed());
    }
}

#[test]
fn the_kernels_answer_says_why_it_was_refused() {
    fn answer(errno: Errno) -> fn(&Path, &str, &str) -> Result<(), Errno> {
        match errno {
            Errno::EACCES => |_, _, _| Err(Errno::EACCES),
            Errno::EROFS => |_, _, _| Err(Errno::EROFS),
            Errno::EOPNOTSUPP => |_, _, _| Err(Errno::EOPNOTSUPP),
            Errno::EINVAL => |_, _, _| Err(Errno::EINVAL),
            Errno::EBUSY => |_, _, _| Err(Errno::EBUSY),
            _ => |_, _, _| Err(Errno::EIO),
        }
    }
    for (errno, reason) in [
        (Errno::EACCES, Refusal::Denied),
        (Errno::EROFS, Refusal::Denied),
        (Errno::EOPNOTSUPP, Refusal::Unsupported),
        (Errno::EINVAL, Refusal::Invalid),
        (Errno::EBUSY, Refusal::Busy),
        (Errno::EIO, Refusal::Failed),
    ] {
        let tree = pool_tree(5, 0);
        let change =
            hugepages(&acting(&tree, answer(errno)), &pool(9, false), Mode::Change).unwrap();
        assert_eq!(refused(&change).0, reason, "{errno}");
        assert!(!refused(&change).1.contains("os error"), "{change}");
        assert!(!change.changed());
    }
}

#[test]
fn a_dry_run_says_what_would_be_written_and_writes_nothing() {
    let tree = pool_tree(0, 0);
    let root = Root::acting(tree.directory_path(), |_, path, _| {
        panic!("{path} was written")
    });
    let change = hugepages(&root, &pool(64, false), Mode::DryRun).unwrap();
    assert_eq!(
        (change.outcome.clone(), change.dry_run),
        (Outcome::Full, true)
    );
    let write = &change.writes[0];
    assert_eq!(
        (write.before.as_str(), write.value.as_str(), &write.after),
        ("0", "64", &None)
    );
    assert!(
        change
            .to_string()
            .ends_with("nr_hugepages 0 -> 64; would be taken"),
        "{change}"
    );
}

#[test]
fn a_captured_machine_is_never_changed() {
    let tree = pool_tree(0, 0);
    let error = hugepages(&tree.root(), &pool(64, false), Mode::Change).unwrap_err();
    assert!(matches!(error, Error::NotLive { .. }), "{error}");
    let error = tree.root().write("sys/x", "1", SECOND).unwrap_err();
    assert!(matches!(error, Error::NotLive { .. }), "{error}");
    assert!(matches!(tree.root().hold(), Err(Error::NotLive { .. })));
    assert_eq!(
        get(tree.directory_path(), &format!("{POOL}/nr_hugepages")),
        0
    );
}

#[test]
fn of_several_who_change_at_once_one_does_and_the_others_are_told() {
    let tree = pool_tree(0, 0);
    let held = acting(&tree, willing);
    let hold = held.hold().unwrap();
    let change = hugepages(&acting(&tree, willing), &pool(64, false), Mode::Change).unwrap();
    assert_eq!(
        refused(&change),
        (Refusal::Busy, "another program is changing settings now")
    );
    drop(hold);
    let start = Barrier::new(8);
    let outcomes: Vec<(u64, Outcome)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8)
            .map(|count| {
                let (tree, start) = (&tree, &start);
                scope.spawn(move || {
                    let root = acting(tree, willing);
                    start.wait();
                    (
                        count,
                        hugepages(&root, &pool(count, false), Mode::Change)
                            .unwrap()
                            .outcome,
                    )
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let done: Vec<u64> = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == Outcome::Full)
        .map(|(count, _)| *count)
        .collect();
    assert!(!done.is_empty());
    assert!(done.contains(&get(tree.directory_path(), &format!("{POOL}/nr_hugepages"))));
}

#[test]
fn nothing_but_the_kernels_settings_can_be_written() {
    let tree = Tree::new(&[
        ("sys/kernel/x", "0\n"),
        ("etc/passwd", "root\n"),
        ("proc/y", "0\n"),
    ]);
    tree.link("sys/out", "../etc/passwd");
    tree.link("sys/absolute", "/etc/passwd");
    tree.link("sys/within", "kernel/x");
    tree.link("sys/over", "../proc/y");
    let root = Root::at_live(tree.directory_path());
    root.write("sys/within", "7\n", SECOND).unwrap();
    root.write("proc/y", "8\n", SECOND).unwrap();
    assert_eq!(
        (
            get(tree.directory_path(), "sys/kernel/x"),
            get(tree.directory_path(), "proc/y")
        ),
        (7, 8)
    );
    for forbidden in [false, true] {
        let root = Root::at_live(tree.directory_path());
        if forbidden {
            root.forbid_openat2();
        }
        for path in [
            "etc/passwd",
            "sys/out",
            "sys/absolute",
            "sys/over",
            "sys/../etc/passwd",
            "sys",
            "sys/",
            "",
            "../etc/passwd",
        ] {
            assert!(root.write(path, "x", SECOND).is_err(), "{path} {forbidden}");
        }
        assert!(matches!(
            root.write("etc/passwd", "x", SECOND),
            Err(Error::Outside { .. })
        ));
        assert!(matches!(
            root.write("sys/out", "x", SECOND),
            Err(Error::Outside { .. })
        ));
    }
    assert_eq!(
        tree.root().text("etc/passwd").unwrap().as_deref(),
        Some("root\n")
    );
    assert_eq!(get(tree.directory_path(), "proc/y"), 8);
}

#[test]
fn a_setting_that_the_kernel_never_answers_is_neither_read_nor_undone() {
    let tree = Tree::new(&[("sys/a", "1\n"), ("sys/b", "1\n")]);
    let root = acting(&tree, |directory, path, text| {
        put(directory, path, text);
        if path == "sys/b" {
            std::thread::park();
        }
        Ok(())
    });
    let asked = change::asked("test", "both".into(), "2".into());
    let limit = (Mode::Change, SECOND);
    let change = change::make(&root, limit, asked, |writer| {
        writer.write_exactly("sys/a", "2")?;
        writer.write_exactly("sys/b", "2")?;
        Ok(Outcome::Full)
    });
    let change = change.unwrap();
    let Outcome::Unknown { limit_s, detail } = &change.outcome else {
        panic!("{change:?}");
    };
    assert_eq!(*limit_s, 1);
    assert!(detail.contains("/sys/b"), "{detail}");
    let said: Vec<_> = change.writes.iter().map(|write| &write.after).collect();
    assert_eq!(said, [&Some("2".to_owned()), &None]);
    assert!(change.changed());
    assert!(
        change
            .to_string()
            .ends_with("accepted? unknown after 1 s, no answer"),
        "{change}"
    );
    // While it is without an answer, the same is not written again.
    let again = root.write("sys/b", "3", SECOND);
    assert_eq!(of(again), Some(libc::EBUSY));
}

fn of(written: crate::error::Result<()>) -> Option<i32> {
    match written {
        Err(Error::Change { source, .. }) => source.raw_os_error(),
        other => panic!("{other:?}"),
    }
}
