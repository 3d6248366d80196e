//! Where file systems are mounted.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "proc/self/mountinfo";

const TEXTS: &[&[u8]] = &[
    b"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n22 27 0:21 / /proc rw - proc proc rw\n",
    b"24 22 0:50 / /mnt/a\\040b ro master:3 propagate_from:2 - nfs4 server:/export ro,vers=4\n30 24 0:60 /x /y rw -  rw\n",
];

gnomon_fuzz::target!(|bytes| file(Class::Storage, PATH, TEXTS, bytes));
