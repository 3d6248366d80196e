//! The files of a control group: the first byte chooses the file.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::{one_of, spoilt_files};
use libhw::inventory::Class;

/// The files, and what stands in them.
const FILES: [(&str, &[u8]); 8] = [
    ("cpu.max", b"150000 100000\n"),
    (
        "cpu.stat",
        b"usage_usec 5\nnr_throttled 4\nthrottled_usec 1234\n",
    ),
    ("memory.max", b"max\n"),
    (
        "memory.events",
        b"low 0\nhigh 3\nmax 7\noom 1\noom_kill 2\n",
    ),
    (
        "io.max",
        b"8:16 rbps=2097152 wbps=max riops=max wiops=120\n",
    ),
    ("io.weight", b"default 100\n"),
    ("blkio.throttle.read_bps_device", b"8:16 1048576\n"),
    ("cpuset.cpus.effective", b"0-3,8\n"),
];

gnomon_fuzz::target!(|bytes: &[u8]| {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (name, text) = FILES[usize::from(*first) % FILES.len()];
    let mount = b"31 23 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    let files = [
        ("proc/self/mountinfo".to_owned(), mount.to_vec()),
        ("proc/self/cgroup".to_owned(), b"0::/a\n".to_vec()),
        (format!("sys/fs/cgroup/a/{name}"), one_of(&[text], rest)),
    ];
    spoilt_files(Class::Limits, &files)
});
