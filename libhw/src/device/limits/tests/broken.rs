use super::*;

/// Every file that the class reads.
const FILES: [&str; 24] = [
    "proc/self/cgroup",
    "proc/self/mountinfo",
    "proc/self/status",
    "proc/self/limits",
    "proc/self/uid_map",
    "proc/self/attr/current",
    "proc/sys/kernel/cap_last_cap",
    "proc/sys/kernel/pid_max",
    "proc/sys/fs/file-nr",
    "proc/loadavg",
    "proc/pressure/cpu",
    "run/systemd/container",
    "sys/fs/cgroup/cgroup.controllers",
    "sys/fs/cgroup/a/cpu.max",
    "sys/fs/cgroup/a/cpu.weight",
    "sys/fs/cgroup/a/cpu.stat",
    "sys/fs/cgroup/a/cpuset.cpus.effective",
    "sys/fs/cgroup/a/memory.max",
    "sys/fs/cgroup/a/memory.events",
    "sys/fs/cgroup/a/memory.pressure",
    "sys/fs/cgroup/a/pids.max",
    "sys/fs/cgroup/a/hugetlb.2MB.max",
    "sys/fs/cgroup/a/io.max",
    "sys/fs/cgroup/a/io.weight",
];

#[test]
fn a_broken_file_hides_no_other_and_breaks_nothing() {
    for odd in [
        "",
        "\0",
        "(null)\n",
        "99999999999999999999999\n",
        "\u{fffd}\u{1}",
        "a b c d e\n",
        "-5\n",
        "::::\n",
    ] {
        let tree = unified("/a");
        for path in FILES {
            // What leads to the others stays.
            if !matches!(path, "proc/self/cgroup" | "proc/self/mountinfo") {
                tree.write(path, odd);
            }
        }
        let (limits, inventory) = limits(&tree);
        assert!(limits.cgroups.len() <= 2, "{odd:?}");
        let json = serde_json::to_string(&inventory).unwrap();
        assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), inventory);
        for path in ["proc/self/cgroup", "proc/self/mountinfo"] {
            tree.write(path, odd);
            tree.discover(Class::Limits);
        }
    }
}

#[test]
fn a_file_that_answers_with_an_error_is_a_problem_and_hides_no_other() {
    let tree = unified("/a");
    tree.write("sys/fs/cgroup/a/memory.max", "9\n");
    tree.write("sys/fs/cgroup/a/pids.max", "7\n");
    tree.write("sys/fs/cgroup/a/cpu.pressure", "x\n");
    tree.fail(&[
        ("sys/fs/cgroup/a/memory.max", 5),
        ("sys/fs/cgroup/a/cpu.pressure", 95),
    ]);
    let (limits, inventory) = limits(&tree);
    assert_eq!(
        limits.effective.pids.as_ref().map(|bound| bound.limit),
        Some(7)
    );
    assert_eq!(
        told(&inventory.problems),
        [
            ("/sys/fs/cgroup/a/cpu.pressure", "unsupported"),
            ("/sys/fs/cgroup/a/memory.max", "unreadable")
        ]
    );
}

#[test]
fn a_machine_without_any_of_it_has_no_limits_and_no_problems() {
    let (limits, inventory) = limits(&Tree::new(&[("proc/x", "")]));
    assert_eq!((limits, inventory.problems.len()), (Limits::default(), 0));
}
