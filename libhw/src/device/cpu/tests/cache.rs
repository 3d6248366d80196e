use super::*;

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
