//! The shares of a resctrl group.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::{one_of, spoilt_files};
use libhw::inventory::Class;

const TEXT: &[u8] = b"    MB:0=100;1= 50\n    L3:0=fff;1=ff0\n";

gnomon_fuzz::target!(|bytes: &[u8]| {
    let files = [
        (
            "sys/fs/resctrl/info/L3/num_closids".to_owned(),
            b"16\n".to_vec(),
        ),
        ("sys/fs/resctrl/schemata".to_owned(), one_of(&[TEXT], bytes)),
    ];
    spoilt_files(Class::Cpu, &files)
});
