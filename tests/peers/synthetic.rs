//! Small made-up trees for what few captured machines have: dies, clusters, and gaps in every number.

use std::fs;
use std::path::Path;

use libhw::idset::IdSet;

/// How a made-up machine is built: how many of each in the one before.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub packages: u32,
    pub dies: u32,
    pub clusters: u32,
    pub cores: u32,
    pub threads: u32,
    /// What the kernel's ids are multiplied by: firmware's numbers have gaps.
    pub stride: u32,
}

impl Shape {
    fn cores_of_die(self) -> u32 {
        self.clusters * self.cores
    }

    fn all_cores(self) -> u32 {
        self.packages * self.dies * self.cores_of_die()
    }

    /// The CPUs of `count` cores from the `first` on; threads are numbered as on x86, first threads first.
    fn cpus(self, first: u32, count: u32) -> IdSet {
        (0..self.threads)
            .flat_map(|thread| {
                (first..first + count).map(move |core| thread * self.all_cores() + core)
            })
            .collect()
    }
}

/// Writes the tree of a machine of this shape below `root`, as the kernel's ABI documents it
/// (`Documentation/ABI/stable/sysfs-devices-system-cpu`).
pub fn write(root: &Path, shape: Shape) {
    let cpu = root.join("sys/devices/system/cpu");
    let all = shape.cpus(0, shape.all_cores());
    for name in ["possible", "present", "online"] {
        put(&cpu.join(name), &all.to_string());
    }
    for core in 0..shape.all_cores() {
        for thread in 0..shape.threads {
            let directory = cpu.join(format!("cpu{}", thread * shape.all_cores() + core));
            topology(&directory.join("topology"), shape, core);
            caches(&directory.join("cache"), shape, core);
        }
    }
    let node = root.join("sys/devices/system/node");
    put(&node.join("online"), "0");
    put(&node.join("node0/cpulist"), &all.to_string());
    put(
        &node.join("node0/meminfo"),
        "Node 0 MemTotal:       16384 kB\nNode 0 MemFree:        8192 kB",
    );
    put(&node.join("node0/distance"), "10");
    put(&root.join("proc/meminfo"), "MemTotal:       16384 kB");
}

fn topology(directory: &Path, shape: Shape, core: u32) {
    let cluster = core / shape.cores;
    let die = core / shape.cores_of_die();
    let package = die / shape.dies;
    let cores_of_package = shape.dies * shape.cores_of_die();
    let groups = [
        (
            "core_id",
            core % cores_of_package,
            "core_cpus_list",
            shape.cpus(core, 1),
        ),
        (
            "cluster_id",
            cluster,
            "cluster_cpus_list",
            shape.cpus(cluster * shape.cores, shape.cores),
        ),
        (
            "die_id",
            die % shape.dies,
            "die_cpus_list",
            shape.cpus(die * shape.cores_of_die(), shape.cores_of_die()),
        ),
        (
            "physical_package_id",
            package,
            "package_cpus_list",
            shape.cpus(package * cores_of_package, cores_of_package),
        ),
    ];
    for (id, number, list, cpus) in groups {
        put(&directory.join(id), &(number * shape.stride).to_string());
        put(&directory.join(list), &cpus.to_string());
        put(
            &directory.join(list.trim_end_matches("_list")),
            &bitmap(&cpus),
        );
    }
    let core_cpus = shape.cpus(core, 1);
    let package_cpus = shape.cpus(package * cores_of_package, cores_of_package);
    for (name, cpus) in [
        ("thread_siblings", core_cpus),
        ("core_siblings", package_cpus),
    ] {
        put(&directory.join(name), &bitmap(&cpus));
        put(&directory.join(format!("{name}_list")), &cpus.to_string());
    }
}

fn caches(directory: &Path, shape: Shape, core: u32) {
    let die = core / shape.cores_of_die();
    let of_die = shape.cpus(die * shape.cores_of_die(), shape.cores_of_die());
    let caches = [
        ("1", "Data", "48K", shape.cpus(core, 1)),
        ("1", "Instruction", "32K", shape.cpus(core, 1)),
        ("2", "Unified", "2048K", shape.cpus(core, 1)),
        ("3", "Unified", "32768K", of_die),
    ];
    for (index, (level, kind, size, cpus)) in caches.into_iter().enumerate() {
        let directory = directory.join(format!("index{index}"));
        for (name, text) in [
            ("level", level),
            ("type", kind),
            ("size", size),
            ("coherency_line_size", "64"),
        ] {
            put(&directory.join(name), text);
        }
        put(&directory.join("shared_cpu_list"), &cpus.to_string());
        put(&directory.join("shared_cpu_map"), &bitmap(&cpus));
    }
}

/// The kernel's other form of a set: groups of 32 bits, highest first.
fn bitmap(cpus: &IdSet) -> String {
    let groups = cpus.iter().max().unwrap_or(0) / 32 + 1;
    let word = |group: u32| {
        (0..32)
            .filter(|bit| cpus.contains(group * 32 + bit))
            .fold(0_u32, |word, bit| word | 1 << bit)
    };
    let words: Vec<String> = (0..groups)
        .rev()
        .map(|group| format!("{:08x}", word(group)))
        .collect();
    words.join(",")
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("create a directory");
    fs::write(path, format!("{text}\n")).expect("write a file");
}
