//! The meminfo of a node.
#![cfg_attr(fuzzing, no_main)]

gnomon_fuzz::target!(|bytes| gnomon_fuzz::mutant::file(
    "sys/devices/system/node/node0/meminfo",
    bytes
));
