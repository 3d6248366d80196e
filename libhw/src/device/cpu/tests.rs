#![expect(
    clippy::disallowed_methods,
    reason = "a test writes the tree that it reads"
)]

mod cache;
mod frequency;
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
