#![expect(
    clippy::disallowed_methods,
    reason = "a test writes the tree that it reads"
)]

mod power;

use std::fs;
use std::path::Path;

use super::*;
use crate::io::root::Root;
use crate::survey::{Problem, Reason};

/// Reads a tree of files below /sys/devices/system/cpu; a name with a leading slash stands below the root.
fn read(files: &[(&str, &str)]) -> (Cpu, Vec<Problem>) {
    let tree = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = match name.strip_prefix('/') {
            Some(name) => tree.path().join(name),
            None => tree.path().join(CPUS).join(name),
        };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    read_tree(tree.path())
}

fn read_tree(tree: &Path) -> (Cpu, Vec<Problem>) {
    let root = Root::captured(tree).unwrap();
    let survey = Survey::new(&root, "cpu", false, false);
    let cpu = discover(&survey);
    (cpu, survey.into_problems())
}

/// The files of CPUs 0..n, whose text may depend on the CPU.
type Files = Vec<(String, String)>;

fn each(cpus: std::ops::Range<u32>, name: &str, text: impl Fn(u32) -> String) -> Files {
    cpus.map(|cpu| (format!("cpu{cpu}/{name}"), text(cpu)))
        .collect()
}

fn read_all(files: &[Files]) -> (Cpu, Vec<Problem>) {
    let files: Vec<(&str, &str)> = files
        .iter()
        .flatten()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    read(&files)
}

/// The run of `size` CPUs that a CPU is in.
fn run(cpu: u32, size: u32) -> String {
    let first = cpu / size * size;
    format!("{first}-{}\n", first + size - 1)
}

fn told(online: &str) -> Files {
    ["present", "online"]
        .map(|name| (name.to_owned(), online.to_owned()))
        .into()
}

fn sets(groups: &[Group]) -> Vec<String> {
    groups.iter().map(|group| group.cpus.to_string()).collect()
}

fn cache_sets(cpu: &Cpu) -> Vec<(String, String)> {
    let pair = |cache: &Cache| (cache.id.clone(), cache.cpus.to_string());
    cpu.caches.iter().map(pair).collect()
}

#[test]
fn dies_and_clusters_nest_in_packages() {
    let (cpu, problems) = read_all(&[
        told("0-15\n"),
        each(0..16, "topology/core_cpus_list", |cpu| run(cpu, 2)),
        each(0..16, "topology/core_id", |cpu| {
            format!("{}\n", cpu % 8 / 2)
        }),
        each(0..16, "topology/cluster_cpus_list", |cpu| run(cpu, 4)),
        each(0..16, "topology/cluster_id", |_| "-1\n".into()),
        each(0..16, "topology/die_cpus_list", |cpu| {
            // The second package has one die: the kernel gives it the package's own set.
            run(cpu, if cpu < 8 { 4 } else { 8 })
        }),
        each(0..16, "topology/die_id", |cpu| format!("{}\n", cpu / 4 % 2)),
        each(0..16, "topology/package_cpus_list", |cpu| run(cpu, 8)),
        each(0..16, "topology/physical_package_id", |cpu| {
            format!("{}\n", 5 - cpu / 8)
        }),
    ]);
    assert_eq!(problems, []);
    assert_eq!(sets(&cpu.dies), ["0-3", "4-7"]);
    assert_eq!(sets(&cpu.clusters), ["8-11", "12-15"]);
    assert_eq!(cpu.cores.len(), 8);
    assert_eq!(cpu.smt_active, Some(true));
    let packages: Vec<_> = cpu
        .packages
        .iter()
        .map(|package| (package.id, package.kernel_id))
        .collect();
    assert_eq!(packages, [(4, Some(4)), (5, Some(5))]);
    let thread = &cpu.cpus[9];
    assert_eq!(
        (thread.package, thread.core, thread.cluster, thread.die),
        (Some(4), Some(8), Some(8), None)
    );
    assert_eq!((cpu.cores[4].id, cpu.cores[4].kernel_id), (8, Some(0)));
}

#[test]
fn packages_that_share_a_number_are_named_by_their_lowest_cpu() {
    let (cpu, _) = read_all(&[
        told("0-3\n"),
        each(0..4, "topology/core_siblings_list", |cpu| run(cpu, 2)),
        each(0..4, "topology/physical_package_id", |_| "-1\n".into()),
    ]);
    let packages: Vec<_> = cpu
        .packages
        .iter()
        .map(|package| (package.id, package.kernel_id))
        .collect();
    assert_eq!(packages, [(0, None), (2, None)]);
}

#[test]
fn what_only_repeats_the_core_or_the_package_is_no_die_and_no_cluster() {
    let (cpu, _) = read_all(&[
        told("0-3\n"),
        each(0..4, "topology/core_cpus_list", |cpu| format!("{cpu}\n")),
        each(0..4, "topology/cluster_cpus_list", |cpu| format!("{cpu}\n")),
        each(0..4, "topology/cluster_id", |cpu| format!("{}\n", 64 * cpu)),
        each(0..4, "topology/die_cpus_list", |cpu| format!("{cpu}\n")),
        each(0..4, "topology/die_id", |_| "-1\n".into()),
        each(0..4, "topology/package_cpus_list", |_| "0-3\n".into()),
    ]);
    assert_eq!((sets(&cpu.dies), sets(&cpu.clusters)), (vec![], vec![]));
    assert_eq!(cpu.cores.len(), 4);
    assert_eq!(cpu.smt_active, Some(false));
}

#[test]
fn offline_cpus_are_listed_and_belong_to_nothing() {
    let (cpu, problems) = read_all(&[
        vec![
            ("present".into(), "0-3\n".into()),
            ("online".into(), "1-3\n".into()),
            ("possible".into(), "0-7\n".into()),
        ],
        each(0..1, "online", |_| "0\n".into()),
        each(1..4, "topology/core_cpus_list", |cpu| run(cpu, 2)),
        each(1..4, "topology/package_cpus_list", |_| "0-3\n".into()),
    ]);
    assert_eq!(problems, []);
    assert_eq!(sets(&cpu.cores), ["1", "2-3"]);
    assert_eq!(sets(&cpu.packages), ["1-3"]);
    assert_eq!(cpu.offline.unwrap().to_string(), "0");
    assert_eq!(cpu.possible.unwrap().to_string(), "0-7");
    assert_eq!(cpu.cpus[0], Thread::default());
    assert!(cpu.cpus[1].online && cpu.cpus[1].core == Some(1));
}

#[test]
fn an_old_kernel_tells_what_is_online_by_its_directories() {
    let (cpu, problems) = read_all(&[
        each(0..5, "crash_notes", |_| String::new()),
        each(1..2, "online", |_| "0\n".into()),
        each(2..3, "online", |_| "1\n".into()),
        // 3 is offline as well: it has no topology.
        each(0..3, "topology/thread_siblings", |cpu| {
            format!("{:08x}\n", 1 << cpu)
        }),
        each(4..5, "topology/thread_siblings", |_| "00000010\n".into()),
        each(0..5, "topology/core_siblings", |_| "0000001f\n".into())
            .into_iter()
            .filter(|(name, _)| !name.starts_with("cpu3"))
            .collect(),
    ]);
    assert_eq!(problems, []);
    assert_eq!(cpu.present.as_ref().unwrap().to_string(), "0-4");
    assert_eq!(cpu.online.as_ref().unwrap().to_string(), "0,2,4");
    assert_eq!(cpu.offline.as_ref().unwrap().to_string(), "1,3");
    assert_eq!(cpu.possible, None);
    assert_eq!(sets(&cpu.cores), ["0", "2", "4"]);
    assert_eq!(sets(&cpu.packages), ["0,2,4"]);
}

#[test]
fn a_cpu_without_topology_does_not_hide_the_others() {
    for missing in [0, 2, 3] {
        let present = |files: Files| -> Files {
            let hidden = format!("cpu{missing}/");
            files
                .into_iter()
                .filter(|(name, _)| !name.starts_with(&hidden))
                .collect()
        };
        let (cpu, problems) = read_all(&[
            told("0-3\n"),
            present(each(0..4, "topology/core_cpus_list", |cpu| {
                format!("{cpu}\n")
            })),
            present(each(0..4, "topology/package_cpus_list", |_| "0-3\n".into())),
        ]);
        assert_eq!(problems, []);
        assert_eq!(cpu.cores.len(), 3, "{missing}");
        let thread = &cpu.cpus[missing];
        assert!(thread.online && thread.core.is_none(), "{missing}");
    }
}

#[test]
fn bytes_that_are_no_text_and_null_masks_are_read() {
    let (cpu, problems) = read(&[
        ("present", "0-1\n\0"),
        ("online", "0-1\n\0"),
        ("isolated", "\n"),
        ("nohz_full", "        (null)\n"),
        ("cpu0/topology/core_cpus", "00000000,00000003\n\0"),
        ("cpu0/topology/core_id", "0\n\0"),
        ("cpu0/cache/index0/level", "1\n\0"),
        ("cpu0/cache/index0/type", "Data\n\0"),
        ("cpu0/cache/index0/size", "32K\n\0"),
        ("cpu0/cache/index0/shared_cpu_map", "3\n\0"),
        ("vulnerabilities/l1tf", "Not affected\n\0"),
    ]);
    assert_eq!(problems, []);
    assert_eq!(sets(&cpu.cores), ["0-1"]);
    assert_eq!(cpu.isolated, Some(IdSet::new()));
    assert_eq!(cpu.nohz_full, Some(IdSet::new()));
    assert_eq!(cache_sets(&cpu), [("L1d.0".into(), "0-1".into())]);
    assert_eq!(cpu.vulnerabilities[0].text, "Not affected");
}

#[test]
fn s390_has_books_and_drawers() {
    let (cpu, _) = read_all(&[
        told("0-7\n"),
        each(0..8, "topology/thread_siblings_list", |cpu| format!("{cpu}\n")),
        each(0..8, "topology/core_siblings_list", |cpu| run(cpu, 2)),
        each(0..8, "topology/physical_package_id", |cpu| format!("{}\n", 1 + cpu / 2 % 2)),
        each(0..8, "topology/book_siblings_list", |cpu| run(cpu, 4)),
        each(0..8, "topology/book_id", |cpu| format!("{}\n", 1 + cpu / 4)),
        each(0..8, "topology/drawer_siblings_list", |_| "0-7\n".into()),
        each(0..8, "topology/drawer_id", |_| "4\n".into()),
        vec![(
            "/proc/cpuinfo".into(),
            "vendor_id       : IBM/S390\n\
             cache0          : level=1 type=Data scope=Private size=128K line_size=256 associativity=8\n\
             cache1          : level=3 type=Unified scope=Shared size=65536K line_size=256 associativity=16\n\
             processor 0: version = 00,  identification = 279F25,  machine = 2964\n"
                .into(),
        )],
    ]);
    assert_eq!(sets(&cpu.packages), ["0-1", "2-3", "4-5", "6-7"]);
    assert_eq!(cpu.packages[3].id, 6);
    assert_eq!(sets(&cpu.books), ["0-3", "4-7"]);
    assert_eq!(
        (cpu.books[1].kernel_id, cpu.drawers[0].kernel_id),
        (Some(2), Some(4))
    );
    assert_eq!((cpu.cpus[5].book, cpu.cpus[5].drawer), (Some(4), Some(0)));
    assert_eq!(cpu.caches.len(), 9);
    assert_eq!(cpu.caches[8].id, "L3");
    assert!(cpu.caches[8].cpus.is_empty());
}

#[test]
fn x86_names_its_kinds_of_cores() {
    let (cpu, _) = read(&[
        ("present", "0-7\n"),
        ("online", "0-6\n"),
        ("/sys/devices/cpu_atom/cpus", "4-7\n"),
        ("/sys/devices/cpu_core/cpus", "0-3\n"),
    ]);
    let kinds: Vec<_> = cpu
        .kinds
        .iter()
        .map(|kind| (kind.name.as_deref(), kind.cpus.to_string()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Some("performance"), "0-3".into()),
            (Some("efficiency"), "4-6".into())
        ]
    );
    // With the other kind switched off there is only one left.
    let (cpu, _) = read(&[("online", "0-3\n"), ("/sys/devices/cpu_core/cpus", "0-3\n")]);
    assert_eq!(cpu.kinds, []);
}

#[test]
fn arm_tells_its_kinds_by_capacity() {
    let capacity = |cpu| if cpu < 4 { "446\n" } else { "1024\n" }.to_owned();
    let (cpu, _) = read_all(&[told("0-5\n"), each(0..6, "cpu_capacity", capacity)]);
    let kinds: Vec<_> = cpu
        .kinds
        .iter()
        .map(|kind| (kind.capacity, kind.cpus.to_string()))
        .collect();
    assert_eq!(
        kinds,
        [(Some(1024), "4-5".into()), (Some(446), "0-3".into())]
    );
    let (cpu, _) = read_all(&[
        told("0-5\n"),
        each(0..6, "cpu_capacity", |_| "1024\n".into()),
    ]);
    assert_eq!(cpu.kinds, []);
}

#[test]
fn of_two_forms_of_a_set_the_one_that_can_be_true_counts() {
    let (cpu, _) = read_all(&[
        told("0-3\n"),
        // 2's bitmap claims 1, which is 0's; 3's has not even itself.
        each(0..4, "topology/core_siblings", |cpu| {
            ["3\n", "3\n", "6\n", "1\n"][cpu as usize].into()
        }),
        each(0..4, "topology/core_siblings_list", |cpu| {
            ["0-1", "0-1", "2", "3"][cpu as usize].into()
        }),
    ]);
    assert_eq!(sets(&cpu.packages), ["0-1", "2", "3"]);
    let (cpu, _) = read_all(&[
        told("0-3\n"),
        each(0..4, "topology/core_siblings", |cpu| {
            ["3\n", "3\n", "e\n", "1\n"][cpu as usize].into()
        }),
    ]);
    assert_eq!(sets(&cpu.packages), ["0-1", "2-3"]);
}

#[test]
fn numbers_group_cpus_where_no_set_does() {
    let (cpu, _) = read_all(&[
        told("0-7\n"),
        each(0..8, "topology/physical_package_id", |cpu| {
            format!("{}\n", cpu % 2)
        }),
        each(0..8, "topology/core_id", |cpu| format!("{}\n", cpu % 4 / 2)),
    ]);
    assert_eq!(sets(&cpu.packages), ["0,2,4,6", "1,3,5,7"]);
    assert_eq!(sets(&cpu.cores), ["0,4", "1,5", "2,6", "3,7"]);
}

fn cache(cpu: u32, index: u32, words: [&str; 4]) -> Files {
    let names = ["level", "type", "size", "shared_cpu_list"];
    let file = |(name, text): (&str, &str)| {
        (
            format!("cpu{cpu}/cache/index{index}/{name}"),
            format!("{text}\n"),
        )
    };
    names.into_iter().zip(words).map(file).collect()
}

#[test]
fn a_cache_is_read_once_and_its_size_is_its_own() {
    let mut files = vec![
        told("0-3\n"),
        cache(0, 0, ["1", "Data", "32K", "0"]),
        cache(0, 1, ["3", "Unified", "98304K", "0-1"]),
        cache(1, 0, ["1", "Data", "32K", "1"]),
        cache(1, 1, ["3", "Unified", "98304K", "0-1"]),
        cache(2, 0, ["1", "Data", "32K", "2"]),
        cache(2, 1, ["3", "Unified", "32768K", "2-3"]),
        cache(3, 0, ["1", "Data", "32K", "3"]),
        cache(3, 1, ["3", "Unified", "32768K", "2-3"]),
        vec![
            (
                "cpu0/cache/index0/ways_of_associativity".into(),
                "8\n".into(),
            ),
            ("cpu0/cache/index1/id".into(), "0\n".into()),
            ("cpu2/cache/index1/id".into(), "1\n".into()),
        ],
    ];
    let (unnamed, problems) = read_all(&files);
    assert_eq!(problems, []);
    // Only resctrl names caches by the kernel's numbers.
    assert!(unnamed.caches.iter().all(|cache| cache.kernel_id.is_none()));
    files.push(vec![(
        "/sys/fs/resctrl/info/L3/num_closids".into(),
        "16\n".into(),
    )]);
    let (cpu, problems) = read_all(&files);
    assert_eq!(problems, []);
    let caches: Vec<_> = cpu
        .caches
        .iter()
        .map(|cache| (cache.id.as_str(), cache.size_bytes, cache.kernel_id))
        .collect();
    let (small, middle, large) = (
        Bytes::from_kib(32),
        Bytes::from_kib(32_768),
        Bytes::from_kib(98_304),
    );
    assert_eq!(
        caches,
        [
            ("L1d.0", Some(small), None),
            ("L1d.1", Some(small), None),
            ("L1d.2", Some(small), None),
            ("L1d.3", Some(small), None),
            ("L3.0", Some(large), Some(0)),
            ("L3.2", Some(middle), Some(1)),
        ]
    );
    // 1's L1 is of the design of 0's.
    assert_eq!(cpu.caches[1].ways, Some(8));
}

#[test]
fn a_cpu_of_one_design_may_have_a_cache_more_or_less() {
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
        let [small, middle, large] = order;
        let l1 = |cpu: u32| cache(cpu, 0, ["1", "Data", "32K", &cpu.to_string()]);
        let l2 = |cpu: u32| cache(cpu, 1, ["2", "Unified", "2048K", &cpu.to_string()]);
        let l3 = |cpu: u32| cache(cpu, 2, ["3", "Unified", "8192K", &cpu.to_string()]);
        let (cpu, _) = read_all(&[
            told("0-2\n"),
            [l1(small), l1(middle), l1(large)].concat(),
            [l2(middle), l2(large)].concat(),
            l3(large),
        ]);
        let levels = |level| {
            cpu.caches
                .iter()
                .filter(|cache| cache.level == level)
                .count()
        };
        assert_eq!([levels(1), levels(2), levels(3)], [3, 2, 1], "{order:?}");
    }
}

#[test]
fn cores_of_two_kinds_have_caches_of_their_own_design() {
    let (cpu, _) = read_all(&[
        told("0-1\n"),
        vec![
            ("/sys/devices/cpu_core/cpus".into(), "0\n".into()),
            ("/sys/devices/cpu_atom/cpus".into(), "1\n".into()),
            (
                "cpu0/cache/index0/ways_of_associativity".into(),
                "16\n".into(),
            ),
            (
                "cpu1/cache/index0/ways_of_associativity".into(),
                "8\n".into(),
            ),
        ],
        cache(0, 0, ["1", "Instruction", "64K", "0"]),
        cache(1, 0, ["1", "Instruction", "64K", "1"]),
    ]);
    let ways: Vec<_> = cpu.caches.iter().map(|cache| cache.ways).collect();
    assert_eq!(ways, [Some(16), Some(8)]);
}

#[test]
fn sparc_tells_its_caches_as_attributes_of_the_cpu() {
    let (cpu, _) = read_all(&[
        told("6-7\n"),
        each(6..8, "topology/thread_siblings", |cpu| {
            format!("{:x}\n", 1 << cpu)
        }),
        each(6..8, "l1_dcache_size", |_| "16384\n".into()),
        each(6..8, "l1_dcache_line_size", |_| "32\n".into()),
    ]);
    assert_eq!(
        cache_sets(&cpu),
        [("L1d.6".into(), "6".into()), ("L1d.7".into(), "7".into())]
    );
    assert_eq!(cpu.caches[0].line_size_bytes, Some(Bytes(32)));
}

#[test]
fn a_damaged_file_is_a_problem_and_hides_nothing_else() {
    let (cpu, problems) = read(&[
        ("present", "0-1\n"),
        ("online", "0-1\n"),
        ("isolated", "zero\n"),
        ("cpu0/topology/core_cpus", "xyz\n"),
        ("cpu0/topology/core_cpus_list", "0-1\n"),
        ("smt/active", "1\n"),
    ]);
    assert_eq!(sets(&cpu.cores), ["0-1"]);
    assert_eq!((cpu.isolated, cpu.smt_active), (None, Some(true)));
    let malformed = |problem: &Problem| matches!(problem.reason, Reason::Malformed { .. });
    assert!(
        problems.len() == 2 && problems.iter().all(malformed),
        "{problems:?}"
    );
}

fn policy(id: u32, frequency: &str) -> Files {
    [
        ("affected_cpus", format!("{id}\n")),
        ("scaling_driver", "acpi-cpufreq\n".to_owned()),
        ("scaling_governor", "performance\n".to_owned()),
        ("cpuinfo_max_freq", "2300000\n".to_owned()),
        ("scaling_cur_freq", format!("{frequency}\n")),
    ]
    .map(|(name, text)| (format!("cpufreq/policy{id}/{name}"), text))
    .into()
}

#[test]
fn policies_tell_governor_and_frequencies() {
    let (cpu, problems) = read_all(&[told("0-1\n"), policy(0, "1200000"), policy(1, "<unknown>")]);
    assert_eq!(problems, []);
    assert_eq!(cpu.policies.len(), 2);
    let first = &cpu.policies[0];
    assert_eq!(
        (first.driver.as_deref(), first.governor.as_deref()),
        (Some("acpi-cpufreq"), Some("performance"))
    );
    assert_eq!(first.hardware_max_hz, Some(Hertz::from_khz(2_300_000)));
    assert_eq!(first.now.frequency_hz, Some(Hertz::from_khz(1_200_000)));
    assert_eq!(cpu.policies[1].now.frequency_hz, None);
}

#[test]
fn a_policy_with_no_cpu_online_is_left_out() {
    let (cpu, _) = read_all(&[told("0\n"), policy(0, "1"), policy(1, "1")]);
    assert_eq!(
        cpu.policies
            .iter()
            .map(|policy| policy.id)
            .collect::<Vec<_>>(),
        [0]
    );
}

#[test]
fn before_policies_each_cpu_has_its_own_directory() {
    let (cpu, _) = read_all(&[
        told("0-3\n"),
        each(0..4, "cpufreq/affected_cpus", |cpu| {
            if cpu < 2 { "0 1\n" } else { "2 3\n" }.into()
        }),
        each(0..4, "cpufreq/scaling_governor", |_| "ondemand\n".into()),
    ]);
    let policies: Vec<_> = cpu
        .policies
        .iter()
        .map(|policy| (policy.id, policy.cpus.to_string()))
        .collect();
    assert_eq!(policies, [(0, "0-1".into()), (2, "2-3".into())]);
}

#[test]
fn refresh_reads_the_frequencies_again_and_nothing_else() {
    let tree = tempfile::tempdir().unwrap();
    let place = tree.path().join(CPUS);
    let write = |name: &str, text: &str| {
        fs::create_dir_all(place.join(name).parent().unwrap()).unwrap();
        fs::write(place.join(name), text).unwrap();
    };
    write("online", "0\n");
    for (name, text) in policy(0, "1000") {
        write(&name, &text);
    }
    let (mut cpu, _) = read_tree(tree.path());
    write("cpufreq/policy0/scaling_cur_freq", "2000\n");
    write("cpufreq/policy0/scaling_governor", "powersave\n");
    let root = Root::captured(tree.path()).unwrap();
    refresh(&mut cpu, &Survey::new(&root, "cpu", false, false));
    assert_eq!(
        cpu.policies[0].now.frequency_hz,
        Some(Hertz::from_khz(2000))
    );
    assert_eq!(cpu.policies[0].governor.as_deref(), Some("performance"));
}

#[test]
fn turbo_switched_off_is_no_boost() {
    let (cpu, _) = read(&[("intel_pstate/no_turbo", "1\n")]);
    assert_eq!(cpu.boost, Some(false));
    let (cpu, _) = read(&[("cpufreq/boost", "1\n")]);
    assert_eq!(cpu.boost, Some(true));
}

#[test]
fn cpus_belong_to_their_memory_node_and_model() {
    let (cpu, _) = read(&[
        ("online", "0-3\n"),
        ("present", "0-3\n"),
        ("/sys/devices/system/node/node0/cpulist", "0-1\n"),
        ("/sys/devices/system/node/node1/cpumap", "0000000c\n"),
        (
            "/proc/cpuinfo",
            "processor\t: 0\nmodel name\t: a\n\nprocessor\t: 1\nmodel name\t: b\n",
        ),
    ]);
    let threads: Vec<_> = cpu
        .cpus
        .iter()
        .map(|thread| (thread.node, thread.model))
        .collect();
    assert_eq!(
        threads,
        [
            (Some(0), Some(0)),
            (Some(0), Some(1)),
            (Some(1), None),
            (Some(1), None)
        ]
    );
}

#[test]
fn a_tree_without_proc_still_names_its_processor() {
    let (cpu, _) = read(&[
        ("online", "0-1\n"),
        (
            "modalias",
            "cpu:type:x86,ven0000fam0006mod0055:feature:,0000,0001\n",
        ),
        ("cpu0/microcode/version", "0x5003302\n"),
    ]);
    let model = &cpu.models[0];
    assert_eq!(model.vendor.as_deref(), Some("GenuineIntel"));
    assert_eq!(
        (model.family.as_deref(), model.model.as_deref()),
        (Some("6"), Some("85"))
    );
    assert_eq!(
        (model.microcode.as_deref(), model.cpus.to_string()),
        (Some("0x5003302"), "0-1".into())
    );
    let (cpu, _) = read_all(&[
        told("0-1\n"),
        each(0..2, "regs/identification/midr_el1", |cpu| {
            format!("0x00000000411fd0{cpu}3\n")
        }),
    ]);
    assert_eq!(cpu.models.len(), 2);
    let stepping = |model: &Model| (model.id, model.stepping.clone());
    assert_eq!(stepping(&cpu.models[1]), (1, Some("r1p3".into())));
}

#[test]
fn an_empty_tree_has_no_cpus_and_no_problems() {
    let (cpu, problems) = read(&[]);
    assert_eq!((cpu, problems), (Cpu::default(), Vec::new()));
}

#[test]
fn a_cache_with_an_empty_set_is_its_core_s() {
    let files = [
        told("0-3\n"),
        each(0..4, "topology/core_id", |cpu| format!("{}\n", cpu / 2)),
        each(0..4, "topology/physical_package_id", |_| "0\n".to_owned()),
        each(0..4, "topology/thread_siblings_list", |cpu| run(cpu, 2)),
        each(0..4, "topology/core_siblings_list", |_| "0-3\n".to_owned()),
        each(0..4, "cache/index0/level", |_| "3\n".to_owned()),
        each(0..4, "cache/index0/type", |_| "Unified\n".to_owned()),
        each(0..4, "cache/index0/size", |_| "9216K\n".to_owned()),
        each(0..4, "cache/index0/shared_cpu_map", |_| {
            "00000000,00000000\n".to_owned()
        }),
    ];
    let (cpu, problems) = read_all(&files);
    assert_eq!(problems, []);
    let caches: Vec<String> = cpu
        .caches
        .iter()
        .map(|cache| cache.cpus.to_string())
        .collect();
    assert_eq!(caches, ["0-1", "2-3"]);
}

#[test]
fn a_cpu_with_fewer_caches_does_not_hide_those_of_the_next() {
    let files = [
        told("0-2\n"),
        each(0..3, "cache/index2/size", |_| "4096K\n".to_owned()),
        each(0..3, "cache/index2/level", |_| "2\n".to_owned()),
        each(0..3, "cache/index2/type", |_| "Unified\n".to_owned()),
        each(2..3, "cache/index0/size", |_| "32K\n".to_owned()),
        each(2..3, "cache/index0/level", |_| "1\n".to_owned()),
        each(2..3, "cache/index0/type", |_| "Data\n".to_owned()),
    ];
    let ids: Vec<String> = read_all(&files)
        .0
        .caches
        .into_iter()
        .map(|cache| cache.id)
        .collect();
    assert_eq!(ids, ["L1d.2", "L2.0", "L2.1", "L2.2"]);
}
