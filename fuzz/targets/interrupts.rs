//! /proc/interrupts.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "proc/interrupts";

const TEXT: &[u8] = br#"           CPU0       CPU1
 25:       1800          0   PCI-MSI 114689-edge      virtio5-req.0
 11:        812        204     GICv3  26 Level     arch_timer
LOC:      10196       7429   Local timer interrupts
ERR:          0
"#;

gnomon_fuzz::target!(|bytes| file(Class::Cpu, PATH, &[TEXT], bytes));
