//! A made-up server as the tree that Linux shows of it: 2 packages of 2 cores of 2 threads, 2 memory nodes, a
//! network card with virtual functions and a card whose link runs below its best.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A file or link below the root of a tree.
pub(crate) fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("{text}\n")).unwrap();
}

fn link(root: &Path, path: &str, target: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}

/// Writes the server's tree into `root`.
pub(crate) fn write(root: &Path) {
    system(root);
    for cpu in 0..8 {
        processor(root, cpu);
    }
    processors(root);
    for node in 0..2 {
        memory(root, node);
    }
    put(root, "sys/devices/system/node/possible", "0-1");
    put(root, "sys/devices/system/node/online", "0-1");
    put(root, "sys/devices/system/node/has_cpu", "0-1");
    put(root, "sys/devices/system/node/has_memory", "0-1");
    pool(root, "sys/kernel/mm/hugepages", 16, 4);
    devices(root);
}

fn system(root: &Path) {
    for (path, text) in [
        ("proc/sys/kernel/hostname", "node7"),
        ("proc/sys/kernel/osrelease", "6.12.9-amd64"),
        (
            "proc/sys/kernel/version",
            "#1 SMP PREEMPT_RT Debian 6.12.9-1",
        ),
        ("proc/sys/kernel/arch", "x86_64"),
        ("sys/class/dmi/id/sys_vendor", "Acme Ltd."),
        ("sys/class/dmi/id/product_name", "Sundial 2000"),
        ("sys/class/dmi/id/board_vendor", "Acme Ltd."),
        ("sys/class/dmi/id/board_name", "Gnomon"),
        ("sys/class/dmi/id/bios_vendor", "Acme Ltd."),
        ("sys/class/dmi/id/bios_version", "1.8.2"),
        ("sys/class/dmi/id/bios_date", "09/14/2026"),
        (
            "proc/meminfo",
            "MemTotal: 65536000 kB\nMemFree: 32768000 kB\nHugepagesize: 2048 kB",
        ),
        (
            "sys/kernel/mm/transparent_hugepage/enabled",
            "always [madvise] never",
        ),
    ] {
        put(root, path, text);
    }
}

fn processors(root: &Path) {
    let cpuinfo: Vec<String> = (0..8)
        .map(|cpu| {
            format!(
                "processor\t: {cpu}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\n\
                 model name\t: Acme(R) Dial(R) 8000 @ 2.00GHz\nstepping\t: 6\n\
                 microcode\t: 0xd0003a5\nflags\t\t: fpu vme sse2 avx2\nbugs\t\t: spectre_v1\n"
            )
        })
        .collect();
    put(root, "proc/cpuinfo", &cpuinfo.join("\n"));
    let cpu = "sys/devices/system/cpu";
    for (name, text) in [
        ("possible", "0-8"),
        ("present", "0-7"),
        ("online", "0-7"),
        ("offline", "8"),
        ("isolated", "2-3,6-7"),
        ("nohz_full", "2-3,6-7"),
        ("smt/control", "on"),
        ("smt/active", "1"),
        ("vulnerabilities/meltdown", "Not affected"),
        (
            "vulnerabilities/spectre_v1",
            "Mitigation: usercopy barriers",
        ),
        ("vulnerabilities/mds", "Vulnerable: no microcode"),
    ] {
        put(root, &format!("{cpu}/{name}"), text);
    }
}

/// CPU n is thread n / 4 of core n % 4.
fn processor(root: &Path, cpu: u32) {
    let core = cpu % 4;
    let package = core / 2;
    let place = format!("sys/devices/system/cpu/cpu{cpu}");
    let core_cpus = format!("{core},{}", core + 4);
    let first = package * 2;
    let package_cpus = format!("{first}-{},{}-{}", first + 1, first + 4, first + 5);
    for (name, text) in [
        ("core_id", (core % 2).to_string()),
        ("physical_package_id", package.to_string()),
        ("core_cpus_list", core_cpus.clone()),
        ("thread_siblings_list", core_cpus.clone()),
        ("package_cpus_list", package_cpus.clone()),
        ("core_siblings_list", package_cpus.clone()),
    ] {
        put(root, &format!("{place}/topology/{name}"), &text);
    }
    for (index, level, kind, size, cpus) in [
        (0, "1", "Data", "48K", &core_cpus),
        (1, "1", "Instruction", "32K", &core_cpus),
        (2, "2", "Unified", "1280K", &core_cpus),
        (3, "3", "Unified", "24576K", &package_cpus),
    ] {
        for (name, text) in [
            ("level", level),
            ("type", kind),
            ("size", size),
            ("shared_cpu_list", cpus),
            ("coherency_line_size", "64"),
            ("ways_of_associativity", "12"),
        ] {
            put(root, &format!("{place}/cache/index{index}/{name}"), text);
        }
    }
    let policy = format!("sys/devices/system/cpu/cpufreq/policy{cpu}");
    for (name, text) in [
        ("affected_cpus", cpu.to_string()),
        ("scaling_driver", "intel_pstate".to_owned()),
        ("scaling_governor", "performance".to_owned()),
        ("cpuinfo_min_freq", "800000".to_owned()),
        ("cpuinfo_max_freq", "3400000".to_owned()),
        ("scaling_cur_freq", format!("{}", 2_000_000 + cpu * 100_000)),
    ] {
        put(root, &format!("{policy}/{name}"), &text);
    }
    link(
        root,
        &format!("{place}/cpufreq"),
        &format!("../cpufreq/policy{cpu}"),
    );
}

fn memory(root: &Path, node: u32) {
    let place = format!("sys/devices/system/node/node{node}");
    let first = node * 2;
    let cpus = format!("{first}-{},{}-{}", first + 1, first + 4, first + 5);
    put(root, &format!("{place}/cpulist"), &cpus);
    let distance = ["10 21", "21 10"];
    put(root, &format!("{place}/distance"), distance[node as usize]);
    let meminfo = format!("Node {node} MemTotal: 32768000 kB\nNode {node} MemFree: 16384000 kB");
    put(root, &format!("{place}/meminfo"), &meminfo);
    pool(root, &format!("{place}/hugepages"), 8, 2);
}

fn pool(root: &Path, place: &str, total: u32, free: u32) {
    let place = format!("{place}/hugepages-1048576kB");
    put(root, &format!("{place}/nr_hugepages"), &total.to_string());
    put(root, &format!("{place}/free_hugepages"), &free.to_string());
    put(root, &format!("{place}/surplus_hugepages"), "0");
    if place.starts_with("sys/kernel") {
        put(root, &format!("{place}/resv_hugepages"), "1");
        put(root, &format!("{place}/nr_overcommit_hugepages"), "0");
    }
}

/// Nobody's vendor id, so that the names do not hang on the list of names that a host has.
const VENDOR: &str = "0xfade";

/// A function's place below /sys/devices, its class, vendor, device, and what else it has.
type Device = (
    &'static str,
    [&'static str; 3],
    &'static [(&'static str, &'static str)],
);

const DEVICES: [Device; 6] = [
    (
        "0000:00:01.0",
        ["0x060400", VENDOR, "0x347a"],
        &[("numa_node", "0")],
    ),
    (
        "0000:00:01.0/0000:01:00.0",
        ["0x020000", VENDOR, "0x1593"],
        &[
            ("numa_node", "0"),
            ("local_cpulist", "0-1,4-5"),
            ("current_link_speed", "16.0 GT/s PCIe"),
            ("current_link_width", "8"),
            ("max_link_speed", "16.0 GT/s PCIe"),
            ("max_link_width", "8"),
            ("power_state", "D0"),
            ("sriov_totalvfs", "64"),
            ("sriov_numvfs", "2"),
            ("sriov_vf_device", "1889"),
            (
                "resource",
                "0x00000000d0000000 0x00000000d1ffffff 0x000000000014220c",
            ),
        ],
    ),
    (
        "0000:00:01.0/0000:01:01.0",
        ["0x020000", VENDOR, "0x1889"],
        &[("numa_node", "0")],
    ),
    (
        "0000:00:01.0/0000:01:01.1",
        ["0x020000", VENDOR, "0x1889"],
        &[("numa_node", "0")],
    ),
    (
        "0000:00:02.0",
        ["0x060400", VENDOR, "0x347b"],
        &[("numa_node", "1")],
    ),
    (
        "0000:00:02.0/0000:02:00.0",
        ["0x120000", VENDOR, "0x0d5c"],
        &[
            ("numa_node", "1"),
            ("local_cpulist", "2-3,6-7"),
            ("current_link_speed", "8.0 GT/s PCIe"),
            ("current_link_width", "4"),
            ("max_link_speed", "16.0 GT/s PCIe"),
            ("max_link_width", "16"),
            ("power_state", "D0"),
        ],
    ),
];

fn devices(root: &Path) {
    for (place, ids, more) in DEVICES {
        let place = format!("sys/devices/pci0000:00/{place}");
        for (name, text) in ["class", "vendor", "device"].into_iter().zip(ids) {
            put(root, &format!("{place}/{name}"), text);
        }
        for (name, text) in more {
            put(root, &format!("{place}/{name}"), text);
        }
        let id = place.rsplit('/').next().unwrap();
        let up = "../../..";
        let target = format!("{up}/{}", place.strip_prefix("sys/").unwrap());
        link(root, &format!("sys/bus/pci/devices/{id}"), &target);
    }
    let card = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0";
    link(
        root,
        &format!("{card}/driver"),
        "../../../../bus/pci/drivers/ice",
    );
    put(root, "sys/bus/pci/drivers/ice/uevent", "");
    link(
        root,
        &format!("{card}/iommu_group"),
        "../../../../kernel/iommu_groups/17",
    );
    put(root, "sys/kernel/iommu_groups/17/type", "DMA-FQ");
    for vf in 0..2 {
        link(
            root,
            &format!("{card}/virtfn{vf}"),
            &format!("../0000:01:01.{vf}"),
        );
        let place = format!("sys/devices/pci0000:00/0000:00:01.0/0000:01:01.{vf}");
        link(root, &format!("{place}/physfn"), "../0000:01:00.0");
    }
}
