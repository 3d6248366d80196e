//! The meminfo of a node.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "sys/devices/system/node/node0/meminfo";

gnomon_fuzz::target!(|bytes| file(Class::Numa, PATH, &[], bytes));
