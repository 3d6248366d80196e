//! /proc/modules.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "proc/modules";

const TEXT: &[u8] = br#"zfs 3706880 6 - Live 0x0000000000000000 (POE)
i2c_core 81920 2 i2c_i801,i2c_smbus, Live 0x0000000000000000
"#;

gnomon_fuzz::target!(|bytes| file(Class::Software, PATH, &[TEXT], bytes));
