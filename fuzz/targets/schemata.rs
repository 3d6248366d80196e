//! The shares of a resctrl group.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "sys/fs/resctrl/schemata";

const TEXT: &[u8] = br#"    MB:0=100;1= 50
    L3:0=fff;1=ff0
"#;

gnomon_fuzz::target!(|bytes| file(Class::Cpu, PATH, &[TEXT], bytes));
