//! What /proc and the cgroup file system say of our limits: the first byte chooses the file.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

/// The files, and what stands in them.
const FILES: [(&str, &[u8]); 6] = [
    (
        "proc/self/limits",
        b"Limit                     Soft Limit           Hard Limit           Units\n\
          Max open files            1024                 524288               files\n\
          Max nice priority         0                    0\n\
          Max locked memory         unlimited            unlimited            bytes\n",
    ),
    (
        "proc/self/status",
        b"Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\nCpus_allowed_list:\t0-1\n",
    ),
    ("proc/self/cgroup", b"3:cpu,cpuacct:/user.slice\n0::/user.slice/session-1.scope\n"),
    (
        "proc/self/mountinfo",
        b"31 23 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n",
    ),
    (
        "proc/pressure/cpu",
        b"some avg10=0.00 avg60=0.12 avg300=0.04 total=157622151\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=2\n",
    ),
    ("proc/self/uid_map", b"         0     100000      65536\n"),
];

gnomon_fuzz::target!(|bytes: &[u8]| {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (path, text) = FILES[usize::from(*first) % FILES.len()];
    file(Class::Limits, path, &[text], rest)
});
