//! Where huge pages are mounted.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "proc/self/mounts";

const TEXTS: &[&[u8]] = &[
    b"hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\nnone /mnt/huge\\0401G hugetlbfs rw,pagesize=1024M,size=50%,min_size=2G 0 0\nproc /proc proc rw 0 0\n",
    b"hugetlbfs \\777 hugetlbfs pagesize= 0 0\nhugetlbfs\n",
];

gnomon_fuzz::target!(|bytes| file(Class::Hugepages, PATH, TEXTS, bytes));
