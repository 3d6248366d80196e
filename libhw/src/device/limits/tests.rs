use super::*;
use crate::inventory::{Class, Inventory};
use crate::tree::{Tree, told};

mod broken;
mod container;

fn limits(tree: &Tree) -> (Limits, Inventory) {
    let inventory = tree.discover(Class::Limits);
    (inventory.limits.clone().unwrap(), inventory)
}

const UNIFIED: &str = "26 25 0:23 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

fn unified(path: &str) -> Tree {
    Tree::new(&[
        ("proc/self/mountinfo", UNIFIED),
        ("proc/self/cgroup", &format!("0::{path}\n")),
        (
            "sys/fs/cgroup/cgroup.controllers",
            "cpuset cpu io memory hugetlb pids\n",
        ),
    ])
}

/// The groups of a pod's container.
const POD: &[(&str, &str)] = &[
    ("kubepods.slice/memory.max", "8589934592"),
    ("kubepods.slice/cpu.max", "max 100000"),
    ("kubepods.slice/pod1/memory.max", "536870912"),
    ("kubepods.slice/pod1/cpu.max", "150000 100000"),
    ("kubepods.slice/pod1/pids.max", "4096"),
    ("kubepods.slice/pod1/hugetlb.2MB.max", "4194304"),
    ("kubepods.slice/pod1/hugetlb.2MB.rsvd.max", "max"),
    ("kubepods.slice/pod1/app/memory.max", "max"),
    ("kubepods.slice/pod1/app/memory.high", "268435456"),
    ("kubepods.slice/pod1/app/memory.oom.group", "1"),
    ("kubepods.slice/pod1/app/cpu.max", "200000 100000"),
    ("kubepods.slice/pod1/app/cpu.weight", "39"),
    ("kubepods.slice/pod1/app/cpuset.cpus", ""),
    ("kubepods.slice/pod1/app/cpuset.cpus.effective", "2-5"),
    (
        "kubepods.slice/pod1/app/cpuset.cpus.partition",
        "isolated invalid (Parent is not a partition root)",
    ),
    ("kubepods.slice/pod1/app/cpuset.mems.effective", "0"),
    (
        "kubepods.slice/pod1/app/io.max",
        "8:16 rbps=2097152 wbps=max riops=max wiops=120\n8:0 rbps=max wbps=1 riops=max wiops=max",
    ),
    ("kubepods.slice/pod1/app/io.weight", "default 100\n8:16 200"),
    ("kubepods.slice/pod1/app/memory.current", "1048576"),
    (
        "kubepods.slice/pod1/app/memory.events",
        "low 0\nhigh 3\nmax 7\noom 1\noom_kill 2\n",
    ),
    (
        "kubepods.slice/pod1/app/cpu.stat",
        "usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 1234\n",
    ),
    (
        "kubepods.slice/pod1/app/memory.pressure",
        "some avg10=1.05 avg60=0.12 avg300=0.04 total=15\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=2\n",
    ),
    ("kubepods.slice/pod1/app/cgroup.pressure", "1"),
];

fn pod() -> Tree {
    let tree = unified("/kubepods.slice/pod1/app");
    for (path, text) in POD {
        tree.write(&format!("sys/fs/cgroup/{path}"), &format!("{text}\n"));
    }
    tree.write(
        "proc/self/status",
        "Cpus_allowed_list:\t0-3\nMems_allowed_list:\t0-1\n",
    );
    tree
}

#[test]
fn the_smallest_limit_on_the_way_to_the_root_is_the_effective_one() {
    let tree = pod();
    let (limits, inventory) = limits(&tree);
    assert_eq!(told(&inventory.problems), []);
    let bound = |limit, cgroup: &str| {
        Some(Bound {
            limit,
            cgroup: format!("unified:{cgroup}"),
        })
    };
    let effective = &limits.effective;
    assert_eq!(effective.memory, bound(512 << 20, "/kubepods.slice/pod1"));
    assert_eq!(
        effective.memory_high,
        bound(256 << 20, "/kubepods.slice/pod1/app")
    );
    assert_eq!(effective.cpu, bound(1500, "/kubepods.slice/pod1"));
    assert_eq!(effective.pids, bound(4096, "/kubepods.slice/pod1"));
    assert_eq!(effective.hugetlb[0].size_bytes, Bytes(2 << 20));
    assert_eq!(effective.hugetlb.len(), 1);
    assert_eq!(
        effective.cpus.as_ref().map(ToString::to_string).as_deref(),
        Some("2-3")
    );
    assert_eq!(
        effective.nodes.as_ref().map(ToString::to_string).as_deref(),
        Some("0")
    );
    assert_eq!(effective.usable_millicpus, Some(1500));
    let ids: Vec<&str> = limits
        .cgroups
        .iter()
        .map(|group| group.path.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "/kubepods.slice/pod1/app",
            "/kubepods.slice/pod1",
            "/kubepods.slice",
            "/"
        ]
    );
}

#[test]
fn a_group_tells_its_weights_devices_and_what_went_wrong_in_it() {
    let (limits, _) = limits(&pod());
    let own = &limits.cgroups[0];
    assert_eq!(
        (own.cpu.weight, own.io_weight, own.memory.oom_group),
        (Some(39), Some(100), Some(true))
    );
    assert_eq!(
        (own.now.oom_kills, own.now.memory_max_events),
        (Some(2), Some(7))
    );
    assert_eq!(
        (own.now.throttled_periods, own.now.throttled_us),
        (Some(4), Some(1234))
    );
    assert_eq!(
        own.cpuset.partition.as_deref(),
        Some("isolated invalid (Parent is not a partition root)")
    );
    let devices: Vec<_> = own
        .io
        .iter()
        .map(|one| {
            (
                one.id.as_str(),
                one.read_bytes_per_second,
                one.writes_per_second,
            )
        })
        .collect();
    assert_eq!(
        devices,
        [("8:0", None, None), ("8:16", Some(2_097_152), Some(120))]
    );
    let pressure: Vec<_> = own
        .now
        .pressure
        .iter()
        .map(|one| {
            (
                one.id.as_str(),
                one.some.map(|some| some.avg10_millipercent),
            )
        })
        .collect();
    assert_eq!(pressure, [("memory", Some(1050))]);
    let container = limits.container.as_ref().unwrap();
    assert_eq!(
        (&container.kind, container.evidence.len()),
        (&ContainerKind::Kubernetes, 1)
    );
}

/// Two hierarchies that limit, one that doesn't, and one with devices.
const VERSION_1: &[(&str, &str)] = &[
    (
        "proc/self/mountinfo",
        "30 29 0:25 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
             31 29 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             32 29 0:27 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n\
             33 29 0:28 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n",
    ),
    (
        "proc/self/cgroup",
        "4:devices:/a\n3:memory:/a\n2:cpuacct,cpu:/a\n1:name=systemd:/a\n5:blkio:/\n",
    ),
    ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n"),
    ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"),
    ("sys/fs/cgroup/cpu,cpuacct/a/cpu.shares", "1024\n"),
    ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
    ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
    (
        "sys/fs/cgroup/cpu,cpuacct/cpu.stat",
        "nr_periods 1\nnr_throttled 1\nthrottled_time 5000000\n",
    ),
    (
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes",
        "9223372036854771712\n",
    ),
    ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "4096\n"),
    (
        "sys/fs/cgroup/memory/a/memory.oom_control",
        "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    ),
    ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
    ("sys/fs/cgroup/devices/a/devices.list", "a *:* rwm\n"),
    (
        "sys/fs/cgroup/blkio/blkio.throttle.read_bps_device",
        "8:0 1048576\n",
    ),
    (
        "sys/fs/cgroup/blkio/blkio.throttle.write_iops_device",
        "8:0 10\n",
    ),
];

#[test]
fn groups_of_version_1_are_read_by_the_same_table() {
    let tree = Tree::new(VERSION_1);
    let (limits, inventory) = limits(&tree);
    assert_eq!(told(&inventory.problems), []);
    let ids: Vec<&str> = limits
        .cgroups
        .iter()
        .map(|group| group.id.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "memory:/a",
            "memory:/",
            "cpuacct,cpu:/a",
            "cpuacct,cpu:/",
            "blkio:/"
        ]
    );
    assert_eq!(
        limits.effective.cpu.as_ref().map(|bound| bound.limit),
        Some(500)
    );
    assert_eq!(
        limits
            .effective
            .memory
            .as_ref()
            .map(|bound| bound.cgroup.as_str()),
        Some("memory:/")
    );
    assert_eq!(
        (
            limits.cgroups[0].memory.max_bytes,
            limits.cgroups[0].now.oom_kills
        ),
        (None, Some(3))
    );
    assert_eq!(limits.cgroups[3].now.throttled_us, Some(5000));
    let io = &limits.cgroups[4].io[0];
    assert_eq!(
        (io.read_bytes_per_second, io.writes_per_second),
        (Some(1_048_576), Some(10))
    );
}

#[test]
fn a_group_of_which_nothing_is_told_is_left_out() {
    let tree = unified("/a");
    tree.write("sys/fs/cgroup/a/cgroup.procs", "1\n");
    let (limits, _) = limits(&tree);
    let ids: Vec<(&str, u32)> = limits
        .cgroups
        .iter()
        .map(|group| (group.id.as_str(), group.distance))
        .collect();
    assert_eq!(ids, [("unified:/", 0)]);
}

#[test]
fn trees_without_mountinfo_are_read_by_what_they_have() {
    let tree = Tree::new(&[
        ("proc/mounts", "none /dev/cpuset cpuset rw 0 0\n"),
        ("proc/self/cpuset", "/job1\n"),
        ("dev/cpuset/job1/cpus", "2-3\n"),
        ("dev/cpuset/job1/mems", "1\n"),
    ]);
    let (limits, _) = limits(&tree);
    assert_eq!(limits.cgroups[0].id, "cpuset:/job1");
    assert_eq!(
        limits
            .effective
            .cpus
            .as_ref()
            .map(ToString::to_string)
            .as_deref(),
        Some("2-3")
    );
    assert_eq!(limits.effective.usable_millicpus, Some(2000));
}

/// A process in a container.
const PROCESS: &[(&str, &str)] = &[
    (
        "proc/self/status",
        "Uid:\t1000\t1001\t1000\t1000\nCapInh:\t0000000000000000\nCapPrm:\t0000000000001000\nCapEff:\t0000000000001000\n\
             CapBnd:\t000001ffffffffff\nCapAmb:\t8000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n",
    ),
    ("proc/sys/kernel/cap_last_cap", "40\n"),
    ("proc/self/uid_map", "         0       1000          1\n"),
    ("proc/self/attr/current", "docker-default (enforce)\n\0"),
    (
        "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max open files            1024                 524288               files     \n\
             Max nice priority         0                    0                    \n\
             Max locked memory         unlimited            unlimited            bytes     \n\
             Max new thing             1                    unlimited            things    \n",
    ),
];

#[test]
fn the_process_tells_its_rights() {
    let tree = Tree::new(PROCESS);
    let (limits, inventory) = limits(&tree);
    assert_eq!(told(&inventory.problems), []);
    let process = &limits.process;
    assert_eq!(
        (
            process.user,
            process.seccomp.clone(),
            process.seccomp_filters
        ),
        (Some(1001), Some(Seccomp::Filter), Some(3))
    );
    assert_eq!(
        (process.no_new_privs, process.user_namespace),
        (Some(true), Some(true))
    );
    assert_eq!(
        process.security_label.as_deref(),
        Some("docker-default (enforce)")
    );
    let sets: Vec<_> = limits
        .capabilities
        .iter()
        .map(|set| (set.id.as_str(), set.full, set.names.len()))
        .collect();
    assert_eq!(
        sets,
        [
            ("effective", false, 1),
            ("permitted", false, 1),
            ("inheritable", false, 0),
            ("bounding", true, 41),
            ("ambient", false, 1)
        ]
    );
    assert_eq!(
        (
            limits.capabilities[0].names[0].as_str(),
            limits.capabilities[4].names[0].as_str()
        ),
        ("net_admin", "cap_63")
    );
    let told: Vec<_> = limits
        .rlimits
        .iter()
        .map(|one| (one.id.as_str(), one.soft, one.hard, one.unit.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("nofile", Some(1024), Some(524_288), "files"),
            ("nice", Some(0), Some(0), ""),
            ("memlock", None, None, "bytes"),
            ("Max new thing", Some(1), None, "things"),
        ]
    );
    assert_eq!(serde_json::to_string(&Seccomp::Unknown(9)).unwrap(), "9");
}

#[test]
fn what_changes_is_read_again() {
    let tree = unified("/a");
    tree.write("sys/fs/cgroup/a/memory.current", "1\n");
    tree.write("sys/fs/cgroup/a/memory.max", "9\n");
    tree.write(
        "proc/pressure/cpu",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
    );
    tree.write("proc/loadavg", "0.20 0.18 0.12 1/80 11206\n");
    tree.write("proc/sys/fs/file-nr", "9344\t0\t9223372036854775807\n");
    let (mut limits, _) = limits(&tree);
    assert_eq!(
        (limits.now.tasks, limits.now.open_files),
        (Some(80), Some(9344))
    );
    tree.write("sys/fs/cgroup/a/memory.current", "2\n");
    tree.write("sys/fs/cgroup/a/memory.max", "8\n");
    tree.write(
        "proc/pressure/cpu",
        "some avg10=2.50 avg60=0.00 avg300=0.00 total=7\n",
    );
    let root = tree.root();
    refresh(&mut limits, &Survey::new(&root, "limits", false, false));
    assert_eq!(limits.cgroups[0].now.memory_bytes, Some(Bytes(2)));
    assert_eq!(
        limits.cgroups[0].memory.max_bytes,
        Some(Bytes(9)),
        "only what is below `now`"
    );
    assert_eq!(
        limits.now.pressure[0].some.map(|some| some.total_us),
        Some(7)
    );
}

#[test]
fn limits_of_the_kernel_keep_their_sign() {
    let tree = Tree::new(&[
        ("proc/sys/kernel/sched_rt_runtime_us", "-1\n"),
        ("proc/sys/fs/file-max", "18446744073709551615\n"),
        ("proc/sys/kernel/pid_max", "4194304\n"),
    ]);
    let (limits, _) = limits(&tree);
    let told: Vec<_> = limits
        .sysctls
        .iter()
        .map(|one| (one.id.as_str(), one.value))
        .collect();
    assert_eq!(
        told,
        [
            ("fs.file-max", i64::MAX),
            ("kernel.pid_max", 4_194_304),
            ("kernel.sched_rt_runtime_us", -1)
        ]
    );
}
