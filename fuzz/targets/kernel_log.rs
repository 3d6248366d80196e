//! A record of the kernel's log, and what NVIDIA's driver wrote in it.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::one_of;
use libhw::device::gpu::xid;
use libhw::io::kernel_log;

const RECORDS: &[&[u8]] = &[
    b"3,1193,5140900123,-,caller=T1;NVRM: Xid (PCI:0000:81:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.\n",
    b"3,1194,5140900999,-;NVRM: Xid (PCI:0000:3b:00 GPU-I:05): 94, pid=7194, name=train, Contained: CE User Channel (0x9).\n SUBSYSTEM=pci\n DEVICE=+pci:0000:3b:00.0\n",
    b"3,7,0,c;NVRM: Xid (10000:c1:1f.1): 119",
];

fn kernel_log(bytes: &[u8]) -> bool {
    let Some(line) = kernel_log::parse(&one_of(RECORDS, bytes)) else {
        return false;
    };
    assert!(!line.text.contains('\n'));
    if let Some(found) = xid::parse(&line.text) {
        // What was understood reads the same when it is written as the driver writes it.
        let again = format!(
            "NVRM: Xid (PCI:{}): {}, {}",
            found.function, found.number, found.text
        );
        assert_eq!(xid::parse(&again), Some(found));
    }
    true
}

gnomon_fuzz::target!(kernel_log);
