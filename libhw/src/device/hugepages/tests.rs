use super::{Hugepages, Mount, PoolNow};
use crate::inventory::Class;
use crate::survey::Problem;
use crate::tree::{Tree, told};
use crate::units::Bytes;

const HOST: &str = "sys/kernel/mm/hugepages";
const NODE: &str = "sys/devices/system/node";

fn read(tree: &Tree) -> (Hugepages, Vec<Problem>) {
    let inventory = tree.discover(Class::Hugepages);
    (inventory.hugepages.unwrap(), inventory.problems)
}

/// A host with two sizes, and a node with the pages of the smaller.
fn two_sizes() -> Tree {
    let tree = Tree::new(&[("proc/meminfo", "Hugepagesize:       2048 kB\n")]);
    for (path, text) in [
        ("hugepages-1048576kB/nr_hugepages", "0\n"),
        ("hugepages-2048kB/nr_hugepages", "16\n"),
        ("hugepages-2048kB/nr_overcommit_hugepages", "8\n"),
        ("hugepages-2048kB/free_hugepages", "10\n"),
        ("hugepages-2048kB/resv_hugepages", "3\n"),
        ("hugepages-2048kB/surplus_hugepages", "2\n"),
    ] {
        tree.write(&format!("{HOST}/{path}"), text);
    }
    for (path, text) in [
        ("nr_hugepages", "16\n"),
        ("free_hugepages", "10\n"),
        ("surplus_hugepages", "2\n"),
    ] {
        let path = format!("{NODE}/node1/hugepages/hugepages-2048kB/{path}");
        tree.write(&path, text);
    }
    tree.directory(&format!("{NODE}/node0"));
    tree
}

fn ids(hugepages: &Hugepages) -> Vec<&str> {
    let pools = hugepages.pools.iter();
    pools.map(|pool| pool.id.as_str()).collect()
}

#[test]
fn pools_of_every_size_stand_by_host_then_node() {
    let (hugepages, problems) = read(&two_sizes());
    assert_eq!(problems, []);
    assert_eq!(ids(&hugepages), ["2048kB", "1048576kB", "node1/2048kB"]);
    assert_eq!(hugepages.default_size_bytes, Some(Bytes(2 << 20)));
    let [host, _, node] = hugepages.pools.as_slice() else {
        panic!("{:?}", hugepages.pools);
    };
    assert_eq!(host.size_bytes, Bytes(2 << 20));
    assert_eq!((host.total, host.overcommit), (Some(16), Some(8)));
    let now = PoolNow {
        free: Some(10),
        reserved: Some(3),
        surplus: Some(2),
    };
    assert_eq!(host.now, now);
    assert_eq!((node.node, node.overcommit), (Some(1), None));
    let reserved = None;
    assert_eq!(node.now, PoolNow { reserved, ..now });
}

#[test]
fn numbers_of_pages_are_read_again() {
    let tree = two_sizes();
    let mut inventory = tree.discover(Class::Hugepages);
    let pool = "hugepages-2048kB";
    tree.write(&format!("{HOST}/{pool}/nr_hugepages"), "20\n");
    tree.write(&format!("{HOST}/{pool}/resv_hugepages"), "4\n");
    let of_node = format!("{NODE}/node1/hugepages/{pool}/free_hugepages");
    tree.write(&of_node, "9\n");
    assert_eq!(inventory.refresh(&tree.root()), []);
    let pools = inventory.hugepages.unwrap().pools;
    assert_eq!((pools[0].total, pools[0].overcommit), (Some(20), Some(8)));
    assert_eq!(pools[0].now.reserved, Some(4));
    assert_eq!(pools[2].now.free, Some(9));
}

#[test]
fn an_old_kernel_has_its_pools_in_meminfo() {
    let tree = Tree::new(&[
        (
            "proc/meminfo",
            "MemTotal: 1 kB\nHugePages_Total:   8\nHugePages_Free:    7\nHugePages_Rsvd:    2\nHugepagesize:     2048 kB\n",
        ),
        ("proc/sys/vm/nr_overcommit_hugepages", "5\n"),
        (
            "sys/devices/system/node/node0/meminfo",
            "Node 0 HugePages_Total:     8\nNode 0 HugePages_Free:      7\n",
        ),
        (
            "sys/devices/system/node/node1/meminfo",
            "Node 1 MemTotal: 0 kB\n",
        ),
    ]);
    let mut inventory = tree.discover(Class::Hugepages);
    let hugepages = inventory.hugepages.clone().unwrap();
    assert_eq!(ids(&hugepages), ["2048kB", "node0/2048kB"]);
    let host = &hugepages.pools[0];
    assert_eq!((host.total, host.overcommit), (Some(8), Some(5)));
    assert_eq!((host.now.free, host.now.reserved), (Some(7), Some(2)));
    assert_eq!(hugepages.pools[1].total, Some(8));
    tree.write(
        "sys/devices/system/node/node0/meminfo",
        "Node 0 HugePages_Total:     8\nNode 0 HugePages_Free:      1\n",
    );
    assert_eq!(inventory.refresh(&tree.root()), []);
    let pools = inventory.hugepages.unwrap().pools;
    assert_eq!((pools[0].now.free, pools[1].now.free), (Some(7), Some(1)));
}

#[test]
fn a_kernel_without_huge_pages_has_none() {
    let tree = Tree::new(&[
        ("proc/meminfo", "MemTotal:      2075428 kB\n"),
        (
            "sys/devices/system/node/node0/meminfo",
            "Node 0 MemTotal: 1 kB\n",
        ),
    ]);
    assert_eq!(read(&tree), (Hugepages::default(), vec![]));
    assert_eq!(read(&Tree::new(&[])), (Hugepages::default(), vec![]));
}

#[test]
fn transparent_huge_pages_tell_their_switches_and_sizes() {
    let place = "sys/kernel/mm/transparent_hugepage";
    let tree = Tree::new(&[]);
    for (path, text) in [
        ("enabled", "always [madvise] never\n"),
        ("defrag", "always defer defer+madvise [madvise] never\n"),
        (
            "shmem_enabled",
            "always within_size advise [never] deny force\n",
        ),
        ("hpage_pmd_size", "2097152\n"),
        ("khugepaged/defrag", "1\n"),
        (
            "hugepages-2048kB/enabled",
            "always [inherit] madvise never\n",
        ),
        ("hugepages-64kB/enabled", "always inherit madvise [never]\n"),
        ("hugepages-8kB/shmem_enabled", "always [never]\n"),
    ] {
        tree.write(&format!("{place}/{path}"), text);
    }
    let (hugepages, problems) = read(&tree);
    assert_eq!(problems, []);
    let transparent = hugepages.transparent.unwrap();
    assert_eq!(transparent.enabled.as_deref(), Some("madvise"));
    assert_eq!(transparent.defrag.as_deref(), Some("madvise"));
    assert_eq!(transparent.shmem_enabled.as_deref(), Some("never"));
    assert_eq!(transparent.size_bytes, Some(Bytes(2 << 20)));
    let sizes: Vec<_> = transparent
        .sizes
        .iter()
        .map(|size| (size.size_bytes.0 >> 10, size.enabled.as_deref()))
        .collect();
    assert_eq!(
        sizes,
        [(8, None), (64, Some("never")), (2048, Some("inherit"))]
    );
}

#[test]
fn only_hugetlbfs_mounts_are_listed_and_their_paths_are_unescaped() {
    let mounts = "proc /proc proc rw 0 0\n\
        none /mnt/b\\040\\134\\303\\244 hugetlbfs rw,pagesize=1024M,size=4294967296,min_size=1G 0 0\n\
        hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n\
        none /mnt/c hugetlbfs size=50% 0 0\n\
        none /mnt/\\9\\04 hugetlbfs rw,pagesize=huge\n\
        broken\n";
    let tree = Tree::new(&[("proc/self/mounts", mounts), ("proc/mounts", "x\n")]);
    let (hugepages, problems) = read(&tree);
    let [default, odd, both, percentage] = hugepages.mounts.as_slice() else {
        panic!("{:?}", hugepages.mounts);
    };
    let expected = Mount {
        id: "/dev/hugepages".to_owned(),
        page_size_bytes: Some(Bytes(2 << 20)),
        size_bytes: None,
        min_size_bytes: None,
        options: "rw,relatime,pagesize=2M".to_owned(),
    };
    assert_eq!(*default, expected);
    assert_eq!(both.id, "/mnt/b \\ä");
    assert_eq!(both.page_size_bytes, Some(Bytes(1 << 30)));
    assert_eq!(both.size_bytes, Some(Bytes(4 << 30)));
    assert_eq!(both.min_size_bytes, Some(Bytes(1 << 30)));
    assert_eq!(
        (percentage.size_bytes, percentage.options.as_str()),
        (None, "size=50%")
    );
    assert_eq!(
        (odd.id.as_str(), odd.page_size_bytes),
        ("/mnt/\\9\\04", None)
    );
    assert_eq!(told(&problems), [("/proc/self/mounts", "malformed")]);
}

#[test]
fn a_tree_without_our_own_mounts_has_the_hosts() {
    let tree = Tree::new(&[("proc/mounts", "n /h hugetlbfs rw 0 0\n")]);
    let (hugepages, _) = read(&tree);
    assert_eq!(hugepages.mounts[0].id, "/h");
}

#[test]
fn one_bad_number_hides_no_other() {
    let tree = two_sizes();
    let pool = format!("{HOST}/hugepages-2048kB");
    tree.write(&format!("{pool}/free_hugepages"), "many\n");
    tree.write(&format!("{HOST}/hugepages-xkB/nr_hugepages"), "1\n");
    tree.fail(&[
        (&format!("{pool}/resv_hugepages"), 13),
        (&format!("{pool}/surplus_hugepages"), 110),
    ]);
    let (hugepages, problems) = read(&tree);
    assert_eq!(
        told(&problems),
        [
            (
                "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
                "malformed"
            ),
            (
                "/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages",
                "denied"
            ),
            (
                "/sys/kernel/mm/hugepages/hugepages-2048kB/surplus_hugepages",
                "timed out"
            ),
        ]
    );
    assert_eq!(ids(&hugepages).len(), 3);
    assert_eq!(hugepages.pools[0].total, Some(16));
    assert_eq!(hugepages.pools[0].now, PoolNow::default());
}
