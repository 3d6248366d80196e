//! A made-up machine of any size, as the tree that Linux would show of it: the same for the same shape, so that
//! benches compare and fuzzing starts from something whole.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;

/// How large the machine is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Packages; each is a memory node too.
    pub packages: u32,
    /// Dies of a package; each has its own L3 cache.
    pub dies: u32,
    /// Cores of a die.
    pub cores: u32,
    /// Threads of a core.
    pub threads: u32,
    /// PCI functions of a package, behind one root port each.
    pub functions: u32,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file with this text.
    File(Vec<u8>),
    /// A link that says this.
    Link(String),
}

/// Entries by their path below the root.
pub type Tree = BTreeMap<String, Entry>;

/// The tree of a machine of this shape.
#[must_use]
pub fn tree(shape: Shape) -> Tree {
    let mut tree = Maker {
        shape,
        tree: Tree::new(),
    };
    tree.system();
    tree.cpus();
    for cpu in 0..shape.cpus() {
        tree.cpu(cpu);
    }
    for node in 0..shape.packages {
        tree.node(node);
        for function in 0..shape.functions {
            tree.function(node, function);
        }
    }
    tree.tree
}

/// Writes a tree below a directory.
///
/// # Errors
/// When an entry cannot be written.
pub fn write(tree: &Tree, directory: &Path) -> io::Result<()> {
    tree.iter()
        .try_for_each(|(path, entry)| put(directory, path, entry))
}

/// Writes one entry below a directory.
///
/// # Errors
/// When it cannot be written.
pub fn put(directory: &Path, path: &str, entry: &Entry) -> io::Result<()> {
    let place = directory.join(path);
    if let Some(parent) = place.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match entry {
        Entry::File(bytes) => std::fs::write(place, bytes),
        Entry::Link(target) => std::os::unix::fs::symlink(target, place),
    }
}

impl Shape {
    /// How many CPUs it has. Number n is thread n / cores of its core, as firmware of x86 servers counts.
    #[must_use]
    pub const fn cpus(self) -> u32 {
        self.all_cores() * self.threads
    }

    const fn all_cores(self) -> u32 {
        self.packages * self.dies * self.cores
    }

    /// The cpulist of cores `first..first + count`, all threads.
    fn list(self, first: u32, count: u32) -> String {
        let range = |thread: u32| {
            let first = thread * self.all_cores() + first;
            if count == 1 {
                first.to_string()
            } else {
                format!("{first}-{}", first + count - 1)
            }
        };
        let ranges: Vec<String> = (0..self.threads).map(range).collect();
        ranges.join(",")
    }
}

struct Maker {
    shape: Shape,
    tree: Tree,
}

impl Maker {
    fn file(&mut self, path: &str, text: &str) {
        self.tree.insert(
            path.to_owned(),
            Entry::File(format!("{text}\n").into_bytes()),
        );
    }

    /// Files of one directory, each a name and its text.
    fn files(&mut self, directory: &str, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.file(&format!("{directory}/{name}"), text);
        }
    }

    fn link(&mut self, path: &str, target: &str) {
        self.tree
            .insert(path.to_owned(), Entry::Link(target.to_owned()));
    }

    fn system(&mut self) {
        let kernel = [
            ("hostname", "node-1"),
            ("osrelease", "6.12.9-amd64"),
            (
                "version",
                "#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1 (2025-01-10)",
            ),
            ("random/boot_id", "0d5b6f34-5f5c-4e52-9d0e-2b8e6ad4f0c1"),
            ("arch", "x86_64"),
        ];
        self.files("proc/sys/kernel", &kernel);
        self.file("etc/machine-id", "3f2a1b0c4d5e6f708192a3b4c5d6e7f8");
        let dmi = [
            ("bios_vendor", "Acme"),
            ("bios_version", "1.2.3"),
            ("bios_date", "01/02/2025"),
            ("sys_vendor", "Acme"),
            ("product_name", "Node 1000"),
            ("product_serial", "SN0001"),
            ("product_uuid", "4c4c4544-0042-3510-8052-b4c04f564231"),
            ("board_name", "0ABC12"),
            ("chassis_type", "23"),
        ];
        self.files("sys/class/dmi/id", &dmi);
        let mounts = "hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n\
            none /mnt/huge\\0401G hugetlbfs rw,pagesize=1G,size=4G 0 0";
        self.file("proc/mounts", mounts);
        self.file("proc/self/mounts", mounts);
        self.file(
            "proc/meminfo",
            "MemTotal:       32768000 kB\nMemFree:        1024000 kB\nHugepagesize:       2048 kB",
        );
        self.pools("sys/kernel/mm/hugepages");
        self.file(
            "sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages",
            "8",
        );
        let thp = [
            ("enabled", "always [madvise] never"),
            ("defrag", "always defer defer+madvise [madvise] never"),
            (
                "shmem_enabled",
                "always within_size advise [never] deny force",
            ),
            ("hpage_pmd_size", "2097152"),
            ("hugepages-64kB/enabled", "always inherit madvise [never]"),
        ];
        self.files("sys/kernel/mm/transparent_hugepage", &thp);
    }

    fn pools(&mut self, directory: &str) {
        for size in [2048, 1_048_576] {
            let pool = format!("{directory}/hugepages-{size}kB");
            let counts = [
                ("nr_hugepages", "16"),
                ("free_hugepages", "12"),
                ("surplus_hugepages", "0"),
                ("resv_hugepages", "2"),
            ];
            self.files(&pool, &counts);
        }
    }

    fn cpus(&mut self) {
        let shape = self.shape;
        let all = format!("0-{}", shape.cpus() - 1);
        let sets = [
            ("possible", all.as_str()),
            ("present", &all),
            ("online", &all),
            ("offline", ""),
            ("isolated", "1"),
            ("nohz_full", "(null)"),
            ("smt/control", "on"),
            ("smt/active", "1"),
            ("cpufreq/boost", "1"),
            (
                "vulnerabilities/spectre_v2",
                "Mitigation: Retpolines, STIBP: disabled, RSB filling",
            ),
            ("vulnerabilities/meltdown", "Not affected"),
        ];
        self.files("sys/devices/system/cpu", &sets);
        let mut text = String::new();
        for cpu in 0..shape.cpus() {
            let core = cpu % shape.all_cores();
            let package = core / (shape.dies * shape.cores);
            let _ = write!(
                text,
                "processor\t: {cpu}\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t\t: 1\n\
                model name\t: AMD EPYC 7451 24-Core Processor\nstepping\t: 2\nmicrocode\t: 0x8001227\n\
                cpu MHz\t\t: 2300.000\nphysical id\t: {package}\ncore id\t\t: {core}\nflags\t\t: fpu vme de pse\n\
                bugs\t\t: sysret_ss_attrs\naddress sizes\t: 48 bits physical, 48 bits virtual\n\n"
            );
        }
        self.file("proc/cpuinfo", text.trim_end());
    }

    fn cpu(&mut self, cpu: u32) {
        let shape = self.shape;
        let core = cpu % shape.all_cores();
        let die = core / shape.cores;
        let package = die / shape.dies;
        let directory = format!("sys/devices/system/cpu/cpu{cpu}");
        let siblings = shape.list(core, 1);
        let of_die = shape.list(die * shape.cores, shape.cores);
        let of_package = shape.list(package * shape.dies * shape.cores, shape.dies * shape.cores);
        let topology = [
            ("core_id", core.to_string()),
            ("die_id", die.to_string()),
            ("physical_package_id", package.to_string()),
            ("thread_siblings_list", siblings.clone()),
            ("core_cpus_list", siblings.clone()),
            ("die_cpus_list", of_die.clone()),
            ("core_siblings_list", of_package.clone()),
            ("package_cpus_list", of_package),
        ];
        for (name, text) in topology {
            self.file(&format!("{directory}/topology/{name}"), &text);
        }
        let caches = [
            ("1", "Data", "32K", &siblings),
            ("1", "Instruction", "64K", &siblings),
            ("2", "Unified", "512K", &siblings),
            ("3", "Unified", "8192K", &of_die),
        ];
        for (index, (level, kind, size, cpus)) in caches.into_iter().enumerate() {
            let files = [
                ("level", level),
                ("type", kind),
                ("size", size),
                ("shared_cpu_list", cpus),
                ("coherency_line_size", "64"),
                ("ways_of_associativity", "8"),
                ("number_of_sets", "64"),
            ];
            self.files(&format!("{directory}/cache/index{index}"), &files);
        }
        self.link(
            &format!("{directory}/node{package}"),
            &format!("../../node/node{package}"),
        );
        self.policy(cpu);
    }

    fn policy(&mut self, cpu: u32) {
        let policy = format!("sys/devices/system/cpu/cpufreq/policy{cpu}");
        let number = cpu.to_string();
        let files = [
            ("affected_cpus", number.as_str()),
            ("related_cpus", &number),
            ("scaling_driver", "acpi-cpufreq"),
            ("scaling_governor", "schedutil"),
            ("cpuinfo_min_freq", "1200000"),
            ("cpuinfo_max_freq", "2300000"),
            ("scaling_min_freq", "1200000"),
            ("scaling_max_freq", "2300000"),
            ("scaling_cur_freq", "1197000"),
        ];
        self.files(&policy, &files);
    }

    fn node(&mut self, node: u32) {
        let shape = self.shape;
        let of_package = shape.dies * shape.cores;
        let directory = format!("sys/devices/system/node/node{node}");
        let distance: Vec<&str> = (0..shape.packages)
            .map(|other| if other == node { "10" } else { "21" })
            .collect();
        let meminfo = format!(
            "Node {node} MemTotal:       16384000 kB\nNode {node} MemFree:         512000 kB"
        );
        let files = [
            ("cpulist", shape.list(node * of_package, of_package)),
            ("distance", distance.join(" ")),
            ("meminfo", meminfo),
            ("access0/initiators/read_bandwidth", "204800".to_owned()),
            ("access0/initiators/read_latency", "90".to_owned()),
        ];
        for (name, text) in files {
            self.file(&format!("{directory}/{name}"), &text);
        }
        self.link(
            &format!("{directory}/access0/initiators/node{node}"),
            &format!("../../../node{node}"),
        );
        self.pools(&format!("{directory}/hugepages"));
        let all = format!("0-{}", shape.packages - 1);
        let sets = [
            ("possible", all.as_str()),
            ("online", &all),
            ("has_cpu", &all),
            ("has_memory", &all),
        ];
        self.files("sys/devices/system/node", &sets);
        self.file(
            "sys/devices/virtual/memory_tiering/memory_tier4/nodelist",
            &all,
        );
    }

    /// A network card, and for the first of a node the root port that all of them sit behind.
    fn function(&mut self, node: u32, function: u32) {
        let (bus, port) = (node * 64 + 1, format!("0000:{:02x}:00.0", node * 64));
        let above = format!("pci0000:{:02x}", node * 64);
        let node = node.to_string();
        let cpus = self.shape.list(0, 1);
        if function == 0 {
            let identity = [
                ("class", "0x060400"),
                ("vendor", "0x1022"),
                ("device", "0x1453"),
                ("numa_node", &node),
            ];
            self.pci(&above, &port, &identity);
        }
        let address = format!("0000:{bus:02x}:{:02x}.{}", function / 8, function % 8);
        let files = [
            ("class", "0x020000"),
            ("vendor", "0x8086"),
            ("device", "0x1593"),
            ("subsystem_vendor", "0x8086"),
            ("subsystem_device", "0x0002"),
            ("revision", "0x02"),
            ("numa_node", &node),
            ("local_cpulist", &cpus),
            ("max_link_speed", "16.0 GT/s PCIe"),
            ("max_link_width", "16"),
            ("current_link_speed", "8.0 GT/s PCIe"),
            ("current_link_width", "8"),
            ("power_state", "D0"),
            ("sriov_totalvfs", "64"),
            ("sriov_numvfs", "0"),
            (
                "resource",
                "0x00000000e0000000 0x00000000e1ffffff 0x000000000014220c\n0x0000000000000000 0x0000000000000000 0x0000000000000000",
            ),
            ("aer_dev_correctable", "RxErr 0\nBadTLP 2\nTOTAL_ERR_COR 2"),
            ("aer_dev_fatal", "Undefined 0\nTOTAL_ERR_FATAL 0"),
        ];
        let above = format!("{above}/{port}");
        self.pci(&above, &address, &files);
        let place = format!("sys/devices/{above}/{address}");
        self.link(
            &format!("{place}/driver"),
            "../../../../bus/pci/drivers/ice",
        );
        self.link(
            &format!("{place}/iommu_group"),
            "../../../../kernel/iommu_groups/7",
        );
    }

    fn pci(&mut self, above: &str, address: &str, files: &[(&str, &str)]) {
        self.files(&format!("sys/devices/{above}/{address}"), files);
        let target = format!("../../../devices/{above}/{address}");
        self.link(&format!("sys/bus/pci/devices/{address}"), &target);
    }
}
