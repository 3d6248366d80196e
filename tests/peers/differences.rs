//! Where a peer and we differ and we are right: peer, tree, fact, and the document that says so.

use support::Tree;

/// A row of the table; `*` stands for anything.
struct Difference {
    peer: &'static str,
    tree: &'static str,
    line: &'static str,
    reason: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        peer: "lstopo",
        tree: "*2pa-pcidomain32bits",
        line: "only we: pci 10000:*",
        reason: "hwloc 2.9 drops PCI domains wider than 16 bits; the kernel writes them (%04x is a minimum width, \
                 pci_setup_device)",
    },
    Difference {
        peer: "lstopo",
        tree: "*",
        line: "only we: hugepages of node * total 0",
        reason: "taken from Hugepagesize of /proc/meminfo (hugetlbpage.rst); hwloc leaves such a size out when its pool is empty",
    },
    Difference {
        peer: "lstopo",
        tree: "*fakeheterocpunuma",
        line: "only we: * 4*",
        reason: "nodes 4 and 5 of this made-up tree share CPUs; hwloc drops conflicting nodes, we list what the kernel lists",
    },
    Difference {
        peer: "lstopo",
        tree: "*fakeheterocpunuma",
        line: "only we: * 5*",
        reason: "as above",
    },
    Difference {
        peer: "lstopo",
        tree: "*40intel64-4n10c+pci-conflicts",
        line: "only we: *",
        reason: "firmware's package of CPU 3 contradicts its nodes, and hwloc drops package and cache; \
                 core_siblings_list and shared_cpu_map have them (cputopology.rst)",
    },
    Difference {
        peer: "lstopo",
        tree: "ghw-linux-amd64-415ee03b8c4d1c4f07ae2e9d8b3d3d6d",
        line: "only we: cluster *",
        reason: "cluster_cpus_list has them (cputopology.rst); hwloc drops a cluster that spans the same CPUs as a cache",
    },
    Difference {
        peer: "lstopo",
        tree: "*s390*",
        line: "only we: book *",
        reason: "book_siblings_list has them (cputopology.rst); hwloc drops a group that spans all CPUs or the same as another",
    },
    Difference {
        peer: "lstopo",
        tree: "*s390*",
        line: "only we: drawer *",
        reason: "as above, drawer_siblings_list",
    },
    Difference {
        peer: "lstopo",
        tree: "*s390*",
        line: "only we: cache L* cpus ",
        reason: "/proc/cpuinfo lists the shared caches (arch/s390/kernel/cache.c); sysfs has only the private ones",
    },
    Difference {
        peer: "lstopo",
        tree: "lscpu-sparc64",
        line: "only we: cache *",
        reason: "l1_dcache_size and its kin in cpuN (arch/sparc/kernel/sysfs.c); hwloc reads the cache directory alone",
    },
    Difference {
        peer: "lscpu -p",
        tree: "*40intel64-4n10c+pci-conflicts",
        line: "*",
        reason: "CPU 3 names another set than its siblings do: lscpu splits the package, core_siblings_list of all the others joins it",
    },
    Difference {
        peer: "lscpu -J",
        tree: "*128arm-2pa2n8cluster4co",
        line: "*",
        reason: "lscpu 2.38 names part 0xd01 after the product and the stepping by its variant; it is the TaiShan-v110 core, r1p0",
    },
    Difference {
        peer: "lscpu -J",
        tree: "*5intel64-hybrid-lakefield",
        line: "*Flags: *",
        reason: "the kinds of cores differ in flags, lscpu shows those of the last CPU",
    },
    Difference {
        peer: "lscpu -J",
        tree: "lscpu-vmware_fpe",
        line: "*Flags: *",
        reason: "as above: the CPUs differ in lwp",
    },
    Difference {
        peer: "lscpu -J",
        tree: "lscpu-sparc64",
        line: "*Flags: *",
        reason: "lscpu takes `type` for flags, the machine's abilities are in `cpucaps` (arch/sparc/kernel/setup_64.c)",
    },
    Difference {
        peer: "lscpu -J",
        tree: "lscpu-s390-lpar-drawer",
        line: "*NUMA node0 CPU(s): *",
        reason: "the cpulist of this old kernel names CPUs that are offline; a node has the online ones",
    },
    Difference {
        peer: "lstopo",
        tree: "*64amd64-4s2n4ca2co",
        line: "*core *",
        reason: "AMD family 15h: thread_siblings_list joins the two halves of a compute unit, and is what a core is \
                 (cputopology.rst); hwloc goes by core_id here, lscpu by the list",
    },
    Difference {
        peer: "lstopo",
        tree: "*20em64t-hybrid-1p6c2t+2ca4co1t",
        line: "only we: cluster *",
        reason: "cluster_cpus_list has them (cputopology.rst); hwloc drops a cluster that spans the same CPUs as a cache",
    },
    Difference {
        peer: "lstopo",
        tree: "*nvidia-dgx-gb10",
        line: "only we: cluster *",
        reason: "cluster_cpus_list has them (cputopology.rst); hwloc drops a cluster that spans the same CPUs as a cache",
    },
    Difference {
        peer: "lscpu -p",
        tree: "*nvidia-dgx-gb10",
        line: "*core *",
        reason: "core_id repeats from cluster to cluster, and lscpu 2.38 counts by it; core_cpus_list is one CPU each",
    },
    Difference {
        peer: "lstopo",
        tree: "*8em64t-2s2ca2c-buggynuma",
        line: "only we: *",
        reason: "eight nodes claim the same CPUs; hwloc keeps one of them, we list what the kernel lists",
    },
];

/// Why a difference is not ours to fix, if it is not.
pub fn reason(peer: &str, tree: &Tree, line: &str) -> Option<&'static str> {
    let of_cpuless_node = || {
        let node = line.split(" node ").nth(1)?.split(' ').next()?;
        let directory = tree
            .directory
            .join(format!("sys/devices/system/node/node{node}"));
        let read = |name: &str| std::fs::read_to_string(directory.join(name)).ok();
        let list = read("cpulist").or_else(|| read("cpumap"))?;
        let cpuless = line.contains(" cpus")
            && list
                .chars()
                .all(|c| matches!(c, '0' | ',' | '\n' | '\0' | ' '));
        // A cpulist of "0" is the first CPU; only as a map does it mean none.
        let cpuless = cpuless && (read("cpulist").is_none() || !list.contains('0'));
        cpuless.then_some(
            "of a node whose cpulist is empty hwloc tells the CPUs that are near, not those in it",
        )
    };
    DIFFERENCES
        .iter()
        .find(|row| row.peer == peer && matches(row.tree, &tree.name) && matches(row.line, line))
        .map(|row| row.reason)
        .or_else(of_cpuless_node)
}

/// Whether the text is the pattern, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    open || rest.is_empty()
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, text, expected) in [
        ("a*c", "abc", true),
        ("a*c", "abcd", false),
        ("a*", "abcd", true),
        ("*", "", true),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a*b*", "a1b2", true),
        ("a*b*", "a12", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}
