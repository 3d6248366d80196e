//! /proc/cmdline.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "proc/cmdline";

const TEXT: &[u8] = br#"BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro console=tty0 console=ttyS0 rd.luks.key=abc dyndbg="file a +p" preempt=full -- single
"#;

gnomon_fuzz::target!(|bytes| file(Class::Software, PATH, &[TEXT], bytes));
